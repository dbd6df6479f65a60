package conformance

import "testing"

// A server that is checked may send anything: reading it ends, and finds faults rather than falling over.
func FuzzPlaylists(f *testing.F) {
	f.Add([]byte("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXT-X-MAP:URI=\"i\"\n#EXTINF:2.0,\ns\n"))
	f.Add([]byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.42c01e,mp4a.40.2\"\nv0/live.m3u8\n"))
	f.Add([]byte("#EXTM3U\n#EXT-X-PART:DURATION=0.5,URI=\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		quiet := func(Rule, string, ...any) {}
		p, _ := readPlaylist(b)
		checkPlaylist(p, quiet)
		checkReload(p, p, quiet)
		checkDelta(p, p, quiet)
		if x, problems := readIndex(b); len(x.variants) == 0 && len(problems) == 0 {
			t.Error("a multivariant playlist without variants is without a problem")
		}
		if err := checkBoxes(b); err == nil && len(b) > 0 && len(b) < 8 {
			t.Errorf("%d bytes pass for boxes", len(b))
		}
	})
}

package hls

import (
	"testing"

	"chalkcast/media"
	"chalkcast/storage"
)

func TestNames(t *testing.T) {
	lesson := media.ID(1)
	tag := newTag(3)
	h := heading{msn: 12, tag: tag, generation: 4}
	s := &segment{heading: h}
	for _, test := range []struct {
		name string
		want resource
	}{
		{"v0/" + string(appendSegmentURI(nil, tag, 12)), resource{kind: segmentFile, rendition: "v0", tag: tag, msn: 12}},
		{"a0/" + string(appendPartURI(nil, tag, 0, 7)), resource{kind: partFile, rendition: "a0", tag: tag, part: 7}},
		{"v9/" + string(appendInitURI(nil, h.init())), resource{kind: initFile, rendition: "v9", tag: tag, generation: 4}},
		{"v1/live.m3u8", resource{kind: livePlaylist, rendition: "v1"}},
		{"v1/dvr.m3u8", resource{kind: dvrPlaylist, rendition: "v1"}},
		{"a0/replay.m3u8", resource{kind: replayPlaylist, rendition: "a0"}},
		{"index.m3u8", resource{kind: indexPlaylist}},
		{"dvr.m3u8", resource{kind: dvrIndex}},
		{"replay.m3u8", resource{kind: replayIndex}},
		{"poster.mp4", resource{kind: poster}},
	} {
		if got := parseName(test.name); got != test.want {
			t.Errorf("%s is %+v, want %+v", test.name, got, test.want)
		}
	}
	for _, key := range []string{segmentKey(lesson, "v0", s), initKey(lesson, "a0", h.init()), indexKey(lesson)} {
		if err := storage.CheckName(key); err != nil {
			t.Errorf("object name %s: %v", key, err)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"index.m3u8", "v0/live.m3u8", "v0/seg-1-abcdef-0.m4s", "a0/part-12-zzzzzz-3-4.m4s", "v1/init-0-000000-9.mp4", "v0/../x", "v0/seg-1-abcdef--1.m4s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		r := parseName(name)
		var again string
		switch r.kind {
		case segmentFile:
			again = r.rendition + "/" + string(appendSegmentURI(nil, r.tag, r.msn))
		case partFile:
			again = r.rendition + "/" + string(appendPartURI(nil, r.tag, r.msn, r.part))
		case initFile:
			again = r.rendition + "/" + string(appendInitURI(nil, initName{r.tag, r.generation}))
		default:
			return
		}
		if again != name || !isTag(r.tag) {
			t.Errorf("%q is taken for %+v, which is called %q", name, r, again)
		}
	})
}

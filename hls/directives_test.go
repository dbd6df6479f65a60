package hls

import (
	"testing"
)

func FuzzDirectives(f *testing.F) {
	for _, s := range []string{"", "_HLS_msn=1", "_HLS_msn=1&_HLS_part=2&_HLS_skip=YES", "_HLS_part=1", "_HLS_msn=-1", "_HLS_msn=1;2", "a=b&&=", "_HLS_msn=999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		d, err := parseDirectives(query)
		if err == nil && (d.msn < -1 || d.part < -1 || d.part >= 0 && d.msn < 0 || d.msn >= 1e9 || len(query) > maxQuery) {
			t.Errorf("%q is taken for %+v", query, d)
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-0", "bytes=-1", "bytes=5-", "bytes=9-1", "bytes=--1", "bytes=1-2,3-4", "x"} {
		f.Add(s, int64(1000))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size <= 0 {
			return
		}
		off, n, known, ok := parseRange(header, size)
		if known && ok && (off < 0 || n <= 0 || off+n > size) || !known && (off != 0 || n != size) {
			t.Errorf("%q of %d bytes is %d bytes from %d", header, size, n, off)
		}
	})
}

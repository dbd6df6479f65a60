package hls

import (
	"hash/maphash"
	"testing"
	"time"
)

func TestCrowdIsBounded(t *testing.T) {
	t.Parallel()
	s := crowd{seed: maphash.MakeSeed()}
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for viewer := range uint64(maxCompanies + 1000) {
		for print := range uint64(5) {
			s.see(viewer, print, now)
		}
	}
	count := func() (n int) {
		s.companies.Range(func(any, any) bool { n++; return true })
		return n
	}
	if n := count(); n != maxCompanies || s.count.Load() != maxCompanies {
		t.Errorf("%d viewers are watched and %d counted, want %d", n, s.count.Load(), maxCompanies)
	}
	s.see(1, 1, now.Add(4*time.Minute))
	s.sweep(now.Add(5*time.Minute + time.Second))
	if n := count(); n != 1 || s.count.Load() != 1 {
		t.Errorf("%d viewers are watched and %d counted after all but one left", n, s.count.Load())
	}
	for print := range uint64(100) {
		s.see(1, print, now.Add(time.Duration(print)*10*time.Minute))
	}
	v, _ := s.companies.Load(uint64(1))
	if n := len(v.(*company).seen); n != 1 {
		t.Errorf("%d places are remembered, all but one of them long left", n)
	}
}

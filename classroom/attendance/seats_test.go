package attendance

import (
	"runtime"
	"strconv"
	"testing"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// TestMemoryOfViews holds LOAD-03: the state of 100,000 viewers fits into 64 MiB.
func TestMemoryOfViews(t *testing.T) {
	const viewers, limit = 20_000, 64 << 20 / 100_000
	r := NewRecorder(RecorderConfig{})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range viewers {
		token := "view-0123456789abcdef-" + strconv.Itoa(i)
		for n := range int64(5) {
			a := &arrival{Arrival: Arrival{
				Lesson: 1, User: media.ID(i + 1), At: database.Instant(1_000_000 + n*15_000),
				Beat: Beat{View: token, N: n, State: Playing, Held: beatInterval},
			}}
			s, err := r.seat(a)
			if err != nil {
				t.Fatal(err)
			}
			c := changes{views: map[*openView]bool{}, intervals: map[intervalKey]intervalRow{}}
			if _, err := s.take(a, &c); err != nil {
				t.Fatal(err)
			}
			s.loaded, s.heard = true, nil
		}
	}
	if each := (heap() - before) / viewers; each > limit {
		t.Errorf("a viewer takes %d bytes, the limit is %d", each, limit)
	} else {
		t.Logf("%d bytes a viewer", each)
	}
	runtime.KeepAlive(r)
}

package main

import (
	"os"
	"testing"
	"time"
)

// Percentiles are right to 3 %, from microseconds to hours.
func TestHistogram(t *testing.T) {
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	for percent, want := range map[float64]time.Duration{50: 500 * time.Millisecond, 99: 990 * time.Millisecond, 100: time.Second} {
		got := h.percentile(percent)
		if diff := (got - want).Abs(); diff > want*3/100 {
			t.Errorf("%v %%: got %v, want %v", percent, got, want)
		}
	}
	for d := time.Microsecond; d < 10*time.Hour; d = d*11/10 + 1 {
		if got := valueOf(bucketOf(d)); (got - d).Abs() > d*3/100+time.Microsecond {
			t.Errorf("%v counts as %v", d, got)
		}
	}
	if h.reset(); h.percentile(99) != 0 {
		t.Error("an empty histogram has a percentile")
	}
}

// A buffer of 1 s that gets half a second after 0.4, 1.4 and 3 s runs dry once, at 2 s, for one second.
func TestBuffer(t *testing.T) {
	var b buffer
	begin := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	b.begin(begin, time.Second)
	for _, c := range []struct {
		after time.Duration
		dry   bool
	}{{400 * time.Millisecond, false}, {1400 * time.Millisecond, false}, {3 * time.Second, true}, {3500 * time.Millisecond, false}} {
		since, dry := b.add(begin.Add(c.after), 500*time.Millisecond)
		if dry != c.dry || dry && since.Sub(begin) != 2*time.Second {
			t.Errorf("after %v: dry %t since %v", c.after, dry, since.Sub(begin))
		}
	}
	if got := within(begin, begin.Add(3*time.Second), begin.Add(2*time.Second)); got != time.Second {
		t.Errorf("the part of 3 s that lies after the second one is %v", got)
	}
	if got := within(begin, begin.Add(time.Second), time.Time{}); got != 0 {
		t.Errorf("before measuring began, %v count", got)
	}
}

func TestStamp(t *testing.T) {
	first, second := time.Unix(1_700_000_000, 1), time.Unix(1_800_000_000, 999_999_999)
	media := append([]byte("moof and mdat"), stamp(first)...)
	media = append(append(media, "a picture"...), stamp(second)...)
	media = append(media, "another"...)
	if got, ok := lastStamp(media); !ok || !got.Equal(second) {
		t.Errorf("got %v, %t, want %v", got, ok, second)
	}
	for _, text := range []string{"", "no stamp", stampName, stampName + "0123", stampName + "no hexadecimal!!"} {
		if got, ok := lastStamp([]byte(text)); ok {
			t.Errorf("%q: found %v", text, got)
		}
	}
	b := stamp(first)
	if int(b[3]) != len(b)-4 || b[4] != 6 || b[5] != 5 || int(b[6]) != 32 || b[len(b)-1] != 0x80 {
		t.Errorf("not a unit of user data behind its length: % x", b)
	}
}

func TestUsage(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return // read only where there is a /proc
	}
	u, err := usageOf(os.Getpid())
	if err != nil || u.rssBytes < 1<<20 {
		t.Errorf("this process: %+v, %v", u, err)
	}
	cpu, err := parseStat([]byte("7 (a) b) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0"))
	if err != nil || cpu != 3*time.Second {
		t.Errorf("got %v, %v, want 3s", cpu, err)
	}
	if _, err := parseStat([]byte("7 (a) R 1")); err == nil {
		t.Error("a short line was taken")
	}
}

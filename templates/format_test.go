package templates

import (
	"strings"
	"testing"
	"time"
)

func TestFormats(t *testing.T) {
	day := time.Date(2026, 9, 3, 9, 5, 0, 0, time.UTC)
	for lang, want := range map[string][]string{
		"en":      {"09:05", "Thursday 3\u00a0September", "3\u00a0September 2026", "Thu 3\u00a0Sep", "1,304", "94.7%"},
		"zh-Hans": {"09:05", "9月3日 星期四", "2026年9月3日", "9月3日", "1,304", "94.7%"},
		"ja":      {"09:05", "9月3日（木）", "2026年9月3日", "9月3日", "1,304", "94.7%"},
		"id":      {"09.05", "Kamis, 3\u00a0September", "3\u00a0September 2026", "Kam, 3\u00a0Sep", "1.304", "94,7%"},
		"ms":      {"09:05", "Khamis, 3\u00a0September", "3\u00a0September 2026", "Kha, 3\u00a0Sep", "1,304", "94.7%"},
	} {
		f := formats[lang]
		got := []string{f.clock(day), f.day(day), f.date(day), f.shortDate(day), f.number(1304), f.percent(947)}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
	if len(formats) != len(Languages()) {
		t.Errorf("%d formats for %d languages", len(formats), len(Languages()))
	}
}

func TestSmallFormats(t *testing.T) {
	f := formats["en"]
	for _, c := range []struct{ got, want string }{
		{f.percent(1000), "100%"},
		{f.percent(0), "0%"},
		{f.bytes(0), "0\u00a0B"},
		{f.bytes(999), "999\u00a0B"},
		{f.bytes(1500), "1.5\u00a0kB"},
		{f.bytes(184_300_000_000), "184\u00a0GB"},
		{hms(3*time.Hour + 5*time.Minute + 9*time.Second), "3:05:09"},
		{initials("Nur Aisyah binti Rahman"), "NR"},
		{initials("Søren"), "S"},
		{initials("佐藤 陽翔"), "佐"},
		{initials("ليان الزهراني"), "ل"},
		{initials("Jean-Luc"), "JL"},
		{initials("  "), "?"},
		{spark([]int{5, 10}), "59,10.0 60,1.0"},
		{spark(nil), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestUntil(t *testing.T) {
	now := time.Date(2026, 9, 3, 10, 0, 0, 0, time.UTC)
	for ahead, want := range map[time.Duration]int{-time.Hour: 0, 0: 0, time.Second: 1, time.Minute: 1, 61 * time.Second: 2} {
		if got := untilMin(now, now.Add(ahead)); got != want {
			t.Errorf("untilMin(%v) = %d, want %d", ahead, got, want)
		}
	}
	tokyo := time.FixedZone("JST", 9*3600)
	if sameClock(now, now.In(tokyo)) || !sameClock(now, now) || !sameClock(now, time.Time{}) {
		t.Error("sameClock does not compare what a clock on the wall shows")
	}
}

func TestAxis(t *testing.T) {
	start := time.Date(2026, 9, 3, 10, 0, 0, 0, time.UTC)
	a := axis{start, start.Add(40 * time.Minute)}
	if got := a.box(Span{start.Add(10 * time.Minute), start.Add(20 * time.Minute)}); got != (box{"25.00%", "25.00%"}) {
		t.Errorf("box = %v", got)
	}
	if got := a.box(Span{start.Add(-time.Hour), start.Add(time.Hour)}); got != (box{"0.00%", "100.00%"}) {
		t.Errorf("a box wider than the axis = %v", got)
	}
	if got := a.boxes([]Span{{start.Add(-time.Hour), start}, {start.Add(time.Minute), start.Add(time.Minute)}}); len(got) != 1 || got[0].W != "0.15%" {
		t.Errorf("boxes = %v, want the one that touches the axis, wide enough to see", got)
	}
	for _, hours := range []time.Duration{0, 1, 3, 9, 30} {
		if n := len(axis{start, start.Add(hours * time.Hour)}.ticks()); n > 10 {
			t.Errorf("%d hours have %d labels", hours, n)
		}
	}
}

// TestPictureFits keeps the picture of a class on one screen, however large the class.
func TestPictureFits(t *testing.T) {
	start := time.Date(2026, 9, 3, 10, 0, 0, 0, time.UTC)
	for n, want := range map[int]string{1: "20", 28: "288", 304: "312"} {
		r := Register{Window: Span{start, start.Add(time.Hour)}, Rows: make([]RegisterRow, n)}
		p := newPicture(r)
		if p.Height != want || len(p.Rows) != n {
			t.Errorf("%d students: height %s with %d bars, want %s", n, p.Height, len(p.Rows), want)
		}
	}
	if newPicture(Register{}) != nil {
		t.Error("a picture of nothing")
	}
}

// TestWeeks keeps dates and numbers of a term and of a whole year apart, and says which weeks stand out.
func TestWeeks(t *testing.T) {
	monday := time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC)
	year := Registers{Limit: 80}
	for i := range 57 {
		year.Weeks = append(year.Weeks, monday.AddDate(0, 0, 7*i))
		year.Together = append(year.Together, WeekMark{Rated: i != 3, PctTenth: 700 + 5*i})
	}
	term := year
	term.Weeks, term.Together = year.Weeks[:14], year.Together[:14]
	for _, c := range []struct {
		r                     Registers
		bars, dated, anywhere int
	}{{term, 13, 12, 3}, {year, 56, 14, 4}} {
		p := newWeeks(c.r)
		dated, anywhere := 0, 0
		for _, b := range p.Bars {
			if b.Dated != "none" {
				dated++
			}
			if b.Dated == "" {
				anywhere++
			}
			if b.Low != (b.PctTenth < 800) {
				t.Errorf("%d tenths of a percent: low %t", b.PctTenth, b.Low)
			}
		}
		if len(p.Bars) != c.bars || dated != c.dated || anywhere != c.anywhere {
			t.Errorf("%d weeks: %d bars, %d with a date, %d on a telephone; want %d, %d, %d", len(c.r.Weeks), len(p.Bars), dated, anywhere, c.bars, c.dated, c.anywhere)
		}
		if !p.Compared || p.Lowest.PctTenth != 700 || !p.Highest.Monday.Equal(c.r.Weeks[len(c.r.Weeks)-1]) {
			t.Errorf("%d weeks: from %v to %v", len(c.r.Weeks), p.Lowest, p.Highest)
		}
	}
	if newWeeks(Registers{Weeks: year.Weeks[:1], Together: []WeekMark{{}}}) != nil {
		t.Error("a picture of nothing")
	}
}

package e2e

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// entry is one student's row of a register, by the names of its columns.
type entry map[string]string

// register downloads the CSV of the lesson and returns its rows by mail address.
func (s *school) register(who *visitor) map[string]entry {
	s.t.Helper()
	status, body := who.do(http.MethodGet, "/api/v1/lessons/"+s.LessonID+"/register.csv", nil)
	if status != http.StatusOK {
		s.t.Fatalf("GET register.csv: got %d, want 200: %s", status, body)
	}
	text, marked := strings.CutPrefix(string(body), "\ufeff")
	if !marked {
		s.t.Error("register.csv: does not begin with a byte order mark")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) == 0 {
		s.t.Fatalf("register.csv: %v, %d rows", err, len(rows))
	}
	register := map[string]entry{}
	for _, row := range rows[1:] {
		e := entry{}
		for i, name := range rows[0] {
			e[name] = row[i]
		}
		register[e["email"]] = e
	}
	return register
}

// seconds is a column of seconds.
func (e entry) seconds(t *testing.T, column string) time.Duration {
	t.Helper()
	n, err := strconv.Atoi(e[column])
	if err != nil {
		t.Fatalf("register: column %s of %s: got %q, want whole seconds", column, e["email"], e[column])
	}
	return time.Duration(n) * time.Second
}

// union is how long at least one of several pages was doing it. Gaps of up to a second are what a page's own timer
// cannot see.
func union(pages ...watched) time.Duration {
	var spans [][2]float64
	for _, p := range pages {
		spans = append(spans, p.Moved...)
	}
	slices.SortFunc(spans, func(a, b [2]float64) int { return int(a[0] - b[0]) })
	var total, end float64
	for _, span := range spans {
		if span[0] > end {
			if span[0]-end > 1000 {
				end = span[0]
			}
		}
		if span[1] > end {
			total += span[1] - end
			end = span[1]
		}
	}
	return time.Duration(total * float64(time.Millisecond))
}

func TestUnion(t *testing.T) {
	got := union(
		watched{Moved: [][2]float64{{10_000, 14_000}, {14_500, 16_000}, {20_000, 21_000}}},
		watched{Moved: [][2]float64{{15_000, 18_000}}},
	)
	if want := 9 * time.Second; got != want {
		t.Errorf("union of two pages: got %v, want %v", got, want)
	}
}

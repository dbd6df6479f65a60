package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestClimb(t *testing.T) {
	for _, c := range []struct{ bears, first, step, want int }{
		{450, 400, 100, 400}, {650, 400, 100, 600}, {5000, 400, 100, 700}, {250, 400, 100, 200}, {0, 400, 100, 0},
	} {
		got, err := climb(c.first, c.step, func(n int) (bool, error) { return n <= c.bears, nil })
		if err != nil || got != c.want {
			t.Errorf("a server that bears %d, tried from %d in steps of %d: %d, %v, want %d", c.bears, c.first, c.step, got, err, c.want)
		}
	}
}

func TestCompareSaysWhatIsWrong(t *testing.T) {
	t.Setenv("PEER", "")
	for args, want := range map[string]string{
		"":                         "ingest needs --peer",
		"--only plain,speed":       `"speed"`,
		"--peer x --only":          "--only",
		"--only viewers --for 10s": "viewers needs --peer",
	} {
		if err := run(t.Context(), strings.Fields(args), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("compare %s: %v, want an error about %s", args, err, want)
		}
	}
}

// What surge reports is what this program reads, and a viewer who waited for a thousandth of the time was not bad yet.
func TestReport(t *testing.T) {
	var r report
	text := `{"stalled_pct": 0.1, "errors": {}, "fresh_ms": {"count": 9, "p50": 34.5, "p99": 60}, "late_ms": {"p99": 1.5},
		"server": {"cpu_pct": 12, "cpu_ms_per_stream_second": 4.5, "cpu_us_per_viewer_second": 50, "rss_mb": 80}, "own": {"cpu_pct": 7}}`
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	if !r.good() || r.Fresh.P99 != 60 || r.Server.PerStream != 4.5 || r.Server.PerViewer != 50 || r.Server.RSS != 80 || r.Own.CPUPct != 7 || r.Late.P99 != 1.5 {
		t.Errorf("read %+v", r)
	}
	for name, bad := range map[string]report{
		"stalls":       {StalledPct: 0.11},
		"gave up":      {GaveUp: 1},
		"had an error": {Errors: map[string]int{"part: status 404": 1}},
	} {
		if bad.good() {
			t.Errorf("a run in which somebody %s is good", name)
		}
	}
}

func TestFewStudents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials.json")
	text := `{"http": "http://x", "students": [` + strings.Repeat(`{"email": "a"},`, 300) + `{"email": "b"}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fewStudents(file); err != nil {
		t.Fatal(err)
	}
	var kept struct {
		HTTP     string
		Students []any
	}
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &kept)
	}
	if err != nil || kept.HTTP != "http://x" || len(kept.Students) != accounts {
		t.Errorf("kept %s, %v", b, err)
	}
}

func TestSettings(t *testing.T) {
	if s := peerSettings("127.0.0.1:1", "127.0.0.1:2", 200*time.Millisecond, true); !strings.Contains(s, "hlsPartDuration: 200ms") || !strings.Contains(s, "rtmpAddress: 127.0.0.1:1") || !strings.Contains(s, "record: true") {
		t.Errorf("the peer's settings:\n%s", s)
	}
	if s := nginxSettings("127.0.0.1:3", "/files"); !strings.Contains(s, "listen 127.0.0.1:3; root /files;") {
		t.Errorf("nginx's settings:\n%s", s)
	}
}

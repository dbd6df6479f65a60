package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

// report is what a run found. Times are seconds or milliseconds as their names say.
type report struct {
	Viewers  int     `json:"viewers"`
	Encoders int     `json:"encoders"`
	Streams  int     `json:"streams"`
	Plain    bool    `json:"plain"`
	Seconds  float64 `json:"seconds"` // measured

	Watching      int64   `json:"watching"` // played at the end
	GaveUp        int64   `json:"gave_up"`
	ViewerSeconds float64 `json:"viewer_seconds"`
	StalledPct    float64 `json:"stalled_pct"` // of the time of all followed playlists
	Stalls        int64   `json:"stalls"`
	Reloads       int64   `json:"reloads"`
	Loads         int64   `json:"loads"`
	MegabitsPerS  float64 `json:"megabits_per_s"`

	Delay   spread `json:"delay_ms"`   // by PROGRAM-DATE-TIME
	Fresh   spread `json:"fresh_ms"`   // from the last picture sent
	Picture spread `json:"picture_ms"` // from the click to playing
	Page    spread `json:"page_ms"`
	Beat    spread `json:"beat_ms"`

	Errors map[string]int `json:"errors"`

	Server *cost  `json:"server,omitempty"`
	Own    cost   `json:"own"`
	Late   spread `json:"late_ms"` // of surge's own timers
}

// spread is how a duration is spread, in milliseconds.
type spread struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Most  float64 `json:"max"`
}

// cost is what a process used in the time that was measured.
type cost struct {
	CPUSeconds      float64 `json:"cpu_seconds"`
	CPUPct          float64 `json:"cpu_pct"` // of one core
	PerStreamMS     float64 `json:"cpu_ms_per_stream_second"`
	PerViewerMicros float64 `json:"cpu_us_per_viewer_second"`
	RSSMB           float64 `json:"rss_mb"` // the most that was seen
}

func (s *surge) report() *report {
	s.mu.Lock()
	defer s.mu.Unlock()
	measured := s.until().Sub(s.since())
	r := &report{
		Viewers: s.Viewers, Encoders: s.Encoders, Streams: len(s.streams), Plain: s.Plain, Seconds: measured.Seconds(),
		Watching: int64(s.Viewers) - s.gone.Load(), GaveUp: s.gone.Load(),
		ViewerSeconds: time.Duration(s.viewed.Load()).Seconds(),
		Stalls:        s.stalls.Load(), Reloads: s.reloads.Load(), Loads: s.loads.Load(),
		MegabitsPerS: over(float64(s.bytes.Load())*8/1e6, measured.Seconds()),
		StalledPct:   100 * over(float64(s.stalled.Load()), float64(s.watched.Load())),
		Delay:        spreadOf(&s.delays), Fresh: spreadOf(&s.fresh), Picture: spreadOf(&s.pictures),
		Page: spreadOf(&s.pages), Beat: spreadOf(&s.beats), Late: spreadOf(&s.late),
		Errors: maps.Clone(s.failures),
	}
	r.Own = s.costOf(s.own, measured, r.ViewerSeconds)
	if s.Pid > 0 {
		c := s.costOf(s.server, measured, r.ViewerSeconds)
		c.RSSMB = float64(s.rssMost) / (1 << 20)
		r.Server = &c
	}
	return r
}

func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func spreadOf(h *histogram) spread {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return spread{h.count.Load(), ms(h.percentile(50)), ms(h.percentile(99)), ms(time.Duration(h.longest.Load()))}
}

func (s *surge) costOf(u [2]usage, measured time.Duration, viewerSeconds float64) cost {
	cpu := (u[1].cpu - u[0].cpu).Seconds()
	return cost{
		CPUSeconds: cpu, CPUPct: 100 * over(cpu, measured.Seconds()),
		PerStreamMS:     1e3 * over(cpu, measured.Seconds()*float64(s.Encoders)),
		PerViewerMicros: 1e6 * over(cpu, viewerSeconds),
		RSSMB:           float64(u[1].rssBytes) / (1 << 20),
	}
}

// tell writes the report for people, and as JSON where that was asked for.
func (s *surge) tell(w io.Writer) error {
	r := s.report()
	if s.JSON == "-" {
		return writeJSON(w, r)
	}
	r.write(w)
	if s.JSON == "" {
		return nil
	}
	f, err := os.Create(s.JSON)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := writeJSON(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func writeJSON(w io.Writer, r *report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func (r *report) write(w io.Writer) {
	line := func(name, format string, a ...any) {
		fmt.Fprintf(w, "%-10s "+format+"\n", append([]any{name}, a...)...)
	}
	spread := func(name, what string, d spread) {
		if d.Count > 0 {
			line(name, "p50 %.1f ms, p99 %.1f ms, most %.1f ms  (%s, %d)", d.P50, d.P99, d.Most, what, d.Count)
		}
	}
	line("load", "%d viewers, %d encoders, %d streams, measured for %.1f s", r.Viewers, r.Encoders, r.Streams, r.Seconds)
	if r.Viewers > 0 {
		line("watched", "%.0f viewer-seconds, %d gave up, %.0f Mbit/s, %d playlists, %d files", r.ViewerSeconds, r.GaveUp, r.MegabitsPerS, r.Reloads, r.Loads)
		line("stalled", "%.3f %% of the time, %d times", r.StalledPct, r.Stalls)
	}
	spread("part", "last picture sent to received", r.Fresh)
	spread("part", "by its date to received", r.Delay)
	spread("picture", "asked for to playing", r.Picture)
	spread("page", "asked for to there", r.Page)
	spread("beat", "sent to acknowledged", r.Beat)
	if c := r.Server; c != nil {
		line("server", "%.1f %% of a core, %.1f MB", c.CPUPct, c.RSSMB)
		if r.Encoders > 0 {
			line("", "%.2f ms of CPU per stream-second", c.PerStreamMS)
		}
		if r.Viewers > 0 {
			line("", "%.1f µs of CPU per viewer-second", c.PerViewerMicros)
		}
	}
	line("surge", "%.1f %% of a core, timers late by p99 %.1f ms", r.Own.CPUPct, r.Late.P99)
	for _, kind := range slices.Sorted(maps.Keys(r.Errors)) {
		line("error", "%d × %s", r.Errors[kind], kind)
	}
	if len(r.Errors) == 0 {
		line("errors", "none")
	}
}

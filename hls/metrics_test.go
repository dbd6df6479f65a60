package hls_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chalkcast/hls"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
	"chalkcast/storage/storagetest"
)

// gauges returns what is measured, by name and labels: "requests_total part 200".
func gauges(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			words := []string{strings.TrimPrefix(f.GetName(), "chalkcast_hls_")}
			for _, l := range m.GetLabel() {
				words = append(words, l.GetValue())
			}
			value := m.GetGauge().GetValue() + m.GetCounter().GetValue()
			if h := m.GetHistogram(); h != nil {
				value = float64(h.GetSampleCount())
				got[strings.Join(append(slices.Clone(words), "sum"), " ")] = h.GetSampleSum()
			}
			got[strings.Join(words, " ")] = value
		}
	}
	return got
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	store := storagetest.NewFaulty(memory.New(memory.Config{}))
	h := newHouse(t, func(c *hls.Config) { c.Metrics, c.Store = registry, store })
	h.waitFor("the first count", func() bool { return h.Stored() == 0 })
	store.Set(storagetest.Down(errors.New("no route to host")))
	stream := mediatest.Stream{Duration: 9 * time.Second}
	h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
	h.get(h.url(h.lesson, "v0/live.m3u8"))
	h.ask("GET", h.path(h.lesson)+"v0/nothing")
	h.ask("GET", "/p/x/l/"+h.lesson.String()+"/v0/live.m3u8")
	held := h.later(h.path(h.lesson) + "v0/live.m3u8?_HLS_msn=5")
	h.waitFor("a viewer to wait and the spool to be written", func() bool {
		got := gauges(t, registry)
		counted := got["requests_total live 200"]+got["requests_total unknown 404"]+got["requests_total unknown 403"] == 3 // when the answers are out
		return counted && got["viewers_waiting"] == 1 && got["spool_bytes"] == got["unstored_bytes"] && got["unstored_segments"] == 8
	})
	got := gauges(t, registry)
	for name, want := range map[string]float64{
		"channels lesson": 1, "channels preview": 0, "channels recording": 0, "requests_total live 200": 1,
		"requests_total unknown 404": 1, "requests_total unknown 403": 1, "part_delay_seconds": 17,
		"spool_limit_bytes": 20 << 30, "stored_segments_total": 0, "lost_segments_total": 0, "recordings_bytes": 0,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
	// A part is listed when the next picture comes, 33 ms after its last.
	if mean := got["part_delay_seconds sum"] / got["part_delay_seconds"]; mean < .033 || mean > .04 {
		t.Errorf("parts are listed %v s after their last frame on average", mean)
	}

	h.end()
	held()
	store.Set(nil)
	h.waitFor("the recording to be archived", h.archived)
	got = gauges(t, registry)
	for name, want := range map[string]float64{
		"channels lesson": 0, "channels recording": 1, "viewers_waiting": 0, "unstored_segments": 0, "unstored_bytes": 0,
		"spool_bytes": 0, "stored_segments_total": 10, "requests_total live 200": 2,
	} {
		if got[name] != want {
			t.Errorf("at the end %s is %v, want %v", name, got[name], want)
		}
	}
	if got["recordings_bytes"] != got["stored_bytes_total"] || float64(h.Stored()) != got["recordings_bytes"] {
		t.Errorf("recordings take %v bytes, Stored says %v, %v were stored", got["recordings_bytes"], h.Stored(), got["stored_bytes_total"])
	}
	if _, err := hls.Open(h.cfg); err == nil {
		t.Error("two origins share their metrics")
	}
}

func TestSpoolHalfFull(t *testing.T) {
	inBubbleWith(t, func(c *hls.Config) {
		store := storagetest.NewFaulty(c.Store)
		store.Set(storagetest.Down(errors.New("no route to host")))
		c.Store, c.SpoolLimit = store, 60_000
	}, func(h *house, in *hls.Input, frames []*media.Frame) {
		half := func() bool {
			return slices.ContainsFunc(h.Status(h.lesson).Warnings, func(w media.Warning) bool {
				return w.Code == media.StorageSlow && w.Detail == "spool"
			})
		}
		for _, f := range frames {
			if f.DTS%90000 == 0 && half() {
				break
			}
			h.write(in, f)
			time.Sleep(time.Second / 30)
		}
		time.Sleep(6 * time.Second)
		if !half() {
			t.Errorf("no warning; the spool of 60 kB is half full: %+v", h.Status(h.lesson))
		}
	})
}

package classroom

import (
	"testing"
	"time"

	"chalkcast/classroom/lessons"
	"chalkcast/media"
	"chalkcast/templates"
)

func TestTrouble(t *testing.T) {
	start := time.Date(2026, 10, 26, 8, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	lost := at(12)
	keyframes := []templates.HealthWarning{{Code: "keyframe_long", Since: at(5)}}
	storage := media.ChannelStatus{Warnings: []media.Warning{{Code: media.StorageSlow, Since: at(7)}}}
	shared := media.ChannelStatus{Warnings: []media.Warning{{Code: media.LinkShared, Since: at(7)}}}
	tests := []struct {
		name  string
		s     situation
		want  string
		since time.Time
	}{
		{"before the start", situation{now: at(-1), news: lessons.StateNews{State: lessons.Open}}, "", time.Time{}},
		{"a minute late is nothing", situation{now: at(1), news: lessons.StateNews{State: lessons.Open, Late: true}}, "", time.Time{}},
		{"nobody streams", situation{now: at(2), news: lessons.StateNews{State: lessons.Open, Late: true}}, "missing", start},
		{"streams, not live", situation{now: at(2), news: lessons.StateNews{State: lessons.Open, Late: true}, streams: true}, "late", start},
		{"all is well", situation{now: at(10), news: lessons.StateNews{State: lessons.Live}, streams: true}, "", time.Time{}},
		{"unhealthy", situation{now: at(10), news: lessons.StateNews{State: lessons.Live}, streams: true, warnings: keyframes}, "unhealthy", at(5)},
		{"unhealthy in rehearsal", situation{now: at(-5), news: lessons.StateNews{State: lessons.Open}, streams: true, warnings: keyframes}, "", time.Time{}},
		{"storage before health", situation{now: at(10), news: lessons.StateNews{State: lessons.Live}, warnings: keyframes, status: storage}, "storage", at(7)},
		{"storage after the end", situation{now: at(60), news: lessons.StateNews{State: lessons.Ended}, status: storage}, "storage", at(7)},
		{"a shared link is the teacher's", situation{
			now: at(10), news: lessons.StateNews{State: lessons.Live}, status: shared, warnings: []templates.HealthWarning{{Code: "link_shared", Since: at(7)}},
		}, "", time.Time{}},
		{"interrupted first of all", situation{now: at(13), news: lessons.StateNews{State: lessons.Interrupted, InterruptedAt: &lost}, status: storage}, "interrupted", lost},
	}
	for _, tt := range tests {
		tt.s.start = start
		word, since := trouble(tt.s)
		if word != tt.want || !since.Equal(tt.since) {
			t.Errorf("%s: %q since %v, want %q since %v", tt.name, word, since, tt.want, tt.since)
		}
	}
}

package chat_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chalkcast/classroom/chat"
	"chalkcast/classroom/courses"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/classroom/push"
	"chalkcast/media"
)

// BenchmarkRoom is LOAD-06: a lesson with 10,000 listeners in which 50 messages a second are offered for 10 s. It
// tells how many were taken, how long one took from its sender to the pages, and the processor's time for a second
// of it, senders and listeners included. What sockets cost is not in it.
func BenchmarkRoom(b *testing.B) {
	const pages, offered, seconds, measured = 10_000, 50, 10, 10
	s := newSchool(b, databasetest.New(b))
	bus, err := push.NewLocal(nil)
	s.must(err)
	f, err := chat.New(chat.Config{
		DB: s.db, Courses: courses.New(courses.Config{DB: s.db}), Lessons: lessons.New(lessons.Config{DB: s.db, Bus: bus}), Bus: bus,
		Log: slog.New(slog.DiscardHandler),
	})
	s.must(err)
	ctx, cancel := context.WithCancel(b.Context())
	var running errgroup.Group
	running.Go(func() error { return f.Run(ctx) })
	var mu sync.Mutex
	var delays []time.Duration
	note := func(event []byte) {
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		for _, part := range strings.Split(string(event), `"text":"`)[1:] {
			sent, _, _ := strings.Cut(part, `"`)
			if ms, err := strconv.ParseInt(sent, 10, 64); err == nil {
				delays = append(delays, now.Sub(time.UnixMilli(ms)))
			}
		}
	}
	for i := range pages {
		l, err := f.Listen(ctx, s.lesson, chat.Reader{User: media.NewID()}, chat.Unseen)
		s.must(err)
		running.Go(func() error {
			defer l.Close()
			for {
				select {
				case <-ctx.Done():
					return nil
				case <-l.Ready():
				}
				events, ok := l.Next()
				if !ok {
					b.Error("a page was sent away")
					return nil
				}
				for _, e := range events {
					_, _ = io.Discard.Write(e)
					if i%measured == 0 {
						note(e)
					}
				}
			}
		})
	}
	// One who is under no limit of their own writes for fifty, within what the room takes.
	a := chat.Actor{User: s.people["tina"].ID, Role: courses.Teacher, Lesson: lessons.Lesson{ID: s.lesson, State: lessons.Live}}
	for b.Loop() {
		before := cpu(b)
		var taken atomic.Int64
		var posts errgroup.Group
		tick := time.NewTicker(time.Second / offered)
		for range offered * seconds {
			sent := <-tick.C
			posts.Go(func() error {
				if f.SpendRoom(s.lesson) == nil {
					if _, err := f.Say(ctx, a, strconv.FormatInt(sent.UnixMilli(), 10), ""); err == nil {
						taken.Add(1)
					}
				}
				return nil
			})
		}
		_ = posts.Wait()
		tick.Stop()
		b.ReportMetric(float64(taken.Load())/seconds, "taken/s")
		b.ReportMetric(100*(cpu(b)-before).Seconds()/seconds, "%core")
	}
	cancel()
	s.must(running.Wait())
	slices.Sort(delays)
	b.ReportMetric(delays[len(delays)/2].Seconds()*1000, "ms-median")
	b.ReportMetric(delays[len(delays)*99/100].Seconds()*1000, "ms-p99")
}

// cpu is the processor's time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package s3_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"

	"chalkcast/hls"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage"
	"chalkcast/storage/s3"
	"chalkcast/storage/storagetest"
)

// A year of lessons in a bucket: what has been kept long enough goes, and nothing else.
func TestLessonsExpire(t *testing.T) {
	cfg := newConfig(t)
	store, err := s3.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Prefix = "another-school"
	neighbor, err := s3.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	foreign := []string{"lessons/b.txt", "notes/a.txt"}
	for _, name := range foreign {
		if err := store.Put(t.Context(), name, storage.Bytes([]byte("not ours"))); err != nil {
			t.Fatal(err)
		}
	}
	if err := neighbor.Put(t.Context(), "lessons/"+media.NewID().String()+"/journal.jsonl", storage.Bytes([]byte("x"))); err != nil {
		t.Fatal(err)
	}

	var passed atomic.Int64
	clock := func() time.Time { return time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(passed.Load())) }
	const day = 24 * time.Hour
	o, err := hls.Open(hls.Config{Store: store, Spool: t.TempDir(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }() // ends with the test
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	old, young := media.NewID(), media.NewID()
	for _, lesson := range []media.ID{old, young} {
		teach(t, o, store, lesson)
		passed.Add(int64(day))
	}

	passed.Add(int64(178*day + time.Second))
	deleted, err := o.Expire(ctx, func(_ media.ID, ended time.Time) bool { return clock().Sub(ended) > 180*day })
	if err != nil || !slices.Equal(deleted, []media.ID{old}) {
		t.Errorf("deleted %v, %v; want %v", deleted, err, old)
	}
	left, err := storagetest.Names(store.List(t.Context(), ""))
	if err != nil {
		t.Fatal(err)
	}
	ours := slices.DeleteFunc(slices.Clone(left), func(name string) bool { return slices.Contains(foreign, name) })
	if len(ours) != len(left)-len(foreign) || len(ours) < 3 {
		t.Errorf("left: %q, want the younger lesson and what is not ours", left)
	}
	for _, name := range ours {
		if !strings.HasPrefix(name, "lessons/"+young.String()+"/") {
			t.Errorf("left: %s", name)
		}
	}
	if other, err := storagetest.Names(neighbor.List(t.Context(), "")); err != nil || len(other) != 1 {
		t.Errorf("the neighbor has %q, %v; want its one object", other, err)
	}
}

// teach has a lesson of five seconds and returns when the store has all of it.
func teach(t *testing.T, o *hls.Origin, store storage.Store, lesson media.ID) {
	t.Helper()
	stream := mediatest.Stream{Duration: 5 * time.Second, NoAudio: true}
	in, err := o.Input(t.Context(), media.Grant{Publisher: 7, Lesson: lesson, Live: true}, stream.Tracks())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range stream.Frames() {
		if err := in.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.End(t.Context(), lesson); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = backoff.Retry(ctx, func() (storage.Info, error) {
		return store.Stat(ctx, "lessons/"+lesson.String()+"/journal.jsonl")
	}, backoff.WithBackOff(backoff.NewConstantBackOff(10*time.Millisecond)))
	if err != nil {
		t.Fatal("the recording is not archived:", err)
	}
}

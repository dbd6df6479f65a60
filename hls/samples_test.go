package hls

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
)

// tables returns finished segments of the main rendition, with their bytes.
func tables(t testing.TB, stream mediatest.Stream) (list []*segment, bodies [][]byte) {
	t.Helper()
	o, err := Open(Config{Store: memory.New(memory.Config{}), Spool: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { o.close(); o.spools.Wait() }()
	in, err := o.Input(context.Background(), media.Grant{Publisher: 5, Lesson: 6, Live: true}, stream.Tracks())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range stream.Frames() {
		if err := in.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	list = in.channel.shape.get().renditions[0].view.get().list
	for _, s := range list {
		bodies = append(bodies, slices.Concat(*s.body.Load()...))
	}
	return list, bodies
}

// What a table says is what a look at the bytes says.
func TestTables(t *testing.T) {
	for _, stream := range []mediatest.Stream{
		{Duration: 9 * time.Second},
		{Duration: 9 * time.Second, BFrames: 2, GOP: 50, FPS: 25},
		{Duration: 9 * time.Second, NoAudio: true},
	} {
		list, bodies := tables(t, stream)
		if len(list) < 3 {
			t.Fatalf("%d segments", len(list))
		}
		for i, s := range list {
			want, err := scanSamples(bodies[i], func(track int) bool { return track == 1 })
			if err != nil {
				t.Fatal(err)
			}
			got, err := readSamples(s.samples, s.size)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(chunk{}, chunkSample{})); diff != "" || err != nil {
				t.Errorf("segment %d: %v\n%s", i, err, diff)
			}
			if n := len(s.samples); n > 600 {
				t.Errorf("table of %d bytes for %v", n, s.duration())
			}
		}
		again := unmarshalTables(marshalTables(list))
		for _, s := range list {
			if !slices.Equal(again[s.msn], s.samples) {
				t.Errorf("table of segment %d is %x, was %x", s.msn, again[s.msn], s.samples)
			}
		}
	}
}

func TestDamagedTables(t *testing.T) {
	list, bodies := tables(t, mediatest.Stream{Duration: 5 * time.Second, BFrames: 1})
	s := list[0]
	for n := range s.samples {
		if _, err := readSamples(s.samples[:n], s.size); err == nil {
			t.Errorf("%d bytes of a table of %d are taken for a whole one", n, len(s.samples))
		}
	}
	if _, err := readSamples(s.samples, s.size+1); err == nil {
		t.Error("the table of a shorter segment is taken")
	}
	for _, n := range []int{1, 8, 100, len(bodies[0]) - 1} {
		if _, err := scanSamples(bodies[0][:n], func(int) bool { return false }); err == nil {
			t.Errorf("%d bytes of a segment of %d are taken for a whole one", n, len(bodies[0]))
		}
	}
}

func FuzzTables(f *testing.F) {
	list, _ := tables(f, mediatest.Stream{Duration: 5 * time.Second, BFrames: 1})
	for _, s := range list {
		f.Add(s.samples, s.size)
	}
	f.Add(marshalTables(list), int64(1000))
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		for _, one := range unmarshalTables(b) {
			if len(one) > len(b) {
				t.Errorf("a table of %d bytes in %d", len(one), len(b))
			}
		}
		chunks, err := readSamples(b, size)
		if err != nil {
			return
		}
		for _, c := range chunks {
			end := c.offset
			for _, s := range c.sample {
				end += int64(s.size)
			}
			if c.offset < 0 || end > size {
				t.Errorf("samples from %d to %d of %d bytes", c.offset, end, size)
			}
		}
	})
}

package hls

import (
	"context"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
)

// TestDiskThatHangs lets the spool's goroutine wait for a disk that does not answer: writing goes on, viewers are
// served, and memory stays bounded.
func TestDiskThatHangs(t *testing.T) {
	o, err := Open(Config{Store: memory.New(memory.Config{}), Spool: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { o.close(); o.spools.Wait() }()
	const lesson = 77
	stream := mediatest.Stream{Duration: 40 * time.Second, FPS: 10, GOP: 20, NoAudio: true}
	in, err := o.Input(context.Background(), media.Grant{Publisher: 5, Lesson: lesson, Live: true}, stream.Tracks())
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan struct{})
	defer close(answer)
	in.channel.spool.do(func() { <-answer })
	big := make([]byte, 600_000)
	for _, f := range stream.Frames() {
		f.Data = big
		if err := in.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	c := in.channel
	v := c.shape.get().renditions[0].view.get()
	if v.number != 20 && v.number != 19 || v.live == nil {
		t.Errorf("%d segments are published, want 19", v.number)
	}
	var held int64
	for _, s := range v.list {
		if b := s.body.Load(); b != nil {
			held += s.size
		}
	}
	if limit := int64(hotLimit + 12*6_000_000/2); held > limit {
		t.Errorf("%d bytes are held in memory, want at most %d", held, limit)
	}
	if waiting := c.spool.bytes; waiting > queueLimit {
		t.Errorf("%d bytes wait for the disk, want at most %d", waiting, queueLimit)
	}
}

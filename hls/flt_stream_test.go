package hls_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// FLT-14: two encoders write into one lesson at the same time. The later one wins, and nobody sees a mixture.
func TestFLT14(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	streams := []mediatest.Stream{{Duration: 20 * time.Second}, {Duration: 20 * time.Second, Padding: 3}}
	whose := map[string]int{} // by the bytes of a picture
	for i, s := range streams {
		for _, f := range s.Frames() {
			if f.Track == 0 {
				whose[string(f.Data)] = i
			}
		}
	}
	first := h.publish(streams[0].Tracks(), true)
	h.write(first, streams[0].Frames()[:500]...)
	second := h.publish(streams[1].Tracks(), true)
	var both sync.WaitGroup
	var refused error
	both.Go(func() {
		for _, f := range streams[0].Frames()[500:] {
			if refused = first.Write(f); refused != nil {
				return
			}
		}
	})
	both.Go(func() { h.write(second, streams[1].Frames()...) })
	both.Wait()
	if !errors.Is(refused, hls.ErrSuperseded) {
		t.Errorf("write of the first encoder: %v, want ErrSuperseded", refused)
	}
	h.end()
	_, all := h.collect("replay.m3u8")
	pictures, newest := [2]int{}, 0
	owner := map[string]int{}
	for _, u := range all[0].Track(1) {
		who, known := whose[string(u.Data)]
		if was, mixed := owner[u.Map]; !known || mixed && was != who || who < newest {
			t.Fatalf("picture at %d of encoder %d (known: %t) under %s of encoder %d, after encoder %d", u.DTS, who, known, u.Map, was, newest)
		}
		owner[u.Map], newest = who, who
		pictures[who]++
	}
	if pictures[0] == 0 || pictures[1] != 600 {
		t.Errorf("%d pictures of the first encoder and %d of the second, want some and 600", pictures[0], pictures[1])
	}
}

// FLT-17: the server's clock is set while a lesson is on air. Durations and numbers do not care; dates follow it.
func TestFLT17(t *testing.T) {
	for _, test := range []struct {
		name   string
		step   time.Duration
		breaks bool
	}{
		{"forward an hour", time.Hour, true},
		{"back an hour", -time.Hour, true},
		{"leap second", -time.Second, false},
		{"NTP step", 1500 * time.Millisecond, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			stream := mediatest.Stream{Duration: 24 * time.Second}
			frames := stream.Frames()
			cut := h.ahead(frames, 9*time.Second)
			in := h.publish(stream.Tracks(), true)
			h.write(in, frames[:cut]...)
			h.clock.pass(test.step)
			h.write(in, frames[cut:]...)
			h.end()
			_, all := h.collect("dvr.m3u8")
			sameUnits(t, "picture", all[0].Track(1), frames, 0, 0)
			sameUnits(t, "sound", all[0].Track(2), frames, 1, 0)
			segments := all[0].Segments
			breaks := 0
			for i, s := range segments {
				if s.Discontinuity {
					breaks++
				}
				if s.Duration > 2.1 || i < len(segments)-1 && s.Duration < 1.9 {
					t.Errorf("segment %d lasts %v s", s.MSN, s.Duration)
				}
			}
			last := segments[len(segments)-1]
			if breaks > 0 != test.breaks || breaks > 1 {
				t.Errorf("%d discontinuities, want one: %t", breaks, test.breaks)
			}
			if off := h.clock.read().Sub(last.At.Add(time.Duration(last.Duration * float64(time.Second)))); off.Abs() > 2*time.Second {
				t.Errorf("the end is dated %v off the clock", off)
			}
		})
	}
}

// FLT-18: the encoder's clock is not what it should be. What package ingest lets through does no harm.
func TestFLT18(t *testing.T) {
	const day = 24 * time.Hour
	from := func(at time.Duration, shift func(*media.Frame) media.Ticks) func(*media.Frame) {
		return func(f *media.Frame) {
			clock := []int{90000, 48000}[f.Track]
			if f.DTS >= media.TicksOf(at, clock) {
				f.DTS += shift(f) * media.Ticks(clock)
			}
		}
	}
	by := func(seconds media.Ticks) func(*media.Frame) media.Ticks {
		return func(*media.Frame) media.Ticks { return seconds }
	}
	for _, test := range []struct {
		name     string
		start    time.Duration
		change   func(*media.Frame)
		pictures int // of 600 at least
	}{
		{"begins anywhere", 1234567 * time.Second, nil, 600},
		{"24 bits of milliseconds", 1<<24*time.Millisecond - 5*time.Second, nil, 600},
		{"32 bits of milliseconds", 1<<32*time.Millisecond - 5*time.Second, nil, 600},
		{"32 bits of ticks", (1<<32/90)*time.Millisecond - 5*time.Second, nil, 600},
		{"back 2 s", 0, from(9*time.Second, by(-2)), 540},
		{"forward 10 h for good", 0, from(9*time.Second, by(36000)), 540},
		{"one picture 10 h ahead", 0, func(f *media.Frame) {
			if f.Track == 0 && f.DTS == 9*90000 {
				f.DTS += 36000 * 90000
			}
		}, 530},
		{"one sound a day back", 0, func(f *media.Frame) {
			if f.Track == 1 && f.DTS/1024 == 400 {
				f.DTS -= media.TicksOf(day, 48000)
			}
		}, 600},
		{"sound runs away by 2 %", 0, func(f *media.Frame) {
			if f.Track == 1 {
				f.DTS += f.DTS / 50
			}
		}, 600},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			stream := mediatest.Stream{Duration: 20 * time.Second, Start: test.start}
			in := h.publish(stream.Tracks(), true)
			at := h.clock.read()
			for _, f := range stream.Frames() {
				h.clock.pass(at.Add(f.DTS.Duration([]int{90000, 48000}[f.Track]) - test.start).Sub(h.clock.read()))
				if test.change != nil {
					test.change(f)
				}
				if err := in.Write(f); err != nil {
					t.Fatal(err)
				}
			}
			h.end()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, all, err := (&hlstest.Player{Loose: true}).Collect(ctx, h.url(h.lesson, "dvr.m3u8")) // it knows how long segments may be
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, s := range all[0].Segments {
				sum += s.Duration
			}
			if n := len(all[0].Track(1)); n < test.pictures || sum < 17 || sum > 21 {
				t.Errorf("%d pictures in %v s, want %d or more in about 20 s", n, sum, test.pictures)
			}
		})
	}
}

// FLT-19: streams that are allowed and far from what we would like.
func TestFLT19(t *testing.T) {
	for _, test := range []struct {
		name   string
		stream mediatest.Stream
		silent [2]time.Duration // nothing comes in between
	}{
		{"a key picture every 20 s", mediatest.Stream{Duration: 45 * time.Second, FPS: 6, GOP: 120}, [2]time.Duration{}},
		{"B pictures", mediatest.Stream{Duration: 12 * time.Second, BFrames: 3}, [2]time.Duration{}},
		{"sound alone", mediatest.Stream{Duration: 12 * time.Second, NoVideo: true}, [2]time.Duration{}},
		{"picture alone", mediatest.Stream{Duration: 12 * time.Second, NoAudio: true}, [2]time.Duration{}},
		{"silence for 30 s", mediatest.Stream{Duration: 50 * time.Second}, [2]time.Duration{10 * time.Second, 40 * time.Second}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			tracks := test.stream.Tracks()
			frames := slices.DeleteFunc(test.stream.Frames(), func(f *media.Frame) bool {
				at := f.DTS.Duration(tracks[f.Track].Clock)
				return at >= test.silent[0] && at < test.silent[1]
			})
			in := h.publish(tracks, true)
			at := h.clock.read()
			for _, f := range frames {
				h.clock.pass(at.Add(f.DTS.Duration(tracks[f.Track].Clock)).Sub(h.clock.read()))
				if err := in.Write(f); err != nil {
					t.Fatal(err)
				}
			}
			h.end()
			_, all := h.collect("replay.m3u8")
			main := all[0]
			for i := range tracks {
				got := main.Track(i + 1)
				want := slices.DeleteFunc(slices.Clone(frames), func(f *media.Frame) bool { return f.Track != i })
				if len(got) != len(want) {
					t.Errorf("track %d: %d frames, want %d", i, len(got), len(want))
				}
				for j := range min(len(got), len(want)) {
					if string(got[j].Data) != string(want[j].Data) {
						t.Fatalf("track %d: frame %d is another", i, j)
					}
				}
			}
			if breaks := main.Last.Segments[len(main.Segments)-1].Disc; breaks > 0 != (test.silent[1] > 0) {
				t.Errorf("%d discontinuities", breaks)
			}
		})
	}
}

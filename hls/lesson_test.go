package hls_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/media"
	"chalkcast/media/mediatest"
)

func TestGoLive(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	if err := h.GoLive(ctx, h.lesson, h.teacher); !errors.Is(err, hls.ErrNoInput) {
		t.Errorf("GoLive without an encoder: %v, want ErrNoInput", err)
	}
	stream := mediatest.Stream{Duration: 30 * time.Second}
	frames := stream.Frames()
	in := h.publish(stream.Tracks(), false)
	preview, live := h.ahead(frames, 7*time.Second), h.ahead(frames, 17*time.Second)
	h.write(in, frames[:preview]...)
	if s := h.Status(h.teacher); !s.Live || !s.Publishing || s.Ended {
		t.Errorf("status of the preview is %+v", s)
	}
	if s := h.Status(h.lesson); s.Publishing || s.Live {
		t.Errorf("status of the lesson before it begins is %+v", s)
	}
	for range 2 {
		if err := h.GoLive(ctx, h.lesson, h.teacher); err != nil {
			t.Fatal("GoLive:", err)
		}
	}
	h.write(in, frames[preview:live]...)
	if err := h.GoLive(ctx, h.lesson, h.teacher); err != nil {
		t.Fatal("GoLive of a lesson on air:", err)
	}
	onAir := live + 400
	h.write(in, frames[live:onAir]...)
	live = onAir
	if p, err := hlstest.Parse(h.get(h.url(h.lesson, "v0/live.m3u8"))); err != nil || p.Segments[len(p.Segments)-1].Disc != 0 {
		t.Errorf("GoLive of a lesson on air broke it: %+v, %v", p, err)
	}
	if s := h.Status(h.teacher); !s.Ended || s.Publishing {
		t.Errorf("status of the preview after GoLive is %+v", s)
	}
	if s := h.Status(h.lesson); !s.Live || !s.Publishing || s.Programme < 7*time.Second || s.LatencyTarget != 2020*time.Millisecond {
		t.Errorf("status of the lesson on air is %+v", s)
	}
	if p, err := hlstest.Parse(h.get(h.url(h.teacher, "v0/live.m3u8"))); err != nil || !p.Ended || p.Next() != 4 {
		t.Errorf("preview after GoLive: %+v, %v; want four segments and the end", p, err)
	}

	h.end()
	h.end()
	h.write(in, frames[live:]...)
	if s := h.Status(h.lesson); !s.Ended || s.Live || !s.Replay || s.Programme < 9*time.Second {
		t.Errorf("status of the lesson after its end is %+v", s)
	}
	if s := h.Status(h.teacher); !s.Live || s.Ended {
		t.Errorf("status of the rehearsal after the lesson is %+v", s)
	}
	_, all := h.collect("index.m3u8")
	key := media.Ticks(8 * 90000) // the first key frame after GoLive
	picture := slices.DeleteFunc(slices.Clone(frames[:live]), func(f *media.Frame) bool { return f.Track != 0 })
	sameUnits(t, "v0", all[0].Track(1), picture, 0, key)

	if err := in.Close(media.End{}); err != nil {
		t.Error("close:", err)
	}
	if s := h.Status(h.teacher); s.Publishing || !s.Ended {
		t.Errorf("status of the rehearsal after the encoder left is %+v", s)
	}
	if err := h.GoLive(ctx, media.NewID(), h.teacher); !errors.Is(err, hls.ErrNoInput) {
		t.Errorf("GoLive after the encoder left: %v, want ErrNoInput", err)
	}
}

func TestTakeover(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 5 * time.Second}
	frames := stream.Frames()
	old := h.publish(stream.Tracks(), true)
	h.write(old, frames[:100]...)
	again := h.publish(stream.Tracks(), true)
	if err := old.Write(frames[100]); !errors.Is(err, hls.ErrSuperseded) {
		t.Errorf("write of the encoder that was replaced: %v, want ErrSuperseded", err)
	}
	h.write(again, frames...)
	if err := old.Close(media.End{}); err != nil {
		t.Error(err)
	}
	if !h.Status(h.lesson).Publishing {
		t.Error("the encoder that was replaced took the new one with it")
	}
	h.end()
	_, all := h.collect("index.m3u8")
	if units := all[0].Track(1); len(units) < 150 || string(units[len(units)-150].Data) != string(frames[0].Data) {
		t.Errorf("%d pictures, want those of the new encoder whole at the end", len(units))
	}
}

func TestTracksThatCannotBeCarried(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.Input(context.Background(), media.Grant{Publisher: h.teacher}, []media.Track{{Kind: media.Video, Clock: 90000}})
	if _, ok := errors.AsType[*media.Refusal](err); !ok {
		t.Errorf("Input without parameters: %v, want a refusal", err)
	}
	bad := media.Params{Codec: media.H264, Config: []byte{1, 2, 3}, Words: "H.264"}
	_, err = h.Input(context.Background(), media.Grant{Publisher: h.teacher}, []media.Track{{Kind: media.Video, Clock: 90000, Params: &bad}})
	if r, ok := errors.AsType[*media.Refusal](err); !ok || r.Code != media.VideoCodec {
		t.Errorf("Input with a broken avcC: %v, want a refusal %s", err, media.VideoCodec)
	}
}

// ladder returns the frames of a stream with two pictures, as an encoder with several qualities sends them.
func ladder(d time.Duration) (tracks []media.Track, frames []*media.Frame) {
	big, small := mediatest.Stream{Duration: d, Width: 640, Height: 360}, mediatest.Stream{Duration: d, NoAudio: true}
	tracks = append(big.Tracks(), small.Tracks()[0])
	tracks[2].ID = 2
	second := small.Frames()
	for _, f := range big.Frames() {
		frames = append(frames, f)
		if f.Track == 0 {
			second[0].Track = 2
			frames, second = append(frames, second[0]), second[1:]
		}
	}
	return tracks, frames
}

func TestSeveralQualities(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	tracks, frames := ladder(9 * time.Second)
	all := h.play(h.publish(tracks, true), frames)
	if len(all) != 3 {
		t.Fatalf("%d renditions, want v0, v1 and a0", len(all))
	}
	for i, r := range all[:2] {
		sameUnits(t, r.URI[len(r.URI)-13:], r.Track(1), frames, 2*i, 0)
		sameUnits(t, r.URI[len(r.URI)-13:], r.Track(2), frames, 1, 0)
		for j, s := range r.Segments {
			if other := all[0].Segments[j]; s.Duration != other.Duration || s.MSN != other.MSN {
				t.Errorf("segment %d of v%d is %v s, of v0 %v s", j, i, s.Duration, other.Duration)
			}
		}
	}
}

func TestFewerQualitiesAfterReconnect(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	tracks, frames := ladder(5 * time.Second)
	in := h.publish(tracks, true)
	h.write(in, frames...)
	in.Close(media.End{})
	stream := mediatest.Stream{Duration: 5 * time.Second, NoAudio: true}
	single := stream.Frames()
	h.write(h.publish(stream.Tracks(), true), single...)
	h.end()
	_, all := h.collect("dvr.m3u8")
	if len(all) != 3 {
		t.Fatalf("%d renditions, want v0, v1 and a0 still", len(all))
	}
	for _, r := range all[:2] {
		if n := len(r.Track(1)); n != 300 {
			t.Errorf("%s: %d pictures, want 150 of each encoder", r.URI[len(r.URI)-13:], n)
		}
	}
	segments := all[2].Segments
	if len(segments) != len(all[0].Segments) || segments[0].Gap || !segments[len(segments)-1].Gap {
		t.Errorf("sound of an encoder that has none: %+v, want gaps", segments)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	stream := mediatest.Stream{Duration: 20 * time.Second}
	between := func(f *media.Frame, from, to media.Ticks) bool {
		clock := []media.Ticks{90000, 48000}[f.Track]
		return f.DTS >= from*clock && f.DTS < to*clock
	}
	for _, test := range []struct {
		name string
		drop func(*media.Frame) bool
	}{
		{"picture stops for 7 s", func(f *media.Frame) bool { return f.Track == 0 && between(f, 6, 13) }},
		{"sound stops for 7 s", func(f *media.Frame) bool { return f.Track == 1 && between(f, 6, 13) }},
		{"picture never comes back", func(f *media.Frame) bool { return f.Track == 0 && between(f, 6, 99) }},
		{"sound comes late", func(f *media.Frame) bool { return f.Track == 1 && between(f, 0, 9) }},
		{"picture comes late", func(f *media.Frame) bool { return f.Track == 0 && between(f, 0, 8) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			frames := slices.DeleteFunc(stream.Frames(), test.drop)
			in := h.publish(stream.Tracks(), true)
			for _, f := range frames {
				h.clock.follow(f.DTS.Duration([]int{90000, 48000}[f.Track]))
				if err := in.Write(f); err != nil {
					t.Fatal(err)
				}
			}
			h.end()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			p := hlstest.Player{Loose: true}
			_, all, err := p.Collect(ctx, h.url(h.lesson, "dvr.m3u8"))
			if err != nil {
				t.Fatal(err)
			}
			main := all[0]
			sum := 0.0
			for _, s := range main.Segments {
				sum += s.Duration
			}
			if sum < 18.9 || sum > 20.1 {
				t.Errorf("%d segments of %v s in all, want 20 s", len(main.Segments), sum)
			}
			pictures, sounds := 0, 0
			for _, f := range frames {
				if f.Track == 0 {
					pictures++
				} else {
					sounds++
				}
			}
			got := map[bool]int{}
			for _, u := range main.Units {
				got[u.Clock == 90000]++
			}
			if got[true] != pictures || got[false] < sounds-2 {
				t.Errorf("%d pictures and %d sounds, want %d and %d", got[true], got[false], pictures, sounds)
			}
		})
	}
}

func TestParametersChangeInStream(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first, second := mediatest.Stream{Duration: 6 * time.Second}, mediatest.Stream{Duration: 6 * time.Second, Start: 6 * time.Second, Width: 640, Height: 360}
	frames := first.Frames()
	change := second.Frames()
	change[0].Params = second.Tracks()[0].Params
	all := h.play(h.publish(first.Tracks(), true), append(frames, change...))
	r := all[0]
	if n := len(r.Track(1)); n != 360 {
		t.Errorf("%d pictures, want 360", n)
	}
	for _, s := range r.Segments {
		if want := s.MSN == 3; s.Discontinuity != want {
			t.Errorf("discontinuity before segment %d is %t, want %t", s.MSN, s.Discontinuity, want)
		}
	}
}

func TestClockIsSet(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 20 * time.Second}
	frames := stream.Frames()
	cut := h.ahead(frames, 7*time.Second)
	in := h.publish(stream.Tracks(), true)
	h.write(in, frames[:cut]...)
	before := h.clock.read()
	h.clock.pass(time.Hour)
	h.write(in, frames[cut:]...)
	h.end()
	_, all := h.collect("dvr.m3u8")
	segments := all[0].Segments
	last := segments[len(segments)-1]
	if off := last.At.Sub(before.Add(time.Hour)); off < 0 || off > 20*time.Second {
		t.Errorf("the last segment is dated %v, the clock was set to %v", last.At, before.Add(time.Hour))
	}
	sameUnits(t, "v0", all[0].Track(1), frames, 0, 0)
}

// The server stood still for seven seconds, and what the encoder sent meanwhile comes at once: nobody's clock was set, and the
// programme goes on without a break.
func TestCatchingUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 20 * time.Second}
	in := h.publish(stream.Tracks(), true)
	frames := stream.Frames()
	stop := h.ahead(frames, 5*time.Second)
	caughtUp := h.ahead(frames, 12*time.Second)
	h.write(in, frames[:stop]...)
	h.clock.pass(7 * time.Second)
	for _, f := range frames[stop:caughtUp] {
		if err := in.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.follow(12 * time.Second) // which it is
	h.write(in, frames[caughtUp:]...)
	h.end()
	_, all := h.collect("dvr.m3u8")
	for _, r := range all {
		for i, s := range r.Segments[1:] {
			last := r.Segments[i]
			end := last.At.Add(time.Duration(last.Duration * float64(time.Second)))
			if s.Discontinuity || s.At.Sub(end).Abs() > 30*time.Millisecond {
				t.Errorf("segment %d begins %v after the one before ends, discontinuity: %t", s.MSN, s.At.Sub(end), s.Discontinuity)
			}
		}
	}
	sameUnits(t, "v0", all[0].Track(1), frames, 0, 0)
}

// Dates are a little ahead of our clock, and the encoder comes back too soon for it to catch up: they do not go back. When
// they are further ahead than they may be, they do.
func TestDatesGoOn(t *testing.T) {
	t.Parallel()
	for back, want := range map[time.Duration]time.Duration{2200 * time.Millisecond: 0, 5 * time.Second: -4 * time.Second} {
		h := newHouse(t)
		stream := mediatest.Stream{Duration: 8 * time.Second}
		in := h.publish(stream.Tracks(), true)
		frames := stream.Frames()
		cut := h.ahead(frames, 6*time.Second)
		h.write(in, frames[:cut]...)
		h.clock.pass(-back)
		h.write(in, frames[cut:]...)
		if err := in.Close(media.End{}); err != nil {
			t.Fatal(err)
		}
		h.clock.pass(time.Second)
		h.write(h.publish(stream.Tracks(), true), stream.Frames()...)
		h.end()
		_, all := h.collect("dvr.m3u8")
		for _, r := range all {
			n := slices.IndexFunc(r.Segments, func(s hlstest.Segment) bool { return s.Discontinuity })
			last, next := r.Segments[n-1], r.Segments[n]
			end := last.At.Add(time.Duration(last.Duration * float64(time.Second)))
			if step := next.At.Sub(end); (step - want).Abs() > 50*time.Millisecond {
				t.Errorf("our clock is %v behind: dates go on %v after the end of the segment before, want %v", back, step, want)
			}
		}
	}
}

func TestPreviewLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 90 * time.Second, NoAudio: true, FPS: 10, GOP: 20}
	h.write(h.publish(stream.Tracks(), false), stream.Frames()...)
	p, err := hlstest.Parse(h.get(h.url(h.teacher, "v0/live.m3u8")))
	if err != nil {
		t.Fatal(err)
	}
	gone := p.Segments[0].URI[:len("seg-1-abcdef-")] + "3.m4s"
	resp, err := http.Get(h.url(h.teacher, "v0/"+gone))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("a segment long out of the preview: %s, want 404", resp.Status)
	}
	just := p.Segments[0].URI[:len("seg-1-abcdef-")] + strconv.Itoa(p.MediaSequence-1) + ".m4s"
	h.get(h.url(h.teacher, "v0/"+just)) // just left, and can be fetched for a while
}

// An encoder is told how much is still to come until viewers get a part: nothing is known before the first picture, and then
// it is less with each.
func TestInputRest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	stream := mediatest.Stream{Duration: 6 * time.Second, FPS: 25}
	in := h.publish(stream.Tracks(), true)
	if rest := in.Rest(); rest != 0 {
		t.Errorf("before any frame: %v", rest)
	}
	last, parts := time.Duration(0), 0
	for _, f := range stream.Frames() {
		h.write(in, f)
		if f.Track != 0 || f.DTS < 4*90000 {
			continue
		}
		switch rest := in.Rest(); {
		case rest > 500*time.Millisecond:
			t.Fatalf("at %v: %v", f.DTS.Duration(90000), rest)
		case rest > last:
			parts++
		case last-rest != 40*time.Millisecond && rest != 0:
			t.Errorf("at %v: %v after %v", f.DTS.Duration(90000), rest, last)
		}
		last = in.Rest()
	}
	if parts < 3 || parts > 5 {
		t.Errorf("a new part began %d times within 2 s, want 4 times", parts)
	}
}

package ingest

import (
	"math/rand/v2"
	"testing"
	"time"

	"chalkcast/media"
	"chalkcast/media/mediatest"
)

// TestPaceRests lets an encoder send a picture every 40 ms, now and then late, of which viewers need every tenth. It is left
// alone until that one is due, and everything arrived when it did.
func TestPaceRests(t *testing.T) {
	var p pace
	now, read := noon, 0
	rnd := rand.New(rand.NewPCG(1, 2))
	arrives := func(picture int) time.Time {
		return noon.Add(time.Duration(picture)*40*time.Millisecond + time.Duration(rnd.IntN(3))*time.Millisecond)
	}
	rests := 0
	for next := arrives(0); read < 1000; {
		for ; !next.After(now); next = arrives(read) {
			position := time.Duration(read) * 40 * time.Millisecond
			arrived := p.frame(now, position, true)
			if off := arrived.Sub(noon.Add(position)); off < 0 || off > 5*time.Millisecond {
				t.Fatalf("picture %d arrived %v after it was sent", read, off)
			}
			read++
		}
		more := 10 - (read-1)%10
		d := p.rest(now, time.Duration(more)*40*time.Millisecond)
		if d > 0 {
			rests++
			if up := p.read(now.Add(d / 2)); up != now {
				t.Fatalf("in the middle of a rest all was read up to %v, want %v", up, now)
			}
			now = now.Add(d)
			if tenth := noon.Add(time.Duration((read-1)/10*10+10) * 40 * time.Millisecond); now.After(tenth.Add(-2 * time.Millisecond)) {
				t.Fatalf("a rest lasts until %v, the picture that counts comes at %v", now.Sub(noon), tenth.Sub(noon))
			}
			continue
		}
		now = next // as it comes
	}
	if rests < 95 || rests > 105 {
		t.Errorf("%d rests for 100 parts", rests)
	}
}

// TestPaceDoesNotRest names what an encoder is never left alone for, and for how long at most.
func TestPaceDoesNotRest(t *testing.T) {
	for name, tc := range map[string]struct {
		late, more, want time.Duration
	}{
		"nobody knows":                      {0, 0, 0},
		"the next picture counts":           {0, 33 * time.Millisecond, 0},
		"not worth it":                      {0, 54 * time.Millisecond, 0},
		"a part of half a second":           {0, 500 * time.Millisecond, 495 * time.Millisecond},
		"a long part":                       {0, 3 * time.Second, 495 * time.Millisecond},
		"after a stall of the line":         {3 * time.Second, 500 * time.Millisecond, 0},
		"what is due was held up by 100 ms": {100 * time.Millisecond, 300 * time.Millisecond, 195 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			var p pace
			p.frame(noon, 0, true)
			now := noon.Add(10*time.Second + tc.late)
			p.frame(now, 10*time.Second, true)
			if got := p.rest(now, tc.more); (got - tc.want).Abs() > 3*time.Millisecond {
				t.Errorf("rest of %v, want %v", got, tc.want)
			}
		})
	}
}

// TestPaceBelievesANewLine: who lags behind for good is left alone again.
func TestPaceBelievesANewLine(t *testing.T) {
	var p pace
	p.frame(noon, 0, true)
	const lag = 3 * time.Second
	at := time.Duration(0)
	for rested := time.Duration(0); rested == 0; at += 40 * time.Millisecond {
		now := noon.Add(lag + at)
		p.frame(now, at, true)
		rested = p.rest(now, 500*time.Millisecond)
		if at > 4*time.Minute {
			t.Fatal("no rest four minutes after a stall of 3 s")
		}
	}
	if at < 10*time.Second {
		t.Errorf("a rest %v after a stall of 3 s", at)
	}
}

// TestHealthAtRest reads a steady stream twice a second, all that came at once, and looks at it at any instant: it is as
// healthy as it is.
func TestHealthAtRest(t *testing.T) {
	stream := mediatest.Stream{Duration: 60 * time.Second, Padding: 10_000}
	tracks := stream.Tracks()
	m := newMeter(tracks, Limits{}.WithDefaults())
	now := noon
	for _, f := range stream.Frames() {
		sent := f.DTS.Duration(tracks[f.Track].Clock)
		for noon.Add(sent).After(now) {
			rest := m.pace.rest(now, 500*time.Millisecond)
			if rest == 0 {
				now = noon.Add(sent)
				break
			}
			for look := now; look.Before(now.Add(rest)) && sent > 20*time.Second; look = look.Add(50 * time.Millisecond) {
				if h := m.health(look); h.BitrateBPS < 2_300_000 || h.BitrateBPS > 2_600_000 || h.FPSMilli < 29_000 || h.FPSMilli > 31_000 || codes(h) != "" {
					t.Fatalf("at %v, rest since %v: %d bit/s, %d pictures in 1000 s, %s", look.Sub(noon), now.Sub(noon), h.BitrateBPS, h.FPSMilli, codes(h))
				}
			}
			now = now.Add(rest)
		}
		m.frame(now, f)
	}
	if h := m.health(now.Add(10 * time.Second)); h.Silence < 10*time.Second || h.BitrateBPS != 0 {
		t.Errorf("ten seconds later: silent for %v, %d bit/s", h.Silence, h.BitrateBPS)
	}
	var none media.Frame
	none.Track = 9
	m.frame(now, &none) // of no track: counted, and no harm
}

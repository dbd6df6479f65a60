package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"chalkcast/media"
)

// Session is one broadcast: an encoder that was let in. Start, Write, Retrack and End belong to the connection's
// goroutine.
type Session struct {
	desk     *Desk
	grant    media.Grant
	protocol media.Protocol
	hangUp   func(*media.Refusal)
	gone     chan struct{} // closed by End

	// owned by the connection's goroutine
	writer   Writer
	timeline *timeline

	mu      sync.Mutex // guards what the desk's goroutine reads too
	meter   *meter     // nil until Start
	encoder string
	last    time.Time // when the last packet arrived
	leaving *media.Refusal
	ended   bool
}

// Grant returns what the gate granted.
func (s *Session) Grant() media.Grant { return s.grant }

// Start opens the sink for the tracks that the encoder announced. The error may be a *media.Refusal.
func (s *Session) Start(tracks []media.Track, encoder string) error {
	s.mu.Lock()
	s.encoder = encoder
	s.mu.Unlock()
	if err := s.open(tracks); err != nil {
		return err
	}
	s.timeline = newTimeline(tracks)
	s.mu.Lock()
	s.meter = newMeter(tracks, s.desk.cfg.Limits)
	s.mu.Unlock()
	s.desk.cfg.Gate.Started(s.grant, tracks, encoder)
	return nil
}

// Retrack goes on with another set of tracks, at a discontinuity: a track that came late, a codec that changed. Media
// time and measurements go on where they were. A track is the same when kind and label are.
func (s *Session) Retrack(tracks []media.Track) error {
	last := s.writer
	if err := s.open(tracks); err != nil {
		return err
	}
	s.close(last, media.End{At: s.lastPacket()})
	s.timeline.retrack(tracks)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meter.retrack(tracks)
	return nil
}

func (s *Session) open(tracks []media.Track) error {
	ctx, cancel := context.WithTimeout(context.Background(), admitTimeout)
	defer cancel()
	w, err := s.desk.cfg.Sink.Open(ctx, s.grant, tracks)
	if err != nil {
		return fmt.Errorf("open channel: %w", err)
	}
	s.writer = w
	return nil
}

// Write takes the next frame in the order in which it arrived. It repairs f's time in place, so f must not be
// shared yet. The error is a *media.Refusal when the broadcast must end.
func (s *Session) Write(f *media.Frame) error {
	now := s.desk.cfg.Now()
	jumped := s.timeline.fix(f)
	s.desk.metrics.frame(s.timeline.kind(f), len(f.Data), jumped)
	s.mu.Lock()
	s.last = now
	s.meter.frame(now, f)
	if jumped {
		s.meter.jump(now)
	}
	refusal := s.leaving
	if refusal == nil {
		refusal = s.meter.exceeded()
	}
	s.mu.Unlock()
	if refusal != nil {
		return refusal
	}
	return s.writer.Write(f)
}

// Rest returns for how long the encoder may be left alone, since nothing that it sends until then is new for viewers; 0
// when it may not. The frames of that time count as arrived when they were due.
func (s *Session) Rest() time.Duration {
	if s.meter == nil || s.writer == nil {
		return 0
	}
	more, now := s.writer.Rest(), s.desk.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meter.pace.rest(now, more)
}

// End leaves the desk. stopped says that the teacher pressed Stop, why tells why the server ended the broadcast, nil
// when it did not. Every session that Admit returned ends exactly once; later calls do nothing.
func (s *Session) End(stopped bool, why *media.Refusal) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	end := media.End{At: s.last, Stopped: stopped}
	if s.leaving != nil {
		why = s.leaving
	}
	if why != nil {
		end.Code, end.Detail = why.Code, why.Detail
		s.desk.metrics.refused(s.protocol, why.Code)
	}
	s.mu.Unlock()
	s.close(s.writer, end)
	s.writer = nil
	s.desk.remove(s)
	s.desk.cfg.Gate.Ended(s.grant, end)
	close(s.gone)
}

func (s *Session) close(w Writer, e media.End) {
	if w == nil {
		return
	}
	if err := w.Close(e); err != nil {
		s.desk.cfg.Log.Error("close channel", "publisher", s.grant.Publisher, "err", err)
	}
}

// leave asks the connection to go. Only the first reason counts.
func (s *Session) leave(why *media.Refusal) {
	s.mu.Lock()
	first := s.leaving == nil && !s.ended
	if first {
		s.leaving = why
	}
	s.mu.Unlock()
	if first {
		s.hangUp(why)
	}
}

func (s *Session) lastPacket() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *Session) silence(now time.Time) time.Duration { return now.Sub(s.lastPacket()) }

// health returns the measurement of this second, once tracks are known.
func (s *Session) health(now time.Time) (media.Health, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.meter == nil || s.ended {
		return media.Health{}, false
	}
	h := s.meter.health(now)
	h.Encoder = s.encoder
	return h, true
}

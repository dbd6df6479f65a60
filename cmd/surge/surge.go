package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"chalkcast/cmd/chalkcast/sample"
)

// surge is one run.
type surge struct {
	options
	clip    *sample.Clip
	school  *school // nil without credentials
	streams []*stream
	library *library
	measure

	phase atomic.Pointer[phase]
}

// stream is what an encoder sends and viewers watch.
type stream struct {
	number int // from 1
	probed atomic.Bool
}

// phase is what the run is doing, for the progress bar.
type phase struct {
	name  string
	began time.Time
	until time.Time // zero: as long as it takes
}

func newSurge(o *options) (*surge, error) {
	s := &surge{options: *o, library: newLibrary()}
	s.failures = map[string]int{}
	s.phase.Store(&phase{name: "start"})
	clip, err := openClip(o.Clip)
	if err != nil {
		return nil, err
	}
	s.clip = clip
	if o.Credentials != "" {
		if s.school, err = openSchool(o); err != nil {
			return nil, err
		}
		if most := len(s.school.classes()); max(s.Streams, s.Encoders) > most {
			return nil, fmt.Errorf("the demo has %d classes: start it with --classes %d", most, max(s.Streams, s.Encoders))
		}
	}
	for n := range max(s.Streams, s.Encoders) {
		s.streams = append(s.streams, &stream{number: n + 1})
	}
	return s, nil
}

func openClip(name string) (*sample.Clip, error) {
	if name == "" {
		return sample.Lesson()
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	c, err := sample.Read(b)
	if err != nil {
		return nil, fmt.Errorf("clip %s: %w", name, err)
	}
	return c, nil
}

func (s *surge) enter(name string, last time.Duration) {
	p := &phase{name: name, began: time.Now()}
	if last > 0 {
		p.until = p.began.Add(last)
	}
	s.phase.Store(p)
}

// run does everything and returns when everybody has left. The error is about what kept it from measuring.
func (s *surge) run(ctx context.Context) error {
	load, leave := context.WithCancelCause(ctx)
	var all sync.WaitGroup
	err := s.load(load, &all, leave)
	leave(nil)
	all.Wait()
	if s.school != nil {
		err = errors.Join(err, s.school.saveSessions())
	}
	if err == nil && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	return err
}

// errLeft ends a run whose encoder did not come in.
var errLeft = errors.New("encoder")

func (s *surge) load(ctx context.Context, all *sync.WaitGroup, leave context.CancelCauseFunc) error {
	s.enter("encoders", 0)
	for _, st := range s.streams[:s.Encoders] {
		all.Go(func() {
			if err := s.encode(ctx, st); err != nil && ctx.Err() == nil {
				leave(fmt.Errorf("%w %d: %w", errLeft, st.number, err))
			}
		})
	}
	if err := s.waitLive(ctx); err != nil {
		return err
	}
	s.enter("join", s.Join)
	for n := range s.Viewers {
		all.Go(func() {
			rest(ctx, rand.N(s.Join+1))
			if err := s.attend(ctx, n); err != nil && ctx.Err() == nil {
				s.fail(err)
				s.gone.Add(1)
			}
		})
	}
	for _, step := range []struct {
		name string
		last time.Duration
	}{{"join", s.Join}, {"settle", s.Settle}} {
		s.enter(step.name, step.last)
		rest(ctx, step.last)
	}
	s.enter("measure", s.Measure)
	err := s.measureFor(ctx, s.Measure, s.Pid)
	s.enter("leave", 0)
	if cause := context.Cause(ctx); errors.Is(cause, errLeft) {
		return cause
	}
	return err
}

// firstAlone is how long the others wait for the first encoder: servers bear more connections from an address that has
// shown a good key.
const firstAlone = time.Second

// encode pushes the clip as encoder of a stream. Encoders do not begin together, or all their key frames would come
// at one moment.
func (s *surge) encode(ctx context.Context, st *stream) error {
	if st.number > 1 {
		rest(ctx, firstAlone+time.Duration(st.number-1)*2*time.Second/time.Duration(s.Encoders))
	}
	if ctx.Err() != nil {
		return nil
	}
	address := numbered(s.RTMP, st)
	if s.school != nil {
		address = s.school.publishURL(st)
	}
	return s.clip.Push(ctx, address, func() []byte { return stamp(time.Now()) })
}

// numbered puts a stream's number into a URL.
func numbered(address string, st *stream) string {
	return strings.ReplaceAll(address, "{n}", strconv.Itoa(st.number))
}

// liveTime is how long streams may take until they can be watched.
const liveTime = 60 * time.Second

// waitLive returns when every stream that has viewers, or a teacher, is live.
func (s *surge) waitLive(ctx context.Context) error {
	s.enter("go live", 0)
	waiting, cancel := context.WithTimeout(ctx, liveTime)
	defer cancel()
	failed := make([]error, len(s.streams))
	var all sync.WaitGroup
	for i, st := range s.streams {
		all.Go(func() {
			switch {
			case s.school != nil && st.number <= s.Encoders:
				failed[i] = s.school.goLive(waiting, st)
			case s.school == nil && s.Viewers > 0 && st.number <= s.Streams:
				failed[i] = s.waitPlaylist(waiting, st)
			}
		})
	}
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	for i, err := range failed {
		if err != nil {
			return fmt.Errorf("stream %d does not go live: %w", i+1, err)
		}
	}
	return nil
}

// waitPlaylist asks for a playlist until it is there and has media.
func (s *surge) waitPlaylist(ctx context.Context, st *stream) error {
	at, err := url.Parse(numbered(s.URL, st))
	if err != nil {
		return err
	}
	w := newWire(at, s.Gzip, nil)
	defer w.close()
	for {
		_, uris, err := s.open(ctx, w, at)
		if err == nil {
			a, failed := w.text(ctx, http.MethodGet, uris[0], "")
			if err = failed; err == nil {
				if p, failed := s.library.get(a); failed == nil && len(p.segments) > 0 {
					return nil
				}
				err = status(a.status)
			}
		}
		rest(ctx, 200*time.Millisecond)
		if ctx.Err() != nil {
			return err
		}
	}
}

// attend is one viewer, from the first click to the end.
func (s *surge) attend(ctx context.Context, n int) error {
	st := s.streams[n%s.Streams]
	if s.school != nil {
		return s.attendSchool(ctx, n, st)
	}
	at, err := url.Parse(numbered(s.URL, st))
	if err != nil {
		return err
	}
	return s.watch(ctx, st, at, time.Now())
}

package rtmp

import (
	"errors"
	"sync/atomic"
	"time"

	"chalkcast/ingest"
	"chalkcast/media"
)

// How long, and for how many frames, the first track waits for a track of the other kind.
const (
	secondTrackWait = 500 * time.Millisecond
	maxEarly        = 256
	maxEarlyBytes   = 8 << 20
	nothingKnown    = 10 * time.Second // without any track that we can carry
)

// intake turns audio and video messages into frames of a session. It belongs to the connection's goroutine.
type intake struct {
	session *ingest.Session
	cfg     *Config
	skipped *atomic.Uint64
	encoder string

	clock  clock
	tracks trackSet
	tags   []tag // reused

	started    bool
	live       trackSet  // of the session, since it started
	begin      time.Time // of the first media message
	early      []earlyFrame
	earlyBytes int
	noSound    string // codec of sound that we do not carry
	warned     bool
}

// earlyFrame waits until tracks are known.
type earlyFrame struct {
	track *track
	frame *media.Frame
}

func (in *intake) message(m message) (err error) {
	if m.typ == typeVideo {
		in.tags, err = parseVideo(in.tags[:0], m.body)
	} else {
		in.tags, err = parseAudio(in.tags[:0], m.body)
	}
	if err != nil {
		return broken(err)
	}
	if in.begin.IsZero() {
		in.begin = in.cfg.Now()
	}
	ms := in.clock.at(m.time)
	for _, t := range in.tags {
		if err := in.tag(t, ms); err != nil {
			return err
		}
	}
	return in.startWhenKnown()
}

func (in *intake) tag(t tag, ms int64) error {
	if t.name != "" {
		return in.unsupported(t)
	}
	tr := in.track(t)
	if tr == nil {
		in.skipped.Add(1)
		return nil
	}
	f, did, err := tr.read(t, ms)
	if err != nil {
		return err
	}
	if did == changeTrack && in.started {
		if err := in.retrack(); err != nil {
			return err
		}
	}
	if f == nil {
		return nil
	}
	if in.started {
		return in.write(tr, f)
	}
	in.early = append(in.early, earlyFrame{tr, f})
	in.earlyBytes += len(f.Data)
	return nil
}

// unsupported refuses pictures that no browser shows. Sound that no browser plays is left out: a lesson without
// sound is better than none, and the teacher is told.
func (in *intake) unsupported(t tag) error {
	if t.kind == media.Video {
		return &media.Refusal{Code: media.VideoCodec, Detail: t.name}
	}
	in.noSound = t.name
	in.skipped.Add(1)
	if in.started && !in.warned {
		in.warned = true
		in.session.Warn(media.AudioCodec, t.name)
	}
	return nil
}

// track returns the track of a tag, nil when it is one too many.
func (in *intake) track(t tag) *track {
	if tr := in.tracks.find(t.kind, t.track); tr != nil {
		return tr
	}
	allowed := 1
	if t.kind == media.Video {
		allowed = in.cfg.VideoTracks
	}
	if in.tracks.count(t.kind) >= allowed {
		return nil
	}
	tr := &track{kind: t.kind, number: t.track}
	in.tracks = append(in.tracks, tr).sorted()
	return tr
}

// known returns the tracks whose parameters have arrived.
func (in *intake) known() trackSet {
	var known trackSet
	for _, tr := range in.tracks {
		if tr.params != nil {
			known = append(known, tr)
		}
	}
	return known
}

// startWhenKnown starts the session when both kinds of tracks are known and the first frame is there, before which
// the headers of further pictures come, or when one kind has waited long enough for the other.
func (in *intake) startWhenKnown() error {
	if in.started {
		return nil
	}
	known, waited := in.known(), in.cfg.Now().Sub(in.begin)
	if len(known) == 0 {
		return in.hopeless(waited)
	}
	both := known.count(media.Video) > 0 && (known.count(media.Audio) > 0 || in.noSound != "")
	if both && len(in.early) > 0 || waited >= secondTrackWait || len(in.early) >= maxEarly || in.earlyBytes >= maxEarlyBytes {
		return in.start()
	}
	return nil
}

// hopeless refuses an encoder from which nothing will ever come out.
func (in *intake) hopeless(waited time.Duration) error {
	switch {
	case waited <= nothingKnown:
		return nil
	case in.noSound != "":
		return &media.Refusal{Code: media.AudioCodec, Detail: in.noSound}
	}
	return &media.Refusal{Code: media.StreamBroken, Detail: "no sequence header"}
}

func (in *intake) start() error {
	in.started, in.live = true, in.known()
	if err := in.session.Start(in.live.tracks(), in.encoder); err != nil {
		return refusal(err)
	}
	if in.noSound != "" {
		in.warned = true
		in.session.Warn(media.AudioCodec, in.noSound)
	}
	early := in.early
	in.early = nil
	for _, e := range early {
		if err := in.write(e.track, e.frame); err != nil {
			return err
		}
	}
	return nil
}

// flush starts a broadcast that ends before it waited long enough.
func (in *intake) flush() error {
	if in.started || len(in.early) == 0 || len(in.known()) == 0 {
		return nil
	}
	return in.start()
}

func (in *intake) retrack() error {
	in.live = in.known()
	if err := in.session.Retrack(in.live.tracks()); err != nil {
		return refusal(err)
	}
	return nil
}

func (in *intake) write(tr *track, f *media.Frame) error {
	f.Track = in.live.place(tr)
	return refusal(in.session.Write(f))
}

// refusal turns an error of the session into one that the encoder can be told.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	if r, ok := errors.AsType[*media.Refusal](err); ok {
		return r
	}
	return errors.Join(err, &media.Refusal{Code: media.ServerBusy})
}

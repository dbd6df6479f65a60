package hls

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"chalkcast/media"
	"chalkcast/storage"
)

// Recording is a lesson as its store knows it.
type Recording struct {
	Lesson media.ID
	// Began and Ended are zero when the store has segments, but no index to play them from: the machine of the lesson
	// was lost before there was one.
	Began, Ended time.Time
	Bytes        int64
}

// Recordings returns the lessons of a store for which wanted returns true, the oldest first. Only of those it reads more
// than names. It is for whoever lost what was known about them; no Origin is needed, and one may be open. A lesson that
// was never ended, because its machine was lost, ended with its last segment.
//
// A large store takes minutes: tell hears again and again how many files were listed and how many recordings read.
func Recordings(ctx context.Context, store storage.Store, wanted func(lesson media.ID) bool, tell func(files, recordings int)) ([]Recording, error) {
	files := 0
	held, _, err := holdings(ctx, store, func() {
		files++
		tell(files, 0)
	})
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	var all []Recording
	for id, h := range held {
		if !wanted(id) {
			continue
		}
		recs, err := readIndex(ctx, store, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, fmt.Errorf("recording %s: %w", id, err)
		}
		began := firstMoment(recs)
		r := Recording{Lesson: id, Began: began, Bytes: h.bytes}
		if !began.IsZero() {
			r.Ended = lastMoment(recs, began)
		}
		all = append(all, r)
		tell(files, len(all))
	}
	slices.SortFunc(all, func(a, b Recording) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Lesson, b.Lesson))
	})
	return all, nil
}

// holding is what the store has of a lesson.
type holding struct {
	bytes  int64
	newest time.Time
	index  storage.Info // without a name when there is none
}

// holdings goes through a store and calls each for every file. total are the bytes of all that lies where lessons do.
func holdings(ctx context.Context, store storage.Store, each func()) (held map[media.ID]*holding, total int64, err error) {
	held = make(map[media.ID]*holding)
	for info, err := range store.List(ctx, "lessons/") {
		if err != nil {
			return nil, 0, err
		}
		each()
		total += info.Size
		text, file, _ := strings.Cut(strings.TrimPrefix(info.Name, "lessons/"), "/")
		id, err := media.ParseID(text)
		if err != nil {
			continue // not ours
		}
		h := held[id]
		if h == nil {
			h = &holding{}
			held[id] = h
		}
		h.bytes += info.Size
		if info.Modified.After(h.newest) {
			h.newest = info.Modified
		}
		if file == indexFile {
			h.index = info
		}
	}
	return held, total, nil
}

// readIndex reads what a recording is played from.
func readIndex(ctx context.Context, store storage.Store, id media.ID) ([]record, error) {
	obj, err := store.Get(ctx, indexKey(id), storage.Range{})
	if err != nil {
		return nil, err
	}
	defer obj.Body.Close()
	b, err := io.ReadAll(io.LimitReader(obj.Body, maxJournal))
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	recs, _, _ := parseJournal(b)
	return recs, nil
}

// firstMoment returns when the first segment of recs began, the zero time when they have none.
func firstMoment(recs []record) time.Time {
	for _, rec := range recs {
		if rec.Kind == recSegment {
			return time.UnixMicro(rec.AtMicros).UTC()
		}
	}
	return time.Time{}
}

// lastMoment returns when the lesson of recs ended, otherwise when they do not say so.
func lastMoment(recs []record, otherwise time.Time) time.Time {
	var last time.Time
	for _, rec := range recs {
		switch rec.Kind {
		case recEnd:
			return time.UnixMicro(rec.AtMicros).UTC()
		case recSegment:
			if end := time.UnixMicro(rec.AtMicros).Add(micros(rec.EndMicros - rec.StartMicros)); end.After(last) {
				last = end
			}
		}
	}
	if last.IsZero() {
		return otherwise
	}
	return last.UTC()
}

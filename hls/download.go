package hls

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"chalkcast/media"
	"chalkcast/storage"
)

// download is a recording as one MP4 file: a head that is computed, and the segments of the main rendition as they
// are. It is immutable.
type download struct {
	name   string // what tells it from another version of it
	head   []byte
	pieces []piece
	size   int64
}

// piece is a segment in the file.
type piece struct {
	at  int64
	seg *segment
}

// download sends the recording. It is there as soon as the lesson has ended.
func (s *server) download(w *visit, r *http.Request, c *channel) error {
	shape := c.shape.get()
	if !shape.ended || c.preview() || len(shape.renditions) == 0 {
		return errUnknown
	}
	row := shape.renditions[0]
	v := row.view.get()
	if _, err := hold(w, r, &row.dvr.current, func(all dvrView) bool { return len(v.list) == 0 || all.next == v.number }); err != nil {
		return err
	}
	d, err := s.o.downloadOf(r.Context(), c, row)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", "attachment")
	return sendMedia(w, r, d.name, d.size, cacheReplay, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return &downloadReader{ctx: ctx, visit: w, c: c, r: row, d: d, off: off, left: n}, nil
	})
}

// keepable returns the segments of a recording: those that are kept somewhere.
func keepable(list []*segment) (kept []*segment) {
	for _, s := range list {
		if k := s.keeping(); !s.gap() && (k == stored || k == spooled) {
			kept = append(kept, s)
		}
	}
	return kept
}

// downloadOf returns the file of a channel, computed if need be: for a recording whose tables are not where they
// should be, that reads all of it, and a viewer who does not wait so long comes again.
func (o *Origin) downloadOf(ctx context.Context, c *channel, r *rendition) (*download, error) {
	list := keepable(r.view.get().list)
	if d := c.download.Load(); d != nil && len(d.pieces) == len(list) {
		return d, nil
	}
	if len(list) == 0 {
		return nil, errUnknown
	}
	made := o.loading.DoChan("mp4 "+c.id.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downloadWait)
		defer cancel()
		d, err := o.makeDownload(ctx, c, r, list)
		if err != nil {
			return nil, fmt.Errorf("compute download: %w", err)
		}
		c.download.Store(d)
		return d, nil
	})
	limit := time.NewTimer(holdLimit)
	defer limit.Stop()
	select {
	case done := <-made:
		if done.Err != nil {
			return nil, done.Err
		}
		return done.Val.(*download), nil
	case <-limit.C:
		return nil, errHold
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// downloadWait is how long it may take to read what is needed of a recording.
const downloadWait = 10 * time.Minute

func (o *Origin) makeDownload(ctx context.Context, c *channel, r *rendition, list []*segment) (*download, error) {
	tables, err := o.readTables(ctx, c, list)
	if err != nil {
		return nil, err
	}
	var m movie
	heads := map[initName][]trackHead{}
	d := &download{}
	next := list[0].msn
	for _, s := range list {
		n := s.init()
		if heads[n] == nil {
			heads[n], _ = readInit((*r.inits.Load())[n])
		}
		chunks, err := o.chunks(ctx, c, r, s, tables[s.msn], heads[n])
		if err != nil {
			return nil, fmt.Errorf("segment %d: %w", s.msn, err)
		}
		d.pieces = append(d.pieces, piece{m.size, s})
		m.add(heads[n], chunks, s.size, s.start, s.discontinuity || s.msn != next)
		next = s.msn + 1
	}
	d.head = m.head()
	d.size = int64(len(d.head)) + m.size
	for i := range d.pieces {
		d.pieces[i].at += int64(len(d.head))
	}
	h := fnv.New64a()
	h.Write(d.head)
	d.name = "lesson.mp4 " + strconv.FormatUint(h.Sum64(), 36)
	return d, nil
}

// chunks returns what is in a segment, from its table or, when that is lost, from its bytes.
func (o *Origin) chunks(ctx context.Context, c *channel, r *rendition, s *segment, table []byte, heads []trackHead) ([]chunk, error) {
	if chunks, err := readSamples(table, s.size); err == nil {
		return chunks, nil
	}
	body, err := o.open(ctx, c, r, s, 0, s.size)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return scanSamples(b, func(track int) bool { return track >= 1 && track <= len(heads) && heads[track-1].video })
}

// readTables returns the tables of the segments by number: those in memory, and those in the store where some are
// missing.
func (o *Origin) readTables(ctx context.Context, c *channel, list []*segment) (map[int][]byte, error) {
	tables := map[int][]byte{}
	if slices.ContainsFunc(list, func(s *segment) bool { return len(s.samples) == 0 }) {
		obj, err := o.cfg.Store.Get(ctx, samplesKey(c.id), storage.Range{})
		switch {
		case err == nil:
			defer obj.Body.Close()
			b, err := io.ReadAll(io.LimitReader(obj.Body, maxJournal))
			if err != nil {
				return nil, fmt.Errorf("read tables: %w", err)
			}
			tables = unmarshalTables(b)
		case !errors.Is(err, storage.ErrNotFound):
			return nil, fmt.Errorf("read tables: %w", err)
		}
	}
	for _, s := range list {
		if len(s.samples) > 0 {
			tables[s.msn] = s.samples
		}
	}
	return tables, nil
}

func samplesKey(lesson media.ID) string { return lessonPrefix(lesson) + "samples.bin" }

// downloadReader reads left bytes of a file from off on. It opens a segment when the one before is through, so that
// a slow viewer holds no more than one.
type downloadReader struct {
	ctx   context.Context
	visit *visit
	c     *channel
	r     *rendition
	d     *download

	off, left int64
	open      io.ReadCloser
}

// next opens what lies at off.
func (r *downloadReader) next() error {
	if !r.visit.welcome() {
		return errForbidden
	}
	if off := r.off; off < int64(len(r.d.head)) {
		n := min(int64(len(r.d.head))-off, r.left)
		r.open, _ = body{r.d.head}.open(r.ctx, off, n)
		r.off, r.left = off+n, r.left-n
		return nil
	}
	i, found := slices.BinarySearchFunc(r.d.pieces, r.off, func(p piece, off int64) int { return int(min(max(p.at-off, -1), 1)) })
	if !found {
		i--
	}
	p := r.d.pieces[i]
	from := r.off - p.at
	n := min(p.seg.size-from, r.left)
	b, err := r.visit.o.open(r.ctx, r.c, r.r, p.seg, from, n)
	if err != nil {
		return err
	}
	r.open, r.off, r.left = b, r.off+n, r.left-n
	return nil
}

func (r *downloadReader) Read(p []byte) (int, error) {
	for {
		if r.open != nil {
			n, err := r.open.Read(p)
			if n > 0 || err == nil || !errors.Is(err, io.EOF) {
				return n, err
			}
			r.open.Close()
			r.open = nil
		}
		if r.left == 0 {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
}

// WriteTo lets the kernel send what lies in files.
func (r *downloadReader) WriteTo(w io.Writer) (total int64, err error) {
	for r.left > 0 {
		if err := r.next(); err != nil {
			return total, err
		}
		n, err := io.Copy(w, r.open)
		total += n
		r.open.Close()
		r.open = nil
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (r *downloadReader) Close() error {
	if r.open != nil {
		return r.open.Close()
	}
	return nil
}

package hls

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"

	"chalkcast/hls/ticket"
	"chalkcast/media"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
)

func BenchmarkPart(b *testing.B) {
	fragments := aPart(8000)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(marshalPart(1, fragments))))
		for b.Loop() {
			marshalPart(1, fragments)
		}
	})
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(marshalPart(1, fragments))))
		for b.Loop() {
			library(b, 1, fragments)
		}
	})
	b.Run("library without conversion", func(b *testing.B) {
		var parts fmp4.Parts
		if err := parts.Unmarshal(marshalPart(1, fragments)); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			var buf seekablebuffer.Buffer
			if err := parts[0].Marshal(&buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// onAir returns an origin with 20 s of a lesson, what returns one frame after the other, and the path of the lesson.
func onAir(b *testing.B) (o *Origin, in *Input, next func() *media.Frame, path string) {
	b.Helper()
	key, err := ticket.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		b.Fatal(err)
	}
	minter, err := ticket.New(key)
	if err != nil {
		b.Fatal(err)
	}
	// The clock goes with the frames: one that stood still would look as if it had been set.
	began := time.Now()
	var played atomic.Int64
	now := func() time.Time { return began.Add(time.Duration(played.Load())) }
	if o, err = Open(Config{Store: memory.New(memory.Config{}), Tickets: minter, Spool: b.TempDir(), Now: now}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { o.close(); o.spools.Wait() })
	lesson := media.NewID()
	stream := mediatest.Stream{Duration: 80 * time.Second, Padding: 4000}
	if in, err = o.Input(context.Background(), media.Grant{Publisher: 5, Lesson: lesson, Live: true}, stream.Tracks()); err != nil {
		b.Fatal(err)
	}
	frames := stream.Frames()
	cut := len(frames) / 4
	played.Store(int64(20 * time.Second))
	for _, f := range frames[:cut] {
		if err := in.Write(f); err != nil {
			b.Fatal(err)
		}
	}
	text := minter.Mint(ticket.Claims{Channel: lesson, Viewer: 1, Expires: time.Now().Add(time.Hour)})
	again := endless(frames[cut:])
	next = func() *media.Frame {
		f := again()
		if f.Track == 0 {
			played.Store(int64(f.DTS.Duration(90000)))
		}
		return f
	}
	return o, in, next, "/p/" + text + "/l/" + lesson.String() + "/"
}

// nowhere is a response that costs nothing.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             { clear(n.header) }

// As a connection has them.
func (n *nowhere) Flush()                           {}
func (n *nowhere) SetWriteDeadline(time.Time) error { return nil }

func BenchmarkRequest(b *testing.B) {
	o, _, _, path := onAir(b)
	handler := o.Handler()
	for _, name := range []string{"v0/live.m3u8", "index.m3u8", "v0/dvr.m3u8"} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, path+name, nil)
			r.Header.Set("Accept-Encoding", "gzip")
			b.ReportAllocs()
			w := &nowhere{http.Header{}}
			for b.Loop() {
				handler.ServeHTTP(w, r)
			}
		})
	}
}

// BenchmarkWrite measures a frame's way through the origin: segmenter, parts, playlists, queue of the spool.
func BenchmarkWrite(b *testing.B) {
	_, in, frame, _ := onAir(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := in.Write(frame()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWake measures how long it takes until 5,000 held playlist requests have been answered, from the
// frame that completes the part on.
func BenchmarkWake(b *testing.B) {
	const waiters = 5000
	o, in, frame, path := onAir(b)
	handler := o.Handler()
	main := in.channel.shape.get().renditions[0]
	var took time.Duration
	for b.Loop() {
		v := main.view.get()
		target := path + "v0/live.m3u8?_HLS_msn=" + strconv.Itoa(v.number) + "&_HLS_part=" + strconv.Itoa(len(v.parts))
		var begun atomic.Int64
		var wg sync.WaitGroup
		for range waiters {
			wg.Go(func() {
				r := httptest.NewRequest(http.MethodGet, target, nil)
				begun.Add(1)
				handler.ServeHTTP(&nowhere{http.Header{}}, r)
			})
		}
		for begun.Load() < waiters {
			time.Sleep(time.Millisecond)
		}
		var begin time.Time
		for main.view.get() == v {
			begin = time.Now()
			if err := in.Write(frame()); err != nil {
				b.Fatal(err)
			}
		}
		wg.Wait()
		took += time.Since(begin)
	}
	b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "ms/5000")
}

// endless returns frames again and again, a minute later each time.
func endless(frames []*media.Frame) func() *media.Frame {
	i, shift := 0, media.Ticks(0)
	return func() *media.Frame {
		f := *frames[i]
		f.DTS += shift * []media.Ticks{90000, 48000}[f.Track]
		if i++; i == len(frames) {
			i, shift = 0, shift+61 // a sound may reach over the end of the minute
		}
		return &f
	}
}

// BenchmarkDownload computes the head of an hour's recording from its tables.
func BenchmarkDownload(b *testing.B) {
	list, _ := tables(b, mediatest.Stream{Duration: 10 * time.Second, BFrames: 2})
	heads := []trackHead{{video: true, clock: 90000, entry: make([]byte, 150)}, {clock: 48000, entry: make([]byte, 90)}}
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		var m movie
		for i := range 1800 {
			s := list[i%len(list)]
			chunks, err := readSamples(s.samples, s.size)
			if err != nil {
				b.Fatal(err)
			}
			m.add(heads, chunks, s.size, s.start, true)
		}
		size = len(m.head())
	}
	b.ReportMetric(float64(size)/1e6, "MB/hour")
}

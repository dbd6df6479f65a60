package hls_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chalkcast/hls"
	"chalkcast/hls/hlstest"
	"chalkcast/media/mediatest"
	"chalkcast/storage/memory"
)

// pipes is a listener whose connections are in memory and have no buffer: what is not read is not sent.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.accept <- there
	return here
}

// sip asks for something and reads perSecond bytes a second of it. It returns how many came, and after how long the
// server had enough of it; err is nil when all came.
func sip(c net.Conn, target string, perSecond int) (got int, took time.Duration, err error) {
	defer c.Close()
	began := time.Now()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: school.example\r\n\r\n", target); err != nil {
		return 0, 0, err
	}
	r := bufio.NewReaderSize(c, 256)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return 0, 0, err
	}
	b := make([]byte, perSecond)
	for {
		n, err := io.ReadFull(resp.Body, b)
		if got += n; err != nil {
			if int64(got) == resp.ContentLength {
				return got, time.Since(began), nil
			}
			return got, time.Since(began), errors.Join(err, errAway)
		}
		time.Sleep(time.Second)
	}
}

// FLT-32: thousands read a segment at 1 KiB/s. They cost no memory of ours, are cut off in time, and nobody else
// notices. CHALKCAST_SLOW says how many they are. It measures the memory of the process, so nothing runs beside it.
func TestFLT32(t *testing.T) {
	slow := 200
	if n, err := strconv.Atoi(os.Getenv("CHALKCAST_SLOW")); err == nil {
		slow = n
	}
	synctest.Test(t, func(t *testing.T) {
		h := newDarkHouse(t, func(c *hls.Config) { c.Now, c.Store = time.Now, memory.New(memory.Config{}) })
		listener := newPipes()
		server := http.Server{Handler: h.Handler()}
		done := make(chan error, 1)
		go func() { done <- server.Serve(listener) }() // ends with the test
		defer func() {
			server.Close()
			<-done
		}()

		a := h.onTheAir(mediatest.Stream{Duration: time.Minute, FPS: 5, GOP: 10, NoAudio: true, Padding: 60_000})
		a.until(10 * time.Second)
		p, err := hlstest.Parse(h.ask("GET", h.path(h.lesson)+"v0/live.m3u8").Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		target := h.path(h.lesson) + "v0/" + p.Segments[2].URI
		size := h.ask("GET", target).Body.Len()
		before := inUse()
		var readers sync.WaitGroup
		var mu sync.Mutex
		shortest, longest, most := time.Hour, time.Duration(0), 0
		for range slow {
			readers.Go(func() {
				got, took, err := sip(listener.dial(), target, 1024)
				if err == nil {
					t.Errorf("all %d bytes came at 1 KiB/s", got)
				}
				mu.Lock()
				defer mu.Unlock()
				shortest, longest, most = min(shortest, took), max(longest, took), max(most, got)
			})
		}
		synctest.Wait() // each has its first bytes, and the server waits
		// net/http copies through 32 KiB; the rest is two small buffers and a stack at either end.
		each := (inUse() - before) / int64(slow)
		if each > 112<<10 {
			t.Errorf("a slow viewer of %d costs %d bytes of memory, both ends counted, with a segment of %d", slow, each, size)
		}
		a.finish() // the other viewer was never late
		readers.Wait()
		limit := time.Duration(size) * 4 * time.Second / (64 << 10)
		if shortest < limit || longest > limit+3*time.Second {
			t.Errorf("they were cut off after %v to %v, want after %v for %d bytes", shortest, longest, limit, size)
		}
		t.Logf("%d slow viewers: %d bytes of memory each, %d of %d bytes in %v", slow, each, most, size, longest)

		// Somebody who is just fast enough gets all of it.
		if got, took, err := sip(listener.dial(), target, 20<<10); err != nil || got != size {
			t.Errorf("at 20 KiB/s: %d bytes of %d in %v, %v", got, size, took, err)
		}
	})
}

// inUse returns the bytes of heap and stacks.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

package s3_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chalkcast/storage"
	"chalkcast/storage/s3"
	"chalkcast/storage/storagetest"
)

// service is a bad S3 service: it stores what mangle leaves of a body and says that all is well.
type service struct {
	mu      sync.Mutex
	mangle  func(body []byte) []byte
	objects map[string]stored
	put     http.Header // of the last PUT
}

type stored struct {
	body   []byte
	header http.Header
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPut {
		body, _ := io.ReadAll(r.Body)
		s.put = r.Header.Clone()
		s.put.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
		s.objects[r.URL.Path] = stored{s.mangle(body), s.put}
		return
	}
	o, ok := s.objects[r.URL.Path]
	if !ok {
		http.Error(w, "", http.StatusNotFound)
		return
	}
	for name, values := range o.header {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			w.Header()[name] = values
		}
	}
	sum := md5.Sum(o.body)
	w.Header().Set("ETag", strconv.Quote(hex.EncodeToString(sum[:])))
	w.Header().Set("Last-Modified", "Tue, 01 Sep 2026 07:00:00 GMT")
	w.Header().Set("Content-Length", strconv.Itoa(len(o.body)))
	if r.Method == http.MethodGet {
		w.Write(o.body)
	}
}

// at returns a store that talks to h.
func at(t *testing.T, h http.Handler) *s3.Store {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return open(t, s3.Config{Endpoint: server.URL, Region: "x", Bucket: "lessons", AccessKey: "a", SecretKey: "b"})
}

func whole(b []byte) []byte { return b }

// FLT-09: an object of which half arrived, or other bytes, is found out although the service says that all is well.
func TestLyingService(t *testing.T) {
	content := storage.Bytes(storagetest.Random(10_000, 1))
	for name, mangle := range map[string]func([]byte) []byte{
		"half":           func(b []byte) []byte { return b[:len(b)/2] },
		"nothing":        func([]byte) []byte { return nil },
		"a flipped bit":  func(b []byte) []byte { b[5000] ^= 1; return b },
		"bytes appended": func(b []byte) []byte { return append(b, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			lying := &service{mangle: mangle, objects: make(map[string]stored)}
			s := at(t, lying)
			if err := s.Put(t.Context(), "a.m4s", content); err != nil {
				t.Fatal(err)
			}
			if err := storage.Verify(t.Context(), s, "a.m4s", content); !errors.Is(err, storage.ErrContent) {
				t.Errorf("Verify: %v, want %v", err, storage.ErrContent)
			}
			patience := storage.Patience{First: time.Millisecond, Failed: func(error, time.Duration) {
				lying.mu.Lock()
				defer lying.mu.Unlock()
				lying.mangle = whole
			}}
			if err := storage.Keep(t.Context(), s, "a.m4s", content, patience); err != nil {
				t.Errorf("Keep after the service was mended: %v", err)
			}
		})
	}
}

// What every service understands: one plain body, its length and sums before it.
func TestPutIsPlain(t *testing.T) {
	honest := &service{mangle: whole, objects: make(map[string]stored)}
	content := storage.Bytes([]byte("chalk"))
	if err := at(t, honest).Put(t.Context(), "a.m4s", content); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"Content-Md5": "ry2SHGPs2ozKd1TC+9LVMQ==", "X-Amz-Content-Sha256": content.Sum.String(), "Content-Length": "5",
		"Content-Encoding": "", "X-Amz-Decoded-Content-Length": "", "X-Amz-Trailer": "", "X-Amz-Sdk-Checksum-Algorithm": "",
	} {
		if got := honest.put.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
}

// FLT-08, FLT-10: errors say whether somebody has to act.
func TestAnswers(t *testing.T) {
	const document = `<?xml version="1.0"?><Error><Code>%s</Code><Message>m</Message></Error>`
	for _, test := range []struct {
		status int
		code   string
		want   error
	}{
		{403, "AccessDenied", storage.ErrDenied},
		{403, "InvalidAccessKeyId", storage.ErrDenied},
		{403, "SignatureDoesNotMatch", storage.ErrDenied},
		{403, "", storage.ErrDenied},
		{507, "", storage.ErrFull},
		{507, "InsufficientStorage", storage.ErrFull},
		{400, "QuotaExceeded", storage.ErrFull},
		{503, "SlowDown", nil},
		{503, "", nil},
		{500, "InternalError", nil},
		{404, "NoSuchBucket", nil},
		{301, "PermanentRedirect", nil},
		{400, "BadDigest", nil},
	} {
		s := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(test.status)
			if test.code != "" {
				fmt.Fprintf(w, document, test.code)
			}
		}))
		_, getErr := s.Get(t.Context(), "a.m4s", storage.Range{})
		for call, err := range map[string]error{
			"Put": s.Put(t.Context(), "a.m4s", storage.Bytes([]byte("x"))), "Get": getErr,
			"Delete": s.Delete(t.Context(), "a.m4s"), "Delete of two": s.Delete(t.Context(), "a.m4s", "b.m4s"),
		} {
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%s answered with %d %s: %v, want %v", call, test.status, test.code, err, test.want)
			}
			for _, known := range []error{storage.ErrNotFound, storage.ErrFull, storage.ErrDenied, storage.ErrContent} {
				if !errors.Is(test.want, known) && errors.Is(err, known) {
					t.Errorf("%s answered with %d %s: %v, which is %v", call, test.status, test.code, err, known)
				}
			}
		}
	}
}

// A service that breaks off, ignores ranges or never answers.
func TestBadGets(t *testing.T) {
	const size = 100_000
	answer := func(status, announced, sent int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(announced))
			w.Header().Set("Last-Modified", "Tue, 01 Sep 2026 07:00:00 GMT")
			if status == http.StatusPartialContent {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", announced-1, size))
			}
			w.WriteHeader(status)
			w.Write(make([]byte, sent))
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		r       storage.Range
	}{
		"breaks off":             {answer(200, size, size/2), storage.Range{}},
		"breaks off in a range":  {answer(206, 1000, 10), storage.Range{Length: 1000}},
		"ignores the range":      {answer(200, size, size), storage.Range{Length: 1000}},
		"sends another range":    {answer(206, 500, 500), storage.Range{Length: 1000}},
		"sends more than wanted": {answer(206, 2000, 2000), storage.Range{Length: 1000}},
	} {
		b, err := storagetest.Read(t.Context(), at(t, test.handler), "a.m4s", test.r)
		if err == nil {
			t.Errorf("a service that %s: %d bytes and no error", name, len(b))
		}
	}
}

func TestHangingService(t *testing.T) {
	release := make(chan struct{})
	s := at(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release) }) // before the server is closed, which waits for its handlers
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, getErr := s.Get(ctx, "a.m4s", storage.Range{})
	_, statErr := s.Stat(ctx, "a.m4s")
	_, listErr := storagetest.Names(s.List(ctx, ""))
	for call, err := range map[string]error{
		"Get": getErr, "Stat": statErr, "List": listErr, "Put": s.Put(ctx, "a.m4s", storage.Bytes([]byte("x"))),
		"Delete": s.Delete(ctx, "a.m4s"), "Delete of two": s.Delete(ctx, "a.m4s", "b.m4s"),
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want %v", call, err, context.DeadlineExceeded)
		}
	}
}

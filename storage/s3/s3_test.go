package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"chalkcast/media"
	"chalkcast/storage"
	"chalkcast/storage/s3"
	"chalkcast/storage/storagetest"
)

var (
	gateway storagetest.Gateway
	serial  atomic.Int64
)

func TestMain(m *testing.M) {
	g, stop, err := storagetest.StartGateway()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	gateway = g
	code := m.Run()
	stop()
	os.Exit(code)
}

// client is somebody else's view of the same service.
func client(t *testing.T) *minio.Client {
	t.Helper()
	u, err := url.Parse(gateway.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	c, err := minio.New(u.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(gateway.AccessKey, gateway.SecretKey, ""),
		Secure: u.Scheme == "https",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newConfig makes a bucket that lives as long as the test.
func newConfig(t *testing.T) s3.Config {
	t.Helper()
	bucket := fmt.Sprintf("chalkcast-test-%d-%d", os.Getpid(), serial.Add(1))
	c := client(t)
	if err := c.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { empty(c, bucket) })
	return s3.Config{
		Endpoint: gateway.Endpoint, Bucket: bucket, Prefix: "school",
		AccessKey: gateway.AccessKey, SecretKey: media.Secret(gateway.SecretKey),
	}
}

// empty removes the bucket and what is in it, so that a service that lives on is left as it was.
func empty(c *minio.Client, bucket string) {
	ctx := context.Background()
	for range c.RemoveObjects(ctx, bucket, c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true}), minio.RemoveObjectsOptions{}) {
	}
	c.RemoveBucket(ctx, bucket)
}

func open(t *testing.T, c s3.Config) *s3.Store {
	t.Helper()
	s, err := s3.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, newConfig(t)) })
}

func TestWithoutPrefix(t *testing.T) {
	c := newConfig(t)
	c.Prefix = ""
	s := open(t, c)
	if err := s.Put(t.Context(), "a/b.m4s", storage.Bytes([]byte("x"))); err != nil {
		t.Fatal(err)
	}
	if names, err := storagetest.Names(s.List(t.Context(), "")); err != nil || !slices.Equal(names, []string{"a/b.m4s"}) {
		t.Errorf("List yields %q, %v", names, err)
	}
}

// What lies in the bucket is what a CDN in front of it needs.
func TestHeaders(t *testing.T) {
	c := newConfig(t)
	s := open(t, c)
	for name, want := range map[string][2]string{
		"l/1.m4s":        {"video/mp4", "public, max-age=31536000, immutable"},
		"l/init-0.mp4":   {"video/mp4", "public, max-age=31536000, immutable"},
		"l/replay.m3u8":  {"application/vnd.apple.mpegurl", "no-cache"},
		"l/journal.json": {"application/json", "no-cache"},
		"l/notes.txt":    {"application/octet-stream", "no-cache"},
	} {
		if err := s.Put(t.Context(), name, storage.Bytes([]byte("x"))); err != nil {
			t.Fatal(err)
		}
		o, err := client(t).StatObject(t.Context(), c.Bucket, "school/"+name, minio.StatObjectOptions{})
		if got := [2]string{o.ContentType, o.Metadata.Get("Cache-Control")}; err != nil || got != want {
			t.Errorf("%s has %q, %v; want %q", name, got, err, want)
		}
	}
}

// Somebody else wrote into the bucket: what is under our prefix with a name of ours is an object without a sum we
// could trust, anything else is not there.
func TestForeignObjects(t *testing.T) {
	c := newConfig(t)
	s := open(t, c)
	for _, key := range []string{"outside.m4s", "school2/a.m4s", "school/Photo.JPG", "school/folder/", "school/ours.m4s"} {
		body := []byte("foreign")
		if strings.HasSuffix(key, "/") {
			body = nil
		}
		if _, err := client(t).PutObject(t.Context(), c.Bucket, key, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := storagetest.Names(s.List(t.Context(), "")); err != nil || !slices.Equal(names, []string{"ours.m4s"}) {
		t.Errorf("List yields %q, %v", names, err)
	}
	if err := storage.Verify(t.Context(), s, "ours.m4s", storage.Bytes([]byte("foreign"))); !errors.Is(err, storage.ErrContent) {
		t.Errorf("Verify of an object that came without a sum: %v, want %v", err, storage.ErrContent)
	}
}

// The bytes under a name were replaced behind our back, with our metadata left in place.
func TestReplacedBehindOurBack(t *testing.T) {
	c := newConfig(t)
	s := open(t, c)
	content := storage.Bytes([]byte("ours"))
	if err := s.Put(t.Context(), "a.m4s", content); err != nil {
		t.Fatal(err)
	}
	o, err := client(t).StatObject(t.Context(), c.Bucket, "school/a.m4s", minio.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client(t).PutObject(t.Context(), c.Bucket, "school/a.m4s", strings.NewReader("evil"), 4, minio.PutObjectOptions{UserMetadata: o.UserMetadata})
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.Verify(t.Context(), s, "a.m4s", content); !errors.Is(err, storage.ErrContent) {
		t.Errorf("Verify: %v, want %v", err, storage.ErrContent)
	}
}

const anyone = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":%q,"Resource":%q}]}`

// SEC-28: a bucket that the world can read is refused.
func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name, action, resource string
		want                   error
	}{
		{"private", "", "", nil},
		{"anyone may read", "s3:GetObject", "arn:aws:s3:::%s/*", s3.ErrPublic},
		{"anyone may list", "s3:ListBucket", "arn:aws:s3:::%s", s3.ErrPublic},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConfig(t)
			if test.action != "" {
				policy := fmt.Sprintf(anyone, test.action, fmt.Sprintf(test.resource, c.Bucket))
				if err := client(t).SetBucketPolicy(t.Context(), c.Bucket, policy); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, c)
			if err := s.Check(t.Context()); !errors.Is(err, test.want) {
				t.Errorf("Check: %v, want %v", err, test.want)
			}
			if names, err := storagetest.Names(s.List(t.Context(), "")); err != nil || len(names) > 0 {
				t.Errorf("Check left %q, %v", names, err)
			}
		})
	}
}

func TestCheckFindsWrongSettings(t *testing.T) {
	good := newConfig(t)
	for name, test := range map[string]struct {
		change func(c *s3.Config)
		want   error
	}{
		"wrong secret":     {func(c *s3.Config) { c.SecretKey = "wrong" }, storage.ErrDenied},
		"unknown key":      {func(c *s3.Config) { c.AccessKey = "nobody" }, storage.ErrDenied},
		"no such bucket":   {func(c *s3.Config) { c.Bucket = "chalkcast-no-such-bucket" }, nil},
		"nobody listening": {func(c *s3.Config) { c.Endpoint = "http://127.0.0.1:1" }, nil},
	} {
		c := good
		test.change(&c)
		err := open(t, c).Check(t.Context())
		if err == nil || test.want != nil && !errors.Is(err, test.want) || errors.Is(err, s3.ErrPublic) {
			t.Errorf("%s: Check says %v, want %v", name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), gateway.SecretKey) {
			t.Errorf("%s: the error shows the secret", name)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := s3.Config{Endpoint: "https://s3.example.org", Bucket: "lessons", AccessKey: "a", SecretKey: "b"}
	if _, err := s3.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(c *s3.Config){
		"no endpoint":           func(c *s3.Config) { c.Endpoint = "" },
		"host only":             func(c *s3.Config) { c.Endpoint = "s3.example.org" },
		"ftp":                   func(c *s3.Config) { c.Endpoint = "ftp://s3.example.org" },
		"bucket in the address": func(c *s3.Config) { c.Endpoint = "https://s3.example.org/lessons" },
		"no access key":         func(c *s3.Config) { c.AccessKey = "" },
		"no secret key":         func(c *s3.Config) { c.SecretKey = "" },
		"prefix with a dot":     func(c *s3.Config) { c.Prefix = "a/../b" },
	} {
		c := good
		change(&c)
		if _, err := s3.New(c); err == nil {
			t.Errorf("%s: New took it", name)
		}
	}
}

package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"chalkcast/media"
	"chalkcast/storage"
)

// Config of a Store.
type Config struct {
	Endpoint string // URL of the service without the bucket: https://s3.eu-central-1.amazonaws.com
	Region   string // empty: the service is asked
	Bucket   string
	Prefix   string // put before all names, with or without a slash at its end; empty: none

	AccessKey string
	SecretKey media.Secret

	// HostStyle puts the bucket into the host name, as in bucket.example.com/name. AWS, Alibaba and Google always
	// get that; for others the default is example.com/bucket/name.
	HostStyle bool
}

// responseLimit is how long the service may think after it has the whole request.
const responseLimit = 30 * time.Second

// Store implements storage.Store.
type Store struct {
	core   minio.Core
	http   *http.Client // without credentials, for Check
	bucket string
	prefix string // empty, or ends in a slash
}

// New returns the store that c describes. It does not talk to it: see Check.
func New(c Config) (*Store, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("S3 endpoint %q is not like https://host or http://host:port", c.Endpoint)
	}
	if c.AccessKey == "" || c.SecretKey == "" {
		return nil, errors.New("S3 needs an access key and a secret key")
	}
	prefix := strings.Trim(c.Prefix, "/")
	if prefix != "" {
		prefix += "/"
	}
	if err := storage.CheckPrefix(prefix); err != nil {
		return nil, fmt.Errorf("S3 prefix: %w", err)
	}
	transport, err := minio.DefaultTransport(u.Scheme == "https")
	if err != nil {
		return nil, fmt.Errorf("S3 transport: %w", err)
	}
	transport.ResponseHeaderTimeout = responseLimit
	transport.MaxIdleConnsPerHost = 64
	client, err := minio.New(u.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(c.AccessKey, string(c.SecretKey), ""),
		Secure:       u.Scheme == "https",
		Region:       c.Region,
		Transport:    transport,
		MaxRetries:   1,
		BucketLookup: lookup(c.HostStyle),
	})
	if err != nil {
		return nil, fmt.Errorf("S3 client: %w", err)
	}
	return &Store{
		core: minio.Core{Client: client}, bucket: c.Bucket, prefix: prefix,
		http: &http.Client{Transport: transport, Timeout: responseLimit},
	}, nil
}

func lookup(hostStyle bool) minio.BucketLookupType {
	if hostStyle {
		return minio.BucketLookupDNS
	}
	return minio.BucketLookupAuto
}

// Metadata of our objects.
const (
	metaSHA256 = "Sha256"
	metaMD5    = "Md5"
)

// Put implements storage.Store. The body is read twice: the sums go ahead of it.
func (s *Store) Put(ctx context.Context, name string, c storage.Content) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err
	}
	sum := md5.New()
	if err := c.Copy(ctx, sum); err != nil {
		return err
	}
	md5Sum := sum.Sum(nil)
	_, err := s.core.PutObject(ctx, s.bucket, s.prefix+name, c.Reader(), c.Size,
		base64.StdEncoding.EncodeToString(md5Sum), c.Sum.String(), minio.PutObjectOptions{
			ContentType:  contentType(name),
			CacheControl: cacheControl(name),
			UserMetadata: map[string]string{metaSHA256: c.Sum.String(), metaMD5: hex.EncodeToString(md5Sum)},
			// The library would sign chunk by chunk over http, which not every service understands.
			DisableContentSha256: true,
		})
	return explain(ctx, err)
}

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, name string, r storage.Range) (*storage.Object, error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	var options minio.GetObjectOptions
	if header, err := rangeHeader(r); err != nil {
		return nil, err
	} else if header != "" {
		options.Set("Range", header)
	}
	body, info, header, err := s.core.GetObject(ctx, s.bucket, s.prefix+name, options)
	if err != nil {
		return nil, explain(ctx, err)
	}
	size, err := wholeSize(r, info.Size, header.Get("Content-Range"))
	if err == nil {
		r, err = r.Cut(size)
	}
	if err == nil && r.Length != info.Size {
		err = fmt.Errorf("the service sends %d bytes instead of %d", info.Size, r.Length)
	}
	if err != nil {
		body.Close()
		return nil, err
	}
	return &storage.Object{
		Info:  storage.Info{Name: name, Size: size, Modified: info.LastModified.UTC()},
		Range: r,
		Body:  body,
	}, nil
}

// rangeHeader writes r as RFC 9110 section 14.1.2 has it; empty for the whole object.
func rangeHeader(r storage.Range) (string, error) {
	cut, err := r.Cut(1<<63 - 1) // refuses what is negative, and keeps the last byte countable
	switch {
	case err != nil:
		return "", err
	case r == storage.Range{}:
		return "", nil
	case r.Length == 0:
		return fmt.Sprintf("bytes=%d-", r.Offset), nil
	}
	return fmt.Sprintf("bytes=%d-%d", cut.Offset, cut.Offset+cut.Length-1), nil
}

// wholeSize finds the size of the whole object: after the slash of Content-Range when a part was asked for.
func wholeSize(r storage.Range, length int64, contentRange string) (int64, error) {
	if r == (storage.Range{}) {
		return length, nil
	}
	_, total, _ := strings.Cut(contentRange, "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the service answers a range with Content-Range %.100q", contentRange)
	}
	return size, nil
}

// Stat implements storage.Store. It is one HEAD.
func (s *Store) Stat(ctx context.Context, name string) (storage.Info, error) {
	if err := check(ctx, name); err != nil {
		return storage.Info{}, err
	}
	o, err := s.core.StatObject(ctx, s.bucket, s.prefix+name, minio.StatObjectOptions{})
	if err != nil {
		return storage.Info{}, explain(ctx, err)
	}
	return storage.Info{Name: name, Size: o.Size, Modified: o.LastModified.UTC(), Sum: trustedSum(o)}, nil
}

// trustedSum returns the SHA-256 that came with the object unless the service itself contradicts. Its ETag is the
// MD5 of what it received, save for objects encrypted with a managed key.
func trustedSum(o minio.ObjectInfo) (sum storage.Sum) {
	managed := strings.HasPrefix(o.Metadata.Get("X-Amz-Server-Side-Encryption"), "aws:kms")
	sent := o.UserMetadata[metaMD5]
	if !managed && len(o.ETag) == len(sent) && !strings.EqualFold(o.ETag, sent) {
		return storage.Sum{}
	}
	if sum.UnmarshalText([]byte(o.UserMetadata[metaSHA256])) != nil {
		return storage.Sum{}
	}
	return sum
}

// List implements storage.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := storage.CheckPrefix(prefix); err != nil {
			yield(storage.Info{}, err)
			return
		}
		owner := false
		options := minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true, FetchOwner: &owner}
		for o := range s.core.ListObjectsIter(ctx, s.bucket, options) {
			if o.Err != nil {
				yield(storage.Info{}, explain(ctx, o.Err))
				return
			}
			name := strings.TrimPrefix(o.Key, s.prefix)
			if storage.CheckName(name) != nil { // not ours: somebody's folder mark, a stray upload
				continue
			}
			if !yield(storage.Info{Name: name, Size: o.Size, Modified: o.LastModified.UTC().Truncate(time.Second)}, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil { // the library then just stops
			yield(storage.Info{}, err)
		}
	}
}

// Delete implements storage.Store. In a bucket with versions the old ones stay: give it a rule that removes them.
func (s *Store) Delete(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := check(ctx, name); err != nil {
			return err
		}
	}
	switch len(names) {
	case 0:
		return ctx.Err()
	case 1:
		err := explain(ctx, s.core.RemoveObject(ctx, s.bucket, s.prefix+names[0], minio.RemoveObjectOptions{}))
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	}
	return s.deleteMany(ctx, names)
}

func (s *Store) deleteMany(ctx context.Context, names []string) error {
	keys := func(yield func(minio.ObjectInfo) bool) {
		for _, name := range names {
			if !yield(minio.ObjectInfo{Key: s.prefix + name}) {
				return
			}
		}
	}
	results, err := s.core.RemoveObjectsWithIter(ctx, s.bucket, keys, minio.RemoveObjectsOptions{})
	if err != nil {
		return explain(ctx, err)
	}
	for r := range results {
		if err := explain(ctx, r.Err); err != nil && !errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("delete %s: %w", strings.TrimPrefix(r.ObjectName, s.prefix), err)
		}
	}
	return ctx.Err()
}

func check(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return storage.CheckName(name)
}

// explain wraps the error of package storage that fits.
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("%w: %w", ended, err)
	}
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok {
		return err
	}
	err = fmt.Errorf("%s (%s, %d)", answer.Error(), answer.Code, answer.StatusCode)
	switch {
	case answer.Code == minio.NoSuchKey: // other things can be missing, too: the bucket, the user
		return fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	case answer.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("%w: %w", storage.ErrRange, err)
	case answer.StatusCode == http.StatusInsufficientStorage, answer.Code == "QuotaExceeded", answer.Code == "XMinioStorageFull":
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	case answer.StatusCode == http.StatusForbidden, answer.Code == minio.AccessDenied, answer.Code == "XAdminUserNotFound":
		return fmt.Errorf("%w: %w", storage.ErrDenied, err)
	}
	return err
}

// contentType names the media types that a bucket behind a CDN should serve.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".m4s", ".mp4":
		return "video/mp4"
	case ".m3u8":
		return "application/vnd.apple.mpegurl"
	case ".json":
		return "application/json"
	}
	return "application/octet-stream"
}

// cacheControl: names of media are never used again.
func cacheControl(name string) string {
	switch path.Ext(name) {
	case ".m4s", ".mp4":
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}

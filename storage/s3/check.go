package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"chalkcast/storage"
)

// ErrPublic means that strangers can read the bucket. It holds faces and voices of children: do not start.
var ErrPublic = errors.New("the bucket is open to the public")

// Check writes an object, reads it back and deletes it, and makes sure that nobody can do so, or list the
// bucket, without our key. It returns ErrPublic when somebody can; any other error means that the service
// cannot be used now, and may be later.
func (s *Store) Check(ctx context.Context) (err error) {
	name := "check/" + strings.ToLower(rand.Text()) + ".txt"
	content := storage.Bytes([]byte("written by chalkcast to see whether this bucket works\n"))
	if err := s.Put(ctx, name, content); err != nil {
		return fmt.Errorf("check S3: put: %w", err)
	}
	defer func() {
		if deleteErr := s.Delete(ctx, name); deleteErr != nil {
			err = errors.Join(err, fmt.Errorf("check S3: delete: %w", deleteErr))
		}
	}()
	if err := storage.Verify(ctx, s, name, content); err != nil {
		return fmt.Errorf("check S3: %w", err)
	}
	if err := s.readBack(ctx, name, content); err != nil {
		return fmt.Errorf("check S3: get: %w", err)
	}
	for _, key := range []string{s.prefix + name, ""} {
		if err := s.stranger(ctx, key); err != nil {
			return fmt.Errorf("check S3: %w", err)
		}
	}
	return nil
}

func (s *Store) readBack(ctx context.Context, name string, want storage.Content) error {
	o, err := s.Get(ctx, name, storage.Range{})
	if err != nil {
		return err
	}
	defer o.Body.Close()
	b, err := io.ReadAll(io.LimitReader(o.Body, want.Size+1))
	if err != nil {
		return err
	}
	if storage.Bytes(b).Sum != want.Sum {
		return fmt.Errorf("%w: other bytes came back", storage.ErrContent)
	}
	return nil
}

// stranger asks for key, or for the list of objects when key is empty, without credentials.
func (s *Store) stranger(ctx context.Context, key string) error {
	query := url.Values{}
	if key == "" {
		query.Set("list-type", "2")
	}
	u, err := s.core.Presign(ctx, http.MethodGet, s.bucket, key, time.Minute, query)
	if err != nil {
		return explain(ctx, err)
	}
	u.RawQuery = query.Encode() // without the signature
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode < 400 {
		return fmt.Errorf("%w: without a key, %s answers %s", ErrPublic, u.Redacted(), resp.Status)
	}
	return nil
}

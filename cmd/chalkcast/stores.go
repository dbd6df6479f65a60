package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"chalkcast/storage"
	"chalkcast/storage/disk"
	"chalkcast/storage/s3"
)

// openStore opens what the storage setting names, and tries a bucket: a public one is refused, one that cannot be
// reached now is an error too, since nothing would be kept.
func openStore(ctx context.Context, s *settings) (store storage.Store, closeStore func() error, err error) {
	kind, place, _ := strings.Cut(s.Storage, ":")
	switch {
	case kind == "disk" && place != "":
		d, err := disk.Open(place)
		if err != nil {
			return nil, nil, fmt.Errorf("storage: %w", err)
		}
		return d, d.Close, nil
	case kind == "s3" && strings.HasPrefix(place, "//"):
		bucket, prefix, _ := strings.Cut(strings.TrimPrefix(place, "//"), "/")
		b, err := s3.New(s3.Config{
			Endpoint: s.S3Endpoint, Region: s.S3Region, Bucket: bucket, Prefix: prefix,
			AccessKey: s.S3Key, SecretKey: s.S3Secret,
		})
		if err != nil {
			return nil, nil, fmt.Errorf("storage: %w", err)
		}
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := b.Check(ctx); err != nil {
			return nil, nil, fmt.Errorf("storage: bucket %s: %w", bucket, err)
		}
		return b, func() error { return nil }, nil
	}
	return nil, nil, errors.New("storage: the setting is neither disk:PATH nor s3://bucket/prefix")
}

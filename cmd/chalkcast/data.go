package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// dataFolder is the one folder to back up. Its lock keeps a second server off the same spool and database.
type dataFolder struct {
	path string
	lock *os.File
}

func openData(path string) (*dataFolder, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder %s is in use by another chalkcast", path), lock.Close())
	}
	return &dataFolder{path: path, lock: lock}, nil
}

// Close lets the next server in.
func (d *dataFolder) Close() error { return d.lock.Close() }

// secret returns the 32 random bytes from which tickets and cookies are signed, made at the first start.
func (d *dataFolder) secret() ([]byte, error) {
	path := filepath.Join(d.path, secretName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b = make([]byte, 32)
		rand.Read(b) // never fails since Go 1.24
		err = writeOnce(path, b)
	}
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	if len(b) != 32 {
		return nil, fmt.Errorf("secret: %s has %d bytes, want 32; move it away and everybody signs in again", path, len(b))
	}
	return b, nil
}

// writeOnce makes a private file appear whole or not at all, and stay after a power cut.
func writeOnce(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

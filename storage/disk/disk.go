package disk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"chalkcast/storage"
)

const (
	incoming = ".incoming"
	// A Put of one try ends within a minute (storage.Patience): what is older belongs to nobody.
	leftoverAge = 10 * time.Minute
)

// Store implements storage.Store.
type Store struct {
	root *os.Root

	mu     sync.Mutex      // guards what follows
	safe   map[string]bool // folders that a power cut leaves where they are, with those above
	doubts int             // how often one was removed or made
}

// maxSafe bounds safe: what is forgotten is made sure of again.
const maxSafe = 4096

// Open returns the store in the folder at path, which it makes when it is missing, and removes what crashed Puts
// left behind. Close it when no call is running any more.
func Open(path string) (*Store, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("open disk store: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open disk store: %w", err)
	}
	s := &Store{root: root, safe: make(map[string]bool)}
	if err := s.prepare(time.Now()); err != nil {
		root.Close()
		return nil, fmt.Errorf("open disk store: %w", err)
	}
	return s, nil
}

// Close releases the folder.
func (s *Store) Close() error { return s.root.Close() }

func (s *Store) prepare(now time.Time) error {
	if err := s.root.Mkdir(incoming, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	entries, err := s.readDir(incoming)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < leftoverAge {
			continue
		}
		if err := s.root.Remove(path.Join(incoming, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Free returns how many bytes can still be stored, negative when the file system does not tell. What storage.Reserve
// keeps for others is not among them.
func (s *Store) Free() int64 {
	free, total := storage.Room(s.root)
	if free < 0 {
		return -1
	}
	return max(free-storage.Reserve(total), 0)
}

// Put implements storage.Store.
func (s *Store) Put(ctx context.Context, name string, c storage.Content) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err
	}
	if free, total := storage.Room(s.root); storage.Tight(free, total, c.Size) {
		return fmt.Errorf("%w: %d bytes are free, %d must stay so", storage.ErrFull, free, storage.Reserve(total))
	}
	temp := path.Join(incoming, strings.ToLower(rand.Text()))
	err := s.write(ctx, temp, c)
	if err == nil {
		err = s.move(temp, name)
	}
	if err != nil {
		_ = s.root.Remove(temp) // Open removes what is left
		return explain(err)
	}
	return explain(s.settle(path.Dir(name)))
}

// Link implements storage.Linker.
func (s *Store) Link(ctx context.Context, name string, f *os.File, size int64) (bool, error) {
	if err := check(ctx, name); err != nil {
		return false, err
	}
	temp := path.Join(incoming, strings.ToLower(rand.Text()))
	if os.Link(f.Name(), filepath.Join(s.root.Name(), temp)) != nil {
		return false, nil // another file system, or one that has no links
	}
	opened, err := f.Stat()
	linked, err2 := s.root.Lstat(temp)
	if err != nil || err2 != nil || !os.SameFile(opened, linked) || opened.Size() != size {
		_ = s.root.Remove(temp) // another file has that name by now
		return false, nil
	}
	err = s.move(temp, name)
	_ = s.root.Remove(temp) // also after a success: rename does nothing when name is the same file already
	if err != nil {
		return false, explain(err)
	}
	return true, explain(s.settle(path.Dir(name)))
}

// write makes a durable file of c.
func (s *Store) write(ctx context.Context, temp string, c storage.Content) (err error) {
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := c.Copy(ctx, f); err != nil {
		return err
	}
	return f.Sync()
}

// move renames temp to name and makes the folder when there is none. A Delete may remove it, just found empty, between
// two calls: then it is made again.
func (s *Store) move(temp, name string) error {
	folder := path.Dir(name)
	for try := 0; ; try++ {
		err := s.root.Rename(temp, name)
		if !errors.Is(err, fs.ErrNotExist) || try == 8 {
			return err
		}
		s.doubt(folder)
		if err := s.root.MkdirAll(folder, 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}

// settle makes the entries of folder durable, and once those that lead to it.
func (s *Store) settle(folder string) error {
	s.mu.Lock()
	safe, doubts := s.safe[folder], s.doubts
	s.mu.Unlock()
	if !safe {
		if err := s.syncUp(folder); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.safe) >= maxSafe {
			clear(s.safe)
		}
		s.safe[folder] = doubts == s.doubts
		return nil
	}
	if err := s.syncDir(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // without it: a Delete took all of it
	}
	return nil
}

// doubt is called before a folder is removed, and before it is made.
func (s *Store) doubt(folder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.safe, folder)
	s.doubts++
}

// syncUp makes the entries of folder and of all folders above it durable. Folders that are gone need nothing:
// their parents say so.
func (s *Store) syncUp(folder string) error {
	for {
		if err := s.syncDir(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if folder == "." {
			return nil
		}
		folder = path.Dir(folder)
	}
}

func (s *Store) syncDir(folder string) error {
	d, err := s.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, name string, r storage.Range) (*storage.Object, error) {
	f, info, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	r, err = r.Cut(info.Size)
	if err == nil {
		_, err = f.Seek(r.Offset, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &storage.Object{Info: info, Range: r, Body: &body{ctx: ctx, file: f, rest: r.Length}}, nil
}

// Stat implements storage.Store. It reads the whole file.
func (s *Store) Stat(ctx context.Context, name string) (storage.Info, error) {
	f, info, err := s.open(ctx, name)
	if err != nil {
		return storage.Info{}, err
	}
	defer f.Close()
	info.Sum, info.Size, err = sum(ctx, f)
	if err != nil {
		return storage.Info{}, err
	}
	return info, nil
}

func (s *Store) open(ctx context.Context, name string) (*os.File, storage.Info, error) {
	if err := check(ctx, name); err != nil {
		return nil, storage.Info{}, err
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, storage.Info{}, explain(err)
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a plain file", name)
	}
	if err != nil {
		f.Close()
		return nil, storage.Info{}, err
	}
	return f, describe(name, fi), nil
}

func describe(name string, fi fs.FileInfo) storage.Info {
	return storage.Info{Name: name, Size: fi.Size(), Modified: fi.ModTime().UTC().Truncate(time.Second)}
}

// Delete implements storage.Store. Folders that become empty go, too.
func (s *Store) Delete(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := check(ctx, name); err != nil {
			return err
		}
	}
	folders := make(map[string]bool)
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explain(err)
		}
		folders[path.Dir(name)] = true
	}
	for folder := range folders {
		s.prune(folder)
		if err := s.syncUp(folder); err != nil {
			return explain(err)
		}
	}
	return nil
}

// prune removes folder and the folders above it as far as they are empty.
func (s *Store) prune(folder string) {
	for folder != "." {
		if s.doubt(folder); s.root.Remove(folder) != nil {
			return
		}
		folder = path.Dir(folder)
	}
}

func check(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return storage.CheckName(name)
}

// explain wraps the error of package storage that fits.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w", storage.ErrDenied, err)
	}
	return err
}

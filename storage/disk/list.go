package disk

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"chalkcast/storage"
)

// List implements storage.Store. Files that no Put made (editors' backups, lost+found) are not listed.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := storage.CheckPrefix(prefix); err != nil {
			yield(storage.Info{}, err)
			return
		}
		s.walk(ctx, prefix, yield)
	}
}

// walk yields what is below folder, which is "" or ends in a slash, and reports whether to go on.
func (s *Store) walk(ctx context.Context, folder string, yield func(storage.Info, error) bool) bool {
	entries, err := s.readDir("./" + folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return yield(storage.Info{}, explain(err)) && false
	}
	for _, e := range sorted(entries) {
		if err := ctx.Err(); err != nil {
			return yield(storage.Info{}, err) && false
		}
		if !s.visit(ctx, folder+e.Name(), e, yield) {
			return false
		}
	}
	return true
}

func (s *Store) visit(ctx context.Context, name string, e fs.DirEntry, yield func(storage.Info, error) bool) bool {
	if e.IsDir() {
		return storage.CheckPrefix(name+"/") != nil || s.walk(ctx, name+"/", yield)
	}
	if !e.Type().IsRegular() || storage.CheckName(name) != nil {
		return true
	}
	fi, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
		return true
	}
	if err != nil {
		return yield(storage.Info{}, explain(err)) && false
	}
	return yield(describe(name, fi), nil)
}

// sorted brings entries into the order that the names below them have: a folder counts with its slash.
func sorted(entries []fs.DirEntry) []fs.DirEntry {
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(key(a), key(b)) })
	return entries
}

func (s *Store) readDir(folder string) ([]fs.DirEntry, error) {
	d, err := s.root.Open(folder)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.ReadDir(-1)
}

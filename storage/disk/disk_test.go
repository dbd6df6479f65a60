package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"chalkcast/storage"
	"chalkcast/storage/disk"
	"chalkcast/storage/storagetest"
)

func open(t *testing.T, path string) *disk.Store {
	t.Helper()
	s, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, t.TempDir()) })
}

// What Put made is an ordinary file of that name, and a Put leaves nothing else.
func TestPlainFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "open")
	s := open(t, dir)
	if err := s.Put(t.Context(), "lessons/x/1.m4s", storage.Bytes([]byte("segment"))); err != nil {
		t.Fatal(err)
	}
	bad := storage.Bytes([]byte("segment"))
	bad.Sum[0]++
	if err := s.Put(t.Context(), "lessons/x/2.m4s", bad); err == nil {
		t.Error("Put took content with a wrong sum")
	}
	if b, err := os.ReadFile(filepath.Join(dir, "lessons", "x", "1.m4s")); err != nil || string(b) != "segment" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if left := files(t, filepath.Join(dir, ".incoming")); len(left) > 0 {
		t.Errorf("left in .incoming: %q", left)
	}
	if err := s.Delete(t.Context(), "lessons/x/1.m4s"); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir); !slices.Equal(left, []string{".incoming"}) {
		t.Errorf("after the last object was deleted the folder holds %q", left)
	}
}

// A file on the same disk becomes an object without being copied, outlives its first name, and may be offered twice.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "objects"))
	spooled := filepath.Join(dir, "1.m4s")
	if err := os.WriteFile(spooled, []byte("segment"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(spooled)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	keep := func(name string) {
		t.Helper()
		if _, err := storage.KeepFile(t.Context(), s, name, storage.File{Body: f, Size: 7}, storage.Patience{}); err != nil {
			t.Fatal(err)
		}
		if err := storage.Verify(t.Context(), s, name, storage.Bytes([]byte("segment"))); err != nil {
			t.Error(err)
		}
		if left := files(t, filepath.Join(dir, "objects", ".incoming")); len(left) > 0 {
			t.Errorf("left in .incoming: %q", left)
		}
	}
	same := func(name string) bool {
		first, err := f.Stat()
		second, err2 := os.Stat(filepath.Join(dir, "objects", name))
		return err == nil && err2 == nil && os.SameFile(first, second)
	}
	for range 2 {
		if keep("lessons/x/1.m4s"); !same("lessons/x/1.m4s") {
			t.Error("the file was copied")
		}
	}
	// Another file has the name by now: what is open is stored, not what lies there.
	if err := os.WriteFile(filepath.Join(dir, "other"), []byte("SEGMENT"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "other"), spooled); err != nil {
		t.Fatal(err)
	}
	if keep("lessons/x/2.m4s"); same("lessons/x/2.m4s") {
		t.Error("a file that has no name any more was linked")
	}
	for name, want := range map[string]error{"../1.m4s": storage.ErrName, ".incoming/1.m4s": storage.ErrName} {
		if _, err := storage.KeepFile(t.Context(), s, name, storage.File{Body: f, Size: 7}, storage.Patience{}); !errors.Is(err, want) {
			t.Errorf("KeepFile(%s): %v, want %v", name, err, want)
		}
	}
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A server died in a Put: the file is not listed, and goes when it is old enough to be nobody's.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	oldFile, newFile := filepath.Join(dir, ".incoming", "old"), filepath.Join(dir, ".incoming", "new")
	for _, name := range []string{oldFile, newFile} {
		if err := os.WriteFile(name, []byte("half a segm"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(oldFile, long, long); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if left := files(t, filepath.Join(dir, ".incoming")); !slices.Equal(left, []string{"new"}) {
		t.Errorf("after Open .incoming holds %q, want only the file of a server that may still be running", left)
	}
	if names, err := storagetest.Names(s.List(t.Context(), "")); err != nil || len(names) > 0 {
		t.Errorf("List yields %q, %v", names, err)
	}
}

// Other people's files are not objects.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, name := range []string{"README", "Photo.JPG", "a.m4s~", "lost+found", "a"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, ".git", "objects"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".git", "objects", "a.m4s"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if names, err := storagetest.Names(s.List(t.Context(), "")); err != nil || len(names) > 0 {
		t.Errorf("List yields %q, %v", names, err)
	}
}

// Somebody put links into the folder: they lead nowhere.
func TestSymlinks(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret.m4s")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := open(t, dir)
	for link, target := range map[string]string{"file.m4s": secret, "folder": outside} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"file.m4s", "folder/secret.m4s"} {
		if b, err := storagetest.Read(t.Context(), s, name, storage.Range{}); err == nil {
			t.Errorf("Get(%s) reads %q from outside", name, b)
		}
	}
	if err := s.Put(t.Context(), "folder/new.m4s", storage.Bytes([]byte("x"))); err == nil {
		t.Error("Put wrote through a link")
	}
	if err := s.Delete(t.Context(), "folder/secret.m4s"); err == nil {
		t.Error("Delete went through a link")
	}
	if b, err := os.ReadFile(secret); err != nil || string(b) != "secret" {
		t.Errorf("the file outside holds %q, %v", b, err)
	}
	if got := files(t, outside); !slices.Equal(got, []string{"secret.m4s"}) {
		t.Errorf("outside there is now %q", got)
	}
}

// Stat tells what lies there, not what was once put: a damaged file is found out.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	c := storage.Bytes(storagetest.Random(5000, 1))
	for damage, change := range map[string]func(file string) error{
		"a flipped bit": func(file string) error {
			b, _ := os.ReadFile(file)
			b[2500] ^= 1
			return os.WriteFile(file, b, 0o600)
		},
		"a lost end": func(file string) error { return os.Truncate(file, 4096) },
		"no bytes":   func(file string) error { return os.Truncate(file, 0) },
	} {
		if err := s.Put(t.Context(), "a.m4s", c); err != nil {
			t.Fatal(err)
		}
		if err := change(filepath.Join(dir, "a.m4s")); err != nil {
			t.Fatal(err)
		}
		if err := storage.Verify(t.Context(), s, "a.m4s", c); !errors.Is(err, storage.ErrContent) {
			t.Errorf("Verify after %s: %v, want %v", damage, err, storage.ErrContent)
		}
	}
}

// A file that shrinks while it is read is an error, not a short object.
func TestShrinking(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Put(t.Context(), "a.m4s", storage.Bytes(storagetest.Random(5000, 1))); err != nil {
		t.Fatal(err)
	}
	o, err := s.Get(t.Context(), "a.m4s", storage.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if err := os.Truncate(filepath.Join(dir, "a.m4s"), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Body.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if n, err := o.Body.Read(make([]byte, 100)); err == nil || err.Error() != "unexpected EOF" {
		t.Errorf("reading past the new end: %d bytes, %v", n, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(file); err == nil {
		t.Error("Open took a file for a folder")
	}
}

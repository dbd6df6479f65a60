package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chalkcast/storage"
)

// Run tests that what open returns keeps the contract of storage.Store. open is called once for every test and
// returns an empty store, which may share a machine with others but not its names.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s storage.Store)
	}{
		{"round trip", testRoundTrip},
		{"replace", testReplace},
		{"ranges", testRanges},
		{"not found", testNotFound},
		{"names", testNames},
		{"content", testContent},
		{"list", testList},
		{"long list", testLongList},
		{"delete", testDelete},
		{"context", testContext},
		{"one name at once", testOneNameAtOnce},
		{"folder comes and goes", testFolderComesAndGoes},
		{"keep", testKeep},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// Random returns n bytes that are the same in every run.
func Random(n int, seed uint64) []byte {
	b := make([]byte, n)
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	rand.NewChaCha8(key).Read(b)
	return b
}

// Read returns the bytes under name.
func Read(ctx context.Context, s storage.Store, name string, r storage.Range) ([]byte, error) {
	o, err := s.Get(ctx, name, r)
	if err != nil {
		return nil, err
	}
	defer o.Body.Close()
	return io.ReadAll(o.Body)
}

// Names collects the names that a List yields.
func Names(list iter.Seq2[storage.Info, error]) (names []string, err error) {
	for info, err := range list {
		if err != nil {
			return names, err
		}
		names = append(names, info.Name)
	}
	return names, nil
}

func put(t *testing.T, s storage.Store, name string, data []byte) {
	t.Helper()
	if err := s.Put(t.Context(), name, storage.Bytes(data)); err != nil {
		t.Fatalf("Put(%s, %d bytes): %v", name, len(data), err)
	}
}

// wants checks that name holds data, by Get and by Stat.
func wants(t *testing.T, s storage.Store, name string, data []byte) {
	t.Helper()
	got, err := Read(t.Context(), s, name, storage.Range{})
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("Get(%s) = %d bytes, %v; want the %d bytes that were put", name, len(got), err, len(data))
	}
	if err := storage.Verify(t.Context(), s, name, storage.Bytes(data)); err != nil {
		t.Errorf("Verify(%s): %v", name, err)
	}
}

func testRoundTrip(t *testing.T, s storage.Store) {
	start := time.Now().Truncate(time.Second)
	for _, size := range []int{1, 1000, 64 << 10, 6<<20 + 7} { // S3 clients like to split from 5 MiB on
		name := fmt.Sprintf("lessons/a_b/1-x/0/%d.m4s", size)
		data := Random(size, 1)
		put(t, s, name, data)
		wants(t, s, name, data)

		o, err := s.Get(t.Context(), name, storage.Range{})
		if err != nil {
			t.Fatal(err)
		}
		o.Body.Close()
		if all := (storage.Range{Length: int64(size)}); o.Name != name || o.Size != int64(size) || o.Range != all {
			t.Errorf("Get(%s) describes %+v and %+v", name, o.Info, o.Range)
		}
		info, err := s.Stat(t.Context(), name)
		if err != nil || info.Name != name || info.Modified.Before(start.Add(-time.Minute)) || info.Modified.After(time.Now().Add(time.Minute)) {
			t.Errorf("Stat(%s) = %+v, %v; put after %v", name, info, err, start)
		}
	}
}

func testReplace(t *testing.T, s storage.Store) {
	const name = "a/index.m3u8"
	first, second := Random(300<<10, 1), Random(100<<10, 2)
	put(t, s, name, first)
	put(t, s, name, first)
	o, err := s.Get(t.Context(), name, storage.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	put(t, s, name, second)
	wants(t, s, name, second)
	if got, err := io.ReadAll(o.Body); err == nil && !bytes.Equal(got, first) {
		t.Errorf("a reader from before the replacement got %d bytes that are not the old object", len(got))
	}
}

func testRanges(t *testing.T, s storage.Store) {
	data := Random(1000, 3)
	put(t, s, "r.m4s", data)
	for _, test := range []struct {
		r        storage.Range
		from, to int
		err      error
	}{
		{storage.Range{}, 0, 1000, nil},
		{storage.Range{Length: 1}, 0, 1, nil},
		{storage.Range{Length: 1000}, 0, 1000, nil},
		{storage.Range{Length: 1001}, 0, 1000, nil},
		{storage.Range{Offset: 1}, 1, 1000, nil},
		{storage.Range{Offset: 10, Length: 20}, 10, 30, nil},
		{storage.Range{Offset: 999}, 999, 1000, nil},
		{storage.Range{Offset: 990, Length: 1 << 40}, 990, 1000, nil},
		{storage.Range{Offset: 999, Length: 1}, 999, 1000, nil},
		{storage.Range{Offset: 1, Length: 1<<63 - 1}, 1, 1000, nil},
		{storage.Range{Offset: 1000}, 0, 0, storage.ErrRange},
		{storage.Range{Offset: 1000, Length: 1}, 0, 0, storage.ErrRange},
		{storage.Range{Offset: 1 << 40}, 0, 0, storage.ErrRange},
		{storage.Range{Offset: -1}, 0, 0, storage.ErrRange},
		{storage.Range{Length: -1}, 0, 0, storage.ErrRange},
		{storage.Range{Offset: 10, Length: -5}, 0, 0, storage.ErrRange},
	} {
		o, err := s.Get(t.Context(), "r.m4s", test.r)
		if test.err != nil {
			if !errors.Is(err, test.err) {
				t.Errorf("Get(%+v): %v, want %v", test.r, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("Get(%+v): %v", test.r, err)
			continue
		}
		got, err := io.ReadAll(o.Body)
		o.Body.Close()
		if err != nil || !bytes.Equal(got, data[test.from:test.to]) {
			t.Errorf("Get(%+v) = %d bytes, %v; want bytes %d to %d", test.r, len(got), err, test.from, test.to)
		}
		want := storage.Range{Offset: int64(test.from), Length: int64(test.to - test.from)}
		if o.Range != want || o.Size != 1000 {
			t.Errorf("Get(%+v) describes %+v of %d bytes, want %+v of 1000", test.r, o.Range, o.Size, want)
		}
	}
}

func testNotFound(t *testing.T, s storage.Store) {
	put(t, s, "a/b/c.m4s", []byte("x"))
	for _, name := range []string{"nothing.m4s", "a/nothing.m4s", "a/b/c.m4s.m4s", "a/b.m4s", "x/y/z.m4s"} {
		if _, err := s.Get(t.Context(), name, storage.Range{}); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("Get(%s): %v, want %v", name, err, storage.ErrNotFound)
		}
		if _, err := s.Get(t.Context(), name, storage.Range{Offset: 5, Length: 1}); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("Get(%s, range): %v, want %v", name, err, storage.ErrNotFound)
		}
		if _, err := s.Stat(t.Context(), name); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("Stat(%s): %v, want %v", name, err, storage.ErrNotFound)
		}
		if err := s.Delete(t.Context(), name); err != nil {
			t.Errorf("Delete(%s): %v", name, err)
		}
	}
}

func testNames(t *testing.T, s storage.Store) {
	put(t, s, "a.m4s", []byte("x"))
	for _, name := range []string{"", "/", ".", "..", "../a.m4s", "/a.m4s", "./a.m4s", "b/../a.m4s", "a.m4s/", "A.m4s", "a.m4s\x00", `b\a.m4s`, "%61.m4s", "nodot"} {
		_, getErr := s.Get(t.Context(), name, storage.Range{})
		_, statErr := s.Stat(t.Context(), name)
		for call, err := range map[string]error{
			"Put": s.Put(t.Context(), name, storage.Bytes([]byte("y"))), "Get": getErr, "Stat": statErr,
			"Delete": s.Delete(t.Context(), name), "Delete of several": s.Delete(t.Context(), "other.m4s", name),
		} {
			if !errors.Is(err, storage.ErrName) {
				t.Errorf("%s(%q): %v, want %v", call, name, err, storage.ErrName)
			}
		}
	}
	for _, prefix := range []string{"/", "a", "a.m4s", "../", "A/", "a//", "a.b/"} {
		if _, err := Names(s.List(t.Context(), prefix)); !errors.Is(err, storage.ErrName) {
			t.Errorf("List(%q): %v, want %v", prefix, err, storage.ErrName)
		}
	}
	longest := strings.Repeat(strings.Repeat("f", 99)+"/", 5) + "abcdefgh.m4s"
	put(t, s, longest, []byte("z"))
	wants(t, s, longest, []byte("z"))
	wants(t, s, "a.m4s", []byte("x"))
}

func testContent(t *testing.T, s storage.Store) {
	data := Random(100_000, 4)
	good := storage.Bytes(data)
	longer, shorter, empty, other, unknown := good, good, good, good, good
	longer.Size++
	shorter.Size--
	empty.Size = 0
	other.Sum[31] ^= 1
	unknown.Sum = storage.Sum{}
	put(t, s, "there.m4s", []byte("before"))
	for what, c := range map[string]storage.Content{
		"a body shorter than announced": longer, "a body longer than announced": shorter, "no bytes": empty,
		"another sum": other, "no sum": unknown, "no body": {Size: 1, Sum: good.Sum},
	} {
		for _, name := range []string{"new.m4s", "there.m4s"} {
			if err := s.Put(t.Context(), name, c); !errors.Is(err, storage.ErrContent) {
				t.Errorf("Put of %s: %v, want %v", what, err, storage.ErrContent)
			}
		}
	}
	broken := good
	broken.Body = brokenBody{good.Body}
	if err := s.Put(t.Context(), "new.m4s", broken); !errors.Is(err, errBody) {
		t.Errorf("Put of a body that cannot be read: %v, want %v", err, errBody)
	}
	wants(t, s, "there.m4s", []byte("before"))
	if names, err := Names(s.List(t.Context(), "")); err != nil || !slices.Equal(names, []string{"there.m4s"}) {
		t.Errorf("after refused Puts the store lists %q, %v", names, err)
	}
}

var errBody = errors.New("bad block")

type brokenBody struct{ io.ReaderAt }

func (b brokenBody) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > 50_000 {
		return 0, errBody
	}
	return b.ReaderAt.ReadAt(p, off)
}

func testList(t *testing.T, s storage.Store) {
	all := []string{ // in bytewise order: '-' < '.' < '/' < digits < '_' < letters
		"a-b/1.m4s", "a-b.m4s", "a.m4s", "a/1.m4s", "a/10.m4s", "a/2.m4s", "a/b/c.m4s", "a0/1.m4s", "a_b/1.m4s",
		"ab/1.m4s", "b.m4s",
	}
	slices.Sort(all)
	for i, name := range rand.Perm(len(all)) {
		put(t, s, all[name], Random(i+1, 5))
	}
	for _, test := range []struct {
		prefix string
		want   []string
	}{
		{"", all},
		{"a/", []string{"a/1.m4s", "a/10.m4s", "a/2.m4s", "a/b/c.m4s"}},
		{"a/b/", []string{"a/b/c.m4s"}},
		{"a-b/", []string{"a-b/1.m4s"}},
		{"nothing/", nil},
		{"a/nothing/", nil},
	} {
		if got, err := Names(s.List(t.Context(), test.prefix)); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("List(%q) = %q, %v; want %q", test.prefix, got, err, test.want)
		}
	}
	for info, err := range s.List(t.Context(), "a/") {
		stat, statErr := s.Stat(t.Context(), info.Name)
		stat.Sum = storage.Sum{}
		if err != nil || statErr != nil || info.Size != stat.Size || !info.Modified.Equal(stat.Modified) || !info.Sum.IsZero() {
			t.Errorf("List yields %+v, %v; Stat says %+v, %v", info, err, stat, statErr)
		}
		break // leaving early must be harmless
	}
}

// A lesson has thousands of segments; S3 lists and deletes a thousand at a time.
func testLongList(t *testing.T, s storage.Store) {
	var want []string
	var group errgroup.Group
	group.SetLimit(16)
	for i := range 1010 {
		name := fmt.Sprintf("l/%05d.m4s", i)
		want = append(want, name)
		group.Go(func() error { return s.Put(t.Context(), name, storage.Bytes([]byte(name))) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, err := Names(s.List(t.Context(), "l/")); err != nil || !slices.Equal(got, want) {
		t.Errorf("List yields %d names, %v; want %d in order", len(got), err, len(want))
	}
	if err := s.Delete(t.Context(), want[1:]...); err != nil {
		t.Errorf("Delete of %d objects: %v", len(want)-1, err)
	}
	if got, err := Names(s.List(t.Context(), "")); err != nil || !slices.Equal(got, want[:1]) {
		t.Errorf("List yields %d names, %v after all but one were deleted", len(got), err)
	}
}

func testDelete(t *testing.T, s storage.Store) {
	for _, name := range []string{"a/1.m4s", "a/2.m4s", "a/3.m4s", "a.m4s"} {
		put(t, s, name, []byte(name))
	}
	for _, names := range [][]string{{}, {"a/1.m4s"}, {"a/1.m4s"}, {"a/2.m4s", "a/1.m4s", "nothing/1.m4s", "a/2.m4s"}} {
		if err := s.Delete(t.Context(), names...); err != nil {
			t.Errorf("Delete(%q): %v", names, err)
		}
	}
	for _, name := range []string{"a/1.m4s", "a/2.m4s"} {
		if _, err := s.Stat(t.Context(), name); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("Stat(%s) of a deleted object: %v", name, err)
		}
	}
	if got, err := Names(s.List(t.Context(), "")); err != nil || !slices.Equal(got, []string{"a.m4s", "a/3.m4s"}) {
		t.Errorf("after deleting, List yields %q, %v", got, err)
	}
	put(t, s, "a/1.m4s", []byte("again"))
	wants(t, s, "a/1.m4s", []byte("again"))
}

func testContext(t *testing.T, s storage.Store) {
	data := Random(8<<20, 6)
	put(t, s, "a.m4s", data)
	ctx, cancel := context.WithCancel(t.Context())
	o, err := s.Get(ctx, "a.m4s", storage.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	cancel()
	if n, err := io.Copy(io.Discard, o.Body); err == nil {
		t.Errorf("a body read after its context ended gave %d bytes and no error", n)
	}
	_, getErr := s.Get(ctx, "a.m4s", storage.Range{})
	_, statErr := s.Stat(ctx, "a.m4s")
	_, listErr := Names(s.List(ctx, ""))
	for call, err := range map[string]error{
		"Put": s.Put(ctx, "b.m4s", storage.Bytes(data)), "Get": getErr, "Stat": statErr, "List": listErr,
		"Delete": s.Delete(ctx, "a.m4s"), "Delete of several": s.Delete(ctx, "a.m4s", "b.m4s"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s after its context ended: %v, want %v", call, err, context.Canceled)
		}
	}
	wants(t, s, "a.m4s", data)
}

// Writers and readers of one name: a reader sees one writer's object whole, or an error, never a mixture.
func testOneNameAtOnce(t *testing.T, s storage.Store) {
	const name = "a/b.m4s"
	versions := make(map[storage.Sum]bool)
	var contents []storage.Content
	for i := range 4 {
		c := storage.Bytes(Random(200<<10+i*1000, uint64(i)))
		contents, versions[c.Sum] = append(contents, c), true
	}
	if err := s.Put(t.Context(), name, contents[0]); err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	for _, c := range contents {
		group.Go(func() error {
			for range 5 {
				if err := s.Put(t.Context(), name, c); err != nil {
					return fmt.Errorf("put: %w", err)
				}
			}
			return nil
		})
		group.Go(func() error {
			for range 10 {
				b, err := Read(t.Context(), s, name, storage.Range{})
				if errors.Is(err, storage.ErrNotFound) {
					return fmt.Errorf("get: %w", err)
				}
				if err == nil && !versions[storage.Bytes(b).Sum] {
					return fmt.Errorf("a reader got %d bytes that nobody put", len(b))
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// A folder that becomes empty while somebody puts into it must not lose what is put. A Put may fail on it, and
// then work soon after.
func testFolderComesAndGoes(t *testing.T, s storage.Store) {
	var group errgroup.Group
	for i := range 4 {
		group.Go(func() error {
			name := fmt.Sprintf("x/y/z/%d.m4s", i)
			for range 20 {
				if err := putStubbornly(t.Context(), s, name); err != nil {
					return fmt.Errorf("put: %w", err)
				}
				if _, err := s.Stat(t.Context(), name); err != nil {
					return fmt.Errorf("stat after put: %w", err)
				}
				if err := s.Delete(t.Context(), name); err != nil {
					return fmt.Errorf("delete: %w", err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if got, err := Names(s.List(t.Context(), "")); err != nil || len(got) > 0 {
		t.Errorf("List yields %q, %v after everything was deleted", got, err)
	}
}

func putStubbornly(ctx context.Context, s storage.Store, name string) (err error) {
	for range 10 {
		if err = s.Put(ctx, name, storage.Bytes([]byte(name))); err == nil {
			return nil
		}
	}
	return err
}

func testKeep(t *testing.T, s storage.Store) {
	data := Random(100_000, 7)
	if err := storage.Keep(t.Context(), s, "a/keep.m4s", storage.Bytes(data), storage.Patience{}); err != nil {
		t.Fatal(err)
	}
	wants(t, s, "a/keep.m4s", data)
}

package storage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"chalkcast/storage"
)

func TestCheckName(t *testing.T) {
	folder := strings.Repeat("f", 100) + "/"
	for _, test := range []struct {
		name string
		ok   bool
	}{
		{"a.m4s", true},
		{"lessons/0123456789abc/17-x9f3/0/1042.m4s", true},
		{"a/init-3.mp4", true},
		{"a/b.json.gz", true},
		{"0_x/9-y.z", true},
		{strings.Repeat("f", 100) + ".m4s", true},
		{strings.Repeat(folder, 5) + "abc.m4s", true},
		{strings.Repeat(folder, 5) + "abc." + "defghij", false}, // 516 bytes
		{strings.Repeat("f", 101) + ".m4s", false},
		{"", false},
		{"a", false},
		{"a/b", false},
		{".", false},
		{"..", false},
		{".a", false},
		{"a.", false},
		{"a..b", false},
		{"a/.b", false},
		{"a/../b.c", false},
		{"a/./b.c", false},
		{"/a.b", false},
		{"a//b.c", false},
		{"a.b/", false},
		{"a.b/c.d", false},
		{"-a.b", false},
		{"_a.b", false},
		{"a/-b/c.d", false},
		{"A.b", false},
		{"ä.b", false},
		{"a b.c", false},
		{"a\x00.b", false},
		{"a\n.b", false},
		{`a\b.c`, false},
		{"a%2f.b", false},
		{"a:b.c", false},
		{"~/a.b", false},
		{"a.b?c", false},
		{"\xff.b", false},
	} {
		err := storage.CheckName(test.name)
		if (err == nil) != test.ok || err != nil && !errors.Is(err, storage.ErrName) {
			t.Errorf("CheckName(%q) = %v, want accepted: %t", test.name, err, test.ok)
		}
	}
}

func TestMaxName(t *testing.T) {
	for extra, ok := range map[int]bool{0: true, 1: false} {
		name := strings.Repeat(strings.Repeat("f", 99)+"/", 5)
		name += strings.Repeat("g", storage.MaxName-len(name)-2+extra) + ".h"
		if err := storage.CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName of %d bytes: %v, want accepted: %t", len(name), err, ok)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"a.m4s", "a/../b.c", "lessons/x/1-y/0/12.m4s", "a/b", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if storage.CheckName(name) != nil {
			return
		}
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_./") != "" || strings.Contains(name, "..") ||
			strings.Contains(name, "/.") || strings.Contains(name, "//") || strings.HasPrefix(name, "/") {
			t.Errorf("CheckName took %q", name)
		}
		if storage.CheckPrefix(name+"/") == nil {
			t.Errorf("%q is the name of an object and of a folder", name)
		}
	})
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		r    storage.Range
		size int64
		want storage.Range
		err  error
	}{
		{storage.Range{}, 10, storage.Range{Length: 10}, nil},
		{storage.Range{Offset: 9}, 10, storage.Range{Offset: 9, Length: 1}, nil},
		{storage.Range{Offset: 9, Length: math.MaxInt64}, 10, storage.Range{Offset: 9, Length: 1}, nil},
		{storage.Range{Offset: 10}, 10, storage.Range{}, storage.ErrRange},
		{storage.Range{}, 0, storage.Range{}, storage.ErrRange},
		{storage.Range{Offset: -1}, 10, storage.Range{}, storage.ErrRange},
		{storage.Range{Length: -1}, 10, storage.Range{}, storage.ErrRange},
	} {
		got, err := test.r.Cut(test.size)
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%+v.Cut(%d) = %+v, %v; want %+v, %v", test.r, test.size, got, err, test.want, test.err)
		}
	}
}

func TestDescribe(t *testing.T) {
	data := bytes.Repeat([]byte("chalk"), 1000)
	c, err := storage.File{Body: bytes.NewReader(data), Size: int64(len(data))}.Describe()
	if want := storage.Bytes(data); err != nil || c.Size != want.Size || c.Sum != want.Sum {
		t.Errorf("Describe = %d bytes, %v, %v; want %d, %v", c.Size, c.Sum, err, want.Size, want.Sum)
	}
	if got, err := io.ReadAll(c.Reader()); err != nil || !bytes.Equal(got, data) {
		t.Errorf("its reader gives %d bytes, %v", len(got), err)
	}
	if _, err := (storage.File{Body: bytes.NewReader(data), Size: int64(len(data)) + 1}).Describe(); !errors.Is(err, storage.ErrContent) {
		t.Errorf("Describe of more bytes than there are: %v, want %v", err, storage.ErrContent)
	}
}

func TestCheckContent(t *testing.T) {
	c := storage.Bytes([]byte("x"))
	for size, ok := range map[int64]bool{-1: false, 0: false, 1: true, storage.MaxSize: true, storage.MaxSize + 1: false} {
		c.Size = size
		if err := c.Check(); (err == nil) != ok {
			t.Errorf("Check of %d bytes: %v, want accepted: %t", size, err, ok)
		}
	}
}

func TestSumText(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	sum := storage.Bytes(nil).Sum
	b, err := json.Marshal(sum)
	if err != nil || string(b) != `"`+empty+`"` || sum.String() != empty {
		t.Errorf("sum of nothing is %s and %s, %v; want %s", b, sum, err, empty)
	}
	var back storage.Sum
	if err := json.Unmarshal(b, &back); err != nil || back != sum {
		t.Errorf("read back: %v, %v", back, err)
	}
	for _, bad := range []string{"", empty[1:], empty + "00", "g" + empty[1:]} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("UnmarshalText(%q) was taken", bad)
		}
	}
}

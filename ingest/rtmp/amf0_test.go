package rtmp

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAMF0RoundTrip(t *testing.T) {
	for _, v := range []any{
		1.5, math.Inf(1), true, false, "", "é", strings.Repeat("x", 70000), nil,
		object{},
		object{{"a", 1.0}, {"b", object{{"c", "d"}}}},
		[]any{"x", 2.0, []any{nil}},
	} {
		got, err := decodeAMF(encodeAMF(v))
		if err != nil || len(got) != 1 {
			t.Errorf("%v: got %d values, %v", v, len(got), err)
			continue
		}
		if diff := cmp.Diff(v, got[0], cmp.AllowUnexported(property{})); diff != "" {
			t.Errorf("%v changed on its way:\n%s", v, diff)
		}
	}
}

// What encoders send and we never write.
func TestAMF0Decode(t *testing.T) {
	for name, tc := range map[string]struct {
		b    string
		want []any
	}{
		"ecma array with a wrong count": {"\x08\x00\x00\x00\x09\x00\x01a\x05\x00\x00\x09", []any{object{{"a", nil}}}},
		"typed object":                  {"\x10\x00\x01C\x00\x01a\x01\x01\x00\x00\x09", []any{object{{"a", true}}}},
		"undefined, unsupported, date":  {"\x06\x0d\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", []any{nil, nil, nil}},
		"xml":                           {"\x0f\x00\x00\x00\x02hi", []any{"hi"}},
		"empty name":                    {"\x03\x00\x00\x05\x00\x00\x09", []any{object{{"", nil}}}},
	} {
		got, err := decodeAMF([]byte(tc.b))
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(property{})); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func nested(depth int, kind string) []byte {
	const end = "\x00\x00\x09"
	open, shut := "", end
	switch kind {
	case "object":
		open = "\x03\x00\x01a"
	case "ecma":
		open = "\x08\x00\x00\x00\x01\x00\x01a"
	case "typed":
		open = "\x10\x00\x01C\x00\x01a"
	case "strict":
		open, shut = "\x0a\x00\x00\x00\x01", ""
	}
	return []byte(strings.Repeat(open, depth) + "\x05" + strings.Repeat(shut, depth))
}

// SEC-11
func TestAMF0Limits(t *testing.T) {
	for _, kind := range []string{"object", "ecma", "strict", "typed"} {
		if _, err := decodeAMF(nested(16, kind)); err != nil {
			t.Errorf("%s, depth 16: %v", kind, err)
		}
		for _, depth := range []int{17, 64, 1000} {
			if _, err := decodeAMF(nested(depth, kind)); !errors.Is(err, ErrProtocol) {
				t.Errorf("%s, depth %d: got %v, want refusal", kind, depth, err)
			}
		}
	}
	if _, err := decodeAMF(bytes.Repeat([]byte{amfNull}, 4096)); err != nil {
		t.Errorf("4096 values: %v", err)
	}
	for name, b := range map[string]string{
		"4097 values":              strings.Repeat("\x05", 4097),
		"strict array of 2^32 − 1": "\x0a\xff\xff\xff\xff",
		"ecma array of 2^32 − 1":   "\x08\xff\xff\xff\xff\x00\x00\x09",
		"array of 4097":            "\x0a\x00\x00\x10\x01" + strings.Repeat("\x05", 4095),
		"string beyond the body":   "\x02\x00\x05abc",
		"long string beyond":       "\x0c\xff\xff\xff\xffabc",
		"number cut":               "\x00\x01\x02",
		"bool cut":                 "\x01",
		"date cut":                 "\x0b\x00",
		"object cut":               "\x03\x00\x01a",
		"object without end":       "\x03\x00\x01a\x05",
		"reference":                "\x07\x00\x00",
		"AMF3":                     "\x11\x0a",
		"end alone":                "\x09",
		"unknown type":             "\x42",
	} {
		if _, err := decodeAMF([]byte(b)); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: got %v, want refusal", name, err)
		}
	}
}

// An array that announces 4096 entries and holds none costs nothing.
func TestAMF0AllocatesWhatIsThere(t *testing.T) {
	b := []byte("\x0a\x00\x00\x10\x00\x05")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		decodeAMF(b)
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / 100; each > 2000 {
		t.Errorf("decoding took %d bytes", each)
	}
}

func TestCommands(t *testing.T) {
	for name, tc := range map[string]struct {
		body []byte
		ok   bool
	}{
		"good":             {encodeAMF("publish", 5, nil, "key"), true},
		"only a name":      {encodeAMF("publish"), true},
		"nothing":          {nil, false},
		"name is a number": {encodeAMF(1, 2), false},
		"NaN":              {encodeAMF("publish", math.NaN()), false},
		"infinite":         {encodeAMF("publish", math.Inf(-1)), false},
	} {
		c, err := parseCommand(message{body: tc.body})
		if (err == nil) != tc.ok {
			t.Errorf("%s: got %+v, %v", name, c, err)
		}
		c.text(9)
	}
}

func FuzzAMF0(f *testing.F) {
	f.Add(encodeAMF("connect", 1, object{{"app", "live"}, {"tcUrl", "rtmp://x/live"}, {"fpad", false}}))
	f.Add(encodeAMF("@setDataFrame", "onMetaData", object{{"width", 1280}, {"encoder", "x"}}))
	for _, kind := range []string{"object", "ecma", "strict", "typed"} {
		f.Add(nested(16, kind))
	}
	f.Add([]byte("\x0a\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := decodeAMF(b)
		if err != nil {
			return
		}
		own := encodeAMF(values...)
		again, err := decodeAMF(own)
		if err != nil {
			t.Fatalf("own words are refused: %v", err)
		}
		if !bytes.Equal(own, encodeAMF(again...)) {
			t.Fatalf("values changed on their way: %v, then %v", values, again)
		}
	})
}

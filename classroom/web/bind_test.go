package web

import (
	"encoding/json"
	"strings"
	"testing"
)

// What checkJSON lets through is JSON that every reader reads the same way.
func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{`{"n":1,"state":"playing"}`, `[1,{"a":[null,true,1e5]}]`, `"x"`, `{"a":1,"a":2}`, `{"a":1}x`, "\xff", strings.Repeat("[", 40), ``, `{`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if checkJSON(b) != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("checkJSON accepts %q, which is no JSON", b)
		}
		var v any
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("checkJSON accepts %q: %v", b, err)
		}
		if depth(v) > maxJSONDepth {
			t.Errorf("checkJSON accepts %d levels", depth(v))
		}
	})
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	case map[string]any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	default:
		return 0
	}
	return deepest + 1
}

func TestJSONDepth(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if err := checkJSON(nested(maxJSONDepth)); err != nil {
		t.Errorf("%d levels: %v", maxJSONDepth, err)
	}
	if err := checkJSON(nested(maxJSONDepth + 1)); err == nil {
		t.Errorf("%d levels are accepted", maxJSONDepth+1)
	}
}

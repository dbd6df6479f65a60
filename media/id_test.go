package media_test

import (
	"encoding/json"
	"strings"
	"testing"

	"chalkcast/media"
)

func TestIDTextIsOneSpelling(t *testing.T) {
	for range 1000 {
		id := media.NewID()
		back, err := media.ParseID(id.String())
		if err != nil || back != id {
			t.Fatalf("ParseID(%q) = %d, %v, want %d", id.String(), back, err, id)
		}
	}
	for _, s := range []string{
		"", "0", "-1", "0000000000000", strings.Repeat("z", 13), "9223372036854775808",
		"3f2504e0-4f89-41d3-9a0c-0305e82c3301", strings.ToUpper(media.NewID().String()), media.NewID().String() + "0",
		"../../etc/pas", "ilouILOU00000",
	} {
		if id, err := media.ParseID(s); err == nil {
			t.Errorf("ParseID(%q) = %d, want ErrID", s, id)
		}
	}
}

func TestIDInJSONIsAString(t *testing.T) {
	id := media.ID(1<<62 + 1)
	b, err := json.Marshal(map[string]media.ID{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]media.ID
	if err := json.Unmarshal(b, &back); err != nil || back["id"] != id {
		t.Errorf("%s read back as %d, %v, want %d", b, back["id"], err, id)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(media.NewID().String())
	f.Add("0000000000001")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := media.ParseID(s); err == nil && (id <= 0 || id.String() != s) {
			t.Errorf("ParseID(%q) = %d, which is written %q", s, id, id)
		}
	})
}

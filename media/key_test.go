package media_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chalkcast/media"
)

func TestNewKeyHas130SecretBits(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		k := media.NewKey()
		if len(k.ID) != 8 || len(string(k.Secret)) != 26 {
			t.Fatalf("key of %d and %d letters, want 8 and 26", len(k.ID), len(string(k.Secret)))
		}
		if strings.Trim(k.Text(), "_abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Fatalf("key %q leaves the alphabet", k.Text())
		}
		if seen[string(k.Secret)] {
			t.Fatal("a secret came twice")
		}
		seen[string(k.Secret)] = true
	}
	// The last letter of a base32 text of 17 bytes would carry one bit only; the 26th is a full letter.
	last := map[byte]bool{}
	for s := range seen {
		last[s[25]] = true
	}
	if len(last) < 30 {
		t.Errorf("the last letter took %d values in 1000 keys, want about 32", len(last))
	}
}

func TestFindKeyWhereverItWasPasted(t *testing.T) {
	k := media.NewKey()
	key := k.Text()
	for _, text := range []string{
		key, "  " + key + "\r\n", key + "/", "rtmp://school/live/" + key, "rtmp://school:1935/live/" + key + "?takeover=1",
		"live?key=" + key, "key=" + key + "&x=1", "\ufeff" + key,
	} {
		if got, ok := media.FindKey(text); !ok || got != k {
			t.Errorf("FindKey(%q) = %s, %v", text, got.ID, ok)
		}
	}
	for _, text := range []string{"", "?", "%00", "ck_", key[:len(key)-1], key + "a", strings.ToUpper(key), strings.Repeat(" ", 4097) + key} {
		if _, ok := media.FindKey(text); ok {
			t.Errorf("FindKey found a key in %q", text)
		}
	}
}

func TestSecretsPrintAsDots(t *testing.T) {
	k := media.NewKey()
	j, _ := json.Marshal(k)
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s %q", k, k, k, k.Secret, k.Secret), string(j)} {
		if strings.Contains(s, string(k.Secret)) {
			t.Errorf("the secret shows in %q", s)
		}
	}
}

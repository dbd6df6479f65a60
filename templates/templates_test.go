package templates_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"chalkcast/templates"
)

func newSet(t *testing.T) *templates.Set {
	t.Helper()
	s, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func render(t *testing.T, s *templates.Set, lang string, page any) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Render(&b, lang, page); err != nil {
		t.Fatalf("render %T in %s: %v", page, lang, err)
	}
	return b.String()
}

func readAll(r io.Reader) (string, error) {
	var b strings.Builder
	_, err := io.Copy(&b, r)
	return b.String(), err
}

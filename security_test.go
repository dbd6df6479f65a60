package chalkcast_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	requirement = regexp.MustCompile(`^\| (SEC-\d+) \| ([^|]+) \| ([^|]+) \|$`)
	namedTest   = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	testFunc    = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
)

// TestSecurityRequirements holds docs/security.md against the tests: every requirement of accounts, rights, the web, and
// logs and privacy has a proof that exists, or a line why there is none yet.
func TestSecurityRequirements(t *testing.T) {
	var tests []string
	for _, file := range goFiles(t) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(text), -1) {
			tests = append(tests, m[1])
		}
	}
	doc, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for line := range strings.SplitSeq(string(doc), "\n") {
		m := requirement.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		id, proof := m[1], strings.TrimSpace(m[3])
		if have[id] {
			t.Errorf("%s has two lines", id)
		}
		have[id] = true
		named := namedTest.FindAllStringSubmatch(proof, -1)
		if len(named) == 0 && len(proof) < 30 {
			t.Errorf("%s has neither a test nor a reason: %q", id, proof)
		}
		for _, n := range named {
			if !slices.Contains(tests, n[1]) {
				t.Errorf("%s is proved by %s, which does not exist", id, n[1])
			}
		}
	}
	for _, part := range [][2]int{{30, 37}, {40, 44}, {50, 60}, {80, 86}} {
		for n := part[0]; n <= part[1]; n++ {
			if id := fmt.Sprintf("SEC-%d", n); !have[id] {
				t.Errorf("docs/security.md has no line about %s", id)
			}
		}
	}
}

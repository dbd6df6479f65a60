package fault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"chalkcast/templates"
)

// Every key that the classroom gives to a fault or a flash has a sentence.
func TestKeysHaveSentences(t *testing.T) {
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	err = filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if key := keyOf(n); key != "" {
				found++
				if !set.Has(key) {
					t.Errorf("%s: the catalogues have no %q", name, key)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 10 {
		t.Errorf("found %d keys; does this test still know how faults are made?", found)
	}
}

// keyOf returns the key in fault.Kind("key"…) and web.Flash(c, kind, "key"…).
func keyOf(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return ""
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	pkg, ok := f.X.(*ast.Ident)
	place := 0
	switch {
	case !ok:
		return ""
	case pkg.Name == "web" && f.Sel.Name == "Flash":
		place = 2
	case pkg.Name != "fault":
		return ""
	}
	if len(call.Args) <= place {
		return ""
	}
	text, ok := call.Args[place].(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return ""
	}
	key, err := strconv.Unquote(text.Value)
	if err != nil {
		return ""
	}
	return key
}

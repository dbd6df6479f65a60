package classroom_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sources walks the classroom's own code, and that of the pages.
func sources(t *testing.T, look func(file string, n ast.Node, where token.Position)) {
	t.Helper()
	for _, root := range []string{".", "../templates"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "databasetest") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if n != nil {
					look(name, n, set.Position(n.Pos()))
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// called returns what a call calls, as in "http.Get" or ".Where".
func called(n ast.Node) (name string, args []ast.Expr) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", nil
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", nil
	}
	if pkg, ok := f.X.(*ast.Ident); ok {
		return pkg.Name + "." + f.Sel.Name, call.Args
	}
	return "." + f.Sel.Name, call.Args
}

// Conditions and orders are text that stands in the source: nothing that was sent is built into a query, and no struct
// whose zero fields would silently drop a condition, nor one whose zero fields would not be written (SEC-42, SEC-43).
func TestQueriesAreConstant(t *testing.T) {
	n := 0
	sources(t, func(_ string, node ast.Node, where token.Position) {
		name, args := called(node)
		_, verb, _ := strings.Cut(name, ".")
		if len(args) == 0 || !slices.Contains([]string{"Where", "Order", "Having", "Joins", "Updates"}, verb) {
			return
		}
		n++
		ast.Inspect(args[0], func(part ast.Node) bool {
			switch part := part.(type) {
			case *ast.CallExpr:
				if f, _ := called(part); strings.HasPrefix(f, "fmt.") || strings.HasPrefix(f, "strings.") {
					t.Errorf("%s: %s is given text that is built at run time", where, name)
				}
			case *ast.CompositeLit:
				if _, isMap := part.Type.(*ast.MapType); !isMap {
					t.Errorf("%s: %s is given a struct: its zero fields are silently left out", where, name)
				}
			}
			return true
		})
	})
	if n < 30 {
		t.Errorf("found %d conditions; does this test still know how queries are made?", n)
	}
}

// The program asks nobody for anything because somebody sent an address: there is no HTTP client in this wing (SEC-58).
// Every text in a page is escaped (SEC-53).
func TestNothingIsFetchedOrTrusted(t *testing.T) {
	sources(t, func(_ string, node ast.Node, where token.Position) {
		f, ok := node.(*ast.SelectorExpr)
		if !ok {
			return
		}
		pkg, ok := f.X.(*ast.Ident)
		if !ok {
			return
		}
		switch name := pkg.Name + "." + f.Sel.Name; name {
		case "http.Get", "http.Post", "http.PostForm", "http.Head", "http.Client", "http.DefaultClient", "http.NewRequest":
			t.Errorf("%s: %s would ask another server", where, name)
		case "template.HTML", "template.JS", "template.URL", "template.CSS", "template.HTMLAttr", "template.JSStr", "template.Srcset":
			t.Errorf("%s: %s is not escaped", where, name)
		}
	})
}

// What is for the operator is not behind the door of browsers (SEC-59).
func TestOperatorsDoorIsAnother(t *testing.T) {
	s := newSchool(t)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars"} {
		if a := s.ask("admin", "GET", path, ""); a.status != http.StatusNotFound {
			t.Errorf("GET %s as admin: %d, want 404", path, a.status)
		}
	}
}

// A request cannot give itself what its handler does not ask for (SEC-42).
func TestMassAssignment(t *testing.T) {
	s := newSchool(t)
	var course struct{ ID, Code, Role string }
	s.json("teacher", "POST", "/api/v1/courses", `{"code":"MASS","title":"x","term":"2026","id":"0000000000001","role":"admin","created_at":1,"archived_at":1,"teacher":"`+s.people["stranger"].id.String()+`"}`, &course)
	if course.ID == "0000000000001" || course.Role != "teacher" {
		t.Errorf("a course made itself %+v", course)
	}
	if a := s.ask("stranger", "GET", "/courses/"+course.ID, ""); a.status != 404 {
		t.Errorf("somebody whom the body named is in the course: %d", a.status)
	}
	s.ask("student", "POST", "/settings/language", "lang=ja&admin=true&id="+s.people["admin"].id.String())
	if a := s.ask("student", "GET", "/today", ""); a.status != 404 {
		t.Errorf("a student made themself an admin: %d", a.status)
	}
}

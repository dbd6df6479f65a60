// Package chalkcast_test holds the drawing of docs/architecture.md as data. A new package or a new arrow between
// packages is a line here, argued for in the same commit.
package chalkcast_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows says which of our packages each package may import outside its tests. The two wings know the nouns in
// media and nothing of each other; cmd/chalkcast alone knows both.
var arrows = map[string][]string{
	// media wing: bytes and deadlines
	"media":               {},
	"media/mediatest":     {"media"},
	"ingest":              {"media"},
	"ingest/guard":        {},
	"ingest/rtmp":         {"ingest", "ingest/guard", "media"},
	"ingest/rtsp":         {"ingest", "ingest/guard", "media"},
	"hls":                 {"hls/ticket", "media", "storage"},
	"hls/hlstest":         {"media"},
	"hls/ticket":          {"media"},
	"storage":             {},
	"storage/disk":        {"storage"},
	"storage/memory":      {"storage"},
	"storage/s3":          {"media", "storage"}, // media for Secret
	"storage/storagetest": {"storage"},

	// classroom wing: people, pages and SQL, each floor standing on those above it
	"templates":                       {},
	"classroom/fault":                 {},
	"classroom/database":              {"media"}, // media for ID
	"classroom/database/databasetest": {"classroom/database", "media"},
	"classroom/audit":                 {"classroom/database", "media"},
	"classroom/mail":                  {"classroom/database", "media", "templates"},
	"classroom/mail/mailtest":         {},
	"classroom/push":                  {"media"},
	"classroom/calendar":              {"classroom/audit", "classroom/database", "classroom/fault", "media"},
	"classroom/captions":              {"classroom/audit", "classroom/database", "classroom/fault", "media"},
	"classroom/roster":                {"classroom/fault"},
	"classroom/web":                   {"classroom/fault", "media", "templates"},
	"classroom/obs":                   {},
	"classroom/accounts":              onFloor("classroom/mail", "classroom/obs"),
	"classroom/courses":               onFloor("classroom/accounts", "classroom/roster"),
	"classroom/lessons": onFloor(
		"classroom/accounts", "classroom/courses", "classroom/push"),
	"classroom/chat": onFloor(
		"classroom/accounts", "classroom/courses", "classroom/lessons", "classroom/push"),
	"classroom/attendance": onFloor(
		"classroom/accounts", "classroom/courses", "classroom/lessons"),
	"classroom/reports": onFloor(
		"classroom/accounts", "classroom/attendance", "classroom/courses", "classroom/lessons"),
	"classroom": onFloor(
		"classroom/accounts", "classroom/attendance", "classroom/calendar", "classroom/captions", "classroom/chat",
		"classroom/courses",
		"classroom/lessons", "classroom/mail", "classroom/push", "classroom/reports"),

	// the binary, which knows everybody
	"cmd/chalkcast/sample": {},
	"cmd/surge":            {"cmd/chalkcast/sample"},
	"cmd/compare":          {}, // starts the others as processes
	"cmd/chalkcast": {
		"classroom", "classroom/accounts", "classroom/attendance", "classroom/audit", "classroom/courses",
		"classroom/database", "classroom/fault", "classroom/lessons", "classroom/mail", "classroom/push", "classroom/reports",
		"classroom/roster", "classroom/web", "cmd/chalkcast/sample", "hls", "hls/ticket", "ingest", "ingest/guard", "ingest/rtmp",
		"ingest/rtsp", "media", "storage", "storage/disk", "storage/memory", "storage/s3", "templates",
	},
	"e2e":             {"media"},
	"e2e/conformance": {},
}

// onFloor adds what every feature of the classroom may stand on.
func onFloor(more ...string) []string {
	return append(more, "classroom/audit", "classroom/database", "classroom/fault", "classroom/web", "media", "templates")
}

// strangers says where modules and packages that shape a wing may appear at all, tests included.
var strangers = map[string][]string{
	"database/sql":                             {"classroom", "cmd/chalkcast"},
	"gorm.io":                                  {"classroom", "cmd/chalkcast"},
	"github.com/jackc/pgx":                     {"classroom"},
	"github.com/libtnb/sqlite":                 {"classroom/database"},
	"modernc.org":                              {"classroom/database"},
	"github.com/pressly/goose":                 {"classroom/database"},
	"github.com/gin-gonic/gin":                 {"classroom"},
	"github.com/arran4/golang-ical":            {"classroom/calendar"},
	"github.com/emersion/go-ical":              {"classroom"}, // a parser that is not ours, in tests
	"html/template":                            {"templates", "classroom/web"},
	"github.com/minio/minio-go":                {"storage/s3"},
	"github.com/bluenviron/mediacommon":        {"media", "ingest", "hls", "cmd/chalkcast/sample", "e2e"},
	"github.com/bluenviron/gortsplib":          {"ingest/rtsp"},
	"github.com/bluenviron/gortmplib":          {"ingest/rtmp", "cmd/chalkcast/sample", "e2e"}, // a peer, never the server
	"github.com/bluenviron/gohlslib":           {"e2e"},                                        // a peer that plays, in tests
	"github.com/getkin/kin-openapi":            {"classroom"},                                  // in tests: holds the API against its document
	"github.com/chromedp":                      {"e2e", "templates"},                           // tests that look at pages
	"github.com/alecthomas/kong":               {"cmd"},
	"github.com/wneessen/go-mail":              {"classroom/mail"},
	"github.com/emersion":                      {"classroom", "e2e"}, // a mail server, in tests
	"unsafe":                                   {},
	"github.com/golang/protobuf":               {},
	"github.com/stretchr/testify":              {},
	"github.com/prometheus/client_golang/prom": {"cmd/chalkcast", "ingest", "hls", "storage", "classroom"},
}

// wing names the side of the house that a test's package is on: tests reach further than the code they test, but
// not through the wall.
func wing(pkg string) string {
	switch top, _, _ := strings.Cut(pkg, "/"); top {
	case "ingest", "hls", "storage":
		return "media"
	case "classroom", "templates":
		return "classroom"
	case "media":
		return "nouns"
	}
	return "outside"
}

func TestArrows(t *testing.T) {
	found := map[string]bool{}
	for file, ours := range imports(t, true) {
		pkg := path.Dir(file)
		found[pkg] = true
		allowed, listed := arrows[pkg]
		if !listed {
			t.Errorf("%s: package %s is not in the map of arch_test.go", file, pkg)
			continue
		}
		for _, to := range ours {
			if strings.HasSuffix(file, "_test.go") {
				if !mayTest(pkg, to) {
					t.Errorf("%s: a test of %s may not import %s of the other wing", file, pkg, to)
				}
			} else if !slices.Contains(allowed, to) {
				t.Errorf("%s: new arrow %s -> %s", file, pkg, to)
			}
		}
	}
	for pkg := range maps.Keys(arrows) {
		if !found[pkg] {
			t.Errorf("arch_test.go lists package %s, which does not exist", pkg)
		}
	}
}

func mayTest(pkg, to string) bool {
	from, target := wing(pkg), wing(to)
	return from == target || from == "outside" || target == "nouns"
}

func TestStrangers(t *testing.T) {
	for file, theirs := range imports(t, false) {
		pkg := path.Dir(file)
		for _, to := range theirs {
			for prefix, homes := range strangers {
				if to != prefix && !strings.HasPrefix(to, prefix+"/") {
					continue
				}
				if !slices.ContainsFunc(homes, func(home string) bool { return pkg == home || strings.HasPrefix(pkg, home+"/") }) {
					t.Errorf("%s: %s may not import %s", file, pkg, to)
				}
			}
		}
	}
}

// Whoever reads only the package comments has read the architecture: each package has one, where it is looked for.
func TestPackageComments(t *testing.T) {
	comments := map[string]string{}
	for _, file := range goFiles(t) {
		pkg := path.Dir(file)
		if _, seen := comments[pkg]; !seen {
			comments[pkg] = ""
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		doc := parse(t, file, parser.PackageClauseOnly|parser.ParseComments).Doc
		switch {
		case path.Base(file) == "doc.go" && doc != nil:
			comments[pkg] = doc.Text()
		case doc != nil:
			t.Errorf("%s: the package comment belongs in doc.go", file)
		}
	}
	for pkg, text := range comments {
		want := "Package " + path.Base(pkg) + " "
		if path.Dir(pkg) == "cmd" {
			want = "Command " + path.Base(pkg) + " "
		}
		if pkg != "." && !strings.HasPrefix(text, want) {
			t.Errorf("%s: want a package comment in doc.go that begins %q", pkg, want)
		}
	}
}

func TestNoHiddenRooms(t *testing.T) {
	for _, file := range goFiles(t) {
		for _, room := range strings.Split(path.Dir(file), "/") {
			if slices.Contains([]string{"internal", "pkg", "util", "common", "helpers", "types", "models"}, room) {
				t.Errorf("%s: no folder is called %s here", file, room)
			}
		}
	}
}

const module = "chalkcast/"

// imports returns what each Go file imports: our packages without the module's name, or everybody else's.
func imports(t *testing.T, ours bool) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, file := range goFiles(t) {
		if path.Dir(file) == "." {
			continue
		}
		all[file] = nil
		for _, spec := range parse(t, file, parser.ImportsOnly).Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatalf("%s: import %s: %v", file, spec.Path.Value, err)
			}
			if short, is := strings.CutPrefix(to, module); is == ours && short != path.Dir(file) {
				all[file] = append(all[file], short)
			}
		}
	}
	return all
}

// goFiles finds the files itself, because a test that asks the go command is answered from the test cache.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && name != "." && (base == "testdata" || base == "node_modules" || base == "tools" || base[0] == '.' || base[0] == '_') {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(base, ".go") {
			files = append(files, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found only %d Go files: %v", len(files), files)
	}
	return files
}

func parse(t *testing.T, file string, mode parser.Mode) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(file), nil, mode)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

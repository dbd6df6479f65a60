package database_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gormschema "gorm.io/gorm/schema"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
)

// A schema is what both kinds of database must agree on: for each table its columns, keys and indexes in words.
type schema map[string][]string

// TestDialectsHaveOneSchema holds the two folders of migrations against each other, as the databases understood them.
func TestDialectsHaveOneSchema(t *testing.T) {
	if !databasetest.HasPostgres() {
		return // the test command gives one
	}
	a, b := schemaOf(t, databasetest.New(t)), schemaOf(t, databasetest.Postgres(t))
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("SQLite (-) and PostgreSQL (+) drifted apart:\n%s", diff)
	}
}

func schemaOf(t *testing.T, db *database.DB) schema {
	t.Helper()
	all := schema{}
	for _, table := range tables(t, db) {
		var facts []string
		queries := sqliteFacts
		if db.Dialect() == database.Postgres {
			queries = postgresFacts
		}
		for _, q := range queries {
			facts = append(facts, column[string](t, db, q, table)...)
		}
		for i, f := range facts {
			facts[i] = plain(f)
		}
		slices.Sort(facts)
		all[table] = facts
	}
	return all
}

// Each query has the table as its one parameter and returns sentences.
var (
	sqliteFacts = []string{
		`SELECT 'column ' || name || ' ' || replace(replace(upper(type), 'INTEGER', 'BIGINT'), 'BLOB', 'BYTEA') ||
			CASE WHEN "notnull" THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || dflt_value, '') FROM pragma_table_info(?)`,
		`SELECT 'key ' || group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk)`,
		`SELECT 'reference ' || group_concat("from", ', ') || ' to ' || "table" || ' ' || group_concat("to", ', ') || ' ' || on_delete
			FROM (SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq) GROUP BY id`,
		`SELECT 'unique ' || (SELECT group_concat(name, ', ') FROM pragma_index_info(l.name)) FROM pragma_index_list(?) l WHERE l.origin = 'u'`,
		`SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?`,
	}
	postgresFacts = []string{
		`SELECT 'column ' || column_name || ' ' || replace(upper(data_type), 'INTEGER', 'BIGINT') ||
			CASE WHEN is_nullable = 'NO' THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || column_default, '')
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ?`,
		`SELECT 'key ' || string_agg(a.attname, ', ' ORDER BY array_position(c.conkey, a.attnum)) FROM pg_constraint c
			JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) WHERE c.contype = 'p' AND c.conrelid = CAST(? AS regclass) GROUP BY c.oid`,
		`SELECT 'reference ' || (SELECT string_agg(attname, ', ' ORDER BY array_position(c.conkey, attnum)) FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = ANY (c.conkey)) ||
			' to ' || c.confrelid::regclass || ' ' || (SELECT string_agg(attname, ', ' ORDER BY array_position(c.confkey, attnum)) FROM pg_attribute WHERE attrelid = c.confrelid AND attnum = ANY (c.confkey)) ||
			' ' || CASE c.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE c.confdeltype::text END
			FROM pg_constraint c WHERE c.contype = 'f' AND c.conrelid = CAST(? AS regclass)`,
		`SELECT 'unique ' || string_agg(a.attname, ', ' ORDER BY array_position(c.conkey, a.attnum)) FROM pg_constraint c
			JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) WHERE c.contype = 'u' AND c.conrelid = CAST(? AS regclass) GROUP BY c.oid`,
		`SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
			WHERE c.oid IS NULL AND i.indrelid = CAST(? AS regclass)`,
	}
)

var (
	casts  = regexp.MustCompile(`::[a-z]+`)
	lists  = regexp.MustCompile(`(?i)(=|<>) (any|all) array\[([^]]*)\]`)
	spaces = regexp.MustCompile(`\s+`)
)

// plain takes from a sentence what the two write differently and mean alike.
func plain(s string) string {
	s = casts.ReplaceAllString(s, "")
	s = strings.NewReplacer("(", " ", ")", " ", "public.", "", " USING btree", "").Replace(s)
	s = spaces.ReplaceAllString(strings.ToLower(s), " ")
	s = lists.ReplaceAllStringFunc(s, func(m string) string {
		part := lists.FindStringSubmatch(m)
		return map[string]string{"=": "in ", "<>": "not in "}[part[1]] + part[3]
	})
	return strings.TrimSpace(strings.ReplaceAll(s, " ,", ","))
}

func tables(t *testing.T, db *database.DB) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' AND ? = ?"
	if db.Dialect() == database.Postgres {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT LIKE 'goose_%' AND CAST(? AS TEXT) = CAST(? AS TEXT)"
	}
	names := column[string](t, db, query, "", "")
	slices.Sort(names)
	return names
}

func column[T interface{ string | int64 }](t *testing.T, db *database.DB, query string, args ...any) []T {
	t.Helper()
	var out []T
	if err := db.Reader().WithContext(t.Context()).Raw(query, args...).Scan(&out).Error; err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

// bare tables are read and written without a struct.
var bare = map[string]string{
	"roster_turn": "one row that imports lock",
}

// TestTablesHaveModels reads the features' sources: each table has a struct that its own package holds against the
// schema of both databases (databasetest.Models), and no struct that names a table is forgotten there.
func TestTablesHaveModels(t *testing.T) {
	named, checked := map[string]string{}, map[string]bool{} // folder.Type → table; folder.Type
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		folder := filepath.Dir(name) + "."
		ast.Inspect(file, func(n ast.Node) bool {
			if table, model := tableName(n); table != "" {
				named[folder+model] = table
			}
			if strings.HasSuffix(name, "_test.go") && speaksOfModels(n) {
				for _, model := range made(n) {
					checked[folder+model] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for model := range checked {
		table, ok := named[model]
		if !ok {
			table = gormschema.NamingStrategy{}.TableName(model[strings.LastIndexByte(model, '.')+1:])
		}
		have[table] = true
	}
	for _, table := range tables(t, databasetest.New(t)) {
		if !have[table] && bare[table] == "" {
			t.Errorf("table %s is the table of no struct that databasetest.Models looks at", table)
		}
	}
	for model, table := range named {
		if !checked[model] {
			t.Errorf("%s, the model of %s, is in no call of databasetest.Models", model, table)
		}
	}
}

// tableName returns the table and the type of a TableName method.
func tableName(n ast.Node) (table, model string) {
	f, ok := n.(*ast.FuncDecl)
	if !ok || f.Name.Name != "TableName" || f.Recv == nil || len(f.Body.List) != 1 {
		return "", ""
	}
	answer, ok := f.Body.List[0].(*ast.ReturnStmt)
	if !ok {
		return "", ""
	}
	text, ok := answer.Results[0].(*ast.BasicLit)
	receiver, named := f.Recv.List[0].Type.(*ast.Ident)
	if !ok || !named {
		return "", ""
	}
	table, err := strconv.Unquote(text.Value)
	if err != nil {
		return "", ""
	}
	return table, receiver.Name
}

// speaksOfModels finds calls of databasetest.Models, and lists []any{&a{}} by which packages hand it unexported structs.
func speaksOfModels(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		f, ok := n.Fun.(*ast.SelectorExpr)
		return ok && f.Sel.Name == "Models"
	case *ast.CompositeLit:
		list, ok := n.Type.(*ast.ArrayType)
		if !ok {
			return false
		}
		element, ok := list.Elt.(*ast.Ident)
		return ok && element.Name == "any"
	}
	return false
}

// made returns the types whose literals stand in n: &a{}, &b.c{}.
func made(n ast.Node) (types []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		switch named := literal.Type.(type) {
		case *ast.Ident:
			types = append(types, named.Name)
		case *ast.SelectorExpr:
			types = append(types, named.Sel.Name)
		}
		return true
	})
	return types
}

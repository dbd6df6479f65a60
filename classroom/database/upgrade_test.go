package database_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	_ "github.com/libtnb/sqlite" // the driver "sqlite"
	"golang.org/x/sync/errgroup"

	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
)

var update = flag.Bool("update", false, "write the dump of the newest schema, as at a release")

// TestUpgrade opens the database of every release as it was left: each row comes through with what it held, and the
// schema is the one of a new school.
func TestUpgrade(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, fresh *database.DB) {
		if *update {
			writeDump(t, fresh)
		}
		dumps, err := filepath.Glob(filepath.Join("testdata", "dumps", string(fresh.Dialect()), "*.sql"))
		if err != nil || len(dumps) == 0 {
			t.Fatalf("no dumps: %v", err)
		}
		for _, dump := range dumps {
			t.Run(filepath.Base(dump), func(t *testing.T) { checkUpgrade(t, fresh, dump) })
		}
	})
}

func checkUpgrade(t *testing.T, fresh *database.DB, dump string) {
	text, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	url := emptyDatabase(t, fresh.Dialect())
	execScript(t, fresh.Dialect(), url, string(text))
	before := readAll(t, fresh.Dialect(), url)
	list, err := database.Migrations(t.Context(), database.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	number := strings.TrimSuffix(filepath.Base(dump), ".sql")
	for _, m := range list {
		if has := !m.AppliedAt.IsZero(); has != (fmt.Sprintf("%04d", m.Number) <= number) {
			t.Errorf("the dump of schema %s has migration %04d: %t", number, m.Number, has)
		}
	}
	db, err := database.Open(t.Context(), database.Config{URL: url})
	if err != nil {
		t.Fatalf("open the database of schema %s: %v", number, err)
	}
	defer db.Close()
	if got, want := db.SchemaVersion(), fresh.SchemaVersion(); got != want {
		t.Errorf("upgraded to schema %d, want %d", got, want)
	}
	if diff := cmp.Diff(schemaOf(t, fresh), schemaOf(t, db)); diff != "" {
		t.Errorf("a new school (-) and an upgraded one (+) differ:\n%s", diff)
	}
	after := readAll(t, fresh.Dialect(), url)
	for _, table := range slices.Sorted(maps.Keys(before)) {
		if len(before[table]) == 0 {
			t.Errorf("the dump has no row in %s", table)
		}
		for i, row := range before[table] {
			if i >= len(after[table]) {
				t.Errorf("%s: %d rows became %d", table, len(before[table]), len(after[table]))
				break
			}
			for name, value := range row {
				if got, ok := after[table][i][name]; ok && got != value {
					t.Errorf("%s row %d: %s was %s, is %s", table, i, name, value, got)
				}
			}
		}
	}
}

// A school of before there were rules of series: its lessons had an id in common, and nothing else of it was kept.
const oldSeries = `INSERT INTO lessons (id, course_id, series_id, title, local_date, local_start, local_end, zone, planned_start_at, planned_end_at, extended_min, state, publisher_id, live_at, ended_at, closed_at, created_at, created_by) VALUES
	(201, 21, 9, 'Choir', '2026-01-04', '10:00', '10:45', 'Pacific/Auckland', 1767474000000, 1767476700000, 0, 'planned', 0, 0, 0, 0, 1767139200000, 12),
	(202, 21, 9, 'Choir', '2026-01-11', '10:00', '10:45', 'Pacific/Auckland', 1768078800000, 1768081500000, 0, 'planned', 0, 0, 0, 0, 1767139200000, 12),
	(203, 21, 9, 'Choir', '2026-01-18', '10:00', '10:45', 'Pacific/Auckland', 1768683600000, 1768686300000, 0, 'planned', 0, 0, 0, 0, 1767139200000, 12)`

// TestUpgradeMakesRulesOfOldSeries: each gets the rule that its lessons followed, by which they can be changed together
// and go on; lessons without a series get none.
func TestUpgradeMakesRulesOfOldSeries(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, fresh *database.DB) {
		text, err := os.ReadFile(filepath.Join("testdata", "dumps", string(fresh.Dialect()), "0004.sql"))
		if err != nil {
			t.Fatal(err)
		}
		url := emptyDatabase(t, fresh.Dialect())
		execScript(t, fresh.Dialect(), url, string(text))
		execScript(t, fresh.Dialect(), url, oldSeries)
		db, err := database.Open(t.Context(), database.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		var rules, days []string
		all := readAll(t, fresh.Dialect(), url)
		for _, r := range all["series"] {
			rules = append(rules, strings.Join([]string{
				r["id"], r["course_id"], r["title"], r["weekdays"], r["first_date"], r["last_date"], r["local_start"], r["local_end"],
				r["zone"], r["made_until"], r["stop_id"], r["created_by"],
			}, " "))
		}
		for _, r := range all["lessons"] {
			days = append(days, fmt.Sprint(r["id"], " of ", r["series_id"], " on ", r["series_date"], " changed ", r["changed_at"]))
		}
		wantRules := []string{
			"7 21 Tissue 4 2026-01-08 2026-01-08 13:00 13:45 Pacific/Auckland 2026-01-08 0 12",
			"9 21 Choir 7 2026-01-04 2026-01-18 10:00 10:45 Pacific/Auckland 2026-01-18 0 12",
		}
		wantDays := []string{
			"41 of 0 on  changed 1767139200000", "42 of 7 on 2026-01-08 changed 1767139200000", "201 of 9 on 2026-01-04 changed 1767139200000",
			"202 of 9 on 2026-01-11 changed 1767139200000", "203 of 9 on 2026-01-18 changed 1767139200000",
		}
		if diff := cmp.Diff(wantRules, rules) + cmp.Diff(wantDays, days); diff != "" {
			t.Errorf("rules and lessons after the upgrade (-want +got):\n%s", diff)
		}
	})
}

// writeDump keeps the schema as it is now, with rows, for all versions to come. It is the text of the migrations of
// today, so that a later slip in one of them shows.
func writeDump(t *testing.T, fresh *database.DB) {
	dialect := fresh.Dialect()
	files, err := filepath.Glob(filepath.Join("migrations", string(dialect), "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(gooseTable[dialect])
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		up := strings.TrimPrefix(string(text), "-- +goose Up")
		for _, note := range []string{"-- +goose StatementBegin\n", "-- +goose StatementEnd\n"} {
			up = strings.ReplaceAll(up, note, "")
		}
		fmt.Fprintf(&b, "\n%sINSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, %s);\n", up, numberOf(name), map[bool]string{true: "1", false: "TRUE"}[dialect == database.SQLite])
	}
	rows, err := os.ReadFile(filepath.Join("testdata", "rows.sql"))
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n" + blobs(dialect, string(rows)))
	name := filepath.Join("testdata", "dumps", string(dialect), fmt.Sprintf("%04d.sql", fresh.SchemaVersion()))
	if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

var gooseTable = map[database.Dialect]string{
	database.SQLite: `CREATE TABLE goose_db_version (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	version_id INTEGER NOT NULL,
	is_applied INTEGER NOT NULL,
	tstamp TIMESTAMP DEFAULT (datetime('now'))
);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1);
`,
	database.Postgres: `CREATE TABLE goose_db_version (
	id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
	version_id bigint NOT NULL,
	is_applied boolean NOT NULL,
	tstamp timestamp NOT NULL DEFAULT now()
);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, TRUE);
`,
}

func numberOf(file string) (n int) {
	_, _ = fmt.Sscanf(filepath.Base(file), "%d_", &n)
	return n
}

var hexBlob = regexp.MustCompile(`hex'([0-9a-f]*)'`)

func blobs(dialect database.Dialect, text string) string {
	if dialect == database.SQLite {
		return hexBlob.ReplaceAllString(text, "X'$1'")
	}
	return hexBlob.ReplaceAllString(text, `'\x$1'`)
}

func emptyDatabase(t *testing.T, dialect database.Dialect) string {
	if dialect == database.Postgres {
		return databasetest.PostgresURL(t)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "old.db")
}

// openRaw opens a database without our schema's help.
func openRaw(t *testing.T, dialect database.Dialect, url string) *sql.DB {
	t.Helper()
	driver := "pgx"
	if dialect == database.SQLite {
		driver, url = "sqlite", strings.TrimPrefix(url, "sqlite:")
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func execScript(t *testing.T, dialect database.Dialect, url, text string) {
	t.Helper()
	db := openRaw(t, dialect, url)
	_, err := db.ExecContext(t.Context(), text)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// readAll returns every row of every table, in one order, as text.
func readAll(t *testing.T, dialect database.Dialect, url string) map[string][]map[string]string {
	t.Helper()
	db := openRaw(t, dialect, url)
	defer db.Close()
	list := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'"
	if dialect == database.Postgres {
		list = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT LIKE 'goose_%'"
	}
	all := map[string][]map[string]string{}
	for _, row := range query(t, db, list) {
		for _, table := range row {
			all[table] = query(t, db, "SELECT * FROM "+table+" ORDER BY 1, 2")
		}
	}
	return all
}

func query(t *testing.T, db *sql.DB, statement string) (all []map[string]string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, to := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, name := range names {
			row[name] = fmt.Sprint(values[i])
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Several nodes that start at once: one of them migrates, the others wait for it.
func TestNodesMigrateOnce(t *testing.T) {
	if !databasetest.HasPostgres() {
		return
	}
	url := databasetest.PostgresURL(t)
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			db, err := database.Open(t.Context(), database.Config{URL: url})
			if err != nil {
				return err
			}
			return db.Close()
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func TestMigrationsLooksOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "school.db")
	for range 2 {
		list, err := database.Migrations(t.Context(), database.Config{URL: "sqlite:" + path})
		if err != nil || len(list) < 4 || list[0].Number != 1 || list[0].Name != "accounts" || !list[0].AppliedAt.IsZero() {
			t.Errorf("migrations of no database: %+v, %v", list, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("looking at a database that is not there: %v", err)
		}
	}
}

package databasetest

import (
	"reflect"
	"sync"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"chalkcast/classroom/database"
)

// Models holds row structs against the schema of every database that is there: each struct has exactly the
// columns of its table, of a type that fits, a pointer where and only where NULL is allowed, and none of gorm's automatic times. Pass a pointer to each model of the feature.
func Models(t *testing.T, models ...any) {
	t.Helper()
	Each(t, func(t *testing.T, db *database.DB) {
		for _, m := range models {
			s, err := schema.Parse(m, new(sync.Map), db.Reader().NamingStrategy)
			if err != nil {
				t.Errorf("%T: %v", m, err)
				continue
			}
			compare(t, s, columns(t, db.Reader(), s.Table))
		}
	})
}

type column struct {
	kind     schema.DataType
	nullable bool
}

func columns(t *testing.T, q *gorm.DB, table string) map[string]column {
	t.Helper()
	var rows []struct {
		Name     string
		Type     string
		Nullable bool
	}
	query := "SELECT name, upper(type) AS type, \"notnull\" = 0 AS nullable FROM pragma_table_info(?)"
	if q.Name() == "postgres" {
		query = "SELECT column_name AS name, upper(data_type) AS type, is_nullable = 'YES' AS nullable " +
			"FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ?"
	}
	if err := q.WithContext(t.Context()).Raw(query, table).Scan(&rows).Error; err != nil {
		t.Fatalf("read the columns of %s: %v", table, err)
	}
	all := make(map[string]column)
	for _, r := range rows {
		all[r.Name] = column{kinds[r.Type], r.Nullable}
	}
	return all
}

// The types our schema uses, on both sides.
var kinds = map[string]schema.DataType{
	"INTEGER": schema.Int, "BIGINT": schema.Int, "TEXT": schema.String, "BOOLEAN": schema.Bool,
	"BLOB": schema.Bytes, "BYTEA": schema.Bytes,
}

func compare(t *testing.T, s *schema.Schema, have map[string]column) {
	t.Helper()
	if len(have) == 0 {
		t.Errorf("%s: there is no table %s", s.Name, s.Table)
		return
	}
	for name, f := range s.FieldsByDBName {
		c, ok := have[name]
		switch {
		case !ok:
			t.Errorf("%s.%s: table %s has no column %s", s.Name, f.Name, s.Table, name)
			continue
		case !fits(f.DataType, c.kind):
			t.Errorf("%s.%s is %s, column %s.%s is %s", s.Name, f.Name, f.DataType, s.Table, name, c.kind)
		case c.nullable != canBeNil(f):
			t.Errorf("%s.%s: nil in Go %t, NULL in %s.%s %t", s.Name, f.Name, canBeNil(f), s.Table, name, c.nullable)
		}
		if f.AutoCreateTime != 0 || f.AutoUpdateTime != 0 {
			t.Errorf("%s.%s: gorm would fill it by itself; tag it autoCreateTime:false or autoUpdateTime:false", s.Name, f.Name)
		}
		if f.AutoIncrement {
			t.Errorf("%s.%s: tag it autoIncrement:false, ids are ours", s.Name, f.Name)
		}
	}
	for name := range have {
		if s.FieldsByDBName[name] == nil {
			t.Errorf("%s has no field for column %s.%s", s.Name, s.Table, name)
		}
	}
}

func fits(field, column schema.DataType) bool {
	if field == schema.Uint {
		field = schema.Int
	}
	return field == column
}

func canBeNil(f *schema.Field) bool { return f.FieldType.Kind() == reflect.Pointer }

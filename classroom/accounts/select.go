package accounts

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Select returns what a query finds as a table of an export. By the names of its columns, *_at are instants, id and
// *_id are ids.
func Select(ctx context.Context, q *gorm.DB, name, query string, args ...any) (Table, error) {
	t := Table{Name: name}
	rows, err := q.WithContext(ctx).Raw(query, args...).Rows()
	if err != nil {
		return t, fmt.Errorf("export %s: %w", name, err)
	}
	defer rows.Close()
	if t.Columns, err = rows.Columns(); err != nil {
		return t, fmt.Errorf("export %s: %w", name, err)
	}
	for rows.Next() {
		cells, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return t, fmt.Errorf("export %s: %w", name, err)
		}
		for i, column := range t.Columns {
			cells[i] = cell(column, cells[i])
		}
		t.Rows = append(t.Rows, cells)
	}
	return t, rows.Err()
}

func cell(column string, v any) any {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case int64:
		switch {
		case strings.HasSuffix(column, "_at"):
			return moment(database.Instant(v))
		case column == "id" || strings.HasSuffix(column, "_id"):
			return media.ID(v).String()
		}
	}
	return v
}

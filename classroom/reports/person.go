package reports

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/accounts"
	"chalkcast/classroom/web"
	"chalkcast/media"
)

// Person makes the file of everything that is kept about a person: one JSON document, or a ZIP of it with a CSV for
// each table. That it was made stands in the audit log.
func (f *Reports) Person(ctx context.Context, actor, user media.ID, zipped bool) (*File, error) {
	tables, err := f.accounts.Export(ctx, actor, user)
	if err != nil {
		return nil, err
	}
	plain := "person-" + user.String()
	now := f.now()
	if !zipped {
		return &File{
			ContentType: "application/json", Disposition: disposition(plain, plain, ".json"), Name: plain + ".json",
			write: func(w io.Writer, _ func()) error { return writePersonJSON(w, tables, now) },
		}, nil
	}
	return &File{
		ContentType: "application/zip", Disposition: disposition(plain, plain, ".zip"), Name: plain + ".zip",
		write: func(w io.Writer, _ func()) error { return writePersonZIP(w, tables, now) },
	}, nil
}

func writePersonJSON(w io.Writer, tables []accounts.Table, now time.Time) error {
	out := map[string]any{"format": "person.v1", "made_at": now.UTC()}
	for _, t := range tables {
		rows := make([]map[string]any, len(t.Rows))
		for i, r := range t.Rows {
			rows[i] = make(map[string]any, len(t.Columns))
			for j, column := range t.Columns {
				rows[i][column] = r[j]
			}
		}
		out[t.Name] = rows
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func writePersonZIP(w io.Writer, tables []accounts.Table, now time.Time) error {
	z := zip.NewWriter(w)
	part, err := z.CreateHeader(&zip.FileHeader{Name: "person.json", Method: zip.Deflate, Modified: now.UTC()})
	if err == nil {
		err = writePersonJSON(part, tables, now)
	}
	for _, t := range tables {
		if err != nil {
			break
		}
		if part, err = z.CreateHeader(&zip.FileHeader{Name: t.Name + ".csv", Method: zip.Deflate, Modified: now.UTC()}); err == nil {
			err = writePersonCSV(part, t)
		}
	}
	if err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return z.Close()
}

func writePersonCSV(w io.Writer, t accounts.Table) error {
	out, err := newTable(w, Form{})
	if err != nil {
		return err
	}
	if err := out.head(t.Columns); err != nil {
		return err
	}
	for _, r := range t.Rows {
		cells := make([]value, len(r))
		for i, v := range r {
			cells[i] = personCell(v)
		}
		if err := out.line(cells); err != nil {
			return err
		}
	}
	return out.close()
}

// personCell is a cell of an export: text, also of ids, is escaped like everything that people write (SEC-72).
func personCell(v any) value {
	switch v := v.(type) {
	case nil:
		return value{}
	case string:
		return person(v)
	case bool:
		return name(strconv.FormatBool(v))
	case time.Time:
		return name(v.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return name(fmt.Sprint(v))
}

func (f *Reports) person(zipped bool) web.Handler {
	return func(c *gin.Context) error {
		id, err := web.ID(c, "user")
		if err != nil {
			return err
		}
		file, err := f.Person(c.Request.Context(), web.MustViewer(c).ID, id, zipped)
		if err != nil {
			return err
		}
		return send(c, file)
	}
}

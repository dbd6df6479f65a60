package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"chalkcast/classroom/fault"
)

const (
	uploadTime  = 3 * time.Minute // for a file of some MiB over a slow line
	maxFields   = 16
	maxField    = 4 << 10 // bytes
	maxFileName = 255
)

// Upload marks a route that takes a file of at most n bytes, as the body or in a form beside small fields. It has more
// time than other bodies.
func Upload(n int64) Option {
	return func(r *Route) { r.MaxBody, r.Upload = n+64<<10, true }
}

// File is a file that came with a form.
type File struct {
	Name  string // as the browser calls it, at most 255 bytes; show it, do nothing else with it
	Bytes []byte
}

// FormFile reads a multipart form with one file of at most max bytes and small fields, which can be asked for with
// Field. A form without a file, or with an empty one, is a fault about field; a larger file is TooLarge.
func FormFile(c *gin.Context, field string, max int) (File, error) {
	r, err := c.Request.MultipartReader()
	if err != nil {
		return File{}, fault.Invalid("").Because(err)
	}
	var f File
	c.Request.PostForm = url.Values{}
	for range maxFields {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f, badBody(err)
		}
		limit := maxField
		if part.FormName() == field {
			limit = max
		}
		b, err := readPart(part, limit)
		if err != nil {
			return f, err
		}
		if part.FormName() == field {
			f = File{Name: part.FileName(), Bytes: b}
			continue
		}
		c.Request.PostForm.Add(part.FormName(), string(b))
	}
	if len(f.Name) > maxFileName {
		f.Name = f.Name[:maxFileName]
	}
	if len(f.Bytes) == 0 {
		return f, fault.Invalid("field.missing").At(field)
	}
	return f, nil
}

func readPart(part *multipart.Part, limit int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(part, int64(limit)+1))
	if err != nil {
		return nil, badBody(err)
	}
	if len(b) > limit {
		return nil, fault.TooLarge("")
	}
	return b, nil
}

// ReadBody reads the whole body, which the route bounds.
func ReadBody(c *gin.Context) ([]byte, error) {
	b, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return nil, badBody(err)
	}
	return b, nil
}

// giveTime lets an upload take longer than other bodies.
func giveTime(w http.ResponseWriter) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(uploadTime)) // recorders in tests know no deadlines
	_ = control.SetWriteDeadline(time.Now().Add(uploadTime + answerTime))
}

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"golang.org/x/text/unicode/norm"

	"chalkcast/classroom/fault"
	"chalkcast/media"
)

// ID reads an id from the path. What is no id names nothing: 404.
func ID(c *gin.Context, param string) (media.ID, error) {
	id, err := media.ParseID(c.Param(param))
	if err != nil {
		return 0, fault.NotFound("").Because(err)
	}
	return id, nil
}

// BindJSON reads the body into v: one JSON value, its names unique, at most 32 levels deep. Members that v does
// not have are ignored, so that an older server understands a newer page. The content type does not matter,
// because sendBeacon sends text/plain.
func BindJSON(c *gin.Context, v any) error {
	b, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return badBody(err)
	}
	if err := checkJSON(b); err != nil {
		return fault.Invalid("").Because(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		f := fault.Invalid("").Because(err)
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			f = f.At(wrong.Field)
		}
		return f
	}
	return nil
}

// badBody keeps the one reading error that the sender can mend; the others are a connection that broke.
func badBody(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return fault.Invalid("").Because(err)
}

const maxJSONDepth = 32

// checkJSON refuses what encoding/json would read in its own way: bytes that are not UTF-8, a name twice in one
// object, nesting without end, and a second value behind the first.
func checkJSON(b []byte) error {
	if !utf8.Valid(b) {
		return errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := checkValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}

func checkValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxJSONDepth {
		return errors.New("nested too deep")
	}
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			s, ok := name.(string)
			if !ok || names[s] {
				return errors.New("a name twice")
			}
			names[s] = true
		}
		if err := checkValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing delimiter
	return err
}

// Form reads the body of a form, so that the fields can be asked for with Field. Only application/
// x-www-form-urlencoded is a form.
func Form(c *gin.Context) error {
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return fault.Invalid("")
	}
	if err := c.Request.ParseForm(); err != nil {
		return badBody(err)
	}
	return nil
}

// Field returns a field of the form's body as it was sent; Form comes first.
func Field(c *gin.Context, name string) string { return c.Request.PostForm.Get(name) }

// Line returns text as we keep it: one line, NFC, without spaces around. Errors are faults about field: empty,
// longer than max characters, or with characters that cannot be written on a line.
func Line(field, text string, max int) (string, error) {
	text, err := OptionalLine(field, text, max)
	if err == nil && text == "" {
		return "", fault.Invalid("field.missing").At(field)
	}
	return text, err
}

// OptionalLine is Line that may be empty.
func OptionalLine(field, text string, max int) (string, error) {
	if len(text) > 8*max {
		return "", tooLong(field, max)
	}
	if !utf8.ValidString(text) {
		return "", fault.Invalid("field.bad_text").At(field)
	}
	text = trim(norm.NFC.String(text))
	marks := 0
	for _, r := range text {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || isBidiControl(r) {
			return "", fault.Invalid("field.bad_text").At(field)
		}
		// Long stacks of marks draw over the lines around them; no script needs so many.
		if marks++; !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Me, r) {
			marks = 0
		}
		if marks > 8 {
			return "", fault.Invalid("field.bad_text").At(field)
		}
	}
	if utf8.RuneCountInString(text) > max {
		return "", tooLong(field, max)
	}
	return text, nil
}

func tooLong(field string, max int) error {
	return fault.Invalid("field.too_long").At(field).With("Max", max)
}

// trim cuts what cannot be seen at both ends: spaces of every script, and characters of no width.
func trim(s string) string {
	return string(bytes.TrimFunc([]byte(s), func(r rune) bool {
		return unicode.IsSpace(r) || r == '\u200b' || r == '\u200c' || r == '\u200d' || r == '\u2060' || r == '\ufeff' || r == '\u00ad'
	}))
}

// isBidiControl reports the characters that turn the text around them, which a name has no use for.
func isBidiControl(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

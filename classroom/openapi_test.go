package classroom_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"chalkcast/media"
)

// document reads what a program is sent.
func (s *school) document() *openapi3.T {
	s.t.Helper()
	a := s.ask("nobody", "GET", "/api/v1/openapi.json", "")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(a.body))
	if err != nil {
		s.t.Fatalf("read the document: %v", err)
	}
	if err := doc.Validate(s.t.Context()); err != nil {
		s.t.Fatalf("the document is not OpenAPI: %v", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		s.t.Errorf("it says OpenAPI %s, want 3.1", doc.OpenAPI)
	}
	return doc
}

// documented is a route as the document writes it: /api/v1/lessons/{id}.
func documented(pattern string) string {
	parts := strings.Split(pattern, "/")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

// Every route under /api/v1 is in the document, and nothing else.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	s := newSchool(t)
	doc := s.document()
	there := map[string]bool{}
	var missing []string
	for _, r := range s.k.Web.Routes() {
		if !strings.HasPrefix(r.Pattern, "/api/v1/") {
			continue
		}
		name := r.Method + " " + documented(r.Pattern)
		there[name] = true
		if item := doc.Paths.Value(documented(r.Pattern)); item == nil || item.GetOperation(r.Method) == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		t.Errorf("classroom/openapi.yaml does not document %d routes; write down what each takes and answers:\n  %s", len(missing), strings.Join(missing, "\n  "))
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if !there[method+" "+path] {
				t.Errorf("classroom/openapi.yaml documents %s %s, which is no route", method, path)
			}
		}
	}
}

// Real answers are what the document says: the status is among those of the operation, and the body fits its schema,
// which allows no member that is not written down.
func TestOpenAPIAnswers(t *testing.T) {
	s := newSchool(t)
	doc := s.document()
	for _, who := range []string{"teacher", "admin", "student", "nobody"} {
		for i, r := range rights {
			method, pattern, _ := strings.Cut(r.route, " ")
			if !strings.HasPrefix(pattern, "/api/v1/") || method == http.MethodDelete && strings.HasSuffix(pattern, "/session") {
				continue
			}
			item := doc.Paths.Value(documented(pattern))
			if item == nil || item.GetOperation(method) == nil {
				continue // TestOpenAPIHasEveryRoute tells
			}
			var id media.ID
			if strings.Contains(pattern, "/lessons/:id") {
				id = s.lesson(0)
			}
			s.checkAnswer(item.GetOperation(method), who, method, s.fill(pattern, id), s.fillBody(r.body, 100+i))
		}
	}
}

// A lesson that was held has a register with rows, corrections and attempts; what the table leaves empty is here.
func TestOpenAPIAnswersOfAHeldLesson(t *testing.T) {
	s := newSchool(t)
	doc := s.document()
	id := s.lesson(0)
	g := s.stream("teacher")
	api := "/api/v1/lessons/{id}"
	check := func(who, method, path, body string) {
		t.Helper()
		op := doc.Paths.Value(path).GetOperation(method)
		s.checkAnswer(op, who, method, strings.Replace(path, "{id}", id.String(), 1), body)
	}
	check("teacher", "GET", api+"/preview", "")
	check("teacher", "POST", api+"/live", "{}")
	s.beat(g)
	check("teacher", "GET", api+"/health", "")
	check("student", "GET", api+"/playback", "")
	check("student", "POST", api+"/beats", `{"view":"abcdefghijklmnop","n":0,"state":"playing","d_ms":0,"pos":0}`)
	check("student", "POST", api+"/attempts", `{"reason":"server_busy"}`)
	check("teacher", "POST", api+"/end", "{}")
	correction := `{"students":["` + s.people["student"].id.String() + `"],"status":"excused","reason":"illness","note":"a note"}`
	check("teacher", "POST", api+"/register/corrections", correction)
	check("teacher", "GET", api+"/register", "")
	check("student", "GET", "/api/v1/me/attendance", "")
}

// checkAnswer asks as somebody and holds the answer against its operation.
func (s *school) checkAnswer(op *openapi3.Operation, who, method, path, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	s.must(err)
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := s.people[who].http.Do(r)
	s.must(err)
	defer res.Body.Close()
	where := method + " " + path + " as " + who + ": " + strconv.Itoa(res.StatusCode)
	answer := op.Responses.Status(res.StatusCode)
	if answer == nil && res.StatusCode >= 400 {
		answer = op.Responses.Default()
	}
	if answer == nil {
		s.t.Errorf("%s is not among its answers", where)
		return
	}
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	if len(answer.Value.Content) == 0 && kind == "" {
		return
	}
	content := answer.Value.Content[kind]
	if content == nil {
		s.t.Errorf("%s has the content type %q, which is not documented", where, kind)
		return
	}
	if !slices.Contains([]string{"application/json", "application/problem+json"}, kind) || strings.HasSuffix(path, "openapi.json") {
		return
	}
	text, err := io.ReadAll(res.Body)
	s.must(err)
	var v any
	s.must(json.Unmarshal(text, &v))
	if err := content.Schema.Value.VisitJSON(v, openapi3.EnableJSONSchema2020(), openapi3.MultiErrors()); err != nil {
		s.t.Errorf("%s does not fit its schema: %v\n%.400s", where, err, text)
	}
}

// The page shows every operation and asks nobody else for anything.
func TestAPIManual(t *testing.T) {
	s := newSchool(t)
	doc := s.document()
	page := s.wantPage("nobody", "/api/v1/docs", "Authorization: Bearer", "POST", "/api/v1/lessons/{id}/beats", "counted_s: integer")
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if !strings.Contains(page, `id="`+op.OperationID+`"`) {
				t.Errorf("the page does not show %s %s", method, path)
			}
		}
	}
}

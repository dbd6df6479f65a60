package classroom

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"go.yaml.in/yaml/v3"

	"chalkcast/classroom/web"
	"chalkcast/templates"
)

// The document is written by hand, beside routes.go; openapi_test.go holds it against the routes and their answers.
//
//go:embed openapi.yaml
var openAPIText []byte

// openAPIDocument is the document as it is sent, made once. An error is a bug that the tests find.
var openAPIDocument = sync.OnceValues(func() ([]byte, error) {
	var doc any
	if err := yaml.Unmarshal(openAPIText, &doc); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	b, err := json.Marshal(doc)
	return append(b, '\n'), err
})

func (k *Classroom) openAPI(c *gin.Context) error {
	doc, err := openAPIDocument()
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Cache-Control", "public, max-age=300")
	return web.JSON(c, http.StatusOK, json.RawMessage(doc))
}

// apiDocs is the document for people to browse.
func (k *Classroom) apiDocs(c *gin.Context) error {
	p, err := openAPIPage()
	if err != nil {
		return err
	}
	if p.Page, err = web.NewPage(c, ""); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, p)
}

// openAPIPage reads of the document what a page shows, made once.
var openAPIPage = sync.OnceValues(func() (p templates.Manual, err error) {
	var doc document
	if err := yaml.Unmarshal(openAPIText, &doc); err != nil {
		return p, fmt.Errorf("openapi.yaml: %w", err)
	}
	p = templates.Manual{Title: doc.Info.Title, Version: doc.Info.Version, About: doc.Info.Description}
	for _, tag := range doc.Tags {
		p.Groups = append(p.Groups, templates.APIGroup{ID: strings.ReplaceAll(strings.ToLower(tag.Name), " ", "-"), Name: tag.Name, About: tag.Description})
	}
	for _, at := range doc.paths() {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			op, ok := at.item.operation(method)
			if !ok {
				continue
			}
			i := slices.IndexFunc(p.Groups, func(g templates.APIGroup) bool { return slices.Contains(op.Tags, g.Name) })
			if i < 0 {
				return p, fmt.Errorf("openapi.yaml: %s %s has no tag of the list", method, at.path)
			}
			p.Groups[i].Operations = append(p.Groups[i].Operations, doc.operation(method, at.path, at.item, op))
		}
	}
	return p, nil
})

// What a page reads of an OpenAPI document. Mappings are nodes where their order is the reader's.
type document struct {
	Info       struct{ Title, Version, Description string }
	Tags       []struct{ Name, Description string }
	Paths      yaml.Node
	Components struct {
		Schemas    map[string]yaml.Node
		Parameters map[string]parameter
		Responses  map[string]response
	}
}

type pathItem struct {
	Parameters []parameter
	Get        *operation
	Post       *operation
	Put        *operation
	Patch      *operation
	Delete     *operation
}

func (i pathItem) operation(method string) (operation, bool) {
	op := map[string]*operation{"get": i.Get, "post": i.Post, "put": i.Put, "patch": i.Patch, "delete": i.Delete}[method]
	if op == nil {
		return operation{}, false
	}
	return *op, true
}

type operation struct {
	OperationID string `yaml:"operationId"`
	Summary     string
	Description string
	Tags        []string
	Parameters  []parameter
	RequestBody struct{ Content yaml.Node } `yaml:"requestBody"`
	Responses   yaml.Node
}

type parameter struct {
	Ref         string `yaml:"$ref"`
	Name        string
	In          string
	Description string
	Required    bool
	Schema      yaml.Node
}

type response struct {
	Ref         string `yaml:"$ref"`
	Description string
	Content     yaml.Node
}

type pathAt struct {
	path string
	item pathItem
}

// paths returns the addresses in the order of the document.
func (d *document) paths() (all []pathAt) {
	for i := 0; i+1 < len(d.Paths.Content); i += 2 {
		at := pathAt{path: d.Paths.Content[i].Value}
		if d.Paths.Content[i+1].Decode(&at.item) == nil {
			all = append(all, at)
		}
	}
	return all
}

func (d *document) operation(method, path string, item pathItem, op operation) templates.APIOperation {
	out := templates.APIOperation{ID: op.OperationID, Method: strings.ToUpper(method), Path: path, Summary: op.Summary, About: op.Description}
	for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
		if p.Ref != "" {
			p = d.Components.Parameters[lastPart(p.Ref)]
		}
		out.Params = append(out.Params, templates.APIParam{Name: p.Name, In: p.In, Type: d.words(&p.Schema, 0), About: p.Description, Required: p.Required})
	}
	out.BodyType, out.Body = d.content(&op.RequestBody.Content)
	for i := 0; i+1 < len(op.Responses.Content); i += 2 {
		var r response
		if op.Responses.Content[i+1].Decode(&r) != nil {
			continue
		}
		if r.Ref != "" {
			r = d.Components.Responses[lastPart(r.Ref)]
		}
		a := templates.APIAnswer{Status: op.Responses.Content[i].Value, About: r.Description}
		a.Type, a.Schema = d.content(&r.Content)
		out.Answers = append(out.Answers, a)
	}
	return out
}

func lastPart(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// content returns the first content type of a body and its schema in words.
func (d *document) content(n *yaml.Node) (kind, schema string) {
	if len(n.Content) < 2 {
		return "", ""
	}
	var media struct{ Schema yaml.Node }
	if n.Content[1].Decode(&media) != nil {
		return n.Content[0].Value, ""
	}
	return n.Content[0].Value, d.words(&media.Schema, 0)
}

// words writes a schema as people read it: {name: type}, lists as [type], what may be null with a question mark.
func (d *document) words(n *yaml.Node, depth int) string {
	var s struct {
		Ref         string `yaml:"$ref"`
		Type        yaml.Node
		Format      string
		Enum        []string
		Description string
		Items       yaml.Node
		Properties  yaml.Node
	}
	if n.Decode(&s) != nil || depth > 8 {
		return ""
	}
	if s.Ref != "" {
		named, ok := d.Components.Schemas[lastPart(s.Ref)]
		if !ok {
			return ""
		}
		return d.words(&named, depth)
	}
	kind, null := s.Type.Value, ""
	for _, t := range s.Type.Content {
		if t.Value == "null" {
			null = "?"
		} else {
			kind = t.Value
		}
	}
	switch {
	case len(s.Enum) > 0:
		return strings.Join(s.Enum, " | ") + null
	case kind == "array":
		return "[" + d.words(&s.Items, depth) + "]" + null
	case kind == "object" && len(s.Properties.Content) > 0:
		return d.object(&s.Properties, depth) + null
	case s.Format != "":
		return s.Format + null
	}
	return kind + null
}

func (d *document) object(properties *yaml.Node, depth int) string {
	var b bytes.Buffer
	b.WriteString("{\n")
	indent := strings.Repeat("  ", depth+1)
	for i := 0; i+1 < len(properties.Content); i += 2 {
		fmt.Fprintf(&b, "%s%s: %s\n", indent, properties.Content[i].Value, d.words(properties.Content[i+1], depth+1))
	}
	b.WriteString(strings.Repeat("  ", depth) + "}")
	return b.String()
}

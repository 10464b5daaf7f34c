package httpapi_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"coffer/internal/httpapi"
	"coffer/internal/iam"
)

// The API document is the oracle of these tests: what is routed, under which right,
// and what successful answers look like.
const (
	document = "testdata/csms-v1.openapi.yaml"
	base     = "https://coffer.test/openapi"
)

// documented is what the document says of one operation.
type documented struct {
	pattern string // as http.ServeMux writes it
	action  string
	answers map[int]string // schema of each successful status; "" for no body
}

// readDocument returns the operations of the document and its schemas in the dialect
// of JSON Schema.
func readDocument(t *testing.T) (map[string]documented, any) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	out := map[string]documented{}
	for path, item := range tree["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			o, ok := op.(map[string]any)
			if id, named := o["operationId"].(string); ok && named {
				action, _ := o["x-iam-action"].(string)
				out[id] = documented{strings.ToUpper(method) + " " + path, action, answers(o["responses"].(map[string]any))}
			}
		}
	}
	components := tree["components"].(map[string]any)["schemas"]
	return out, map[string]any{"components": map[string]any{"schemas": dialect(components)}}
}

// answers returns the schemas of successful answers by status.
func answers(responses map[string]any) map[int]string {
	out := map[int]string{}
	for code, answer := range responses {
		status, err := strconv.Atoi(code)
		if err != nil || status >= 300 {
			continue
		}
		out[status] = ""
		content, _ := answer.(map[string]any)["content"].(map[string]any)
		if body, ok := content["application/json"].(map[string]any); ok {
			out[status] = body["schema"].(map[string]any)["$ref"].(string)
		}
	}
	return out
}

// dialect turns what OpenAPI 3.0 writes differently into JSON Schema: nullable
// becomes a second type, and a property that is not documented an error, so that no
// answer has a member of our own.
func dialect(node any) any {
	switch n := node.(type) {
	case []any:
		for i := range n {
			n[i] = dialect(n[i])
		}
	case map[string]any:
		for k := range n {
			n[k] = dialect(n[k])
		}
		if _, isObject := n["properties"].(map[string]any); isObject && n["type"] == "object" {
			n["additionalProperties"] = false
		}
		if nullable, _ := n["nullable"].(bool); nullable {
			n["type"] = []any{n["type"], "null"}
			if enum, ok := n["enum"].([]any); ok {
				n["enum"] = append(enum, nil)
			}
		}
		delete(n, "nullable")
	}
	return node
}

// TestDocumentIsRouted protects the route table: each CSMS operation stands in the
// document with that method, path and right, and is the operation iam knows.
func TestDocumentIsRouted(t *testing.T) {
	ops, _ := readDocument(t)
	routed := map[string]bool{}
	for _, route := range httpapi.Routes() {
		doc, ok := ops[route.Name]
		if !strings.Contains(route.Pattern, " /v1/") {
			continue // IAM has no place in this document
		}
		if !ok {
			t.Errorf("%s is not in the document", route.Name)
			continue
		}
		routed[route.Name] = true
		doc = settled(route.Name, doc)
		row, known := iam.Lookup(route.Name)
		if known && row.Open {
			doc.action = row.Action // the document has none; ours only names a deny
		}
		if doc.action == "" {
			doc.action = row.Action // the document does not say (section 18: INF)
		}
		if !known || row.Action != doc.action || route.Action != doc.action {
			t.Errorf("%s takes the right %s, in iam %s; want %s", route.Name, route.Action, row.Action, doc.action)
		}
		if route.Pattern != doc.pattern {
			t.Errorf("%s is routed as %s; want %s", route.Name, route.Pattern, doc.pattern)
		}
	}
	for name := range ops {
		if !routed[name] {
			t.Errorf("%s is in the document and not routed", name)
		}
	}
}

// TestNoOperationIsLeftOut protects the other tests of this package that walk the
// operations: each one of the document stands in their lists, once.
func TestNoOperationIsLeftOut(t *testing.T) {
	ops, _ := readDocument(t)
	times := map[string]int{}
	for _, o := range slices.Concat(operations, domainWide) {
		if times[o.name]++; ops[o.name].pattern == "" {
			t.Errorf("%s is walked and not in the document", o.name)
		}
	}
	for name := range ops {
		if times[name] != 1 {
			t.Errorf("%s is walked %d times", name, times[name])
		}
	}
	t.Logf("%d operations", len(ops))
}

// settled returns what the document says of an operation, but for two rows: the mux
// takes the tags of a secret as a leaf, because they overlap with an event called
// tags (RT2), and the document writes a constant as a parameter and knows no right
// (Q19).
func settled(name string, doc documented) documented {
	switch name {
	case "ListSecretTags":
		doc.pattern = strings.Replace(doc.pattern, "/tags", "/{leaf}", 1)
	case "ListResourceInstances":
		doc.pattern, doc.action = strings.Replace(doc.pattern, "{resource_instances}", "resource_instances", 1), "csms:secret:list"
	}
	return doc
}

// oracle validates answers against the document.
type oracle struct {
	t       *testing.T
	ops     map[string]documented
	mux     *http.ServeMux // finds the operation of a request
	schemas map[string]*jsonschema.Schema
	checked map[string]int // answers with a body, by operation
}

func newOracle(t *testing.T) *oracle {
	ops, schemas := readDocument(t)
	o := &oracle{t: t, ops: ops, mux: http.NewServeMux(), schemas: map[string]*jsonschema.Schema{}, checked: map[string]int{}}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource(base, schemas); err != nil {
		t.Fatal(err)
	}
	for _, route := range httpapi.Routes() {
		name := route.Name
		if ops[name].pattern == "" {
			continue
		}
		o.mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Operation", name) })
		for _, ref := range ops[name].answers {
			if ref != "" {
				schema, err := compiler.Compile(base + ref)
				if err != nil {
					t.Fatal(err)
				}
				o.schemas[ref] = schema
			}
		}
	}
	return o
}

// operation returns the name of the operation that a line of the corpus addresses.
func (o *oracle) operation(line string) string {
	_, method, target, _ := parseLine(line)
	path, _, _ := strings.Cut(target, "?")
	w := httptest.NewRecorder()
	o.mux.ServeHTTP(w, httptest.NewRequest(method, strings.TrimSuffix(path, "/"), nil))
	return w.Header().Get("Operation")
}

// check validates an answer of the corpus to the operation.
func (o *oracle) check(file, operation, answer string) {
	o.t.Helper()
	line, body, _ := strings.Cut(answer, "\n")
	status, err := strconv.Atoi(line)
	if err != nil {
		o.t.Fatalf("%s: an answer begins with %q", file, line)
	}
	if status >= 300 {
		return
	}
	ref, ok := o.ops[operation].answers[status]
	if !ok || (ref == "") != (body == "") {
		o.t.Errorf("%s: %s answers %d with %d bytes, which the document does not have", file, operation, status, len(body))
	}
	if ref == "" {
		return
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		o.t.Fatalf("%s: %v", file, err)
	}
	if err := o.schemas[ref].Validate(instance); err != nil {
		o.t.Errorf("%s: %v", file, err)
	}
	o.checked[operation]++
}

// strayed are the cases whose request looks like one to the operation and is none.
var strayed = map[string]bool{
	"DeleteSecretTag/key_of_dots_as_is.txtar": true, "DeleteSecretTag/slash_as_is.txtar": true,
	"ListResourceInstances/other_resource.txtar": true, "ListResourceInstances/placeholder.txtar": true,
}

// TestCorpusFitsTheDocument protects the shapes: every successful answer of the
// corpus has the status and the schema of its operation, and every case stands in the
// folder of the operation it asks.
func TestCorpusFitsTheDocument(t *testing.T) {
	o := newOracle(t)
	for _, file := range corpusFiles(t) {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Base(filepath.Dir(file))
		for _, f := range archive.Files {
			switch text := string(f.Data); f.Name {
			case "request":
				line, _, _ := strings.Cut(text, "\n")
				if got := o.operation(line); got != folder && !strayed[strings.TrimPrefix(filepath.ToSlash(file), "testdata/ops/")] {
					t.Errorf("%s asks %q", file, got)
				}
			case "answer":
				o.check(file, folder, text)
			case "after":
				o.checkBlocks(file, text)
			}
		}
	}
	for _, op := range slices.Concat(operations, domainWide) {
		if op.status == 200 && o.checked[op.name] == 0 {
			t.Errorf("no successful answer of %s was checked", op.name)
		}
	}
}

func (o *oracle) checkBlocks(file, text string) {
	o.t.Helper()
	for _, block := range strings.Split(text, "\n\n") {
		if line, answer, ok := strings.Cut(strings.TrimSpace(block), "\n"); ok {
			o.check(file, o.operation(line), answer)
		}
	}
}

// TestOracleRefuses shows that the document is held against the answers at all.
func TestOracleRefuses(t *testing.T) {
	o := newOracle(t)
	good, err := txtar.ParseFile("testdata/ops/ShowSecret/enabled.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var answer []byte
	for _, f := range good.Files {
		if f.Name == "answer" {
			_, answer, _ = bytes.Cut(f.Data, []byte("\n"))
		}
	}
	for name, change := range map[string][2]string{
		"time as text":     {`1767225600000`, `"1767225600000"`},
		"time as fraction": {`1767225600000`, `1767225600000.5`},
		"unknown state":    {`ENABLED`, `READY`},
		"member missing":   {`"name": "db_password",`, ``},
		"member of ours":   {`"name"`, `"note": "", "name"`},
		"null":             {`"id": "00000000-0000-4000-8000-000000000001"`, `"id": null`},
	} {
		bad := bytes.Replace(answer, []byte(change[0]), []byte(change[1]), 1)
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(bad))
		if err != nil || bytes.Equal(bad, answer) {
			t.Fatalf("%s: %v", name, err)
		}
		if o.schemas["#/components/schemas/SecretEnvelope"].Validate(instance) == nil {
			t.Errorf("%s passes", name)
		}
	}
}

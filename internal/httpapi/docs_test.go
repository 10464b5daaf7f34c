package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"coffer/internal/httpapi"
	"coffer/internal/testkit"
)

const served = "docs/openapi.json" // embedded in the program

// TestTheDocumentIsServed keeps the document at /docs true: it holds every CSMS
// operation that is routed and no other, each with an example that is executed here.
// -update writes it anew.
func TestTheDocumentIsServed(t *testing.T) {
	want := madeDocument(t)
	if *update {
		if err := os.WriteFile(served, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k := testkit.New(t, testkit.Options{})
	got := k.Do("", "GET", "/docs/openapi.json", "")
	if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", got.Code, got.Header())
	}
	if !*update && !bytes.Equal(got.Body.Bytes(), want) {
		t.Errorf("%s is not what the routes and the document say now; run go test ./internal/httpapi -update and look at the difference", served)
	}
}

// madeDocument returns the document as it has to be served.
func madeDocument(t *testing.T) []byte {
	t.Helper()
	s := readSchemas(t)
	examples := map[string]any{}
	for _, o := range slices.Concat(operations, domainWide) {
		examples[o.name] = o.example(t)
	}
	routed := map[string]bool{}
	for _, r := range httpapi.Routes() {
		routed[r.Name] = true
	}
	for path, item := range s.tree["paths"].(map[string]any) {
		methods := item.(map[string]any)
		for method, op := range methods {
			o, _ := op.(map[string]any)
			id, named := o["operationId"].(string)
			switch {
			case !named:
			case !routed[id]:
				delete(methods, method)
			case examples[id] == nil:
				t.Errorf("%s has no example", id)
			default:
				o["x-example"] = examples[id]
				delete(examples, id)
			}
		}
		if !strings.Contains(string(encoded(t, methods)), "operationId") {
			delete(s.tree["paths"].(map[string]any), path)
		}
	}
	for id := range examples {
		t.Errorf("%s is routed and not in the document", id)
	}
	s.tree["servers"] = []any{map[string]any{"url": "/"}}
	return append(encoded(t, s.tree), '\n')
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// varying are members of answers that are other ones each time.
var varying = map[string]bool{"password": true, "secret_blob": true}

// example executes the operation and returns what was sent and answered.
func (o *operation) example(t *testing.T) any {
	t.Helper()
	c := o.newCase(t)
	request := o.method + " " + o.asked(o.target())
	if o.body != "" {
		request += "\n" + o.body
	}
	w := o.request(c, testkit.Owner, o.body, nil)
	if w.Code != o.status {
		t.Fatalf("%s: %d %s", o.name, w.Code, w.Body)
	}
	out := map[string]any{"request": strings.NewReplacer("$BLOB", "...", "$USER_nobody", strings.Repeat("0", 32)).Replace(c.hide(request)), "status": w.Code}
	if w.Body.Len() > 0 {
		var answer any
		if err := json.Unmarshal([]byte(c.hide(w.Body.String())), &answer); err != nil {
			t.Fatal(err)
		}
		out["answer"] = steady(answer)
	}
	return out
}

// steady puts dots in place of what varies.
func steady(node any) any {
	switch n := node.(type) {
	case []any:
		for i := range n {
			n[i] = steady(n[i])
		}
	case map[string]any:
		for name, value := range n {
			if n[name] = steady(value); varying[name] {
				n[name] = "..."
			}
		}
	}
	return node
}

// TestTheReader protects the page: its files are there, its scripts and styles are its
// own, and nothing else may be loaded.
func TestTheReader(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	for path, kind := range map[string]string{"/docs": "text/html", "/docs/reader.js": "text/javascript", "/docs/style.css": "text/css"} {
		w := k.Send(httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", path, w.Code, w.Header())
		}
		if !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: the policy is %q", path, w.Header().Get("Content-Security-Policy"))
		}
		for _, foreign := range []string{"http://", "https://", "innerHTML", "eval("} {
			if strings.Contains(w.Body.String(), foreign) {
				t.Errorf("%s holds %s", path, foreign)
			}
		}
	}
}

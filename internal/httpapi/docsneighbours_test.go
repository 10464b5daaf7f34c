package httpapi_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"coffer/internal/httpapi"
	"coffer/internal/testkit"
)

const servedNeighbours = "docs/neighbours.json" // embedded in the program

// neighbour is what the page shows of an operation of another API.
type neighbour struct {
	Name    string    `json:"name"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Action  string    `json:"action,omitempty"`
	Example *recorded `json:"example,omitempty"`
}

// recorded is a case of a corpus: what was asked, and the answer with its status.
type recorded struct {
	Request string `json:"request"`
	Answer  string `json:"answer"`
}

// TestTheNeighboursAreServed keeps the list beside the document true: every operation
// that is routed and not in the document, each with a case of its corpus that
// succeeds. The corpus tests execute it. -update writes the list anew.
func TestTheNeighboursAreServed(t *testing.T) {
	want := madeNeighbours(t)
	if *update {
		if err := os.WriteFile(servedNeighbours, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := testkit.New(t, testkit.Options{}).Do("", "GET", "/docs/neighbours.json", "")
	if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", got.Code, got.Header())
	}
	if !*update && !bytes.Equal(got.Body.Bytes(), want) {
		t.Errorf("%s is not what the routes and the corpus say now; run go test ./internal/httpapi -update and look at the difference", servedNeighbours)
	}
}

func madeNeighbours(t *testing.T) []byte {
	t.Helper()
	documented, _ := readDocument(t)
	apis := map[string][]neighbour{}
	for _, route := range httpapi.Routes() {
		if documented[route.Name].pattern != "" {
			continue
		}
		method, path, _ := strings.Cut(route.Pattern, " ")
		n := neighbour{Name: route.Name, Method: method, Path: strings.TrimSuffix(path, "{$}"), Action: route.Action, Example: recordedSuccess(t, route.Name)}
		apis[apiOf(path)] = append(apis[apiOf(path)], n)
	}
	return append(encoded(t, apis), '\n')
}

// apiOf returns the API that a path belongs to.
func apiOf(path string) string {
	for _, api := range []struct{ part, name string }{
		{"/kms/", "KMS"}, {"/notifications/", "SMN"}, {"/smn_topic/", "SMN"}, {"/enterprise-projects", "EPS"}, {"/coffer/", "Coffer"},
	} {
		if strings.Contains(path, api.part) && !strings.Contains(path, "/OS-") {
			return api.name
		}
	}
	return "IAM"
}

// recordedSuccess returns the case of an operation with the shortest request of those
// whose answer is a success, or nil: what answers with credentials has no recorded case, but tests in Go.
func recordedSuccess(t *testing.T, operation string) *recorded {
	t.Helper()
	files, err := filepath.Glob("testdata/*/" + operation + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var best *recorded
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := readRecorded(archive)
		if strings.HasPrefix(r.Answer, "2") && (best == nil || len(r.Request) < len(best.Request)) {
			best = r
		}
	}
	return best
}

func readRecorded(archive *txtar.Archive) *recorded {
	text := func(name string) string {
		i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
		if i < 0 {
			return ""
		}
		return strings.TrimSpace(string(archive.Files[i].Data))
	}
	return &recorded{Request: text("request"), Answer: text("answer")}
}

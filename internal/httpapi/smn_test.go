package httpapi_test

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/testkit"
)

// The cases of the SMN API, which stand apart because the API document is of CSMS.
func TestCorpusOfSMN(t *testing.T) {
	for _, file := range smnFiles(t) {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/smn/"), ".txtar")
		t.Run(name, func(t *testing.T) { runCase(t, file) })
	}
}

func smnFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/smn/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	return files
}

// Each code that the SMN API answers stands in its corpus, and no other: but for the
// failure of ours below, and the quota of topics, which package smn tests.
func TestCodesOfSMNAreAnswered(t *testing.T) {
	want := []string{"SMN.0002", "SMN.0003", "SMN.0005", "SMN.0006", "SMN.0015", "SMN.0021", "SMN.0027", "SMN.0400", "SMN.0403"}
	code, seen := regexp.MustCompile(`"code": "(SMN\.\d+)"`), map[string]bool{}
	for _, file := range smnFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllSubmatch(text, -1) {
			seen[string(m[1])] = true
		}
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(seen))); diff != "" {
		t.Errorf("codes (-table +corpus):\n%s", diff)
	}
}

// A failure of ours has the envelope of SMN and tells nothing.
func TestAFailureOfSMNHasItsEnvelope(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	const path = "/v2/" + testkit.ProjectID + "/notifications/topics"
	if w := k.Do(testkit.Owner, "GET", path, ""); w.Code != http.StatusOK {
		t.Fatalf("before: %d %s", w.Code, w.Body) // and the credentials are in the cache
	}
	if err := k.DB.Close(); err != nil {
		t.Fatal(err)
	}
	w := k.Do(testkit.Owner, "GET", path, "")
	const want = `{"request_id":"00000000000000000000000000000000","code":"SMN.0500","message":"Internal error."}`
	if w.Code != http.StatusInternalServerError || w.Body.String() != want {
		t.Errorf("%d %s; want 500 %s", w.Code, w.Body, want)
	}
	if !strings.Contains(k.Log.String(), "operation=ListTopics") {
		t.Errorf("the failure was not logged: %s", k.Log)
	}
}

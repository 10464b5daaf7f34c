package httpapi_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// statements are the ids of the behaviour contract, sections 0 to 17, by
// prefix with the highest number.
var statements = map[string]int{
	"W": 11, "TS": 7, "RT": 5, "S": 7, "DEL": 10, "N": 17, "V": 13, "L": 18, "P": 10, "T": 15, "E": 11, "RO": 13, "G": 6, "B": 5, "I": 3, "K": 5, "M": 7, "A": 11, "ER": 4, "GWE": 4, "IE": 2,
}

// ledger says, under this heading, which statements no test here can protect, and why.
const (
	ledger    = "../../docs/divergences.md"
	uncovered = "## Statements that no case protects\n"
)

// readUncovered returns the exceptions of the ledger with their reasons.
func readUncovered(t *testing.T) map[string]string {
	t.Helper()
	_, section, found := strings.Cut(string(must(os.ReadFile(ledger))), uncovered)
	if !found {
		t.Fatalf("%s has no heading %q", ledger, uncovered)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	reasons := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Z]+\d+) \| (.+) \|$`).FindAllStringSubmatch(section, -1) {
		reasons[m[1]] = m[2]
	}
	return reasons
}

// coveringTests are the folders whose Go tests protect statements of the contract by
// its ids. Those of auth are not among them: N5 is another statement there.
var coveringTests = []string{".", "../wire", "../csms", "../service"}

var statementID = regexp.MustCompile(`\b(W|TS|RT|RO|S|DEL|N|V|L|P|T|B|I|K|M|A|ER|GWE|IE|E|G)([1-9][0-9]?)\b`)

// covered maps an id to the places that name it.
type covered map[string][]string

func (c covered) note(text, place string) {
	for _, id := range statementID.FindAllString(text, -1) {
		if !slices.Contains(c[id], place) {
			c[id] = append(c[id], place)
		}
	}
}

// noteCorpus collects from the comments of the corpus. A case that names neither a
// statement, nor an error code, nor a section is not one.
func (c covered) noteCorpus(t *testing.T) {
	reason := regexp.MustCompile(`CSMS\.\d{4}|[Ss]ection \d+|\b(Q|C|E|IAM)\d`)
	for _, file := range corpusFiles(t) {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		comment := string(archive.Comment)
		if !statementID.MatchString(comment) && !reason.MatchString(comment) {
			t.Errorf("%s names no statement", file)
		}
		c.note(comment, strings.TrimSuffix(strings.TrimPrefix(file, "testdata/ops/"), ".txtar"))
	}
}

// noteTests collects from the comments and names of the tests in a folder.
func (c covered) noteTests(t *testing.T, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if filepath.Base(file) == "statements_test.go" {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		place := filepath.Base(filepath.Dir(must(filepath.Abs(file)))) + "/" + filepath.Base(file)
		for _, group := range tree.Comments {
			c.note(group.Text(), place)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING { // names of subtests
				c.note(lit.Value, place)
			}
			return true
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestStatementsAreCovered prints which test protects which statement, and fails for
// one that nothing protects. The list stands here, so that the contract need not be
// at hand.
func TestStatementsAreCovered(t *testing.T) {
	c, reasons := covered{}, readUncovered(t)
	c.noteCorpus(t)
	for _, folder := range coveringTests {
		c.noteTests(t, folder)
	}
	for _, prefix := range slices.Sorted(maps.Keys(statements)) {
		for n := 1; n <= statements[prefix]; n++ {
			id := fmt.Sprint(prefix, n)
			c.report(t, id, reasons[id])
		}
	}
	for id := range reasons {
		prefix := strings.TrimRight(id, "0123456789")
		if n, err := strconv.Atoi(id[len(prefix):]); err != nil || n < 1 || n > statements[prefix] {
			t.Errorf("%s is an exception and no statement", id)
		}
	}
}

func (c covered) report(t *testing.T, id, reason string) {
	t.Helper()
	places := c[id]
	switch {
	case len(places) == 0 && reason == "":
		t.Errorf("%s is protected by no test", id)
	case len(places) > 0 && reason != "":
		t.Errorf("%s is an exception although %s protects it", id, places[0])
	case reason != "":
		t.Logf("%-6s   - %s", id, reason)
	default:
		t.Logf("%-6s %3d %s", id, len(places), strings.Join(places[:min(3, len(places))], ", "))
	}
}

// codes of section 17.1 and 17.2 that the operations can answer.
var answered = []string{
	"CSMS.0002", "CSMS.0003", "CSMS.0004", "CSMS.0005", "CSMS.0103", "CSMS.0105", "CSMS.0106", "CSMS.0107", "CSMS.0108", "CSMS.0109",
	"CSMS.0202", "CSMS.0203", "CSMS.0204", "CSMS.0302", "CSMS.0401", "APIGW.0101", "APIGW.0201", "APIGW.0301",
}

// TestCodesAreAnswered protects the table of error codes: each that these operations
// can answer is in the corpus, and no other. CSMS.0301 is never used (GWE2).
func TestCodesAreAnswered(t *testing.T) {
	code := regexp.MustCompile(`"error_code": "([A-Z]+\.\d+)"`)
	seen := map[string]bool{}
	for _, file := range corpusFiles(t) {
		text := must(os.ReadFile(file))
		for _, m := range code.FindAllSubmatch(text, -1) {
			seen[string(m[1])] = true
		}
	}
	for _, want := range answered {
		if !seen[want] {
			t.Errorf("no case answers %s", want)
		}
		delete(seen, want)
	}
	for other := range seen {
		t.Errorf("%s is answered and not in the table", other)
	}
}

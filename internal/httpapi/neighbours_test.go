package httpapi_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// neighbours are the APIs beside that of CSMS, whose cases stand apart because the API
// document is of CSMS: the folder of each under testdata, and its codes. Not among them
// are the failure of ours, and the quotas that the services' own tests reach.
var neighbours = map[string]struct {
	service string // that its codes begin with
	codes   []string
}{
	"kms": {"KMS", []string{
		"KMS.0201", "KMS.0202", "KMS.0204", "KMS.0205", "KMS.0207", "KMS.0208", "KMS.0209", "KMS.0210", "KMS.0211", "KMS.0306", "KMS.0308",
		"KMS.0404", "KMS.0406", "KMS.0407", "KMS.0409", "KMS.1101", "KMS.1103", "KMS.1104", "KMS.1201", "KMS.1301", "KMS.1401",
		"KMS.1402", "KMS.1501", "KMS.1601", "KMS.1602", "KMS.1801", "KMS.1901", "KMS.1902", "KMS.2101", "KMS.2102", "KMS.2103",
		"KMS.2201", "KMS.2202", "KMS.2401", "KMS.2402", "KMS.2404", "KMS.2501",
	}},
	"eps":    {"EPS", []string{"EPS.0002", "EPS.0003", "EPS.0004", "EPS.0009"}},
	"coffer": {"CSMS", []string{"CSMS.0002", "CSMS.0004", "CSMS.0005", "CSMS.0106", "CSMS.0302"}},
}

// TestCorpusOfNeighbours runs their cases. Each code in the table is answered in one,
// and no other.
func TestCorpusOfNeighbours(t *testing.T) {
	for folder, n := range neighbours {
		t.Run(folder, func(t *testing.T) {
			files, err := filepath.Glob("testdata/" + folder + "/*/*.txtar")
			if err != nil || len(files) == 0 {
				t.Fatalf("no corpus: %v", err)
			}
			seen := map[string]bool{}
			for _, file := range files {
				name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/"+folder+"/"), ".txtar")
				t.Run(name, func(t *testing.T) { runCase(t, file) })
				noteCodes(t, file, n.service, seen)
			}
			if diff := cmp.Diff(n.codes, slices.Sorted(maps.Keys(seen))); diff != "" {
				t.Errorf("codes (-table +corpus):\n%s", diff)
			}
		})
	}
}

// noteCodes adds the codes of a service that stand in a case.
func noteCodes(t *testing.T, file, service string, seen map[string]bool) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"error_code": "(`+service+`\.\d+)"`).FindAllSubmatch(text, -1) {
		seen[string(m[1])] = true
	}
}

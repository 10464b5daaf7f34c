package rotate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/rotate"
)

// RO8: every code that stands in the source has a cause, and no other one has, but for
// those of the API that a task can end with.
func TestEveryCodeHasACause(t *testing.T) {
	declared := map[string]bool{}
	for _, dir := range []string{".", "account", "database", "function"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, file := range files {
			codesIn(t, file, declared)
		}
	}
	if len(declared) < 20 {
		t.Fatalf("only %d codes were found", len(declared))
	}
	described := map[string]bool{}
	for _, c := range rotate.Causes() {
		if c.Means == "" || c.Mend == "" || described[string(c.Code)] {
			t.Errorf("%s is described twice, or without a word", c.Code)
		}
		described[string(c.Code)] = true
	}
	maps.DeleteFunc(described, func(code string, _ bool) bool { return strings.HasPrefix(code, "CSMS.") })
	if diff := cmp.Diff(slices.Sorted(maps.Keys(declared)), slices.Sorted(maps.Keys(described))); diff != "" {
		t.Errorf("codes (-source +causes):\n%s", diff)
	}
}

// codesIn adds the constants of a type Code in a file.
func codesIn(t *testing.T, file string, found map[string]bool) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !isCode(spec.Type) {
			return true
		}
		for _, v := range spec.Values {
			if text, ok := v.(*ast.BasicLit); ok {
				code, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[code] = true
			}
		}
		return true
	})
}

func isCode(kind ast.Expr) bool {
	switch kind := kind.(type) {
	case *ast.Ident:
		return kind.Name == "Code"
	case *ast.SelectorExpr:
		return kind.Sel.Name == "Code"
	default:
		return false
	}
}

func TestCauseOf(t *testing.T) {
	if c, ok := rotate.CauseOf(rotate.CodeNotApplied); !ok || c.Code != rotate.CodeNotApplied {
		t.Errorf("%+v", c)
	}
	if c, ok := rotate.CauseOf("MADE_UP"); ok || c != (rotate.Cause{}) {
		t.Errorf("%+v", c)
	}
}

package arch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/arch"
)

// house is a small one with every kind of row.
func house() *arch.Rules {
	return &arch.Rules{
		Arrows: []arch.Arrow{
			{From: "core"},
			{From: "kv"},
			{From: "kv/*", To: []string{"kv"}},
			{From: "service", To: []string{"core", "kv"}},
			{From: "app/...", To: []string{"..."}},
			{From: "kvtest", To: []string{"kv"}},
			{From: "util"},
		},
		TestArrows: []arch.Arrow{
			{From: "service", To: []string{"kv/*"}},
			{From: "kv/...", To: []string{"kvtest"}},
		},
		Bans: []arch.Ban{
			{Import: "time", Names: []string{"Now", "Sleep"}, Edge: true, Fix: "take the instant as an argument"},
			{Import: "math/rand/v2", Edge: true, Fix: "take an io.Reader"},
			{Import: "log", Fix: "use log/slog"},
		},
		Edge:     []string{"app/..."},
		Suites:   []string{"kvtest"},
		BadNames: []string{"util"},
		MaxFile:  40, MaxFunc: 10,
	}
}

const doc = "// Package p is explained.\n"

func TestCheckReports(t *testing.T) {
	tests := map[string]struct {
		file, src string
		want      []string // "line: rule", in order; none for a lawful file
	}{
		// Arrows.
		"an arrow in the table":          {"service/a.go", doc + "package service\nimport _ \"m/core\"\n", nil},
		"an arrow to no package of ours": {"core/a.go", doc + "package core\nimport _ \"time\"\n", nil},
		"a module with a like name":      {"core/a.go", doc + "package core\nimport _ \"mm/kv\"\n", nil},
		"an arrow outwards":              {"core/a.go", doc + "package core\nimport _ \"m/service\"\n", []string{"3: core imports service"}},
		"an arrow to the root":           {"core/a.go", doc + "package core\nimport _ \"m\"\n", []string{"3: core imports ."}},
		"an engine that imports another": {"kv/mem/a.go", doc + "package mem\nimport _ \"m/kv/disk\"\n", []string{"3: kv/mem imports kv/disk"}},
		"an arrow in a file of another system": {
			"core/a_plan9.go", "//go:build plan9\n\n" + doc + "package core\nimport _ \"m/kv\"\n", []string{"5: core imports kv"},
		},
		"a package without a row":     {"new/a.go", doc + "package new\n", []string{"1: package new has no row in the table of arrows"}},
		"everything below a pattern":  {"app/tls/a.go", doc + "package tls\nimport _ \"m/service\"\n", nil},
		"a dot import":                {"core/a.go", doc + "package core\nimport . \"time\"\n", []string{"3: a dot import hides where names come from"}},
		"a test of its own package":   {"core/a_test.go", "package core_test\nimport _ \"m/core\"\n", nil},
		"a test with an engine":       {"service/a_test.go", "package service\nimport _ \"m/kv/mem\"\n", nil},
		"a test with a foreign arrow": {"core/a_test.go", "package core\nimport _ \"m/kv\"\n", []string{"2: a test of core imports kv"}},
		"a suite outside a test":      {"kv/mem/a.go", doc + "package mem\nimport _ \"m/kvtest\"\n", []string{"3: kv/mem imports kvtest"}},
		"a suite in a test":           {"kv/mem/a_test.go", "package mem\nimport _ \"m/kvtest\"\n", nil},

		// Bans.
		"the clock is read": {"core/a.go", doc + "package core\nimport \"time\"\nfunc f() time.Time { return time.Now() }\n", []string{"4: time.Now is used"}},
		"the clock is read by a name for it": {
			"core/a.go", doc + "package core\nimport clock \"time\"\nfunc f() func() clock.Time { return clock.Now }\n", []string{"4: time.Now is used"},
		},
		"a field that is called like the clock": {
			"core/a.go", doc + "package core\nimport \"time\"\ntype c struct{ Now time.Time }\nfunc f(time c) any { return time.Now }\n", nil,
		},
		"chance is imported":            {"core/a.go", doc + "package core\nimport _ \"math/rand/v2\"\n", []string{"3: math/rand/v2 is imported"}},
		"the edge reads the clock":      {"app/a.go", doc + "package app\nimport \"time\"\nfunc f() time.Time { return time.Now() }\n", nil},
		"the edge uses what nobody may": {"app/a.go", doc + "package app\nimport _ \"log\"\n", []string{"3: log is imported"}},
		"a suite uses chance":           {"kvtest/a.go", doc + "package kvtest\nimport _ \"math/rand/v2\"\n", nil},
		"a test reads the clock":        {"core/a_test.go", "package core\nimport \"time\"\nfunc f() time.Time { return time.Now() }\n", nil},

		// Variables and init.
		"an init function":                 {"core/a.go", doc + "package core\nfunc init() {}\n", []string{"3: init runs before anybody asks"}},
		"a method called init":             {"core/a.go", doc + "package core\ntype t int\nfunc (t) init() {}\n", nil},
		"errors":                           {"core/a.go", doc + "package core\nimport (\"errors\"; \"fmt\")\nvar errA, errB = errors.New(\"a\"), fmt.Errorf(\"b\")\n", nil},
		"tables":                           {"core/a.go", doc + "package core\nvar (\n a = map[int]int{1: 2}\n b = []int{1}\n c = [2]int{}\n d = struct{ x int }{1}\n)\n", nil},
		"a pool":                           {"core/a.go", doc + "package core\nimport \"sync\"\nvar p = sync.Pool{}\n", nil},
		"an assertion":                     {"core/a.go", doc + "package core\nimport \"io\"\ntype t struct{ io.Reader }\nvar _ io.Reader = t{}\n", nil},
		"an embedded file":                 {"core/a.go", doc + "package core\nimport _ \"embed\"\n//go:embed a.txt\nvar page string\n", nil},
		"a derived table":                  {"core/a.go", doc + "package core\ntype t [3]bool\nvar a, b = f(\"x\"), g()\nfunc f(string) (x t) { return }\nfunc g() map[int]int { return nil }\n", nil},
		"a derived thing":                  {"core/a.go", doc + "package core\nvar a = f()\nfunc f() *int { return nil }\n", []string{"3: a is a package-level variable"}},
		"a derived row":                    {"core/a.go", doc + "package core\ntype t[A any] struct{ f func() A }\nvar a = f(func() int { return 1 }, b)\nconst b = 1\nfunc f(func() int, int) t[int] { return t[int]{} }\n", nil},
		"a table from a call":              {"core/a.go", doc + "package core\nvar a = f(g())\nfunc f(int) []int { return nil }\nfunc g() int { return 1 }\n", []string{"3: a is a package-level variable"}},
		"a thing of another package":       {"core/a.go", doc + "package core\nimport \"os\"\nvar a = f()\nfunc f() os.File { return os.File{} }\n", []string{"4: a is a package-level variable"}},
		"a constructor of another package": {"core/a.go", doc + "package core\nimport \"bytes\"\nvar a = bytes.NewBuffer(nil)\n", []string{"4: a is a package-level variable"}},
		"compiled texts":                   {"core/a.go", doc + "package core\nimport (\"regexp\"; \"text/template\")\nvar a, b = regexp.MustCompile(`a`), template.Must(template.New(`a`).Parse(`b`))\n", nil},
		"a computed pattern":               {"core/a.go", doc + "package core\nimport \"regexp\"\nvar a = regexp.MustCompile(f())\nfunc f() string { return `a` }\n", []string{"4: a is a package-level variable"}},
		"a template from a file":           {"core/a.go", doc + "package core\nimport \"html/template\"\nvar a = template.Must(template.ParseFiles(`a`))\n", []string{"4: a is a package-level variable"}},
		"a mutex":                          {"core/a.go", doc + "package core\nimport \"sync\"\nvar mu sync.Mutex\n", []string{"4: mu is a package-level variable"}},
		"a mutex literal":                  {"core/a.go", doc + "package core\nimport \"sync\"\nvar mu = sync.Mutex{}\n", []string{"4: mu is a package-level variable"}},
		"a counter":                        {"core/a.go", doc + "package core\nimport \"sync/atomic\"\nvar n = atomic.Int64{}\n", []string{"4: n is a package-level variable"}},
		"a variable function":              {"core/a.go", doc + "package core\nvar f = func() {}\n", []string{"3: f is a package-level variable"}},
		"a pointer":                        {"core/a.go", doc + "package core\nvar p = &struct{ n int }{}\n", []string{"3: p is a package-level variable"}},
		"a number":                         {"core/a.go", doc + "package core\nvar n = 1\n", []string{"3: n is a package-level variable"}},
		"an untyped assertion":             {"core/a.go", doc + "package core\nvar _ = f()\nfunc f() int { return 1 }\n", []string{"3: _ is a package-level variable"}},
		"a variable in a test":             {"core/a_test.go", "package core\nvar n = 1\n", nil},
		"a table that is set":              {"core/a.go", doc + "package core\nvar a = []int{1}\nfunc f() { a = nil }\n", []string{"4: package-level variable a is changed"}},
		"an element that is set": {
			"core/a.go", doc + "package core\nvar a = []struct{ n [2]int }{{}}\nfunc f() {\n a[0].n[1]++\n (a)[0].n[0], _ = 1, 2\n}\n",
			[]string{"5: package-level variable a is changed", "6: package-level variable a is changed"},
		},
		"an element that is deleted": {"core/a.go", doc + "package core\nvar a = map[int]int{}\nfunc f() { delete(a, 1) }\n", []string{"4: package-level variable a is changed"}},
		"elements that are copied":   {"core/a.go", doc + "package core\nvar a = [2]int{}\nfunc f() { copy(a[:], a[1:]) }\n", []string{"4: package-level variable a is changed"}},
		"a table as a loop variable": {"core/a.go", doc + "package core\nvar a = [2]int{}\nfunc f() {\n for a[0] = range 3 {\n }\n}\n", []string{"5: package-level variable a is changed"}},
		"a variable of another package": {
			"core/a.go", doc + "package core\nimport \"net/http\"\nfunc f() { http.DefaultClient.Timeout = 1 }\n", []string{"4: package-level variable http.DefaultClient"},
		},
		"a local variable of the name of a table": {
			"core/a.go", doc + "package core\nvar a = []int{1}\nfunc f(b []int) {\n a := b\n a[0] = 1\n}\nfunc g(a []int) { a[0] = 1 }\n", nil,
		},

		// Form.
		"a long file":     {"core/a.go", doc + "package core\n" + strings.Repeat("\n", 38) + "\n", []string{"2: the file has 41 lines, more than 40"}},
		"a full file":     {"core/a.go", doc + "package core\n" + strings.Repeat("\n", 37) + "\n", nil},
		"a long function": {"core/a.go", doc + "package core\nfunc f() {\n" + strings.Repeat("\n", 9) + "}\n", []string{"3: f has 11 lines, more than 10"}},
		"a full function": {"core/a.go", doc + "package core\nfunc f() {\n" + strings.Repeat("\n", 8) + "}\n", nil},
		"a long test":     {"core/a_test.go", "package core\nfunc f() {\n" + strings.Repeat("\n", 60) + "}\n", nil},

		// Comments and names.
		"no package comment":      {"core/a.go", "package core\n", []string{"1: package core has no comment"}},
		"a test-only package":     {"core/a_test.go", "package core\n", nil},
		"an empty name":           {"util/a.go", doc + "package util\n", []string{"1: package util says nothing"}},
		"an unexplained function": {"core/a.go", doc + "package core\nfunc F() {}\n", []string{"3: exported F has no comment"}},
		"an unexplained method": {
			"core/a.go", doc + "package core\n// T is.\ntype T[A, B any] int\nfunc (*T[A, B]) F() {}\n", []string{"5: exported F has no comment"},
		},
		"a method nobody sees":    {"core/a.go", doc + "package core\ntype t[A any] int\nfunc (*t[A]) F() {}\n", nil},
		"an unexplained type":     {"core/a.go", doc + "package core\ntype T int\n", []string{"3: exported T has no comment"}},
		"a group of types":        {"core/a.go", doc + "package core\n// Types.\ntype (\n T int\n U int\n)\n", []string{"5: exported T has no comment", "6: exported U has no comment"}},
		"an unexplained constant": {"core/a.go", doc + "package core\nconst C = 1\n", []string{"3: exported C has no comment"}},
		"explained constants":     {"core/a.go", doc + "package core\n// Sizes.\nconst (\n C = 1\n D = 2\n)\nconst (\n E = 3 // is three\n // F is four.\n F = 4\n)\n", nil},
		"a broken file":           {"core/a.go", "package core\nfunc {\n", []string{"1: the file does not parse"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tree := arch.NewTree("m")
			tree.Add(test.file, []byte(test.src))
			compare(t, test.file, house().Check(tree), test.want)
		})
	}
}

// compare holds each violation against the "line: rule" it should begin with, and
// demands advice.
func compare(t *testing.T, file string, found []arch.Violation, want []string) {
	t.Helper()
	var got []string
	for i, v := range found {
		text := fmt.Sprintf("%d: %s", v.Line, v.Rule)
		if i < len(want) && strings.HasPrefix(text, want[i]) {
			text = want[i]
		}
		got = append(got, text)
		if v.File != file || v.Fix == "" {
			t.Errorf("violation %v: want file %s and advice", v, file)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

func TestCheckSeesThePackageAsAWhole(t *testing.T) {
	tree := arch.NewTree("m")
	tree.Add("core/a.go", []byte("package core\nfunc f(a []int) { a[0] = 1; b = nil }\n"))
	tree.Add("core/b.go", []byte(doc+"package core\nvar (\n a = []int{1}\n b = g()\n)\n"))
	tree.Add("core/c.go", []byte("package core\ntype t []int\nfunc g() t { return nil }\n"))
	compare(t, "core/a.go", house().Check(tree), []string{"2: package-level variable b is changed"})
}

func TestViolationReadsAsACompilerError(t *testing.T) {
	got := arch.Violation{File: "core/a.go", Line: 3, Rule: "time.Now is used", Fix: "take the instant as an argument"}.String()
	if want := "core/a.go:3: time.Now is used; take the instant as an argument"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLoadFindsThisModule(t *testing.T) {
	tree, err := arch.Load(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	if tree.Module != "coffer" || len(tree.Packages) != 1 || tree.Packages[0].Path != "internal/arch" {
		t.Fatalf("got module %s with %d packages, want coffer with internal/arch alone", tree.Module, len(tree.Packages))
	}
	tests := 0
	for _, f := range tree.Packages[0].Files {
		if f.Test {
			tests++
		}
	}
	if p := tree.Packages[0]; p.Name != "arch" || len(p.Files) != 6 || tests != 1 {
		t.Errorf("got package %s with %d files, %d of them tests; want arch with 6 and 1", p.Name, len(p.Files), tests)
	}
}

func TestLoadRefusesAFolderWithoutAModule(t *testing.T) {
	if _, err := arch.Load(t.Context(), t.TempDir()); err == nil {
		t.Error("got no error, want one")
	}
}

// Package arch checks the laws of the house on the sources of a module: which
// package may import which, where the clock, chance and the environment may be
// touched, what may stand at package level, how long things are, and what must
// have a comment.
//
// The rule that keeps it honest: it parses and never compiles, so it judges a tree
// that does not build yet, and files for other systems too. The tables stand in
// arch_test.go at the root; here is only how they are applied. Each law has a case
// in the tests of this package that breaks it.
package arch

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Rules are the tables of a house. Packages are named by their path inside the
// module, "." for the root. A pattern is that of path.Match; one that ends in
// "/..." also means everything below.
type Rules struct {
	// Arrows says what each package may import of ours. The first row that fits a
	// package counts; a package without a row is a violation.
	Arrows []Arrow
	// TestArrows says what test files may import beyond the package they test and
	// what that may import. All rows that fit count.
	TestArrows []Arrow
	// Bans are what only the edge may use, or nobody.
	Bans []Ban
	// Edge are the packages that touch the outside world.
	Edge []string
	// Suites are packages of test code and tools of measurement: they are under every
	// law but the bans.
	Suites []string
	// BadNames are names that say nothing about what a package holds.
	BadNames []string
	// MaxFile and MaxFunc are the most lines of a file and of a function.
	MaxFile, MaxFunc int
}

// Arrow is one row of a table of imports.
type Arrow struct {
	From string   // pattern of the importing package
	To   []string // patterns of packages it may import
}

// Ban keeps the names of one package out of the house.
type Ban struct {
	Import string   // import path
	Names  []string // what is banned of it; empty means the import itself
	Edge   bool     // the edge may use it
	Fix    string   // what to do instead
}

// Violation is one broken law.
type Violation struct {
	File string // relative to the root of the module
	Line int
	Rule string // what is wrong
	Fix  string // what to do about it
}

// String returns the violation in the form of a compiler error.
func (v Violation) String() string {
	return fmt.Sprintf("%s:%d: %s; %s", v.File, v.Line, v.Rule, v.Fix)
}

// Check returns every violation in t, in order of file and line.
func (r *Rules) Check(t *Tree) []Violation {
	c := checker{rules: r, tree: t, found: slices.Clone(t.broken)}
	for _, p := range t.Packages {
		c.imports(p)
		c.bans(p)
		c.variables(p)
		c.sizes(p)
		c.comments(p)
		c.name(p)
	}
	slices.SortFunc(c.found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule))
	})
	return c.found
}

// checker collects violations.
type checker struct {
	rules *Rules
	tree  *Tree
	found []Violation
}

func (c *checker) name(p *Package) {
	for _, name := range []string{p.Name, path.Base(p.Path)} {
		if slices.Contains(c.rules.BadNames, name) {
			c.found = append(c.found, Violation{
				p.Files[0].Name, 1, "package " + name + " says nothing about what it holds",
				"name it after the noun it is about, or put its parts where they are used",
			})
			return
		}
	}
}

// matches reports whether one of the patterns fits the package.
func matches(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return match(pattern, pkg) })
}

func match(pattern, pkg string) bool {
	if pattern == "..." {
		return true
	}
	if root, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == root || strings.HasPrefix(pkg, root+"/")
	}
	ok, err := path.Match(pattern, pkg)
	return ok && err == nil
}

package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// imports checks the arrows of p.
func (c *checker) imports(p *Package) {
	row := slices.IndexFunc(c.rules.Arrows, func(a Arrow) bool { return match(a.From, p.Path) })
	if row < 0 {
		c.found = append(c.found, Violation{
			p.Files[0].Name, 1, "package " + p.Path + " has no row in the table of arrows",
			"decide where it stands in the house and add the row to arch_test.go",
		})
		return
	}
	may := c.rules.Arrows[row].To
	testMay := append(slices.Clone(may), p.Path)
	for _, a := range c.rules.TestArrows {
		if match(a.From, p.Path) {
			testMay = append(testMay, a.To...)
		}
	}
	for _, f := range p.Files {
		allowed := may
		if f.Test {
			allowed = testMay
		}
		for _, spec := range f.ast.Imports {
			c.arrow(p, f, spec, allowed)
		}
	}
}

func (c *checker) arrow(p *Package, f *File, spec *ast.ImportSpec, allowed []string) {
	if spec.Name != nil && spec.Name.Name == "." {
		c.add(f, spec, "a dot import hides where names come from", "import the package under its name")
	}
	to, ours := c.tree.own(importPath(spec))
	if !ours || matches(allowed, to) {
		return
	}
	who := p.Path
	if f.Test {
		who = "a test of " + who
	}
	c.add(f, spec, fmt.Sprintf("%s imports %s, an arrow that is not in the table", who, to),
		"hand the thing in as an argument, move the code, or change the house in an ADR and in arch_test.go ("+who+" may import "+listOf(allowed)+")")
}

func listOf(patterns []string) string {
	if len(patterns) == 0 {
		return "nothing of ours"
	}
	return strings.Join(patterns, ", ")
}

// bans checks that p touches the outside world only where it may.
func (c *checker) bans(p *Package) {
	if matches(c.rules.Suites, p.Path) {
		return
	}
	edge := matches(c.rules.Edge, p.Path)
	for _, f := range p.Files {
		if f.Test {
			continue
		}
		for _, b := range c.rules.Bans {
			if !edge || !b.Edge {
				c.ban(f, b)
			}
		}
	}
}

func (c *checker) ban(f *File, b Ban) {
	for _, spec := range f.ast.Imports {
		if len(b.Names) == 0 && importPath(spec) == b.Import {
			c.add(f, spec, b.Import+" is imported", b.Fix)
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if ok && slices.Contains(b.Names, sel.Sel.Name) && f.isPackage(sel.X, b.Import) {
			c.add(f, sel, fmt.Sprintf("%s.%s is used", b.Import, sel.Sel.Name), b.Fix)
		}
		return true
	})
}

// isPackage reports whether e is the name under which f imports that path.
func (f *File) isPackage(e ast.Expr, path string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Obj == nil && f.imports[id.Name] == path && path != ""
}

func (c *checker) add(f *File, n ast.Node, rule, fix string) {
	c.found = append(c.found, Violation{f.Name, c.tree.line(n.Pos()), rule, fix})
}

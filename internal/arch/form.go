package arch

import (
	"fmt"
	"go/ast"
	"go/token"
)

// sizes checks the length of files and functions.
func (c *checker) sizes(p *Package) {
	for _, f := range p.Files {
		if f.Test {
			continue
		}
		if f.lines > c.rules.MaxFile {
			c.add(f, f.ast, fmt.Sprintf("the file has %d lines, more than %d", f.lines, c.rules.MaxFile), "give each topic a file of its own")
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := c.tree.line(fn.End()) - c.tree.line(fn.Pos()) + 1; n > c.rules.MaxFunc {
				c.add(f, fn, fmt.Sprintf("%s has %d lines, more than %d", fn.Name.Name, n, c.rules.MaxFunc), "give each step a function of its own")
			}
		}
	}
}

// comments checks that p and everything it exports are explained.
func (c *checker) comments(p *Package) {
	var first *File
	explained := false
	for _, f := range p.Files {
		if f.Test {
			continue
		}
		if first == nil {
			first = f
		}
		explained = explained || f.ast.Doc != nil
		for _, d := range f.ast.Decls {
			c.exported(f, d)
		}
	}
	if first != nil && !explained {
		c.add(first, first.ast, "package "+p.Name+" has no comment", "say what it is, then the rule that keeps it honest")
	}
}

func (c *checker) exported(f *File, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && exportedReceiver(d.Recv) && d.Doc == nil {
			c.undocumented(f, d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || len(d.Specs) > 1) {
					c.undocumented(f, s.Name)
				}
			case *ast.ValueSpec:
				c.exportedValue(f, d, s)
			}
		}
	}
}

// exportedValue checks a constant or variable: a comment of its group, or of its
// own before or beside it, will do.
func (c *checker) exportedValue(f *File, d *ast.GenDecl, s *ast.ValueSpec) {
	if d.Doc != nil || s.Doc != nil || s.Comment != nil && d.Lparen != token.NoPos {
		return
	}
	for _, name := range s.Names {
		if name.IsExported() {
			c.undocumented(f, name)
			return
		}
	}
}

func (c *checker) undocumented(f *File, name *ast.Ident) {
	c.add(f, name, "exported "+name.Name+" has no comment", "say what its signature cannot: units, limits, errors, ownership")
}

// exportedReceiver reports whether a function is none or a method of an exported
// type.
func exportedReceiver(recv *ast.FieldList) bool {
	if recv.NumFields() == 0 {
		return true
	}
	t := recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

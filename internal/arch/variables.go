package arch

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

const (
	ruleVariable = "is a package-level variable that is neither an error nor a table"
	fixVariable  = "make it a constant, a function, or a field of the type that needs it"
)

// variables checks what p holds at package level: errors, tables that nobody
// changes (compiled texts and embedded files count), pools, and assertions that a
// type satisfies an interface.
func (c *checker) variables(p *Package) {
	specs := map[*ast.ValueSpec]bool{}
	names := map[string]bool{}
	for _, f := range p.Files {
		if f.Test {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					c.add(f, d, "init runs before anybody asks", "build the thing in a function that the composition root calls")
				}
			case *ast.GenDecl:
				c.declaration(p, f, d, specs, names)
			}
		}
	}
	for _, f := range p.Files {
		if !f.Test {
			c.assignments(f, specs, names)
		}
	}
}

func (c *checker) declaration(p *Package, f *File, d *ast.GenDecl, specs map[*ast.ValueSpec]bool, names map[string]bool) {
	if d.Tok != token.VAR {
		return
	}
	for _, s := range d.Specs {
		spec := s.(*ast.ValueSpec)
		specs[spec] = true
		for _, name := range spec.Names {
			names[name.Name] = true
		}
		if !p.variableAllowed(f, d, spec) {
			c.add(f, spec, spec.Names[0].Name+" "+ruleVariable, fixVariable)
		}
	}
}

func (p *Package) variableAllowed(f *File, d *ast.GenDecl, spec *ast.ValueSpec) bool {
	if embedded(d.Doc) || embedded(spec.Doc) {
		return true
	}
	if spec.Names[0].Name == "_" {
		return spec.Type != nil && len(spec.Values) == 1
	}
	return len(spec.Values) > 0 && !slices.ContainsFunc(spec.Values, func(v ast.Expr) bool { return !p.valueAllowed(f, v) })
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

func (p *Package) valueAllowed(f *File, value ast.Expr) bool {
	switch v := ast.Unparen(value).(type) {
	case *ast.CompositeLit:
		return !f.selects(v.Type, "sync/atomic") && (!f.selects(v.Type, "sync") || f.selects(v.Type, "sync", "Pool"))
	case *ast.CallExpr:
		return f.selects(v.Fun, "errors", "New") || f.selects(v.Fun, "fmt", "Errorf") ||
			p.derivesTable(v) || f.compilesText(v)
	default:
		return false
	}
}

// selects reports whether e is one of those names of a package; any for none given.
func (f *File) selects(e ast.Expr, path string, names ...string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	return ok && f.isPackage(sel.X, path) && (len(names) == 0 || slices.Contains(names, sel.Sel.Name))
}

// derivesTable reports whether call makes a table from what is fixed: a function of
// the package, given literals and names, that returns a map, slice, array or struct.
// A pointer is none: what it points to could be changed anywhere.
func (p *Package) derivesTable(call *ast.CallExpr) bool {
	name, ok := call.Fun.(*ast.Ident)
	if !ok || slices.ContainsFunc(call.Args, computed) {
		return false
	}
	for _, f := range p.Files {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && fn.Name.Name == name.Name {
				return fn.Type.Results.NumFields() == 1 && p.isTable(fn.Type.Results.List[0].Type)
			}
		}
	}
	return false
}

func computed(arg ast.Expr) bool {
	switch arg.(type) {
	case *ast.BasicLit, *ast.FuncLit, *ast.Ident:
		return false
	default:
		return true
	}
}

// isTable reports whether a type is a map, slice or array, or the name of one or of
// a struct in p.
func (p *Package) isTable(t ast.Expr) bool {
	switch t := t.(type) {
	case *ast.MapType, *ast.ArrayType:
		return true
	case *ast.IndexExpr: // an instance of a generic type
		return p.isTable(t.X)
	case *ast.Ident:
		return slices.ContainsFunc(p.Files, func(f *File) bool { return f.declaresTable(t.Name) })
	default:
		return false
	}
}

func (f *File) declaresTable(name string) bool {
	for _, d := range f.ast.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			if spec := s.(*ast.TypeSpec); spec.Name.Name == name {
				switch spec.Type.(type) {
				case *ast.MapType, *ast.ArrayType, *ast.StructType:
					return true
				}
			}
		}
	}
	return false
}

// compilesText reports whether call turns a text of the program into a template or
// a pattern. One that is read from a file at start is refused.
func (f *File) compilesText(call *ast.CallExpr) bool {
	if f.selects(call.Fun, "regexp", "MustCompile") {
		return len(call.Args) == 1 && !computed(call.Args[0])
	}
	if !f.selects(call.Fun, "text/template", "Must") && !f.selects(call.Fun, "html/template", "Must") {
		return false
	}
	reads := false
	ast.Inspect(call, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		reads = reads || ok && (sel.Sel.Name == "ParseFiles" || sel.Sel.Name == "ParseGlob")
		return true
	})
	return !reads
}

// assignments reports every change of a package-level variable in f: of its own
// package, or of another one.
func (c *checker) assignments(f *File, specs map[*ast.ValueSpec]bool, names map[string]bool) {
	change := func(e ast.Expr) {
		if what := f.changed(e, specs, names); what != "" {
			c.add(f, e, "package-level variable "+what+" is changed", "tables and errors are fixed; hold what changes in a type")
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				change(e)
			}
		case *ast.IncDecStmt:
			change(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				change(n.Key)
				change(n.Value)
			}
		case *ast.CallExpr:
			fn, ok := n.Fun.(*ast.Ident)
			if ok && slices.Contains([]string{"clear", "delete", "copy"}, fn.Name) && fn.Obj == nil && len(n.Args) > 0 {
				change(n.Args[0])
			}
		}
		return true
	})
}

// changed returns the name of the package-level variable that an assignment to e
// changes, or "".
func (f *File) changed(e ast.Expr, specs map[*ast.ValueSpec]bool, names map[string]bool) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return f.changed(e.X, specs, names)
	case *ast.IndexExpr:
		return f.changed(e.X, specs, names)
	case *ast.SliceExpr:
		return f.changed(e.X, specs, names)
	case *ast.StarExpr:
		return f.changed(e.X, specs, names)
	case *ast.SelectorExpr:
		if id, ok := e.X.(*ast.Ident); ok && id.Obj == nil && f.imports[id.Name] != "" {
			return id.Name + "." + e.Sel.Name
		}
		return f.changed(e.X, specs, names)
	case *ast.Ident:
		if e.Name != "_" && isPackageLevel(e, specs, names) {
			return e.Name
		}
	}
	return ""
}

// isPackageLevel tells a package-level variable from a local one of the same name:
// the parser resolves an identifier to its declaration if that is in the same file,
// and leaves it open if it can only be in another file of the package.
func isPackageLevel(id *ast.Ident, specs map[*ast.ValueSpec]bool, names map[string]bool) bool {
	if id.Obj == nil {
		return names[id.Name]
	}
	spec, ok := id.Obj.Decl.(*ast.ValueSpec)
	return ok && specs[spec]
}

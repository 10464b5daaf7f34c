package arch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Tree is the parsed source of one module.
type Tree struct {
	Module   string
	Packages []*Package

	fset   *token.FileSet
	broken []Violation // files that could not be parsed
}

// Package is one directory with Go files; its external test package counts as part
// of it.
type Package struct {
	Path  string // inside the module, "." for the root
	Name  string // of the package clause, without _test; "" when nothing could be parsed
	Files []*File
}

// File is one parsed file.
type File struct {
	Name string // relative to the root of the module, with slashes
	Test bool

	ast     *ast.File
	lines   int
	imports map[string]string // local name to import path
}

// NewTree returns an empty tree of a module, to be filled by Add.
func NewTree(module string) *Tree {
	return &Tree{Module: module, fset: token.NewFileSet()}
}

// Load parses every package of the module in dir, as `go list` finds them, with
// files of other systems and of build tags. A file that does not parse is a
// violation of its own and not an error.
func Load(ctx context.Context, dir string) (*Tree, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-find", "-json", "./...")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing packages: %w: %s", err, stderr.Bytes())
	}
	var t *Tree
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading the list of packages: %w", err)
		}
		if p.Module.Path == "" {
			return nil, fmt.Errorf("%s is in no module", dir)
		}
		if t == nil {
			t = NewTree(p.Module.Path)
		}
		if err := errors.Join(t.load(p), visit(p)); err != nil {
			return nil, err
		}
	}
	if t == nil {
		return nil, fmt.Errorf("no package in %s", dir)
	}
	return t, nil
}

// listed is what is needed of the answer of go list.
type listed struct {
	Dir    string
	Module struct{ Path, Dir string }

	GoFiles, CgoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles, InvalidGoFiles []string
}

func (t *Tree) load(p listed) error {
	rel, err := filepath.Rel(p.Module.Dir, p.Dir)
	if err != nil {
		return fmt.Errorf("placing %s in the module: %w", p.Dir, err)
	}
	files := slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles, p.InvalidGoFiles)
	slices.Sort(files)
	for _, name := range slices.Compact(files) {
		src, err := os.ReadFile(filepath.Join(p.Dir, name)) //nolint:gosec // a source file that go list named
		if err != nil {
			return fmt.Errorf("reading source: %w", err)
		}
		t.Add(path.Join(filepath.ToSlash(rel), name), src)
	}
	return nil
}

// visit reads the folders from p up to the root of the module. The go command keeps
// the result of a test as long as what the test itself read is the same, and it does
// not see what go list read: without this, a new file would go unnoticed.
func visit(p listed) error {
	for dir := p.Dir; ; dir = filepath.Dir(dir) {
		if _, err := os.ReadDir(dir); err != nil {
			return fmt.Errorf("reading folder: %w", err)
		}
		if dir == p.Module.Dir || dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// Add parses one file into the package of its directory. The name is relative to
// the root of the module, with slashes.
func (t *Tree) Add(name string, src []byte) {
	parsed, err := parser.ParseFile(t.fset, name, src, parser.ParseComments)
	if err != nil {
		t.broken = append(t.broken, Violation{name, 1, "the file does not parse: " + err.Error(), "mend it"})
		return
	}
	f := &File{
		Name: name, Test: strings.HasSuffix(name, "_test.go"),
		ast: parsed, lines: t.fset.File(parsed.Pos()).LineCount(), imports: map[string]string{},
	}
	for _, spec := range parsed.Imports {
		f.imports[localName(spec)] = importPath(spec)
	}
	p := t.pkg(path.Dir(name))
	p.Files = append(p.Files, f)
	p.Name = strings.TrimSuffix(parsed.Name.Name, "_test")
}

func (t *Tree) pkg(dir string) *Package {
	for _, p := range t.Packages {
		if p.Path == dir {
			return p
		}
	}
	p := &Package{Path: dir}
	t.Packages = append(t.Packages, p)
	return p
}

func (t *Tree) line(pos token.Pos) int { return t.fset.Position(pos).Line }

// own returns the path inside the module of a package of ours.
func (t *Tree) own(importPath string) (string, bool) {
	if importPath == t.Module {
		return ".", true
	}
	return strings.CutPrefix(importPath, t.Module+"/")
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return p
}

// localName returns the name an import has in its file: the given one, else the
// last element of the path that is not a major version.
func localName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	p := importPath(spec)
	last := path.Base(p)
	if digits, ok := strings.CutPrefix(last, "v"); ok && path.Dir(p) != "." {
		if _, err := strconv.Atoi(digits); err == nil {
			return path.Base(path.Dir(p))
		}
	}
	return last
}

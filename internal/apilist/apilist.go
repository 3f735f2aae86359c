// Package apilist lists what the module exports: every name of its public
// packages with its signature, one a line, as the go command's own api files do.
//
// The lists are kept in the folder api, a file for each package, and a test
// compares. Whoever changes what callers see changes a file there too, and a
// reader of the change sees it at a glance. To bring them up to date:
//
//	go test ./internal/apilist -update
//
// A package is read with go/parser and checked with go/types, its imports
// likewise from source and without function bodies, so neither the go command
// nor compiled packages are needed. Files behind a build tag that is not set on
// linux/amd64 are not seen. Types of other modules are not read; a public
// signature that needs one is an error, which is meant: the API speaks of the
// standard library and this module alone.
package apilist

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Module lists the public packages of the module at root: folder → lines.
// Packages that export nothing are left out.
func Module(root string) (map[string][]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	l := newLoader(root, strings.TrimSpace(strings.TrimPrefix(first, "module ")))
	folders, err := publicFolders(root)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, folder := range folders {
		pkg, err := l.Import(path.Join(l.module, folder))
		if err != nil {
			return nil, err
		}
		lines, err := exported(pkg)
		if err != nil {
			return nil, err
		}
		if len(lines) > 0 && pkg.Name() != "main" {
			out[folder] = lines
		}
	}
	return out, nil
}

// publicFolders are those with Go files that another module may import.
func publicFolders(root string) ([]string, error) {
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			private := slices.Contains([]string{"internal", "testdata", "cmd", "examples"}, d.Name()) || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")
			if name != root && (nested == nil || private) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") {
			relative, err := filepath.Rel(root, filepath.Dir(name))
			if err != nil {
				return err
			}
			found[filepath.ToSlash(relative)] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(found)), err
}

// loader imports packages from source.
type loader struct {
	root, module string
	context      build.Context
	files        *token.FileSet
	packages     map[string]*types.Package
}

func newLoader(root, module string) *loader {
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "linux", "amd64", false
	context.BuildTags = nil
	return &loader{root, module, context, token.NewFileSet(), map[string]*types.Package{"unsafe": types.Unsafe}}
}

// Import implements types.Importer.
func (l *loader) Import(name string) (*types.Package, error) {
	if pkg, ok := l.packages[name]; ok {
		return pkg, nil
	}
	dir := filepath.Join(l.context.GOROOT, "src", filepath.FromSlash(name))
	below, ours := strings.CutPrefix(name+"/", l.module+"/")
	if ours {
		dir = filepath.Join(l.root, filepath.FromSlash(below))
	} else if first, _, _ := strings.Cut(name, "/"); strings.Contains(first, ".") {
		pkg := types.NewPackage(name, path.Base(name)) // of another module: empty
		pkg.MarkComplete()
		l.packages[name] = pkg
		return pkg, nil
	}
	files, err := l.parse(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// Errors about what other modules would have declared are expected; those
	// that touch the list show as invalid types.
	config := types.Config{
		Importer: l, IgnoreFuncBodies: true, FakeImportC: true,
		Sizes: types.SizesFor("gc", l.context.GOARCH), Error: func(error) {},
	}
	pkg, _ := config.Check(name, l.files, files, nil)
	l.packages[name] = pkg
	return pkg, nil
}

// parse reads the files of a package that belong to the build.
func (l *loader) parse(dir string) ([]*ast.File, error) {
	found, err := l.context.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range found.GoFiles {
		f, err := parser.ParseFile(l.files, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// exported lists what a package exports, sorted.
func exported(pkg *types.Package) ([]string, error) {
	w := &writer{qualify: func(p *types.Package) string {
		if p == pkg {
			return ""
		}
		return p.Name()
	}}
	for _, name := range pkg.Scope().Names() {
		if token.IsExported(name) {
			w.object(pkg.Scope().Lookup(name))
		}
	}
	for _, line := range w.lines {
		if strings.Contains(line, "invalid type") {
			return nil, fmt.Errorf("%s: %q needs a type that is neither this module's nor the standard library's", pkg.Path(), line)
		}
	}
	slices.Sort(w.lines)
	return w.lines, nil
}

// writer collects lines.
type writer struct {
	qualify types.Qualifier
	lines   []string
}

func (w *writer) printf(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

func (w *writer) text(t types.Type) string { return types.TypeString(t, w.qualify) }

// signature is a function's parameters and results.
func (w *writer) signature(t types.Type) string {
	return strings.TrimPrefix(w.text(t), "func")
}

func (w *writer) object(o types.Object) {
	switch o := o.(type) {
	case *types.Const:
		w.printf("const %s %s = %s", o.Name(), w.text(o.Type()), o.Val().ExactString())
	case *types.Var:
		w.printf("var %s %s", o.Name(), w.text(o.Type()))
	case *types.Func:
		w.printf("func %s%s", o.Name(), w.signature(o.Type()))
	case *types.TypeName:
		if o.IsAlias() {
			w.printf("type %s = %s", o.Name(), w.text(types.Unalias(o.Type())))
			return
		}
		w.named(o)
	}
}

// named lists a type with its fields and methods, promoted ones included.
func (w *writer) named(o *types.TypeName) {
	head := "type " + w.text(o.Type())
	switch u := o.Type().Underlying().(type) {
	case *types.Struct:
		w.printf("%s struct", head)
		for f := range u.Fields() {
			if f.Exported() && f.Embedded() {
				w.printf("%s struct, embedded %s", head, w.text(f.Type()))
			} else if f.Exported() {
				w.printf("%s struct, %s %s", head, f.Name(), w.text(f.Type()))
			}
		}
	case *types.Interface:
		w.printf("%s interface", head)
		closed := false
		for m := range u.Methods() {
			if closed = closed || !m.Exported(); m.Exported() {
				w.printf("%s interface, %s%s", head, m.Name(), w.signature(m.Type()))
			}
		}
		for e := range u.EmbeddedTypes() {
			if _, union := e.(*types.Union); union {
				w.printf("%s interface, %s", head, w.text(e))
			}
		}
		if closed {
			w.printf("%s interface, unexported methods", head)
		}
		return
	default:
		w.printf("%s %s", head, w.text(u))
	}
	w.methods(o)
}

func (w *writer) methods(o *types.TypeName) {
	values := types.NewMethodSet(o.Type())
	all := types.NewMethodSet(types.NewPointer(o.Type()))
	for m := range all.Methods() {
		f := m.Obj()
		if !f.Exported() {
			continue
		}
		star := "*"
		if values.Lookup(f.Pkg(), f.Name()) != nil {
			star = ""
		}
		w.printf("method (%s%s) %s%s", star, o.Name(), f.Name(), w.signature(m.Type()))
	}
}

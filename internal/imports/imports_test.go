// Package imports holds a test only: who may import whom.
//
// The table below is the design's. The test parses every Go file of the module,
// whatever its build tags, and compares. It needs neither the go command nor
// the network. Test files are exempt, except that none may need cgo unasked.
package imports

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rule is a line of the table. Packages are named by their folder; a pattern
// that ends in "..." stands for a folder and all below it.
type rule struct {
	packages string
	may      []string // packages of this module, beside internal
	modules  []string // modules of others, beside the standard library
}

// table is searched from the top; the first line that fits a package counts.
// A package that none fits is an error: the design must say where it belongs.
var table = []rule{
	{".", nil, nil}, // documentation
	{"spec", nil, nil},
	{"spec/vnnlib", []string{"spec"}, nil},
	{"solver", nil, nil},
	{"solver/highs", []string{"solver"}, []string{"github.com/bartolsthoorn/gohighs"}},
	{"solver/lpsolve", []string{"solver"}, []string{"github.com/draffensperger/golp"}},
	{"solver/...", []string{"solver"}, nil},
	{"nn", nil, nil},
	{"nn/onnx", []string{"nn"}, []string{"google.golang.org/protobuf"}},
	{"nn/nnet", []string{"nn"}, nil},
	{"bounds", []string{"nn", "spec"}, nil},
	{"dualapp", []string{"bounds", "nn", "spec"}, nil},
	// reach's zero options solve linear programs with the embedded simplex method:
	// no set can be bounded or found empty without one. So do bab's, at leaves.
	{"reach", []string{"nn", "spec", "solver", "solver/simplex"}, nil},
	{"bab", []string{"bounds", "nn", "spec", "solver", "solver/simplex"}, nil},
	{"qnn", []string{"nn", "spec", "solver"}, nil},
	{"qnn/keras", []string{"qnn"}, []string{"github.com/scigolib/hdf5"}},
	{"qnn/qdq", []string{"nn", "nn/onnx", "qnn"}, nil},
	{"train", []string{"nn", "bounds", "spec"}, nil},
	{"train/dataset", nil, nil},
	{"train/eval", []string{"bab", "bounds", "nn", "spec", "train"}, nil}, // proofs of trained networks: the core of train stays without bab
	{"internal/pgd", []string{"nn", "spec"}, nil},
	{"internal/lpcheck", []string{"solver"}, nil},
	{"internal/lpadapter", []string{"solver"}, nil},
	{"internal/blas", nil, []string{"gonum.org/v1/gonum", "golang.org/x/sys"}},
	{"internal/figure", nil, []string{"gonum.org/v1/plot"}},
	{"internal/...", nil, nil},
	{"examples/reach-plot", []string{"..."}, []string{"gonum.org/v1/plot"}},                           // its output is a picture
	{"examples/imagestar-study", []string{"..."}, []string{"gonum.org/v1/plot", "golang.org/x/term"}}, // its output is pictures, too
	{"examples/dualapp", []string{"..."}, []string{"gonum.org/v1/plot"}},
	{"examples/pipeline", []string{"..."}, []string{"gonum.org/v1/plot"}},
	{"examples/service", []string{"..."}, []string{"gonum.org/v1/plot"}},
	{"examples/qvip", []string{"..."}, []string{"gonum.org/v1/plot"}},
	{"examples/extend", []string{"..."}, []string{"gonum.org/v1/plot"}},
	{"examples/nbc", []string{"..."}, []string{"gonum.org/v1/plot", "github.com/schollz/progressbar/v3", "golang.org/x/term"}}, // hours, with a bar
	{"examples/...", []string{"..."}, nil},
	{"cmd/...", []string{"..."}, []string{"..."}},
}

// reserved says who may import those packages of internal that are not for all.
var reserved = map[string][]string{
	"internal/pgd":       {"bab", "train", "reach"},
	"internal/digits":    {"examples/...", "cmd/...", "train/dataset"},
	"internal/figure":    {"examples/...", "cmd/..."},
	"internal/lpcheck":   {"solver/...", "internal/lpadapter"},
	"internal/lpadapter": {"solver/highs", "solver/lpsolve"},
}

// cgoModules cannot be built without cgo.
var cgoModules = []string{"gonum.org/v1/netlib", "github.com/draffensperger/golp", "github.com/bartolsthoorn/gohighs", "C"}

// file is what the rules need to know of a source file.
type file struct {
	name    string // path from the module's root, with slashes
	imports []string
	build   constraint.Expr // nil: none
}

func TestImportsFollowTheDesign(t *testing.T) {
	module, files := load(t, filepath.Join("..", ".."))
	require.Equal(t, "github.com/vouchnn/vouch", module)
	seen := map[string]bool{}
	for _, f := range files {
		seen[path.Dir(f.name)] = true
	}
	for _, p := range []string{"nn", "spec", "bounds", "bab", "internal/blas", "internal/imports"} {
		require.True(t, seen[p], "package %s was not found: is this the module?", p)
	}
	for _, v := range violations(module, files) {
		t.Error(v)
	}
}

// The rules reject what they must: each graph here breaks exactly one.
func TestRulesReject(t *testing.T) {
	tests := []struct {
		name, file, imports, build, want string
	}{
		{"leaf imports the core", "spec/x.go", "m/nn", "", "spec may not import nn"},
		{"core imports a reader", "nn/x.go", "m/nn/onnx", "", "nn may not import nn/onnx"},
		{"bab imports a reader", "bab/x.go", "m/spec/vnnlib", "", "bab may not import spec/vnnlib"},
		{"bab imports a solver back-end", "bab/x.go", "m/solver/lpsolve", "", "bab may not import solver/lpsolve"},
		{"others import a solver back-end", "train/x.go", "m/solver/simplex", "", "train may not import solver/simplex"},
		{"against the arrow", "bounds/x.go", "m/bab", "", "bounds may not import bab"},
		{"readers of each other", "nn/onnx/x.go", "m/spec", "", "nn/onnx may not import spec"},
		{"internal imports the core", "internal/blas/x.go", "m/nn", "", "internal/blas may not import nn"},
		{"reserved internal package", "bounds/x.go", "m/internal/pgd", "", "bounds may not import internal/pgd"},
		{"reserved inside internal", "internal/conv/x.go", "m/internal/digits", "", "internal/conv may not import internal/digits"},
		{"core imports a command", "nn/x.go", "m/cmd/vouch", "", "nn may not import cmd/vouch"},
		{"unknown package", "extra/x.go", "fmt", "", "extra is not in the table"},
		{"reach imports bounds", "reach/x.go", "m/bounds", "", "reach may not import bounds"},
		{"module in the core", "nn/x.go", "gonum.org/v1/gonum/mat", "", "nn may not import gonum.org/v1/gonum/mat"},
		{"module of a like name", "internal/blas/x.go", "gonum.org/v1/gonumx", "", "internal/blas may not import gonum.org/v1/gonumx"},
		{"command line in an example", "examples/quickstart/x.go", "github.com/spf13/cobra", "", "examples/quickstart may not import github.com/spf13/cobra"},
		{"test helper outside tests", "nn/x.go", "github.com/stretchr/testify/require", "", "nn may not import github.com/stretchr/testify/require"},
		{"cgo", "cmd/vouch/x.go", "C", "", "cgo without a build tag"},
		{"cgo by platform only", "cmd/vouch/x.go", "C", "//go:build linux && cgo && !plan9", "cgo without a build tag"},
		{"cgo unless asked", "cmd/vouch/x.go", "C", "//go:build !pure", "cgo without a build tag"},
		{"cgo behind a module", "nn/x_test.go", "gonum.org/v1/netlib/blas/netlib", "", "cgo without a build tag"},
		{"HiGHS unasked", "solver/highs/x.go", "github.com/bartolsthoorn/gohighs/highs", "", "cgo without a build tag"},
		{"lp_solve unless asked", "solver/lpsolve/x.go", "github.com/draffensperger/golp", "//go:build cgo && !highs", "cgo without a build tag"},
		{"library of another back-end", "solver/lpsolve/x.go", "github.com/bartolsthoorn/gohighs/highs", "//go:build lpsolve", "solver/lpsolve may not import github.com/bartolsthoorn/gohighs/highs"},
		{"library in the embedded solver", "solver/simplex/x.go", "github.com/draffensperger/golp", "//go:build lpsolve", "solver/simplex may not import github.com/draffensperger/golp"},
		{"adapter of libraries elsewhere", "solver/simplex/x.go", "m/internal/lpadapter", "", "solver/simplex may not import internal/lpadapter"},
		{"checks of answers elsewhere", "reach/x.go", "m/internal/lpcheck", "", "reach may not import internal/lpcheck"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := violations("m", []file{synthetic(t, tt.file, tt.imports, tt.build)})
			require.Len(t, got, 1)
			require.Contains(t, got[0], tt.want)
			require.Contains(t, got[0], tt.file)
		})
	}
}

// And they accept what the design draws.
func TestRulesAccept(t *testing.T) {
	tests := []struct{ file, imports, build string }{
		{"nn/x.go", "m/internal/blas", ""},
		{"nn/onnx/x.go", "google.golang.org/protobuf/encoding/protowire", ""},
		{"bounds/x.go", "m/spec", ""},
		{"bab/x.go", "m/internal/pgd", ""},
		{"reach/x.go", "m/internal/pgd", ""},
		{"reach/x.go", "m/solver/simplex", ""},
		{"internal/pgd/x.go", "m/nn", ""},
		{"internal/conv/x.go", "m/internal/blas", ""},
		{"internal/blas/x.go", "gonum.org/v1/gonum/blas", ""},
		{"internal/blas/x_test.go", "gonum.org/v1/netlib/blas/netlib", "//go:build openblas"},
		{"solver/highs/x.go", "github.com/bartolsthoorn/gohighs/highs", "//go:build highs"},
		{"solver/highs/x.go", "C", "//go:build highs"},
		{"solver/lpsolve/x.go", "github.com/draffensperger/golp", "//go:build lpsolve"},
		{"solver/lpsolve/x.go", "m/internal/lpadapter", ""},
		{"solver/simplex/x.go", "m/internal/lpcheck", ""},
		{"nn/x_test.go", "m/nn/onnx", ""},
		{"examples/quickstart/x.go", "m/internal/digits", ""},
		{"cmd/vouch/x.go", "github.com/spf13/cobra", ""},
		{"cmd/vouch/x.go", "m/nn/onnx", ""},
	}
	for _, tt := range tests {
		require.Empty(t, violations("m", []file{synthetic(t, tt.file, tt.imports, tt.build)}))
	}
}

// synthetic is a file with one import.
func synthetic(t *testing.T, name, imported, build string) file {
	f := file{name: name, imports: []string{imported}}
	if build != "" {
		expr, err := constraint.Parse(build)
		require.NoError(t, err)
		f.build = expr
	}
	return f
}

// load parses the imports and build constraints of all Go files below root.
func load(t *testing.T, root string) (module string, files []file) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	module = strings.TrimSpace(strings.TrimPrefix(first, "module "))

	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			ignored := d.Name() == "testdata" || d.Name()[0] == '_' || d.Name()[0] == '.'
			if name != root && (ignored || nested == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		f := file{name: filepath.ToSlash(relative), build: buildConstraint(parsed)}
		for _, spec := range parsed.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, p)
		}
		files = append(files, f)
		return nil
	})
	require.NoError(t, err)
	return module, files
}

// buildConstraint is the //go:build line above the package clause.
func buildConstraint(f *ast.File) constraint.Expr {
	for _, group := range f.Comments {
		for _, c := range group.List {
			if c.Pos() < f.Package && constraint.IsGoBuild(c.Text) {
				if expr, err := constraint.Parse(c.Text); err == nil {
					return expr
				}
			}
		}
	}
	return nil
}

// violations is every import that the table does not allow.
func violations(module string, files []file) []string {
	var out []string
	for _, f := range files {
		pkg := path.Dir(f.name)
		report := func(format string, args ...any) {
			out = append(out, f.name+": "+fmt.Sprintf(format, args...))
		}
		if slices.ContainsFunc(f.imports, needsCgo) && !asked(f.build) {
			report("cgo without a build tag")
		}
		if strings.HasSuffix(f.name, "_test.go") {
			continue
		}
		at := slices.IndexFunc(table, func(r rule) bool { return matches(r.packages, pkg) })
		if at < 0 {
			report("package %s is not in the table", pkg)
			continue
		}
		for _, p := range f.imports {
			if name := cmp.Or(strings.TrimPrefix(strings.TrimPrefix(p, module), "/"), "."); !allowed(&table[at], pkg, module, p, name) {
				report("%s may not import %s", pkg, name)
			}
		}
	}
	return out
}

// allowed reports whether pkg, whose line of the table is r, may import p. If
// p is of this module, name is its folder.
func allowed(r *rule, pkg, module, p, name string) bool {
	if p != module && !strings.HasPrefix(p, module+"/") {
		first, _, _ := strings.Cut(p, "/")
		return !strings.Contains(first, ".") || matchesAny(r.modules, p, true) // no dot: standard library, or "C"
	}
	if who, ok := reserved[name]; ok {
		return matchesAny(who, pkg, false)
	}
	return strings.HasPrefix(name, "internal/") || matchesAny(r.may, name, false)
}

func matchesAny(patterns []string, name string, below bool) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return matches(p, name) || below && strings.HasPrefix(name, p+"/")
	})
}

// matches reports whether the pattern stands for name.
func matches(pattern, name string) bool {
	prefix, below := strings.CutSuffix(pattern, "...")
	if below {
		return prefix == "" || strings.HasPrefix(name+"/", prefix)
	}
	return name == pattern
}

func needsCgo(p string) bool { return matchesAny(cgoModules, p, true) }

// asked reports whether a file with this constraint is built only for those who
// ask for it with a tag of ours: with none of ours set, it is left out on every
// platform.
func asked(build constraint.Expr) bool {
	if build == nil {
		return false
	}
	names := platformTags(build, nil)
	for set := range 1 << len(names) {
		on := func(tag string) bool {
			at := slices.Index(names, tag)
			return at >= 0 && set>>at&1 == 1
		}
		if build.Eval(on) {
			return false
		}
	}
	return true
}

// platformTags appends those tags of a constraint that the toolchain sets.
func platformTags(e constraint.Expr, to []string) []string {
	switch e := e.(type) {
	case *constraint.NotExpr:
		return platformTags(e.X, to)
	case *constraint.AndExpr:
		return platformTags(e.Y, platformTags(e.X, to))
	case *constraint.OrExpr:
		return platformTags(e.Y, platformTags(e.X, to))
	case *constraint.TagExpr:
		if slices.Contains(toolchainTags, e.Tag) || strings.HasPrefix(e.Tag, "go1.") {
			return append(to, e.Tag)
		}
	}
	return to
}

// toolchainTags are tags that the toolchain sets by itself.
var toolchainTags = []string{
	"cgo", "gc", "gccgo", "race", "msan", "asan", "unix",
	"linux", "darwin", "windows", "freebsd", "netbsd", "openbsd", "android", "ios", "plan9", "solaris", "aix", "js", "wasip1",
	"amd64", "arm64", "386", "arm", "riscv64", "ppc64le", "s390x", "loong64", "wasm",
}

package apilist

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the lists in the folder api")

const howToUpdate = "If the change is meant: go test ./internal/apilist -update"

// TestAPI compares the module with the lists in the folder api.
func TestAPI(t *testing.T) {
	root := filepath.Join("..", "..")
	listed := filepath.Join(root, "api")
	packages, err := Module(root)
	require.NoError(t, err)
	require.Contains(t, packages, "nn")
	require.Contains(t, packages, "bab")
	if *update {
		require.NoError(t, os.MkdirAll(listed, 0o755))
	}
	seen := map[string]bool{}
	for _, folder := range slices.Sorted(maps.Keys(packages)) {
		name := strings.ReplaceAll(folder, "/", "_") + ".txt"
		seen[name] = true
		want := strings.Join(packages[folder], "\n") + "\n"
		if *update {
			require.NoError(t, os.WriteFile(filepath.Join(listed, name), []byte(want), 0o644))
		}
		text, err := os.ReadFile(filepath.Join(listed, name))
		if err != nil {
			t.Errorf("package %s is new: %v. %s", folder, err, howToUpdate)
			continue
		}
		if changes := difference(strings.Split(strings.TrimSpace(string(text)), "\n"), packages[folder]); changes != "" {
			t.Errorf("what package %s exports is not what api/%s lists:\n%s%s", folder, name, changes, howToUpdate)
		}
	}
	entries, err := os.ReadDir(listed)
	require.NoError(t, err)
	for _, e := range entries {
		if !seen[e.Name()] && *update {
			require.NoError(t, os.Remove(filepath.Join(listed, e.Name())))
		} else if !seen[e.Name()] {
			t.Errorf("api/%s belongs to no package. %s", e.Name(), howToUpdate)
		}
	}
}

// difference is the lines that are gone and the lines that are new.
func difference(was, is []string) string {
	var b strings.Builder
	for _, line := range was {
		if !slices.Contains(is, line) {
			b.WriteString("- " + line + "\n")
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			b.WriteString("+ " + line + "\n")
		}
	}
	return b.String()
}

// TestList: a small module with one of each kind.
func TestList(t *testing.T) {
	packages, err := Module(filepath.Join("testdata", "module"))
	require.NoError(t, err)
	require.Equal(t, []string{"shapes"}, slices.Collect(maps.Keys(packages)), "neither internal packages nor commands")
	assert.Equal(t, strings.Split(strings.TrimSpace(`
const Big untyped int = 1267650600228229401496703205376
const Half untyped float = 1/2
const Red Color = 1
func Map[T any, U ~int | ~string](ctx context.Context, in []T, f func(T) U) (out []U, err error)
func Variadic(names ...string)
method (*Circle) Grow(by float64)
method (*Circle) Promoted() hidden.Thing
method (*Circle) Reset()
method (Circle) Area() float64
method (Circle) String() string
method (Color) String() string
type Alias = []Circle
type Circle struct
type Circle struct, R float64
type Circle struct, embedded fmt.Stringer
type Color int
type Func func(x float64) float64
type List[T any] struct
type List[T any] struct, Items []T
type Number interface
type Number interface, ~float32 | ~float64
type Shape interface
type Shape interface, Area() float64
type Shape interface, String() string
type Shape interface, unexported methods
var ErrFlat error
`), "\n"), packages["shapes"])
}

// TestListRefuses: what callers must know may not come from other modules.
func TestListRefuses(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n"), 0o644))
	write := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.go"), []byte(text), 0o644))
	}
	write("package m\n\nimport \"example.com/other\"\n\nvar x other.Thing\n\nfunc F() int { return other.G(x) }\n")
	packages, err := Module(dir)
	require.NoError(t, err)
	assert.Equal(t, map[string][]string{".": {"func F() int"}}, packages)
	write("package m\n\nimport \"example.com/other\"\n\nfunc F(x other.Thing) {}\n")
	_, err = Module(dir)
	require.ErrorContains(t, err, "func F(x invalid type)")
	write("package m\n\nfunc {")
	_, err = Module(dir)
	require.Error(t, err)
}

func TestDifference(t *testing.T) {
	assert.Empty(t, difference([]string{"a", "b"}, []string{"b", "a"}))
	assert.Equal(t, "- a\n+ c\n", difference([]string{"a", "b"}, []string{"b", "c"}))
}

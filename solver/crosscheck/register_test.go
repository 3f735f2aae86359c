//go:build highs || lpsolve

package crosscheck

import (
	"cmp"
	"slices"

	"github.com/vouchnn/vouch/solver"
)

// register keeps the order of names whatever the order of files.
func register(name string, s solver.Incremental) {
	backends = append(backends, backend{name, s})
	slices.SortFunc(backends[1:], func(a, b backend) int { return cmp.Compare(a.name, b.name) })
}

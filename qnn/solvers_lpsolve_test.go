//go:build lpsolve

package qnn

import "github.com/vouchnn/vouch/solver/lpsolve"

func init() { milps["lpsolve"] = lpsolve.Solver{} }

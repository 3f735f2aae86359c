//go:build lpsolve

package crosscheck

import "github.com/vouchnn/vouch/solver/lpsolve"

func init() { register("lpsolve", lpsolve.Solver{}) }

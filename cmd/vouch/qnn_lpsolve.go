//go:build lpsolve

package main

import (
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/lpsolve"
)

func init() { solvers["lpsolve"] = func() solver.Solver { return lpsolve.Solver{} } }

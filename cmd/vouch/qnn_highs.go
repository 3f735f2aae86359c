//go:build highs

package main

import (
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/highs"
)

func init() { solvers["highs"] = func() solver.Solver { return highs.Solver{} } }

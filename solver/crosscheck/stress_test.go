//go:build highs && lpsolve

package crosscheck

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/highs"
	"github.com/vouchnn/vouch/solver/lpsolve"
	"github.com/vouchnn/vouch/solver/solvertest"
)

func TestStress(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	for name, s := range map[string]solver.Solver{"highs": highs.Solver{}, "lpsolve": lpsolve.Solver{}} {
		t.Run(name, func(t *testing.T) {
			bad, rays, inf := 0, 0, 0
			for seed := range uint64(n) {
				for _, c := range solvertest.Generated(seed+100, 10) {
					got, err := s.Solve(context.Background(), c.Problem, solver.Options{Rays: true})
					if err != nil {
						t.Fatal(err)
					}
					if got.Status == solver.Infeasible {
						inf++
						if got.FarkasRay != nil {
							rays++
						}
					}
					if got.Status != c.Status || c.Status == solver.Optimal && math.Abs(got.Objective-c.Objective) > 1e-7*c.Scale {
						bad++
						fmt.Println(name, seed, c.Name, got.Status, got.Objective, c.Objective, got.Iterations)
					}
				}
			}
			fmt.Println(name, "bad", bad, "rays", rays, "of", inf)
			for seed := range uint64(n) {
				solvertest.Twin(t, s, seed+50, 4000)
			}
		})
	}
}

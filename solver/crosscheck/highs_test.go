//go:build highs

package crosscheck

import "github.com/vouchnn/vouch/solver/highs"

func init() { register("highs", highs.Solver{}) }

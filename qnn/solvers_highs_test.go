//go:build highs

package qnn

import "github.com/vouchnn/vouch/solver/highs"

func init() { milps["highs"] = highs.Solver{} }

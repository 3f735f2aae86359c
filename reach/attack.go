package reach

// The search for counterexamples.
//
// Candidates come from the sets (the input at which a bound is attained), from the
// region's corners and random points, as NNV's falsification has it, and from
// projected gradient descent (internal/pgd). Each is believed only after a replay
// (pgd.Replayer).

import (
	"context"
	"math/rand/v2"

	"github.com/vouchnn/vouch/internal/pgd"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// attacker searches and replays. Not safe for concurrent use.
type attacker struct {
	*pgd.Replayer
	net  nn.Network
	prop *spec.Property
}

func newAttacker(net nn.Network, prop *spec.Property) *attacker {
	return &attacker{pgd.NewReplayer(net, prop), net, prop}
}

// goal is a conjunction of a case that could not be excluded.
type goal struct{ caseIndex, conjunction int }

// attack searches for inputs that satisfy one of the goals: from both corners, from
// the centre and from random points, downhill; every other start minimises the sum of
// the violations, not the greatest. It ends early with ctx.
func (r *attacker) attack(ctx context.Context, goals []goal, o *Options) *spec.Counterexample {
	rng := rand.New(rand.NewPCG(o.Seed, 0x7265616368))
	search := pgd.NewSearcher(r.net)
	widest := 1
	for _, n := range r.net.Nodes() {
		widest = max(widest, n.Shape.Size())
	}
	most := max(1, min(256, (1<<21)/widest))
	var starts []start
	for k := range o.Attack.Restarts {
		for _, g := range goals {
			starts = append(starts, start{g, k})
		}
	}
	for len(starts) > 0 && ctx.Err() == nil {
		batch := starts[:min(most, len(starts))]
		starts = starts[len(batch):]
		if cex := r.descend(ctx, search, batch, o.Attack.Steps, rng); cex != nil {
			return cex
		}
	}
	return nil
}

// start is the k-th start towards a goal.
type start struct {
	goal
	k int
}

func (r *attacker) descend(ctx context.Context, search *pgd.Searcher, starts []start, steps int, rng *rand.Rand) *spec.Counterexample {
	n := r.prop.Inputs
	size := len(starts) * n
	b := &pgd.Batch{Points: len(starts), X: make([]float32, size), Lower: make([]float32, size), Upper: make([]float32, size)}
	boxes := true
	for p, s := range starts {
		region := r.prop.Cases[s.caseIndex].Region
		if _, ok := region.(spec.Box); !ok {
			boxes = false
		}
		box := region.Box()
		for i := range n {
			lo, up := box.Lower[i], box.Upper[i]
			f := rng.Float64()
			switch s.k {
			case 0:
				f = 0.5
			case 1, 2:
				f = float64(s.k - 1)
			}
			b.Lower[p*n+i], b.Upper[p*n+i] = float32(lo), float32(up)
			b.X[p*n+i] = min(max(float32(lo+f*(up-lo)), b.Lower[p*n+i]), b.Upper[p*n+i])
		}
	}
	point := make([]float64, n)
	project := func(p int, xp []float32) {
		for i, v := range xp {
			point[i] = float64(v)
		}
		r.prop.Cases[starts[p].caseIndex].Region.Project(point)
	}
	if !boxes {
		b.Project = func(p int, xp []float32) {
			project(p, xp)
			for i, v := range point {
				xp[i] = float32(v)
			}
		}
	}
	var cex *spec.Counterexample
	loss := func(p int, x, y, gx, gy []float32) float32 {
		s := starts[p]
		c := r.prop.Cases[s.caseIndex].Unsafe[s.conjunction]
		return pgd.Violation(c, s.k%2 == 1 && len(c) > 1, x, y, gx, gy)
	}
	found := func(p int, x, _ []float32, v float32) bool {
		if v > 0 {
			return false
		}
		project(p, x)
		cex = r.Try(point, starts[p].caseIndex)
		return cex != nil
	}
	search.Descend(ctx, b, loss, pgd.Schedule{Steps: steps, First: 0.25, Last: 0.002}, found)
	return cex
}

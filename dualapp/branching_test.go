package dualapp_test

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train/dataset"
)

// Does it help branch and bound on ReLU networks to know which undecided neurons are
// unstable for certain? The rules below multiply the usual score of a neuron, the
// impact of its relaxation, by a factor where it is:
//
//	root     known to lie on both sides in the region, by Unstable, at the root
//	only     the same, and all others are left out as long as there are any
//	samples  known to lie on both sides in the sub-problem: of the inputs that were
//	         tried, those count which are on the right side of every split
//
// docs/dualapp.md has what came out.

// guide is a bab.Branching that knows what occurs.
type guide struct {
	m      *bounds.Model
	factor float64
	only   bool
	marks  [][]bool // by node in front of the activation
	signs  [][]bool // by input that was tried: whether a neuron is positive
	at     []int    // where a node's neurons begin in signs
}

// certain marks the neurons that are known to lie on both sides in a sub-problem.
func (g *guide) certain(splits []bounds.Split) [][]bool {
	if g.signs == nil {
		return g.marks
	}
	var inside [][]bool
	for _, s := range g.signs {
		if !slices.ContainsFunc(splits, func(p bounds.Split) bool { return s[g.at[p.Node]+p.Index] == p.Below }) {
			inside = append(inside, s)
		}
	}
	if len(inside) < 2 {
		return nil
	}
	out := make([][]bool, len(g.marks))
	for j, mark := range g.marks {
		if mark == nil {
			continue
		}
		out[j] = make([]bool, len(mark))
		for k := range mark {
			at := g.at[j] + k
			first := inside[0][at]
			out[j][k] = slices.ContainsFunc(inside[1:], func(s []bool) bool { return s[at] != first })
		}
	}
	return out
}

// Score implements bab.Branching.
func (g *guide) Score(_ context.Context, _ spec.Region, splits []bounds.Split, r *bounds.DomainResult) ([][]float64, error) {
	certain := g.certain(splits)
	nodes := g.m.Network().Nodes()
	out := make([][]float64, len(r.Impact))
	found := false
	for i, impact := range r.Impact {
		if impact == nil {
			continue
		}
		out[i] = slices.Clone(impact)
		j := nodes[i].Inputs[0]
		if j >= len(certain) || certain[j] == nil {
			continue
		}
		for k, v := range impact {
			if certain[j][k] {
				out[i][k] *= g.factor
				found = found || v > 0
			} else if g.only {
				out[i][k] = 0
			}
		}
	}
	if g.only && !found {
		return r.Impact, nil
	}
	return out, nil
}

// newGuide tries inputs: many at random, and for every neuron one step along its gradient
// in either direction.
func newGuide(tb testing.TB, m *bounds.Model, box spec.Box, samples bool) *guide {
	center := make([]float64, len(box.Lower))
	for i, lo := range box.Lower {
		center[i] = 0.5*lo + 0.5*box.Upper[i]
	}
	g := &guide{m: m, factor: 4}
	mc, grad := under(tb, dualapp.MonteCarlo{}, m, center, box), under(tb, dualapp.Gradient{Step: 1}, m, center, box)
	for i := range mc {
		for k := range mc[i].Lower {
			mc[i].Lower[k] = min(mc[i].Lower[k], grad[i].Lower[k])
			mc[i].Upper[k] = max(mc[i].Upper[k], grad[i].Upper[k])
		}
	}
	g.marks = dualapp.Unstable(m, mc)
	if samples {
		g.tryInputs(box, center)
	}
	return g
}

// tryInputs notes the signs of all neurons at corners: random ones, and those that
// the gradients of neurons point to.
func (g *guide) tryInputs(box spec.Box, center []float64) {
	net := g.m.Network()
	e := nn.NewEvaluator[float64](net)
	g.at = make([]int, len(g.marks))
	total := 0
	for j, mark := range g.marks {
		g.at[j] = total
		total += len(mark)
	}
	note := func(x []float64) {
		e.Forward(x, 1)
		s := make([]bool, 0, total)
		for j, mark := range g.marks {
			if mark == nil {
				continue
			}
			for _, v := range e.Value(j) {
				s = append(s, v > 0)
			}
		}
		g.signs = append(g.signs, s)
	}
	note(center)
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, len(center))
	for k := range 1000 {
		for i, lo := range box.Lower {
			f := rng.Float64()
			if k%2 == 0 {
				f = math.Round(f)
			}
			x[i] = lo + f*(box.Upper[i]-lo)
		}
		note(x)
	}
	for j, mark := range g.marks {
		for _, grad := range jacobian(net, j, center, mark) {
			if grad == nil {
				continue
			}
			for _, up := range []bool{false, true} {
				for i, v := range grad {
					x[i] = box.Lower[i]
					if (v > 0) == up {
						x[i] = box.Upper[i]
					}
				}
				note(x)
			}
		}
	}
}

// prefix is the first nodes of a network; the last is the output.
type prefix []nn.Node

func (p prefix) Nodes() []nn.Node { return p }
func (p prefix) Output() int      { return len(p) - 1 }

// jacobian is the gradients of the wanted elements of a node; nil for others.
func jacobian(net nn.Network, node int, x []float64, wanted []bool) [][]float64 {
	if !slices.Contains(wanted, true) {
		return nil
	}
	out := make([][]float64, len(wanted))
	e := nn.NewEvaluator[float64](prefix(net.Nodes()[:node+1]))
	e.Forward(x, 1)
	for k, w := range wanted {
		if w {
			one := make([]float64, len(wanted))
			one[k] = 1
			out[k] = slices.Clone(e.Backward(one, nil))
		}
	}
	return out
}

// question is robustness of a ReLU network at an image.
type question struct {
	net  *nn.Graph
	prop *spec.Property
}

// splitQuestions are robustness of a published network at images that are classified
// correctly, where attack and bounds are not enough.
func splitQuestions(b *testing.B, network, data string, eps float64, images int) []question {
	net, _, err := onnx.ReadFile(filepath.Join(filepath.Dir(dataFolder(b)), network), nil)
	require.NoError(b, err)
	set, err := dataset.Open(data, dataset.Test, "")
	require.NoError(b, err)
	var out []question
	for i := range images {
		x, label := set.Float64(i), int(set.Labels[i])
		y, err := nn.Evaluate(net, x)
		require.NoError(b, err)
		if nn.ArgMax(y) != label {
			continue
		}
		region, err := spec.NewLInfBall(x, eps, unit(len(x)))
		require.NoError(b, err)
		prop := spec.Robustness(region, label, len(y))
		r, err := bab.Verify(b.Context(), net, &prop, bab.Options{Split: bab.SplitNeuron, MaxDomains: 4})
		require.NoError(b, err)
		if r.Verdict == spec.Unknown {
			out = append(out, question{net, &prop})
		}
	}
	return out
}

// BenchmarkBranching is branch and bound with each rule, on questions that take a search.
// Reported are how many are answered within so many sub-problems, the sub-problems and
// seconds spent on all of them, and how often a rule takes fewer or more than the impact
// alone, by a tenth at least.
func BenchmarkBranching(b *testing.B) {
	const most = 600
	for _, c := range []struct {
		network, data string
		eps           float64
		images        int
	}{
		{"vnncomp/2022/mnist_fc/onnx/mnist-net_256x2.onnx.gz", "mnist", 0.04, 150},
		{"vnncomp/2022/mnist_fc/onnx/mnist-net_256x4.onnx.gz", "mnist", 0.018, 100},
		{"nbc/onnx/mnist_conv_small_nat.onnx", "mnist", 0.045, 40},
		{"nbc/onnx/cifar_marabou_small.onnx", "cifar-10", 0.002, 40},
	} {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(c.network), ".gz"), ".onnx")
		b.Run(name, func(b *testing.B) {
			questions := splitQuestions(b, c.network, c.data, c.eps, c.images)
			b.ResetTimer()
			for range b.N {
				compareRules(b, questions, []string{"impact", "root", "only", "samples"}, most)
			}
			b.ReportMetric(float64(len(questions)), "questions")
		})
	}
}

// compareRules reports on rules, the first of which the others are compared with.
func compareRules(b *testing.B, questions []question, rules []string, most int) {
	type tally struct{ answered, domains, fewer, more, seconds float64 }
	sums := make([]tally, len(rules))
	for _, q := range questions {
		first := 0.0
		for i, rule := range rules {
			o := bab.Options{Split: bab.SplitNeuron, Refine: bab.RefineOff, NoAttack: true, MaxDomains: most}
			begin := time.Now()
			if i > 0 {
				o.Branching = ruleOf(b, rule, q)
			}
			r, err := bab.Verify(b.Context(), q.net, q.prop, o)
			require.NoError(b, err)
			t, spent := &sums[i], min(float64(r.Stats.Domains), float64(most))
			t.seconds += time.Since(begin).Seconds()
			t.domains += spent
			if r.Verdict != spec.Unknown {
				t.answered++
			}
			switch {
			case i == 0:
				first = spent
			case spent < 0.9*first:
				t.fewer++
			case spent > 1.1*first:
				t.more++
			}
		}
	}
	for i, rule := range rules {
		for unit, v := range map[string]float64{
			"answered": sums[i].answered, "domains": sums[i].domains, "fewer": sums[i].fewer, "more": sums[i].more, "s": sums[i].seconds,
		} {
			b.ReportMetric(v, rule+"-"+unit)
		}
	}
}

// ruleOf is a rule for a question.
func ruleOf(b *testing.B, rule string, q question) *guide {
	simple, err := nn.Simplify(q.net)
	require.NoError(b, err)
	g := newGuide(b, compile(b, simple), q.prop.Cases[0].Region.Box(), rule == "samples")
	g.only = rule == "only"
	return g
}

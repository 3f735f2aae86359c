package dualapp_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/spec/vnnlib"
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
	few    int      // sub-problems with fewer inputs than two
	asked  int
}

// factors is by how much a neuron's score is multiplied, by node and neuron.
func (g *guide) certain(splits []bounds.Split) [][]bool {
	g.asked++
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
		g.few++
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

// question is a property of a ReLU network that takes a search.
type question struct {
	name string
	net  *nn.Graph
	prop *spec.Property
}

// splitQuestions are properties of the competition, and robustness of other
// published networks at images of MNIST and CIFAR-10.
func splitQuestions(tb testing.TB) []question {
	data := filepath.Dir(dataFolder(tb))
	read := func(elem ...string) (*nn.Graph, string) {
		path := filepath.Join(append([]string{data}, elem...)...)
		net, _, err := onnx.ReadFile(path, nil)
		require.NoError(tb, err)
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".onnx")
		return net, name
	}
	var out []question
	for file, props := range map[string][]string{
		"mnist-net_256x2.onnx.gz": {"6_0.03", "8_0.03", "3_0.05", "7_0.05", "9_0.05", "10_0.05", "11_0.05", "13_0.05", "14_0.05"},
		"mnist-net_256x4.onnx.gz": {"2_0.03", "4_0.03", "6_0.03", "7_0.03", "8_0.03", "9_0.03", "12_0.03"},
	} {
		folder := []string{"vnncomp", "2022", "mnist_fc"}
		net, name := read(append(folder, "onnx", file)...)
		for _, p := range props {
			prop, err := vnnlib.ReadFile(filepath.Join(append(append([]string{data}, folder...), "vnnlib", "prop_"+p+".vnnlib.gz")...))
			require.NoError(tb, err)
			out = append(out, question{name + " " + p, net, prop})
		}
	}
	for _, c := range []struct {
		file, data string
		eps        float64
		images     int
	}{
		{"mnist_conv_small_nat.onnx", "mnist", 0.02, 12},
		{"mnist_cnn_a_adv.onnx", "mnist", 0.12, 12},
		{"cifar_marabou_small.onnx", "cifar-10", 0.004, 12},
	} {
		net, name := read("nbc", "onnx", c.file)
		set, err := dataset.Open(c.data, dataset.Test, "")
		require.NoError(tb, err)
		for i := range c.images {
			x, label := set.Float64(i), int(set.Labels[i])
			region, err := spec.NewLInfBall(x, c.eps, unit(len(x)))
			require.NoError(tb, err)
			prop := spec.Robustness(region, label, nn.OutputShape(net).Size())
			out = append(out, question{fmt.Sprintf("%s %d", name, i), net, &prop})
		}
	}
	slices.SortStableFunc(out, func(a, b question) int { return strings.Compare(a.name, b.name) })
	return out
}

package dualapp_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/spec/vnnlib"
)

// What under-approximated domains know of ReLU networks of the competition: how many
// of the neurons that bounds leave undecided are unstable for certain, and whether
// splitting those pays more than splitting others.

// reluInstance is one property of the competition, at its root.
type reluInstance struct {
	name   string
	m      *bounds.Model
	region spec.Box
	fn     bounds.Functions
}

func reluInstances(t *testing.T) []reluInstance {
	dir := filepath.Join(filepath.Dir(dataFolder(t)), "vnncomp")
	var out []reluInstance
	for _, names := range [][2]string{
		{"2022/mnist_fc/onnx/mnist-net_256x2.onnx.gz", "2022/mnist_fc/vnnlib/prop_6_0.03.vnnlib.gz"},
		{"2022/mnist_fc/onnx/mnist-net_256x4.onnx.gz", "2022/mnist_fc/vnnlib/prop_2_0.03.vnnlib.gz"},
		{"2022/mnist_fc/onnx/mnist-net_256x4.onnx.gz", "2022/mnist_fc/vnnlib/prop_11_0.03.vnnlib.gz"},
		{"2021/marabou-cifar10/nets/cifar10_small.onnx", "2021/marabou-cifar10/specs/networkcifar10_small_index9409_eps0.012_target0_orig9.vnnlib"},
		{"2021/marabou-cifar10/nets/cifar10_small.onnx", "2021/marabou-cifar10/specs/networkcifar10_small_index596_eps0.012_target8_orig7.vnnlib"},
	} {
		at := func(name string) string {
			path := filepath.Join(dir, name)
			if _, err := os.Stat(path); err != nil {
				path += ".gz"
			}
			if _, err := os.Stat(path); err != nil {
				t.Skipf("no %s", path)
			}
			return path
		}
		net, _, err := onnx.ReadFile(at(names[0]), nil)
		require.NoError(t, err)
		simple, err := nn.Simplify(net)
		require.NoError(t, err)
		prop, err := vnnlib.ReadFile(at(names[1]), nil)
		require.NoError(t, err)
		c := &prop.Cases[0]
		out = append(out, reluInstance{filepath.Base(names[1]), compile(t, simple), c.Region.Box(), bounds.PropertyFunctions(c, prop.Inputs, prop.Outputs)})
	}
	return out
}

func (in *reluInstance) center() []float64 {
	x := make([]float64, len(in.region.Lower))
	for i, lo := range in.region.Lower {
		x[i] = 0.5*lo + 0.5*in.region.Upper[i]
	}
	return x
}

// undecided counts the neurons that bounds leave open, and those of them, and of the
// others, that are marked.
func undecided(nodes []bounds.Interval, marks [][]bool) (open, known, wrong int) {
	for i, mark := range marks {
		for k, u := range mark {
			switch o := nodes[i].Lower[k] < 0 && nodes[i].Upper[k] > 0; {
			case o && u:
				open++
				known++
			case o:
				open++
			case u:
				wrong++
			}
		}
	}
	return open, known, wrong
}

func TestUnstableOnReLUNetworks(t *testing.T) {
	for _, in := range reluInstances(t) {
		x := in.center()
		q := &bounds.Query{Domains: []bounds.Domain{{Region: in.region}}, Functions: in.fn, Impact: true}
		crown := bound(t, bounds.Crown{}, in.m, q)
		mc := under(t, dualapp.MonteCarlo{}, in.m, x, in.region)
		grad := under(t, dualapp.Gradient{Step: 1}, in.m, x, in.region)
		both := make([]bounds.Interval, len(mc))
		for i := range mc {
			if mc[i].Lower == nil {
				continue
			}
			both[i] = bounds.Interval{Lower: slices.Clone(mc[i].Lower), Upper: slices.Clone(mc[i].Upper)}
			for k := range both[i].Lower {
				both[i].Lower[k] = min(both[i].Lower[k], grad[i].Lower[k])
				both[i].Upper[k] = max(both[i].Upper[k], grad[i].Upper[k])
			}
		}
		for _, u := range []struct {
			name  string
			under []bounds.Interval
		}{{"Monte Carlo", mc}, {"gradient", grad}, {"both", both}} {
			open, known, wrong := undecided(crown.Nodes, dualapp.Unstable(in.m, u.under))
			assert.LessOrEqual(t, wrong, 1, "values on both sides, and decided: at most by single precision")
			t.Logf("%s: CROWN leaves %d open, %d of them are unstable by %s", in.name, open, known, u.name)
		}
		if len(crown.Nodes[0].Lower) == 784 && !testing.Short() { // convolutions would take too long
			alpha := bound(t, bounds.Alpha{}, in.m, q)
			open, known, wrong := undecided(alpha.Nodes, dualapp.Unstable(in.m, both))
			assert.LessOrEqual(t, wrong, 1)
			t.Logf("%s: α-CROWN leaves %d open, %d of them are unstable by both", in.name, open, known)
		}
		in.compareSplits(t, &crown, dualapp.Unstable(in.m, both))
		guided := *q
		guided.Domains = []bounds.Domain{{Region: in.region, Under: both}}
		dual := bound(t, bounds.Crown{Relaxer: dualapp.Dual{}}, in.m, &guided)
		t.Logf("%s: worst bound %.3f with the default's lower slopes, %.3f with slopes by what occurs", in.name, slices.Min(crown.Lower), slices.Min(dual.Lower))
	}
}

// compareSplits splits each of the neurons that the usual score ranks highest, and
// tells how much the worst bound of both halves gains, for neurons known to be
// unstable and for the others.
func (in *reluInstance) compareSplits(t *testing.T, root *bounds.DomainResult, marks [][]bool) {
	type candidate struct {
		node, index int
		score       float64
	}
	var all []candidate
	nodes := in.m.Network().Nodes()
	for i, impact := range root.Impact {
		if impact == nil {
			continue
		}
		j := nodes[i].Inputs[0]
		for k, v := range impact {
			if root.Nodes[j].Lower[k] < 0 && root.Nodes[j].Upper[k] > 0 {
				all = append(all, candidate{j, k, v})
			}
		}
	}
	slices.SortFunc(all, func(a, b candidate) int { return int(math.Copysign(1, b.score-a.score)) })
	n := 24
	if testing.Short() {
		n = 2
	}
	all = all[:min(n, len(all))]
	q := &bounds.Query{Functions: in.fn, Domains: []bounds.Domain{{Region: in.region}}} // the root as well
	for _, c := range all {
		for side := range 2 {
			known := slices.Clone(root.Nodes)
			known[c.node] = bounds.Interval{Lower: slices.Clone(known[c.node].Lower), Upper: slices.Clone(known[c.node].Upper)}
			if side == 0 {
				known[c.node].Upper[c.index] = 0
			} else {
				known[c.node].Lower[c.index] = 0
			}
			q.Domains = append(q.Domains, bounds.Domain{Region: in.region, Known: known, Splits: []bounds.Split{{Node: c.node, Index: c.index, Below: side == 0}}})
		}
	}
	res, err := bounds.AlphaBeta{Iterations: 10}.Bound(t.Context(), in.m, q)
	require.NoError(t, err)
	before := slices.Min(res[0].Lower)
	var gain, halves [2]float64
	var count [2]int
	for i, c := range all {
		a, b := slices.Min(res[2*i+1].Lower)-before, slices.Min(res[2*i+2].Lower)-before
		m := 0
		if marks[c.node][c.index] {
			m = 1
		}
		count[m]++
		gain[m] += min(a, b)
		halves[m] += min(max(a, b), 1e3)
	}
	for m, what := range []string{"not known to be unstable", "unstable"} {
		if count[m] > 0 {
			t.Logf("%s: of the %d best splits, %d are %s; the worse half gains %.4f, the better one %.4f on average", in.name, len(all), count[m], what,
				gain[m]/float64(count[m]), halves[m]/float64(count[m]))
		}
	}
}

package dualapp_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train/dataset"
)

// released is the rule of DualApp's released code, which is unsound: where the
// chord is one of the lines over an interval that holds 0, the other is the tangent
// at l′ (or u′), whatever d2 (or d1) is; at 0 if l′ ≥ 0 (u′ ≤ 0). Read for facts in
// github.com/13luoyu/DualApp. For comparison with its logs, never for claims.
type released struct {
	cuts *cut // the worst line that cuts the curve, if asked for
}

// cut is a line that crosses its curve.
type cut struct {
	over, under bounds.Range
	line        string
	at, by      float64
}

func (r released) Relax(f nn.Elementwise, over bounds.Range, under *bounds.Range) (bounds.Lines, bool) {
	lines, ok := dualapp.Dual{}.Relax(f, over, under)
	if !ok || over.Lower >= 0 || over.Upper <= 0 {
		return lines, ok
	}
	k := (f.Value(over.Upper) - f.Value(over.Lower)) / (over.Upper - over.Lower)
	caseI := f.Derivative(over.Lower) < k && k < f.Derivative(over.Upper)
	caseII := f.Derivative(over.Lower) > k && k > f.Derivative(over.Upper)
	switch {
	case caseI:
		t := min(under.Lower, 0)
		lines.LowerSlope = f.Derivative(t)
		lines.LowerIntercept = f.Value(t) - lines.LowerSlope*t
		r.note(cut{over, *under, "lower", over.Upper, lines.LowerSlope*over.Upper + lines.LowerIntercept - f.Value(over.Upper)})
	case caseII:
		t := max(under.Upper, 0)
		lines.UpperSlope = f.Derivative(t)
		lines.UpperIntercept = f.Value(t) - lines.UpperSlope*t
		r.note(cut{over, *under, "upper", over.Lower, f.Value(over.Lower) - lines.UpperSlope*over.Lower - lines.UpperIntercept})
	}
	return lines, true
}

func (r released) note(c cut) {
	if r.cuts != nil && c.by > r.cuts.by {
		*r.cuts = c
	}
}

// On every network and image of the logs, at the logged radius, no line of the
// released rule cuts its curve: behind a first layer the under-approximated domain
// lies in the middle of the exact one. So the logs hold in spite of the rule.
func TestReleasedRuleIsSoundOnTheLogs(t *testing.T) {
	dir := dataFolder(t)
	for _, g := range readGolden(t, dir) {
		m, v := g.model(t, dir), g.verifier()
		n := len(g.tasks)
		if testing.Short() {
			n = 5
		}
		e := v.Under.For(m)
		for i := range n {
			worst := worstCut(t, m, e, g.tasks[i].Center, g.logged[i])
			assert.Zero(t, worst.by, "%s image %d: %+v", g.network, g.sample[i], worst)
		}
	}
}

// Behind more layers it is not, and the rule cuts curves of real networks.
func TestReleasedRuleCutsCurves(t *testing.T) {
	dir := dataFolder(t)
	set, err := dataset.ReadIDX(filepath.Join(dir, "images", "fashion_mnist_first100_jpegdecoded.idx"), filepath.Join(dir, "images", "fashion_mnist_first100_labels.idx"))
	require.NoError(t, err)
	for _, c := range []struct {
		network string
		radius  float64 // about where DualApp's proofs end, on average
		images  []int
	}{{"fashion_mnist_ffnn_3x50", 0.01, []int{6, 30}}, {"fashion_mnist_ffnn_3x100", 0.008, []int{18, 39}}} {
		net, _, err := onnx.ReadFile(filepath.Join(dir, "onnx", "trained_network", c.network+".onnx"), nil)
		require.NoError(t, err)
		m := compile(t, net)
		e := dualapp.MonteCarlo{}.For(m)
		var worst cut
		image := -1
		for _, i := range c.images {
			if w := worstCut(t, m, e, set.Float64(i), c.radius); w.by > worst.by {
				worst, image = w, i
			}
		}
		t.Logf("%s image %d radius %g: %s line over [%.5f, %.5f], under [%.5f, %.5f], cuts the curve by %.3g at %.5f", c.network, image, c.radius,
			worst.line, worst.over.Lower, worst.over.Upper, worst.under.Lower, worst.under.Upper, worst.by, worst.at)
		assert.Positive(t, worst.by)
	}
}

// worstCut is the worst line of the released rule on the ball around an input.
func worstCut(t *testing.T, m *bounds.Model, e dualapp.Estimator, x []float64, radius float64) cut {
	t.Helper()
	region, err := spec.NewLInfBall(x, radius, nil)
	require.NoError(t, err)
	local, err := e.At(t.Context(), x)
	require.NoError(t, err)
	under, err := local.Under(t.Context(), region)
	require.NoError(t, err)
	var worst cut
	_, err = bounds.Crown{Relaxer: released{&worst}}.Bound(t.Context(), m, &bounds.Query{
		Domains: []bounds.Domain{{Region: region, Under: under}}, Functions: bounds.Functions{Output: make([]float64, nn.OutputShape(m.Network()).Size())},
	})
	require.NoError(t, err)
	return worst
}

package main

// Figures 4 to 6: the lines that each method draws around the activation of one
// neuron, and how far they lie from it over the values that occur.

import (
	"context"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/internal/figure"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// rules are the methods whose lines are drawn.
var rules = []struct {
	name    string
	relaxer bounds.Relaxer
}{
	{"DualApp", dualapp.Dual{}},
	{"NeWise", bounds.NeWiseLines{}},
	{"DeepCert", bounds.DeepCertLines{}},
	{"VeriNet", bounds.VeriNetLines{}},
	{"RobustVerifier", bounds.RobustVerifierLines{}},
	{"DeepPoly", bounds.DeepPolyLines{}},
	{"CROWN", bounds.CrownLines{}},
}

// neuron is an activation with its two domains.
type neuron struct {
	node, index int // of the pre-activation
	f           nn.Elementwise
	over, under bounds.Range
}

func lines(ctx context.Context, w io.Writer, s settings, one *subject) error {
	n, err := one.interestingNeuron(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "3. Lines. Neuron %d of node %d of %s, %s: its input lies in [%.4f, %.4f] by bounds,\n", n.index, n.node, one.name,
		n.f.Kind(), n.over.Lower, n.over.Upper)
	fmt.Fprintf(w, "   and took values in [%.4f, %.4f] at 1,000 samples. Here DualApp gains most on VeriNet.\n   How far apart a method's two lines are over these values, on average:\n\n", n.under.Lower, n.under.Upper)
	for _, r := range rules {
		fmt.Fprintf(w, "   %-15s %.5f\n", r.name, n.gap(r.relaxer))
	}
	file := filepath.Join(s.out, "lines.png")
	if err := n.draw(file); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n   The lines: %s\n\n", file)
	return nil
}

// gap is how far apart the lines of a rule are over the values that occur, on
// average: at their middle.
func (n *neuron) gap(r bounds.Relaxer) float64 {
	l := n.lines(r)
	m := 0.5*n.under.Lower + 0.5*n.under.Upper
	return (l.UpperSlope-l.LowerSlope)*m + l.UpperIntercept - l.LowerIntercept
}

func (n *neuron) lines(r bounds.Relaxer) bounds.Lines {
	l, ok := r.Relax(n.f, n.over, &n.under)
	if !ok {
		l = bounds.Relax(n.f, n.over)
	}
	return l
}

// interestingNeuron is, of the first image at twice its certified radius, the
// neuron at which DualApp's lines gain most on those of least area.
func (s *subject) interestingNeuron(ctx context.Context) (neuron, error) {
	var v dualapp.Verifier
	radii, err := v.Radii(ctx, s.model, s.tasks[:1], dualapp.Search{Tolerance: tolerance})
	if err != nil {
		return neuron{}, err
	}
	x := s.tasks[0].Center
	region, err := spec.NewLInfBall(x, 2*radii[0].Proved, nil)
	if err != nil {
		return neuron{}, err
	}
	local, err := dualapp.MonteCarlo{}.For(s.model).At(ctx, x)
	if err != nil {
		return neuron{}, err
	}
	under, err := local.Under(ctx, region)
	if err != nil {
		return neuron{}, err
	}
	outputs := nn.OutputShape(s.model.Network()).Size()
	res, err := bounds.Crown{Relaxer: dualapp.Dual{}}.Bound(ctx, s.model, &bounds.Query{
		Domains: []bounds.Domain{{Region: region, Under: under}}, Functions: bounds.Functions{Output: make([]float64, outputs)},
	})
	if err != nil {
		return neuron{}, err
	}
	var best neuron
	score := math.Inf(-1)
	nodes := s.model.Network().Nodes()
	for _, i := range s.model.Nonlinear() {
		f, ok := nodes[i].Op.(nn.Elementwise)
		if !ok {
			continue
		}
		j := nodes[i].Inputs[0]
		for k, lo := range res[0].Nodes[j].Lower {
			n := neuron{j, k, f, bounds.Range{Lower: lo, Upper: res[0].Nodes[j].Upper[k]}, bounds.Range{Lower: under[j].Lower[k], Upper: under[j].Upper[k]}}
			if v := n.gap(bounds.VeriNetLines{}) - n.gap(dualapp.Dual{}); v > score {
				best, score = n, v
			}
		}
	}
	if best.f == nil {
		return best, fmt.Errorf("%s: has no activations", s.name)
	}
	return best, nil
}

// draw writes the picture: the lines, and how far each lies from the activation.
func (n *neuron) draw(file string) error {
	p, gaps, names := figure.New(), figure.New(), figure.Legend()
	p.Title.Text = fmt.Sprintf("%s over [%.2f, %.2f]; values in [%.2f, %.2f] occur", n.f.Kind(), n.over.Lower, n.over.Upper, n.under.Lower, n.under.Upper)
	p.Y.Label.Text, gaps.Y.Label.Text = "activation", "line minus activation"
	curve := plotter.NewFunction(n.f.Value)
	curve.Width, curve.Samples = vg.Points(2.5), 400
	p.Add(curve)
	names.Legend.Add(n.f.Kind(), curve)
	lo, up := n.f.Value(n.over.Lower), n.f.Value(n.over.Upper)
	margin := 0.25 * (up - lo)
	p.Y.Min, p.Y.Max = lo-margin, up+margin
	for k, r := range rules {
		l := n.lines(r.relaxer)
		style := draw.LineStyle{Color: figure.Color(k), Width: vg.Points(1.4), Dashes: plotutil.Dashes(k)}
		for side, line := range [][2]float64{{l.UpperSlope, l.UpperIntercept}, {l.LowerSlope, l.LowerIntercept}} {
			value := func(x float64) float64 { return line[0]*x + line[1] }
			drawn, apart := plotter.NewFunction(value), plotter.NewFunction(func(x float64) float64 { return value(x) - n.f.Value(x) })
			drawn.LineStyle, drawn.Samples, apart.LineStyle, apart.Samples = style, 2, style, 200
			p.Add(drawn)
			gaps.Add(apart)
			if side == 0 {
				names.Legend.Add(r.name, drawn)
			}
		}
		gaps.Y.Max = max(gaps.Y.Max, n.gap(r.relaxer))
	}
	gaps.Y.Min = -gaps.Y.Max
	for _, q := range []*plot.Plot{p, gaps} {
		q.X.Label.Text, q.X.Min, q.X.Max = "pre-activation", n.over.Lower, n.over.Upper
		if err := n.mark(q); err != nil {
			return err
		}
	}
	names.Legend.ThumbnailWidth = vg.Points(32)
	return save(file, 11*vg.Inch, 3.8*vg.Inch, p, gaps, names)
}

// mark draws the ends of what occurs.
func (n *neuron) mark(p *plot.Plot) error {
	for _, x := range []float64{n.under.Lower, n.under.Upper} {
		edge, err := plotter.NewLine(plotter.XYs{{X: x, Y: p.Y.Min}, {X: x, Y: p.Y.Max}})
		if err != nil {
			return err
		}
		edge.LineStyle = draw.LineStyle{Color: color.Gray{Y: 120}, Width: vg.Points(1), Dashes: []vg.Length{vg.Points(2), vg.Points(3)}}
		p.Add(edge)
	}
	return nil
}

// save writes plots in a row as one picture.
func save(file string, width, height vg.Length, plots ...*plot.Plot) error {
	picture, err := figure.Render(file, width, height, plots)
	if err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}

package main

import (
	"context"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/examples/unittest"
	"github.com/vouchnn/vouch/internal/figure"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// A picture of a proof: the boxes in which it was found, on the map of what the network
// decides. The boxes come from a Bounder around another, which sees all that is asked.

// watcher is a Bounder that keeps the boxes in which another proved everything.
type watcher struct {
	bounds.Bounder
	proved *[]spec.Box
}

// Bound implements bounds.Bounder.
func (w watcher) Bound(ctx context.Context, m *bounds.Model, q *bounds.Query) ([]bounds.DomainResult, error) {
	out, err := w.Bounder.Bound(ctx, m, q)
	for i := range out {
		if allPositive(out[i].Lower) {
			*w.proved = append(*w.proved, q.Domains[i].Region.Box())
		}
	}
	return out, err
}

// drawProof proves that the network brakes within a distance, and draws how.
func drawProof(ctx context.Context, file string, distance float64) error {
	net, err := unittest.Load()
	if err != nil {
		return err
	}
	p := figure.New()
	p.X.Label.Text, p.Y.Label.Text = "distance, m", "speed, m/s"
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 100, 0, 40
	if err := addMap(p, net); err != nil {
		return err
	}
	box, err := spec.NewBox([]float64{0, 20, 0}, []float64{distance, 40, 1})
	if err != nil {
		return err
	}
	property := spec.Robustness(box, unittest.Brake, unittest.Classes)
	var proved []spec.Box
	if _, err := verify(ctx, net, &property, watcher{bounds.Crown{}, &proved}, widest); err != nil {
		return err
	}
	for i, b := range proved {
		outline, err := plotter.NewPolygon(plotter.XYs{
			{X: b.Lower[0], Y: b.Lower[1]}, {X: b.Upper[0], Y: b.Lower[1]}, {X: b.Upper[0], Y: b.Upper[1]}, {X: b.Lower[0], Y: b.Upper[1]},
		})
		if err != nil {
			return err
		}
		outline.LineStyle.Color, outline.LineStyle.Width = figure.Color(0), vg.Points(1)
		p.Add(outline)
		if i == 0 {
			p.Legend.Add("proved", outline)
		}
	}
	picture, err := figure.Render(file, 16*vg.Centimeter, 10*vg.Centimeter, []*plot.Plot{p})
	if err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}

// addMap adds a dot for each situation of a grid in which the network brakes: on a dry
// road, and where it brakes on a wet one alone.
func addMap(p *plot.Plot, net nn.Network) error {
	for k, wetness := range []float64{1, 0} {
		var xy plotter.XYs
		for x := 1.0; x < 100; x += 2 {
			for y := 0.5; y < 40; y++ {
				class, err := unittest.Decide(net, x, y, wetness)
				if err != nil {
					return err
				}
				if class == unittest.Brake {
					xy = append(xy, plotter.XY{X: x, Y: y})
				}
			}
		}
		dots, err := plotter.NewScatter(xy)
		if err != nil {
			return err
		}
		dots.Shape, dots.Radius, dots.Color = draw.CircleGlyph{}, vg.Points(1.4), color.Gray{200}
		if k == 1 {
			dots.Color = color.Gray{110}
		}
		p.Add(dots)
		p.Legend.Add([]string{"brakes if wet", "brakes"}[k], dots)
	}
	return nil
}

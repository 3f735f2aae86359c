package main

// The picture: CROWN with the parallel lines of relaxer.go beside CROWN as it comes, by
// radius: the least margin that is proved without splitting, and how many sub-problems
// branch and bound needs with either.

import (
	"context"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/internal/figure"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// compared are the two ways, by their names.
var compared = []struct {
	name    string
	bounder bounds.Crown
}{
	{"parallel lines", bounds.Crown{Relaxer: parallel{}}},
	{"CROWN's lines", bounds.Crown{}},
}

// enough ends a search: what is open then counts with so many sub-problems.
const enough = 3000

// draw writes the picture to a file.
func draw(ctx context.Context, file string, net nn.Network, count int, radii []float64) error {
	margin, work := figure.New(), figure.New()
	margin.X.Label.Text, work.X.Label.Text = "radius", "radius"
	margin.Y.Label.Text = "least margin proved, mean"
	work.Y.Label.Text = "sub-problems, mean"
	work.Y.Min = 0
	key := figure.Legend()
	for k, way := range compared {
		var margins, counts plotter.XYs
		for _, radius := range radii {
			m, err := meanMargin(ctx, net, way.bounder, count, radius)
			if err != nil {
				return err
			}
			n, err := subproblems(ctx, net, way.bounder, count, radius)
			if err != nil {
				return err
			}
			margins, counts = append(margins, plotter.XY{X: radius, Y: m}), append(counts, plotter.XY{X: radius, Y: n})
		}
		for _, c := range []struct {
			on *plot.Plot
			xy plotter.XYs
		}{{margin, margins}, {work, counts}} {
			line, dots, err := plotter.NewLinePoints(c.xy)
			if err != nil {
				return err
			}
			line.Color, line.Width, dots.Color = figure.Color(k), vg.Points(1.5), figure.Color(k)
			c.on.Add(line, dots)
			if c.on == margin {
				key.Legend.Add(way.name, line, dots)
			}
		}
	}
	zero := plotter.NewFunction(func(float64) float64 { return 0 })
	zero.Color = color.Gray{120}
	margin.Add(zero)
	picture, err := figure.Render(file, 24*vg.Centimeter, 8*vg.Centimeter, []*plot.Plot{margin, work, key})
	if err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}

// subproblems is the mean number of sub-problems for the questions that are not
// violated, 0 if all are.
func subproblems(ctx context.Context, net nn.Network, b bounds.Bounder, count int, radius float64) (float64, error) {
	asked, err := questions(net, count, radius)
	if err != nil {
		return 0, err
	}
	sum, n := 0, 0
	for i := range asked {
		res, err := bab.Verify(ctx, net, &asked[i], bab.Options{Bounder: b, Split: bab.SplitNeuron, MaxDomains: enough})
		if err != nil {
			return 0, err
		}
		if res.Reason == spec.ReasonCancelled {
			return 0, ctx.Err()
		}
		if res.Verdict != spec.Falsified {
			sum += res.Stats.Domains
			n++
		}
	}
	return float64(sum) / float64(max(n, 1)), nil
}

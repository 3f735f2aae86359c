package main

// Figure 9: the certified radius against the number of samples of Monte Carlo and
// against the step length of the gradient.

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/internal/figure"
)

var (
	sampleCounts = []int{1, 3, 10, 30, 100, 300, 1000, 3000}
	stepLengths  = []float64{0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95}
)

func sweep(ctx context.Context, w io.Writer, s settings, one *subject) error {
	fmt.Fprintf(w, "4. Sweep. Mean radius of DualApp on %s, times 100,000.\n\n", one.name)
	counts := make(plotter.XYs, len(sampleCounts))
	fmt.Fprintf(w, "   samples ")
	for k, n := range sampleCounts {
		fmt.Fprintf(w, " %7d", n)
		v := dualapp.Verifier{Under: dualapp.MonteCarlo{Samples: n, Seed: s.seed}, Bounder: bounds.Crown{Relaxer: dualapp.Dual{}}}
		mean, _, err := one.meanRadius(ctx, v, one.tasks)
		if err != nil {
			return err
		}
		counts[k] = plotter.XY{X: float64(n), Y: mean}
	}
	writeMeans(w, "radius  ", counts)
	lengths := make(plotter.XYs, len(stepLengths))
	fmt.Fprintf(w, "\n   step    ")
	for k, a := range stepLengths {
		fmt.Fprintf(w, " %7.2f", a)
		v := dualapp.Verifier{Under: dualapp.Gradient{Step: a}, Bounder: bounds.Crown{Relaxer: dualapp.Dual{}}}
		mean, _, err := one.meanRadius(ctx, v, one.tasks)
		if err != nil {
			return err
		}
		lengths[k] = plotter.XY{X: a, Y: mean}
	}
	writeMeans(w, "radius  ", lengths)
	first, second := filepath.Join(s.out, "samples.png"), filepath.Join(s.out, "steps.png")
	if err := drawMeans(first, one.name+", Monte Carlo", "samples", counts, true); err != nil {
		return err
	}
	if err := drawMeans(second, one.name+", gradient", "step, as a fraction of the radius", lengths, false); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n   The same as pictures: %s, %s\n", first, second)
	return nil
}

func writeMeans(w io.Writer, title string, xy plotter.XYs) {
	fmt.Fprintf(w, "\n   %s", title)
	for _, p := range xy {
		fmt.Fprintf(w, " %7.1f", 1e5*p.Y)
	}
	fmt.Fprintln(w)
}

// drawMeans draws a curve through points; logarithmic only where all x > 0.
func drawMeans(file, title, label string, xy plotter.XYs, logarithmic bool) error {
	p := figure.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, label, "mean certified radius"
	line, points, err := plotter.NewLinePoints(xy)
	if err != nil {
		return err
	}
	line.Color, points.Color, points.Shape = figure.Color(0), figure.Color(0), draw.CircleGlyph{}
	p.Add(line, points)
	if logarithmic {
		figure.Logarithmic(&p.X)
	}
	return save(file, 5*vg.Inch, 3.5*vg.Inch, p)
}

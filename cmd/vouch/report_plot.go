package main

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/vouchnn/vouch/internal/figure"
)

// Plots of the report, drawn by gonum/plot as SVG that stands in the page.
//
// The cactus plot shows how many instances a run solves within each time limit:
// a curve that is higher and further left is better. The scatter plot compares
// two runs instance by instance; points below the diagonal are where the second
// is faster. Axes of time are logarithmic, and times below quickest are drawn
// there: they are noise, and a logarithm needs a positive number.
//
// No name from a file is drawn: runs are told apart by colours, and the page
// around the plot says which is whose.

const quickest = 1e-3 // seconds

// cssColor is a colour as a style sheet has it.
func cssColor(c color.RGBA) template.CSS {
	return template.CSS(fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B))
}

// cactus draws the number of instances solved over time, a curve for each run;
// seconds[i] are the sorted times of what run i solved.
func cactus(seconds [][]float64, width, height vg.Length) (template.HTML, error) {
	p := figure.New()
	longest, most := quickest, 1
	for _, s := range seconds {
		if n := len(s); n > 0 {
			longest, most = max(longest, s[n-1]), max(most, n)
		}
	}
	p.X.Min, p.X.Max = quickest, decadeAbove(longest)
	p.Y.Min, p.Y.Max = 0, 1.04*float64(most)
	p.X.Label.Text, p.Y.Label.Text = "time limit, s", "instances solved"
	figure.Logarithmic(&p.X)
	for i, s := range seconds {
		points := plotter.XYs{{X: quickest}}
		for k, v := range s {
			points = append(points, plotter.XY{X: max(v, quickest), Y: float64(k + 1)})
		}
		points = append(points, plotter.XY{X: p.X.Max, Y: float64(len(s))})
		line, err := plotter.NewLine(points)
		if err != nil {
			return "", err
		}
		line.StepStyle = plotter.PostStep
		line.Color, line.Width = figure.Color(i), vg.Points(1.5)
		if round := i / len(figure.Palette); round > 0 {
			line.Dashes = []vg.Length{vg.Points(float64(2 + 3*round)), vg.Points(2)}
		}
		p.Add(line)
	}
	return svg(p, width, height)
}

// scatter draws each instance at its times in two runs. What a run did not
// solve is at +Inf and drawn beyond the longest time, on the plot's edge.
func scatter(times [][2]float64, first, second string, width, height vg.Length) (template.HTML, error) {
	p := figure.New()
	longest := quickest
	for _, t := range times {
		for _, v := range t {
			if !math.IsInf(v, 1) {
				longest = max(longest, v)
			}
		}
	}
	edge := decadeAbove(longest)
	points := make(plotter.XYs, len(times))
	for i, t := range times {
		points[i] = plotter.XY{X: min(max(t[0], quickest), edge), Y: min(max(t[1], quickest), edge)}
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = quickest, edge, quickest, edge
	p.X.Label.Text, p.Y.Label.Text = shortLabel(first)+", s", shortLabel(second)+", s"
	figure.Logarithmic(&p.X)
	figure.Logarithmic(&p.Y)
	diagonal, err := plotter.NewLine(plotter.XYs{{X: quickest, Y: quickest}, {X: edge, Y: edge}})
	if err != nil {
		return "", err
	}
	diagonal.Color = color.Gray{160}
	p.Add(diagonal)
	if len(points) > 0 {
		dots, err := plotter.NewScatter(points)
		if err != nil {
			return "", err
		}
		dots.Color, dots.Radius = figure.Color(0), vg.Points(2)
		p.Add(dots)
	}
	return svg(p, width, height)
}

// shortLabel is a run's label, cut to what an axis has room for.
func shortLabel(label string) string {
	const room = 24
	if runes := []rune(label); len(runes) > room {
		return string(runes[:room-1]) + "…"
	}
	return label
}

// decadeAbove is the least power of ten above v, which is at least quickest.
func decadeAbove(v float64) float64 {
	return math.Pow(10, math.Floor(math.Log10(v)+1e-12)+1)
}

// svg draws p as an element for the page.
func svg(p *plot.Plot, width, height vg.Length) (template.HTML, error) {
	canvas := vgsvg.New(width, height)
	p.Draw(draw.New(canvas))
	var buf bytes.Buffer
	if _, err := canvas.WriteTo(&buf); err != nil {
		return "", err
	}
	_, element, ok := bytes.Cut(buf.Bytes(), []byte("<svg"))
	if !ok {
		return "", errors.New("internal error: no <svg> in the plot")
	}
	return template.HTML("<svg" + string(element)), nil
}

// solvedTimes are the sorted times of the outcomes that count as solved.
func solvedTimes(outcomes []*outcome) []float64 {
	var out []float64
	for _, o := range outcomes {
		if o != nil && o.solved() {
			out = append(out, o.Runtime)
		}
	}
	slices.Sort(out)
	return out
}

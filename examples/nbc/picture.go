package main

// The picture: for each method the share of ReLUs that are known to be on or off, and
// that of images that are proved.

import (
	"fmt"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/vouchnn/vouch/internal/figure"
	"github.com/vouchnn/vouch/train/eval"
)

// draw writes the picture of a table to a file.
func draw(file string, columns []eval.Column) error {
	stable, err := bars("stable ReLUs (%)", columns, func(s eval.Summary) float64 { return s.Stable })
	if err != nil {
		return err
	}
	proved, err := bars("images proved (%)", columns, func(s eval.Summary) float64 { return s.Unsat })
	if err != nil {
		return err
	}
	stable.Legend = plot.NewLegend() // one is enough
	picture, err := figure.Render(file, 20*vg.Centimeter, 8*vg.Centimeter, []*plot.Plot{stable, proved})
	if err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}

// bars draws a number of each method and radius: a group of bars for a method, a colour
// for a radius.
func bars(title string, columns []eval.Column, number func(eval.Summary) float64) (*plot.Plot, error) {
	p := figure.New()
	p.Y.Label.Text = title
	p.Y.Min, p.Y.Max = 0, 120 // room for the legend
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Method
	}
	p.NominalX(names...)
	p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign = 0.5, -1
	radii := columns[0].Summaries
	width := vg.Points(22) / vg.Length(len(radii))
	for k, r := range radii {
		values := make(plotter.Values, len(columns))
		for i, c := range columns {
			values[i] = number(c.Summaries[k])
		}
		chart, err := plotter.NewBarChart(values, width)
		if err != nil {
			return nil, err
		}
		chart.Color, chart.LineStyle.Width = figure.Color(k), 0
		chart.Offset = width * (vg.Length(k) - vg.Length(len(radii)-1)/2)
		p.Add(chart)
		p.Legend.Add(fmt.Sprintf("ε = %g", r.Epsilon), chart)
	}
	p.X.Min, p.X.Max = -0.5, float64(len(columns))-0.5
	p.Legend.Top = true
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 25}, {Value: 50, Label: "50"}, {Value: 75}, {Value: 100, Label: "100"}}
	return p, nil
}

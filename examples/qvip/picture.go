package main

import (
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/vouchnn/vouch/internal/figure"
)

// The picture: of each network the share of images that are proved robust at a radius,
// from the lower ends of their maximum robust radii.

// draw writes the picture to a file.
func draw(file string, subjects []subject) error {
	p := figure.New()
	p.X.Label.Text, p.Y.Label.Text = "radius, levels of a pixel", "images proved robust (%)"
	top := 0
	for _, s := range subjects {
		for _, r := range s.proved {
			top = max(top, r)
		}
	}
	key := figure.Legend()
	for i, s := range subjects {
		var xy plotter.XYs
		for r := range top + 2 {
			robust := 0
			for _, at := range s.proved {
				if at >= r {
					robust++
				}
			}
			xy = append(xy, plotter.XY{X: float64(r), Y: 100 * float64(robust) / float64(max(len(s.proved), 1))})
		}
		line, err := plotter.NewLine(xy)
		if err != nil {
			return err
		}
		line.StepStyle, line.Color, line.Width = plotter.PreStep, figure.Color(i), vg.Points(1.5)
		p.Add(line)
		key.Legend.Add(s.name, line)
	}
	p.X.Min, p.Y.Min, p.Y.Max = 0, 0, 100
	picture, err := figure.Render(file, 20*vg.Centimeter, 9*vg.Centimeter, []*plot.Plot{p, key})
	if err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}

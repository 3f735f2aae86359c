package main

import (
	"context"
	"fmt"
	"image/color"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/vouchnn/vouch/internal/figure"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

// Pictures of output sets.

// draw writes the output set over the first case's region as polygons.
func (c *reachCommand) draw(ctx context.Context, net nn.Network, prop *spec.Property, opts reach.Options, dims [2]int) error {
	m, err := reach.Compile(net)
	if err != nil {
		return err
	}
	stars, err := m.Reach(ctx, prop.Cases[0].Region, opts)
	if err != nil {
		return fmt.Errorf("%s was not drawn: %w", c.plot, err)
	}
	picture := figure.New()
	picture.Title.Text = fmt.Sprintf("%s: %d stars by %v", filepath.Base(c.net), len(stars), opts.Method)
	if len(stars) == 1 {
		picture.Title.Text = fmt.Sprintf("%s by %v", filepath.Base(c.net), opts.Method)
	}
	picture.X.Label.Text, picture.Y.Label.Text = fmt.Sprintf("Y_%d", dims[0]), fmt.Sprintf("Y_%d", dims[1])
	for _, s := range stars {
		points, err := s.Polygon(ctx, dims[0], dims[1])
		if err != nil {
			return fmt.Errorf("%s was not drawn: %w", c.plot, err)
		}
		if len(points) == 0 {
			continue
		}
		xy := make(plotter.XYs, len(points))
		for i, p := range points {
			xy[i].X, xy[i].Y = p.X, p.Y
		}
		polygon, err := plotter.NewPolygon(xy)
		if err != nil {
			return err
		}
		c := figure.Color(0)
		polygon.Color = color.NRGBA{R: c.R, G: c.G, B: c.B, A: 90}
		polygon.LineStyle.Color = c
		picture.Add(polygon)
	}
	return savePlots(c.plot, picture)
}

// savePlots writes plots in a row, in the format of the file's name.
func savePlots(path string, plots ...*plot.Plot) error {
	picture, err := figure.Render(path, 14*vg.Centimeter*vg.Length(len(plots)), 10.5*vg.Centimeter, plots)
	if err != nil {
		return err
	}
	return writeFile(path, picture)
}

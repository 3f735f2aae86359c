package main

import (
	"context"
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/internal/figure"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// What a method makes of each layer: how wide the intervals of neurons are, and how
// many ReLUs they show to be stable.

// layerMethods are the methods that differ in the bounds of neurons, from loose to
// tight; crown-ibp takes ibp's.
var layerMethods = []string{"ibp", "crown", "alpha-crown"}

// layerBounds is what a method says of the neurons before one activation.
type layerBounds struct {
	Layer      string  `json:"layer"`      // the activation's name
	Activation string  `json:"activation"` // its operator
	Neurons    int     `json:"neurons"`
	Method     string  `json:"method"`
	Width      float64 `json:"width"`            // mean of upper − lower
	Stable     *int    `json:"stable,omitempty"` // neurons on one side of the kink; none: no kink
}

// layers bounds the neurons over a case's region by the methods up to the chosen one.
func (c *boundsCommand) layers(ctx context.Context, m *bounds.Model, prop *spec.Property, k *spec.Case) ([]layerBounds, error) {
	var out []layerBounds
	nodes := m.Network().Nodes()
	last := max(0, slices.Index(layerMethods, c.method.value))
	for _, method := range layerMethods[:last+1] {
		res, err := bounder(method).Bound(ctx, m, &bounds.Query{
			Domains:   []bounds.Domain{{Region: k.Region}},
			Functions: bounds.PropertyFunctions(k, prop.Inputs, prop.Outputs),
		})
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			if kind, ok := activation(n.Op); ok {
				out = append(out, layerOf(n, kind, method, &res[0].Nodes[n.Inputs[0]]))
			}
		}
	}
	return out, nil
}

// activation is the name of an operator that is relaxed neuron by neuron.
func activation(op nn.Operator) (kind string, ok bool) {
	if _, ok = op.(nn.Elementwise); ok {
		kind = op.Kind()
	}
	return kind, ok
}

func layerOf(n nn.Node, kind, method string, z *bounds.Interval) layerBounds {
	b := layerBounds{Layer: n.Name, Activation: kind, Neurons: len(z.Lower), Method: method}
	stable := 0
	for k, lower := range z.Lower {
		b.Width += (z.Upper[k] - lower) / float64(len(z.Lower))
		if lower >= 0 || z.Upper[k] <= 0 {
			stable++
		}
	}
	switch n.Op.(type) {
	case nn.ReLU, nn.LeakyReLU:
		b.Stable = &stable
	}
	return b
}

// layerTable has a row for each layer and columns for each method.
func layerTable(b *strings.Builder, layers []layerBounds) {
	methods := methodsOf(layers)
	rows := len(layers) / len(methods)
	t := newTable(b)
	header := table.Row{"layer", "neurons"}
	for _, m := range methods {
		header = append(header, "width, "+m, "stable")
	}
	t.AppendHeader(header)
	for i, l := range layers[:rows] {
		row := table.Row{l.Layer + " (" + l.Activation + ")", l.Neurons}
		for k := range methods {
			a := layers[k*rows+i]
			stable := "-"
			if a.Stable != nil {
				stable = fmt.Sprintf("%.1f %%", 100*float64(*a.Stable)/float64(a.Neurons))
			}
			row = append(row, fmt.Sprintf("%.4g", a.Width), stable)
		}
		t.AppendRow(row)
	}
	alignRight(t, 2, len(header))
	t.Render()
}

func methodsOf(layers []layerBounds) []string {
	var methods []string
	for _, l := range layers {
		if !slices.Contains(methods, l.Method) {
			methods = append(methods, l.Method)
		}
	}
	return methods
}

// drawLayers writes two plots beside each other, layer by layer: mean width, and the
// share of stable neurons where there are kinks.
func (c *boundsCommand) drawLayers(layers []layerBounds) error {
	methods := methodsOf(layers)
	rows := len(layers) / len(methods)
	width, share := figure.New(), figure.New()
	width.Title.Text, width.X.Label.Text, width.Y.Label.Text = filepath.Base(c.net), "activation layer", "mean width of a neuron's interval"
	share.X.Label.Text, share.Y.Label.Text = "activation layer", "stable neurons, %"
	share.Y.Min, share.Y.Max = 0, 100
	width.Legend.Top, width.Legend.Left = true, true
	figure.Logarithmic(&width.Y)
	least, most := math.Inf(1), 0.0
	for _, l := range layers {
		least, most = min(least, l.Width), max(most, l.Width)
	}
	if least > 0 {
		width.Y.Min, width.Y.Max = decadeAbove(least)/10, decadeAbove(most)
	} else {
		width.Y.Scale, width.Y.Tick.Marker = plot.LinearScale{}, plot.DefaultTicks{}
	}
	for k, m := range methods {
		var w, s plotter.XYs
		for i, l := range layers[k*rows : (k+1)*rows] {
			w = append(w, plotter.XY{X: float64(i + 1), Y: l.Width})
			if l.Stable != nil {
				s = append(s, plotter.XY{X: float64(i + 1), Y: 100 * float64(*l.Stable) / float64(l.Neurons)})
			}
		}
		if err := addCurve(width, m, w, figure.Color(k)); err != nil {
			return err
		}
		if len(s) > 0 {
			if err := addCurve(share, "", s, figure.Color(k)); err != nil {
				return err
			}
		}
	}
	for _, p := range []*plot.Plot{width, share} {
		p.X.Min, p.X.Max = 0.5, float64(rows)+0.5
		p.X.Tick.Marker = wholeTicks{}
	}
	return savePlots(c.plot, width, share)
}

// addCurve adds a line with dots.
func addCurve(p *plot.Plot, name string, points plotter.XYs, color color.Color) error {
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.Color, line.Width = color, vg.Points(1.5)
	dots.Color, dots.Radius, dots.Shape = color, vg.Points(2.5), draw.CircleGlyph{}
	p.Add(line, dots)
	if name != "" {
		p.Legend.Add(name, line, dots)
	}
	return nil
}

// wholeTicks marks whole numbers.
type wholeTicks struct{}

// Ticks implements plot.Ticker.
func (wholeTicks) Ticks(least, greatest float64) []plot.Tick {
	var out []plot.Tick
	step := 1 + int(greatest-least)/12
	for v := 1; float64(v) <= greatest; v += step {
		out = append(out, plot.Tick{Value: float64(v), Label: fmt.Sprint(v)})
	}
	return out
}

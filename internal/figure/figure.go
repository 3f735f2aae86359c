// Package figure is how every plot of this module looks: letters without serifs, a
// light grid, colours that people with impaired colour vision tell apart, a margin
// around the whole.
//
//	p := figure.New()                      a gonum plot to add to
//	figure.Logarithmic(&p.X)               powers of ten, named
//	figure.Render("svg", w, h, row)        panels, aligned, as a file's content
package figure

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Palette is Okabe and Ito's (2008), in an order in which neighbours differ most.
var Palette = []color.RGBA{
	{0, 114, 178, 255},
	{213, 94, 0, 255},
	{0, 158, 115, 255},
	{204, 121, 167, 255},
	{86, 180, 233, 255},
	{230, 159, 0, 255},
	{90, 90, 90, 255},
}

// Color is the colour of thing i.
func Color(i int) color.RGBA { return Palette[i%len(Palette)] }

// New is an empty plot with a grid.
func New() *plot.Plot {
	p := plot.New()
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		sans(&axis.Label.TextStyle.Font, 10)
		sans(&axis.Tick.Label.Font, 9)
		axis.Label.Padding = vg.Points(4)
	}
	sans(&p.Title.TextStyle.Font, 10)
	sans(&p.Legend.TextStyle.Font, 10)
	p.Title.Padding = vg.Points(6)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	return p
}

func sans(f *font.Font, size float64) { f.Variant, f.Size = "Sans", vg.Points(size) }

// Logarithmic makes an axis of positive numbers logarithmic.
func Logarithmic(axis *plot.Axis) {
	axis.Scale = plot.LogScale{}
	axis.Tick.Marker = decades{}
}

// decades marks powers of ten with their value, and what lies between without.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(least, greatest float64) []plot.Tick {
	var out []plot.Tick
	for e := math.Floor(math.Log10(least)); e <= math.Ceil(math.Log10(greatest)); e++ {
		for k := 1.0; k < 10; k++ {
			v, label := k*math.Pow(10, e), ""
			if k == 1 {
				label = fmt.Sprintf("%g", v)
			}
			if v >= least*(1-1e-9) && v <= greatest*(1+1e-9) {
				out = append(out, plot.Tick{Value: v, Label: label})
			}
		}
	}
	return out
}

// Legend is a legend by itself, as a panel beside others; add to what it returns.
func Legend() *plot.Plot {
	p := New()
	p.HideAxes()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Points(2)
	return p
}

// margin is left blank on all sides of a figure, gap between its panels.
const margin, gap = 3 * vg.Millimeter, 5 * vg.Millimeter

// Render draws panels in rows and columns, their axes aligned, in the format that
// file's name ends in: svg, png, pdf, eps, jpg or tif. Width and height are of the
// whole. Of panels that are nil nothing is drawn.
func Render(file string, width, height vg.Length, panels ...[]*plot.Plot) ([]byte, error) {
	canvas, err := draw.NewFormattedCanvas(width, height, strings.TrimPrefix(strings.ToLower(filepath.Ext(file)), "."))
	if err != nil {
		return nil, fmt.Errorf("%s: a picture's name ends in .svg, .png, .pdf, .eps, .jpg or .tif: %w", file, err)
	}
	tiles := draw.Tiles{
		Rows: len(panels), Cols: len(panels[0]), PadX: gap, PadY: gap,
		PadTop: margin, PadBottom: margin, PadLeft: margin, PadRight: margin,
	}
	for i, row := range plot.Align(panels, tiles, draw.New(canvas)) {
		for j, tile := range row {
			if panels[i][j] != nil {
				panels[i][j].Draw(tile)
			}
		}
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

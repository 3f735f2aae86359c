package main

// The paper's figures: share of images verified and time per image, by class for each
// initialiser, regulariser and seed (Figures 2 to 7), and by combination for each seed
// (Figure 8). Points, not bars: shares lie near 100 %, and an axis of bars must begin
// at 0.

import (
	"bytes"
	"image/color"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// series is a colour of a figure: one pair of numbers for each place on the axis.
type series struct {
	name          string
	share, millis []float64
}

// figures draws them all.
func (st *study) figures(all []outcome, format string) error {
	factors := st.factors()
	for _, f := range factors[:3] {
		var s []series
		for _, level := range f.levels {
			one := series{name: level}
			for _, l := range st.byClass(all, func(o *outcome) bool { return f.of(o) == level }) {
				n := float64(l.count) // no images, no point: 0/0
				one.share, one.millis = append(one.share, 100*float64(l.robust)/n), append(one.millis, 1000*l.cpu/n)
			}
			s = append(s, one)
		}
		if err := draws(filepath.Join(st.dir, f.name+"."+format), st.Data+", by "+f.name, st.classes, s); err != nil {
			return err
		}
	}
	f := factors[3]
	var s []series
	for _, seed := range factors[2].levels {
		one := series{name: "seed " + seed}
		for _, level := range f.levels {
			for i := range all {
				if o := &all[i]; f.of(o) == level && factors[2].of(o) == seed {
					one.share, one.millis = append(one.share, o.share()), append(one.millis, 1000*o.cpu)
				}
			}
		}
		s = append(s, one)
	}
	var names []string
	for _, l := range f.levels {
		names = append(names, strings.Replace(l, "narrow-normal", "narrow", 1))
	}
	return draws(filepath.Join(st.dir, f.name+"."+format), st.Data+", by combination", names, s)
}

// colours tell series apart, also for those who see few (Okabe and Ito 2008).
var colours = []color.NRGBA{{0, 114, 178, 255}, {230, 159, 0, 255}, {0, 158, 115, 255}, {213, 94, 0, 255}, {204, 121, 167, 255}, {86, 180, 233, 255}, {0, 0, 0, 255}}

// draws writes a figure of two panels, one above the other.
func draws(path, title string, names []string, all []series) error {
	share, err := panel(names, all, func(s *series) []float64 { return s.share })
	if err != nil {
		return err
	}
	millis, err := panel(names, all, func(s *series) []float64 { return s.millis })
	if err != nil {
		return err
	}
	share.Title.Text = title
	share.Y.Label.Text, millis.Y.Label.Text = "verified (%)", "processor time (ms)"
	share.Y.Max = 100 + 0.03*(100-share.Y.Min)
	millis.Y.Min = 0
	share.Legend = legend(all)
	for _, p := range []*plot.Plot{share, millis} {
		p.X.Max += 0.22 * float64(len(names)) // the legend's
	}
	const width, height = 18 * vg.Centimeter, 15 * vg.Centimeter
	canvas, err := draw.NewFormattedCanvas(width, height, strings.TrimPrefix(filepath.Ext(path), "."))
	if err != nil {
		return err
	}
	plots := [][]*plot.Plot{{share}, {millis}}
	tiles := draw.Tiles{Rows: 2, Cols: 1, PadX: vg.Millimeter, PadY: 4 * vg.Millimeter, PadTop: 2 * vg.Millimeter, PadBottom: 2 * vg.Millimeter, PadRight: 3 * vg.Millimeter}
	for i, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		plots[i][0].Draw(row[0])
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	return writeWhole(path, b.Bytes())
}

// panel draws a number of each series at each name, side by side.
func panel(names []string, all []series, number func(*series) []float64) (*plot.Plot, error) {
	p := plot.New()
	p.NominalX(names...)
	if len(names) > 6 && len(names[0]) > 6 {
		p.X.Tick.Label.Rotation = math.Pi / 9
		p.X.Tick.Label.XAlign = draw.XRight
		p.X.Tick.Label.YAlign = draw.YCenter
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal.Color = color.Gray{225}
	p.Add(grid)
	for i := range all {
		values := number(&all[i])
		var xy plotter.XYs
		for k, v := range values {
			if !math.IsNaN(v) {
				xy = append(xy, plotter.XY{X: float64(k) + 0.14*(float64(i)-float64(len(all)-1)/2), Y: v})
			}
		}
		if xy == nil {
			continue
		}
		dots, err := plotter.NewScatter(xy)
		if err != nil {
			return nil, err
		}
		dots.GlyphStyle = glyph(i)
		p.Add(dots)
	}
	p.X.Min, p.X.Max = -0.5, float64(len(names))-0.5
	p.Y.Min -= 0.04 * (p.Y.Max - p.Y.Min)
	return p, nil
}

func glyph(i int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: colours[i%len(colours)], Radius: vg.Points(2.5), Shape: draw.CircleGlyph{}}
}

// swatch is a glyph in a legend.
type swatch struct{ draw.GlyphStyle }

// Thumbnail implements plot.Thumbnailer.
func (s swatch) Thumbnail(c *draw.Canvas) { c.DrawGlyph(s.GlyphStyle, c.Center()) }

func legend(all []series) plot.Legend {
	l := plot.NewLegend()
	l.Top = true
	l.ThumbnailWidth = vg.Points(8)
	for i, s := range all {
		l.Add(s.name, swatch{glyph(i)})
	}
	return l
}

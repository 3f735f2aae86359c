package main

// The paper's figures: share of images verified and time per image, by class for each
// initialiser, regulariser and seed (Figures 2 to 7), and by combination for each seed
// (Figure 8). Points, not bars: shares lie near 100 %, and an axis of bars must begin
// at 0.

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/vouchnn/vouch/internal/figure"
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
	return st.combinations(all, filepath.Join(st.dir, factors[3].name+"."+format))
}

// combinations draws Figure 8, for which the table suffices.
func (st *study) combinations(all []outcome, path string) error {
	factors := st.factors()
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
	return draws(path, st.Data+", by combination", names, s)
}

// redraw draws the figure by combination from a table that the study wrote, beside it.
// The data set is what the table is named after.
func redraw(table, format string) error {
	text, err := os.ReadFile(table)
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	if len(rows) == 0 {
		return fmt.Errorf("%s: empty", table)
	}
	column := func(row []string, name string) string {
		if i := slices.Index(rows[0], name); i >= 0 {
			return row[i]
		}
		return "no column " + name
	}
	whole := strings.TrimSuffix(table, filepath.Ext(table))
	st := &study{settings: settings{Data: filepath.Base(whole)}}
	var all []outcome
	for _, row := range rows[1:] {
		o := outcome{cell: cell{Regularizer: column(row, "regularizer"), Initializer: column(row, "initializer")}}
		numbers := []string{column(row, "seed"), column(row, "robust"), column(row, "unknown"), column(row, "not_robust"), column(row, "cpu_seconds")}
		if _, err := fmt.Sscan(strings.Join(numbers, "\n"), &o.Seed, &o.robust, &o.unknown, &o.not, &o.cpu); err != nil {
			return fmt.Errorf("%s: row %q: %w", table, row, err)
		}
		all = append(all, o)
		st.Seeds = max(st.Seeds, o.Seed+1)
	}
	return st.combinations(all, whole+"."+format)
}

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
	picture, err := figure.Render(path, width, height, []*plot.Plot{share}, []*plot.Plot{millis})
	if err != nil {
		return err
	}
	return writeWhole(path, picture)
}

// panel draws a number of each series at each name, side by side.
func panel(names []string, all []series, number func(*series) []float64) (*plot.Plot, error) {
	p := figure.New()
	p.NominalX(names...)
	if len(names) > 6 && len(names[0]) > 6 {
		p.X.Tick.Label.Rotation = math.Pi / 9
		p.X.Tick.Label.XAlign = draw.XRight
		p.X.Tick.Label.YAlign = draw.YCenter
	}
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
	return draw.GlyphStyle{Color: figure.Color(i), Radius: vg.Points(2.5), Shape: draw.CircleGlyph{}}
}

// swatch is a glyph in a legend.
type swatch struct{ draw.GlyphStyle }

// Thumbnail implements plot.Thumbnailer.
func (s swatch) Thumbnail(c *draw.Canvas) { c.DrawGlyph(s.GlyphStyle, c.Center()) }

func legend(all []series) plot.Legend {
	l := figure.New().Legend
	l.Top = true
	l.ThumbnailWidth = vg.Points(8)
	for i, s := range all {
		l.Add(s.name, swatch{glyph(i)})
	}
	return l
}

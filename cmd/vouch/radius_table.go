package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
)

// radiusRow is the answer for one image.
type radiusRow struct {
	Network string  `json:"network"`
	Method  string  `json:"method"`
	Sample  int     `json:"sample"`
	Target  string  `json:"target"` // a class, or all
	Radius  float64 `json:"radius"`
	Seconds float64 `json:"seconds"`
}

func radiusHeader() []string {
	return []string{"network", "method", "sample", "target", "radius", "seconds"}
}

func (r *radiusRow) key() string {
	return fmt.Sprintf("%s %s %d %s", r.Network, r.Method, r.Sample, r.Target)
}

func (r *radiusRow) fields() []string {
	return []string{r.Network, r.Method, strconv.Itoa(r.Sample), r.Target, decimal(r.Radius), fmt.Sprintf("%.6f", r.Seconds)}
}

func parseRadiusRow(f []string) (r radiusRow, err error) {
	r = radiusRow{Network: f[0], Method: f[1], Target: f[3]}
	if r.Sample, err = strconv.Atoi(f[2]); err == nil {
		if r.Radius, err = strconv.ParseFloat(f[4], 64); err == nil {
			r.Seconds, err = strconv.ParseFloat(f[5], 64)
		}
	}
	return r, err
}

// radiusTally is a line of the summary.
type radiusTally struct {
	Network string  `json:"network"`
	Method  string  `json:"method"`
	Samples int     `json:"samples"`
	Mean    float64 `json:"mean"`
	Median  float64 `json:"median"`
	Least   float64 `json:"least"`
	Seconds float64 `json:"seconds"` // mean
}

// tallies sums the rows up by network and method, in order.
func (c *radiusCommand) tallies() []radiusTally {
	var out []radiusTally
	radii := [][]float64{}
	for _, r := range c.rows {
		i := slices.IndexFunc(out, func(t radiusTally) bool { return t.Network == r.Network && t.Method == r.Method })
		if i < 0 {
			i = len(out)
			out, radii = append(out, radiusTally{Network: r.Network, Method: r.Method, Least: math.Inf(1)}), append(radii, nil)
		}
		radii[i] = append(radii[i], r.Radius)
		out[i].Samples++
		out[i].Mean += r.Radius
		out[i].Seconds += r.Seconds
		out[i].Least = min(out[i].Least, r.Radius)
	}
	for i := range out {
		out[i].Mean /= float64(out[i].Samples)
		out[i].Seconds /= float64(out[i].Samples)
		slices.Sort(radii[i])
		out[i].Median = median(radii[i])
	}
	return out
}

func (c *radiusCommand) report() error {
	tallies := c.tallies()
	if c.json {
		return c.writeJSON(struct {
			Misclassified int           `json:"misclassified"`
			OwnTarget     int           `json:"own_target"` // images that are of the class to be excluded
			Radii         []radiusRow   `json:"radii"`
			Summary       []radiusTally `json:"summary"`
		}{c.misclassified, c.ownTarget, append([]radiusRow{}, c.rows...), append([]radiusTally{}, tallies...)})
	}
	var b strings.Builder
	writeRadii(&b, tallies)
	fmt.Fprintf(&b, "%d of %d images are misclassified and left out\n", c.misclassified, c.total)
	if c.ownTarget > 0 {
		fmt.Fprintf(&b, "%d of %d images are of the target's class and left out\n", c.ownTarget, c.total)
	}
	return c.write([]byte(b.String()))
}

func writeRadii(w io.Writer, tallies []radiusTally) {
	t := newTable(w)
	t.AppendHeader(table.Row{"network", "method", "images", "mean radius", "median", "least", "s/image"})
	for i, y := range tallies {
		if i > 0 && tallies[i-1].Network != y.Network {
			t.AppendSeparator()
		}
		t.AppendRow(table.Row{
			y.Network, y.Method, y.Samples, fmt.Sprintf("%.5f", y.Mean), fmt.Sprintf("%.5f", y.Median),
			fmt.Sprintf("%.5f", y.Least), fmt.Sprintf("%.3f", y.Seconds),
		})
	}
	alignRight(t, 3, 7)
	t.Render()
}

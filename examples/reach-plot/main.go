// Command reach-plot draws the set of outputs of a small network: the exact one, a
// union of polygons, inside what the approximate methods make of it.
//
//	go run ./examples/reach-plot            # writes reach.svg
//	go run ./examples/reach-plot -out reach.png -seed 7
//
// The network has two inputs, two layers of ReLUs and two outputs; its weights are
// drawn from the seed. Printed is the area of each method's polygon, which is how
// much the method loses, and the time that it took.
package main

import (
	"context"
	"flag"
	"fmt"
	"image/color"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/vouchnn/vouch/internal/figure"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

func main() {
	out := flag.String("out", "reach.svg", "the picture: .svg, .png or .pdf")
	seed := flag.Uint64("seed", 2, "seed of the weights")
	flag.Parse()
	if _, err := tell(context.Background(), os.Stdout, *out, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "reach-plot:", err)
		os.Exit(1)
	}
}

// set is what one method makes of the outputs.
type set struct {
	method   reach.Method
	polygons [][]reach.Point
	area     float64 // of all polygons; those of exact-star hardly overlap
	elapsed  time.Duration
}

// tell computes the sets, prints their sizes and writes the picture.
func tell(ctx context.Context, w io.Writer, path string, seed uint64) ([]set, error) {
	net, err := network(seed)
	if err != nil {
		return nil, err
	}
	model, err := reach.Compile(net)
	if err != nil {
		return nil, err
	}
	region, err := spec.NewBox([]float64{-1, -1}, []float64{1, 1})
	if err != nil {
		return nil, err
	}
	var sets []set
	for _, method := range []reach.Method{reach.Zono, reach.AbsDom, reach.ApproxStar, reach.ExactStar} {
		s, err := compute(ctx, model, region, method)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(w, "%-12v %3d polygons, area %8.4f, %v\n", method, len(s.polygons), s.area, s.elapsed.Round(10*time.Microsecond))
		sets = append(sets, s)
	}
	if err := picture(net, region, sets, path); err != nil {
		return nil, err
	}
	fmt.Fprintln(w, "drawn:", path)
	return sets, nil
}

// network is 2–12–12–2 with ReLUs.
func network(seed uint64) (*nn.Graph, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	widths := []int{2, 12, 12, 2}
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Input()
	for i, out := range widths[1:] {
		in := widths[i]
		weights, bias := make([]float64, in*out), make([]float64, out)
		for k := range weights {
			weights[k] = rng.NormFloat64() * math.Sqrt(2/float64(in))
		}
		for k := range bias {
			bias[k] = 0.3 * rng.NormFloat64()
		}
		dense, err := nn.NewDense(out, in, weights, bias)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			h = b.Add("", nn.ReLU{}, h)
		}
		h = b.Add("", dense, h)
	}
	return b.Build(h)
}

// compute is the polygons of one method.
func compute(ctx context.Context, model *reach.Model, region spec.Box, method reach.Method) (set, error) {
	begin := time.Now()
	s := set{method: method}
	stars, err := model.Reach(ctx, region, reach.Options{Method: method})
	if err != nil {
		return s, err
	}
	for _, star := range stars {
		polygon, err := star.Polygon(ctx, 0, 1)
		if err != nil {
			return s, err
		}
		if len(polygon) > 0 {
			s.polygons = append(s.polygons, polygon)
			s.area += area(polygon)
		}
	}
	s.elapsed = time.Since(begin)
	return s, nil
}

// area is the shoelace formula.
func area(polygon []reach.Point) float64 {
	sum := 0.0
	for i, p := range polygon {
		q := polygon[(i+1)%len(polygon)]
		sum += p.X*q.Y - p.Y*q.X
	}
	return sum / 2
}

// colours of the methods, the largest set first.
var colours = map[reach.Method]color.NRGBA{
	reach.Zono:       {200, 200, 200, 255},
	reach.AbsDom:     {255, 221, 170, 255},
	reach.ApproxStar: {158, 202, 225, 255},
	reach.ExactStar:  {8, 81, 156, 255},
}

// picture draws the sets over one another, and outputs at random inputs on top.
func picture(net nn.Network, region spec.Box, sets []set, path string) error {
	p := figure.New()
	p.Title.Text = "outputs of a network over [-1, 1]²"
	p.X.Label.Text, p.Y.Label.Text = "first output", "second output"
	p.Legend.Top = true
	for _, s := range sets {
		for i, points := range s.polygons {
			xy := make(plotter.XYs, len(points))
			for k, v := range points {
				xy[k].X, xy[k].Y = v.X, v.Y
			}
			polygon, err := plotter.NewPolygon(xy)
			if err != nil {
				return err
			}
			polygon.Color = colours[s.method]
			polygon.LineStyle.Color = color.White
			polygon.LineStyle.Width = vg.Points(0.4)
			p.Add(polygon)
			if i == 0 {
				p.Legend.Add(s.method.String(), polygon)
			}
		}
	}
	dots, err := samples(net, region, 400)
	if err != nil {
		return err
	}
	p.Add(dots)
	drawn, err := figure.Render(path, 16*vg.Centimeter, 12*vg.Centimeter, []*plot.Plot{p})
	if err != nil {
		return err
	}
	return os.WriteFile(path, drawn, 0o644)
}

// samples is outputs at random inputs.
func samples(net nn.Network, region spec.Box, count int) (*plotter.Scatter, error) {
	rng := rand.New(rand.NewPCG(1, 1))
	xy := make(plotter.XYs, count)
	x := make([]float64, region.Dim())
	for k := range xy {
		for i := range x {
			x[i] = region.Lower[i] + rng.Float64()*(region.Upper[i]-region.Lower[i])
		}
		y, err := nn.Evaluate(net, x)
		if err != nil {
			return nil, err
		}
		xy[k].X, xy[k].Y = y[0], y[1]
	}
	s, err := plotter.NewScatter(xy)
	if err != nil {
		return nil, err
	}
	s.GlyphStyle = draw.GlyphStyle{Color: color.Black, Radius: vg.Points(0.6), Shape: draw.CircleGlyph{}}
	return s, nil
}

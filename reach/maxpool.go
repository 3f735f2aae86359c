package reach

// Max pooling, approximately: padding counts as −∞, so that a window is what of it
// lies on the image (nn.MaxPool.Windows).
//
// An element of a window can be the maximum only if its upper bound reaches the
// largest lower bound L. If one element is left, the output is that element.
// Otherwise the output becomes a variable y with y ≥ x_k for every element left, in
// the interval [L, U] of the largest lower and the largest upper bound. NNV's
// interval starts at the smallest lower bound (Tran et al. 2020, CAV);
// y is never below L.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/nn"
)

// windows is a MaxPool: output w is the maximum of index[start[w]:start[w+1]].
type windows struct {
	start, index []int
	in, out      nn.Shape
}

func newWindows(op *nn.MaxPool, in, out nn.Shape) (*windows, error) {
	start, index, err := op.Windows(in)
	return &windows{start, index, in, out}, err
}

func (w *windows) count() int { return len(w.start) - 1 }

func (w *windows) window(i int) []int { return w.index[w.start[i]:w.start[i+1]] }

// contest is the interval of a window's maximum and the elements that can attain
// it, by their ranges.
func contest(window []int, lower, upper []float64) (low, up float64, rivals []int) {
	low, up = math.Inf(-1), math.Inf(-1)
	best := window[0]
	for _, k := range window {
		if lower[k] > low {
			low, best = lower[k], k
		}
		up = max(up, upper[k])
	}
	for _, k := range window {
		if k == best || upper[k] > low {
			rivals = append(rivals, k)
		}
	}
	return low, up, rivals
}

// maxPool relaxes one layer of windows.
func (a *analysis) maxPool(ctx context.Context, i, j int, w *windows) error {
	x := a.forms[j]
	s, err := x.finiteSpread(&a.p.box)
	if err != nil {
		return err
	}
	if a.o.Method == Zono {
		a.forms[i] = x.zonotopeMax(w, &s, &a.p.box)
		return nil
	}
	open := make([]bool, len(x.centre))
	mark := func() {
		clear(open)
		for o := range w.count() {
			if _, _, rivals := contest(w.window(o), s.lower, s.upper); len(rivals) > 1 {
				for _, k := range rivals {
					open[k] = true
				}
			}
		}
	}
	mark()
	if _, _, err := a.ranges(ctx, j, &s, false, func(k int) bool { return open[k] }); err != nil {
		return err
	}
	if a.zonos != nil {
		zs := s
		if z := a.zonos[j]; z != x {
			zs.size = z.spread(&a.zbox).size
		}
		a.zonos[i] = a.zonos[j].zonotopeMax(w, &zs, &a.zbox)
	}
	mark()
	a.forms[i] = a.relaxMax(x, w, &s, filter(len(open), func(k int) bool { return open[k] }))
	return nil
}

// relaxMax makes the form after a max pooling.
func (a *analysis) relaxMax(x *form, w *windows, s *spread, open []int) *form {
	rows := x.rows(open, &a.p.box)
	at := map[int]*expr{}
	for r, k := range open {
		at[k] = &rows[r]
	}
	source := make([]int, w.count())
	y := &form{shape: w.out, view: viewOf(w.out), centre: make([]float64, w.count()), slack: make([]float64, w.count())}
	var units []unitAt
	for o := range source {
		low, up, rivals := contest(w.window(o), s.lower, s.upper)
		source[o] = -1
		if len(rivals) == 1 {
			source[o] = rivals[0]
			continue
		}
		if up-low <= 0x1p-40*max(up, -low) {
			y.centre[o], y.slack[o] = between(low, up)
			continue
		}
		v, centre := a.p.relaxMax(low, up, rivals, at, s)
		y.centre[o] = centre
		units = append(units, unitAt{v, o})
	}
	x.gather(y, source)
	y.addUnits(units)
	return y
}

// relaxMax adds a variable for the maximum of rivals, which lies in [low, up].
func (p *predicate) relaxMax(low, up float64, rivals []int, at map[int]*expr, s *spread) (variable int32, centre float64) {
	l, u := low, up
	if low > 0 || up < 0 {
		centre = 0.5*low + 0.5*up
		l, u = below(low-centre), above(up-centre)
	}
	r := relaxed{variable: p.box.add(l, u), firstLower: -1, firstUpper: -1}
	best := low
	for _, k := range rivals {
		if m := 0.5*s.lower[k] + 0.5*s.upper[k]; m > best && len(r.lower) < 127 {
			best, r.firstLower = m, int8(len(r.lower))
		}
		t := 0.0
		if centre != 0 {
			t = -centre
		}
		r.lower = append(r.lower, line{at[k], 1, t})
	}
	p.relaxed = append(p.relaxed, r)
	return r.variable, centre
}

// gather copies element source[o] of f into element o of y, where source[o] ≥ 0,
// and y's generators.
func (f *form) gather(y *form, source []int) {
	for o, k := range source {
		if k < 0 {
			continue
		}
		y.centre[o] = f.centre[k]
		if f.slack != nil {
			y.slack[o] = f.slack[k]
		}
	}
	y.gens = generators{start: []int{0}}
	from, to := make([]float64, len(f.centre)), make([]float64, len(source))
	for k, variable := range f.gens.vars {
		f.fill(k, from)
		for o, src := range source {
			to[o] = 0
			if src >= 0 {
				to[o] = from[src]
			}
		}
		y.gens.appendFull(y.view, variable, to)
	}
}

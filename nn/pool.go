package nn

// Pooling windows, shared by AveragePool and MaxPool.
//
// Both act on the last one or two axes and treat all axes before them as
// separate planes. Which elements a window covers is the product of which
// lines and which columns it covers, so that a plan for an input shape is two
// short lists, one per axis. The plan of the last shape seen is kept.

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// PoolConfig is the geometry of pooling windows. All fields but Kernel may be
// left empty.
type PoolConfig struct {
	Kernel          []int // one or two numbers, at least 1 each
	Stride          []int // per axis; default 1
	Dilation        []int // per axis; default 1
	Pad             []int // begins of all axes, then ends, as in ONNX; default 0
	CeilMode        bool  // round the number of windows up
	CountIncludePad bool  // average over padding too; no effect on MaxPool
}

// pool is the common part of the pooling operators.
type pool struct {
	kind    string
	config  PoolConfig
	windows []window
	plan    atomic.Pointer[poolPlan]
}

// poolPlan is the windows over an input of a given shape.
type poolPlan struct {
	in   Shape
	y, x poolAxis
}

// poolAxis is the windows along one axis of length n.
type poolAxis struct {
	n, dilation int
	taps        []poolTaps
	most        int // the largest count of any window
	cover       int // the most windows over any one position
}

// poolTaps is one window along one axis: count positions from first on.
type poolTaps struct{ first, count, divisor int }

// newPool checks cfg and fills in its defaults.
func newPool(kind string, cfg PoolConfig) (*pool, error) {
	ws, err := windows(kind, cfg.Kernel, cfg.Stride, cfg.Dilation, cfg.Pad)
	if err != nil {
		return nil, err
	}
	p := &pool{kind: kind, windows: ws}
	p.config = PoolConfig{Kernel: slices.Clone(cfg.Kernel), Pad: make([]int, 2*len(ws)), CeilMode: cfg.CeilMode, CountIncludePad: cfg.CountIncludePad}
	for i, w := range ws {
		p.config.Stride = append(p.config.Stride, w.stride)
		p.config.Dilation = append(p.config.Dilation, w.dilation)
		p.config.Pad[i], p.config.Pad[i+len(ws)] = w.before, w.after
	}
	return p, nil
}

// Config is the geometry with all defaults filled in. The caller must not
// change its slices.
func (p *pool) Config() PoolConfig { return p.config }

// Kind implements Operator.
func (p *pool) Kind() string { return p.kind }

// Params implements Operator.
func (p *pool) Params() []*Param { return nil }

// OutShape implements Operator.
func (p *pool) OutShape(in []Shape) (Shape, error) {
	axes := len(p.windows)
	if len(in) != 1 || len(in[0]) < axes {
		return nil, &ShapeError{Op: p.kind, Detail: fmt.Sprintf("takes one input of at least %d axes, got %v", axes, in)}
	}
	s := in[0].Clone()
	for i, w := range p.windows {
		at := len(s) - axes + i
		n := w.outputs(s[at], p.config.CeilMode)
		if n == 0 {
			return nil, &ShapeError{Op: p.kind, Detail: fmt.Sprintf("kernel %v, dilation %v does not fit into %v padded by %v", p.config.Kernel, p.config.Dilation, in[0], p.config.Pad)}
		}
		if n <= MaxElements && !(p.config.CountIncludePad && p.kind == "AveragePool") {
			for o := range n {
				if _, count := w.taps(s[at], o); count == 0 {
					return nil, &ShapeError{Op: p.kind, Detail: fmt.Sprintf("window %d of axis %d of %v lies in padding %v", o, at, in[0], p.config.Pad)}
				}
			}
		}
		s[at] = n
	}
	return s, nil
}

// planFor is the plan for inputs of the given shape.
func (p *pool) planFor(in Shape) *poolPlan {
	if q := p.plan.Load(); q != nil && q.in.Equal(in) {
		return q
	}
	q := &poolPlan{in: in.Clone()}
	last := len(p.windows) - 1
	q.x = p.axis(p.windows[last], in[len(in)-1])
	if last == 0 {
		q.y = p.axis(window{kernel: 1, stride: 1, dilation: 1}, 1)
	} else {
		q.y = p.axis(p.windows[0], in[len(in)-2])
	}
	p.plan.Store(q)
	return q
}

func (p *pool) axis(w window, n int) poolAxis {
	a := poolAxis{n: n, dilation: w.dilation, taps: make([]poolTaps, w.outputs(n, p.config.CeilMode))}
	covers := make([]int, n)
	for o := range a.taps {
		t := &a.taps[o]
		t.first, t.count = w.taps(n, o)
		t.divisor = t.count
		if p.config.CountIncludePad {
			t.divisor = w.padded(n, o)
		}
		a.most = max(a.most, t.count)
		for k := range t.count {
			covers[t.first+k*w.dilation]++
		}
	}
	a.cover = slices.Max(covers)
	return a
}

package reach

// Affine forms, the part that all sets share.
//
// A form is c + V·a + e: a centre, generators times the predicate variables a,
// and an error e of which only |e_i| ≤ slack_i is known. The predicate says
// where a lies and is kept elsewhere (predicate.go); a zonotope's is a box. All
// forms of one analysis are over the same variables, so a residual connection
// adds two of them generator by generator and nothing is lost.
//
// The error is what makes a float64 set a sound one. An affine map computes
// fl(Wc+b) and fl(WV); both are off by at most γ·(|W|·m + |b|) in total, where
// m_i ≥ |c_i| + Σ_j |V_ij|·max|a_j| is one vector, shared by all generators. So
// rounding costs two more passes of one sample, not two of every generator:
//
//	slack' = |W|·slack + γ·(|W|·m + |b|).
//
// The slack grows by |W| per layer as interval arithmetic does, but from 10⁻¹⁶,
// and an undecided neuron starts afresh: its row becomes a variable of its own.
//
// A generator is stored as the values inside a rectangle of the image, over all
// channels, outside of which it is zero: an input pixel under a 3×3 kernel has
// moved 3×3 pixels, not 64×64. The image is [channels height width] of the view;
// a vector is an image of one line, so that its patches are ranges of indices.
// A network's reshapes change the shape and leave the view alone.

import (
	"errors"
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// form is c + V·a + e, |e| ≤ slack. It is not changed once it is made: forms
// share what they have in common.
type form struct {
	shape  nn.Shape
	view   view
	centre []float64
	slack  []float64 // nil: zero
	gens   generators
}

// view is how flat indices are laid out for patches, row-major.
type view struct{ channels, height, width int }

func (v view) size() int { return v.channels * v.height * v.width }

// viewOf takes the last two axes of a shape for an image's.
func viewOf(s nn.Shape) view {
	v := view{1, 1, 1}
	if n := len(s); n > 0 {
		v.width = s[n-1]
	}
	if n := len(s); n > 1 {
		v.height = s[n-2]
		v.channels = s[:n-2].Size()
	}
	return v
}

// patch is the lines [y0, y1) and columns [x0, x1) of an image.
type patch struct{ y0, y1, x0, x1 int32 }

func (p patch) height() int { return int(p.y1 - p.y0) }
func (p patch) width() int  { return int(p.x1 - p.x0) }
func (p patch) empty() bool { return p.y1 <= p.y0 || p.x1 <= p.x0 }

func (v view) whole() patch { return patch{0, int32(v.height), 0, int32(v.width)} }

// lines calls do for every line of a patch: length values, which lie at stored
// in the generator and at flat in the image. Full-width patches have one line.
func (v view) lines(p patch, do func(stored, flat, length int)) {
	h, w := p.height(), p.width()
	if w == v.width { // whole lines lie behind one another
		for c := range v.channels {
			do(c*h*w, (c*v.height+int(p.y0))*w, h*w)
		}
		return
	}
	at := 0
	for c := range v.channels {
		for y := int(p.y0); y < int(p.y1); y++ {
			do(at, (c*v.height+y)*v.width+int(p.x0), w)
			at += w
		}
	}
}

// generators are the columns of V that are not zero, by ascending variable.
type generators struct {
	vars    []int32
	patches []patch
	start   []int // generator k is data[start[k]:start[k+1]]
	data    []float64
}

func (g *generators) count() int { return len(g.vars) }

func (g *generators) values(k int) []float64 { return g.data[g.start[k]:g.start[k+1]] }

// room prepares generators of the given variables and patches, all zero.
func (v view) room(vars []int32, patches []patch) generators {
	g := generators{vars: vars, patches: patches, start: make([]int, len(vars)+1)}
	for k, p := range patches {
		g.start[k+1] = g.start[k] + v.channels*p.height()*p.width()
	}
	g.data = make([]float64, g.start[len(vars)])
	return g
}

// append adds a generator behind all others and returns its values, all zero.
func (g *generators) append(v view, variable int32, p patch) []float64 {
	n := v.channels * p.height() * p.width()
	from := len(g.data)
	g.data = slices.Grow(g.data, n)[:from+n]
	clear(g.data[from:])
	g.vars, g.patches, g.start = append(g.vars, variable), append(g.patches, p), append(g.start, from+n)
	return g.data[from:]
}

// appendFull adds a generator given by all its values, unless they are zero.
// Only the rectangle around what is not zero is kept.
func (g *generators) appendFull(v view, variable int32, values []float64) {
	p := patch{int32(v.height), 0, int32(v.width), 0}
	for i, x := range values {
		if x != 0 {
			y, c := int32(i/v.width%v.height), int32(i%v.width)
			p = patch{min(p.y0, y), max(p.y1, y+1), min(p.x0, c), max(p.x1, c+1)}
		}
	}
	if p.empty() {
		return
	}
	dst := g.append(v, variable, p)
	v.lines(p, func(stored, flat, length int) { copy(dst[stored:stored+length], values[flat:flat+length]) })
}

// appendUnit adds the generator that is value at flat index i.
func (g *generators) appendUnit(v view, variable int32, i int, value float64) {
	y, x := int32(i/v.width%v.height), int32(i%v.width)
	g.append(v, variable, patch{y, y + 1, x, x + 1})[i/(v.width*v.height)] = value
}

// fill writes generator k into dst, which covers the whole image.
func (f *form) fill(k int, dst []float64) {
	clear(dst)
	src := f.gens.values(k)
	f.view.lines(f.gens.patches[k], func(stored, flat, length int) {
		copy(dst[flat:flat+length], src[stored:stored+length])
	})
}

// within is f over another view of the same flat indices.
func (f *form) within(v view) *form {
	if f.view == v {
		return f
	}
	g := *f
	g.view, g.gens = v, generators{start: []int{0}}
	buf := make([]float64, len(f.centre))
	for k, variable := range f.gens.vars {
		f.fill(k, buf)
		g.gens.appendFull(v, variable, buf)
	}
	return &g
}

// row is x_i as an expression over the variables.
func (f *form) row(i int, b *box) *expr { return &f.rows([]int{i}, b)[0] }

// rows is the listed elements as expressions, in one pass over the generators.
func (f *form) rows(list []int, b *box) []expr {
	out := make([]expr, len(list))
	at := make([]int32, len(f.centre)) // 1 + index into list
	for r, i := range list {
		at[i] = int32(r) + 1
		out[r].centre = f.centre[i]
		if f.slack != nil {
			out[r].slack = f.slack[i]
		}
	}
	counts := make([]int, len(list))
	f.each(at, func(r int, _ int32, _ float64) { counts[r]++ })
	total := 0
	for _, c := range counts {
		total += c
	}
	vars, coef := make([]int32, 0, total), make([]float64, 0, total)
	for r, c := range counts {
		n := len(vars)
		out[r].vars, out[r].coef = vars[n:n:n+c], coef[n:n:n+c]
		vars, coef = vars[:n+c], coef[:n+c]
	}
	f.each(at, func(r int, j int32, v float64) {
		e := &out[r]
		e.vars, e.coef = append(e.vars, j), append(e.coef, v)
		e.mag += math.Abs(v) * b.reach[j]
	})
	for r := range out {
		out[r].mag *= 1 + gamma(len(out[r].vars))
	}
	return out
}

// each calls do for every value of the elements i with at[i] > 0, which are rows
// at[i]−1, by ascending variable.
func (f *form) each(at []int32, do func(row int, variable int32, value float64)) {
	for k, p := range f.gens.patches {
		src := f.gens.values(k)
		f.view.lines(p, func(stored, flat, length int) {
			for i, r := range at[flat : flat+length] {
				if r > 0 && src[stored+i] != 0 {
					do(int(r)-1, f.gens.vars[k], src[stored+i])
				}
			}
		})
	}
}

// spread is what the variables' box alone says of a form.
type spread struct {
	lower, upper []float64 // of c + V·a + e
	// size is at least |c_i| + Σ_j |V_ij|·max|a_j| + slack_i.
	size []float64
}

// spreadGrain is the least number of stored values worth a goroutine.
const spreadGrain = 1 << 16

// spread bounds every element over the box b. Without further rows in the
// predicate the bounds are exact up to rounding.
func (f *form) spread(b *box) spread {
	n := len(f.centre)
	buf := make([]float64, 4*n)
	s := spread{lower: buf[:n], upper: buf[n : 2*n], size: buf[2*n : 3*n]}
	mid, rad := buf[3*n:], s.upper
	f.accumulate(b.middle, b.radius, mid, rad)
	terms := s.lower // Σ |V|·max|a|, at most twice the radius if 0 is in every interval
	if b.shifted {
		f.accumulate(nil, b.reach, nil, terms)
	} else {
		for i, r := range rad {
			terms[i] = 2 * r
		}
	}
	g := gamma(f.gens.count() + 4)
	for i, c := range f.centre {
		slack := 0.0
		if f.slack != nil {
			slack = f.slack[i]
		}
		m, r := c+mid[i], rad[i]
		size := (math.Abs(c)+terms[i])*(1+g)*spare + slack
		e := g*size + slack + tiny
		s.size[i] = size * spare
		s.lower[i], s.upper[i] = below(m-r-e), above(m+r+e)
	}
	return s
}

// ErrOverflow is a set whose bounds float64 cannot hold. Of Model.Verify it is the
// reason of an Unknown, not an error.
var ErrOverflow = errors.New("reach: bounds exceed the range of float64")

// finiteSpread is spread for those who decide by it.
func (f *form) finiteSpread(b *box) (spread, error) {
	s := f.spread(b)
	for i := range s.lower {
		if !finite(s.upper[i] - s.lower[i]) {
			return s, ErrOverflow
		}
	}
	return s, nil
}

// accumulate adds Σ V·middle to mid, unless middle is nil, and Σ |V|·radius to
// rad.
func (f *form) accumulate(middle, radius, mid, rad []float64) {
	if len(f.gens.data) < 2*spreadGrain || f.view.height*f.view.channels > 1 {
		for k := range f.gens.vars {
			f.accumulateOne(k, middle, radius, mid, rad)
		}
		return
	}
	// One line: cut it into ranges of elements, so that sums do not depend on
	// the number of workers.
	parallel.For(f.view.width, 256, func(lo, hi int) {
		for k, p := range f.gens.patches {
			from, to := max(lo, int(p.x0)), min(hi, int(p.x1))
			if from >= to {
				continue
			}
			j := f.gens.vars[k]
			s, r := f.gens.values(k)[from-int(p.x0):to-int(p.x0)], radius[j]
			for i, v := range s {
				rad[from+i] += math.Abs(v) * r
			}
			if middle != nil && middle[j] != 0 {
				blas.Axpy(middle[j], s, mid[from:to])
			}
		}
	})
}

// accumulateOne is accumulate for generator k.
func (f *form) accumulateOne(k int, middle, radius, mid, rad []float64) {
	j := f.gens.vars[k]
	r, src := radius[j], f.gens.values(k)
	f.view.lines(f.gens.patches[k], func(stored, flat, length int) {
		s, d := src[stored:stored+length], rad[flat:flat+length]
		for i, v := range s {
			d[i] += math.Abs(v) * r
		}
		if middle != nil && middle[j] != 0 {
			d = mid[flat : flat+length]
			for i, v := range s {
				d[i] += v * middle[j]
			}
		}
	})
}

// bytes is about how much memory a form takes.
func (f *form) bytes() int64 {
	return int64(8 * (len(f.gens.data) + len(f.centre) + len(f.slack) + 3*len(f.gens.vars)))
}

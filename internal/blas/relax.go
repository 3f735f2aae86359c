package blas

import (
	"math"
	"unsafe"
)

// Steps of bound propagation over rows of coefficients, in float64. Rows are
// contiguous, and vectors that belong to the neurons are shared by all rows, so
// that one call serves one layer of one domain. The order of a sum depends on the
// length of a row alone; the errors are within gamma_n times the sum of the
// terms' absolute values. Not-a-numbers in coefficients reach every result of
// their row.

// relaxKernels are the routines of one instruction set. Sums are pairs.
type relaxKernels struct {
	relax, relaxAdd func(count, n int, a, dst, lowSlope *float64, lowStep int, highSlope, low, high, magnitude, sums *float64)
	box             func(count, n int, a, low, high, magnitude, sums *float64)
	dot             func(count, n int, a, x, magnitude, sums *float64)
	along           func(count, n int, a, in, out, lowSlope *float64, lowStep int, highSlope, low, high *float64)
	ascend          func(n int, a, in, free, first, second, slope, constants *float64)
	tilt            func(n int, g float64, a, coef, radius, reach, sums *float64)
}

// Lines is two lines for each of n neurons: slopes and intercepts.
type Lines struct {
	LowSlope, HighSlope, Low, High []float64
	// LowStep is the distance between the low slopes of one row and the next:
	// 0 if the rows share them, else n.
	LowStep int
}

func (l *Lines) check(count, n int) {
	_, _, _ = l.HighSlope[:n], l.Low[:n], l.High[:n]
	_ = l.LowSlope[:(count-1)*l.LowStep+n]
	if l.LowStep < 0 {
		panic("blas: negative step")
	}
}

// RelaxRows replaces count rows a of n coefficients behind neurons by
// coefficients in front of them: a positive one is multiplied by the low slope, a
// negative one by the high slope. dst is overwritten, or added to if add is set.
//
// Of each row, sums gets two numbers: Σ max(a,0)·Low + min(a,0)·High, and
// Σ |a|·magnitude. Each element of dst is rounded once, or twice if added to.
// It panics if a slice is too short. dst must not overlap the others.
func RelaxRows(count, n int, a, dst []float64, lines *Lines, magnitude, sums []float64, add bool) {
	if count <= 0 || n <= 0 {
		clear(sums[:2*max(count, 0)])
		return
	}
	lines.check(count, n)
	_, _, _, _ = a[:count*n], dst[:count*n], magnitude[:n], sums[:2*count]
	k := active.Load().relax
	run := k.relax
	if add {
		run = k.relaxAdd
	}
	run(count, n, &a[0], &dst[0], &lines.LowSlope[0], 8*lines.LowStep, &lines.HighSlope[0], &lines.Low[0], &lines.High[0], &magnitude[0], &sums[0])
}

// BoxRows puts into sums, for each of count rows a of n coefficients, the least
// value Σ max(a,0)·low + min(a,0)·high over the box [low, high], and
// Σ |a|·magnitude. It panics if a slice is too short.
func BoxRows(count, n int, a, low, high, magnitude, sums []float64) {
	if count <= 0 || n <= 0 {
		clear(sums[:2*max(count, 0)])
		return
	}
	_, _, _, _, _ = a[:count*n], low[:n], high[:n], magnitude[:n], sums[:2*count]
	active.Load().relax.box(count, n, &a[0], &low[0], &high[0], &magnitude[0], &sums[0])
}

// DotRows puts into sums, for each of count rows a of n coefficients, Σ a·x and
// Σ |a|·magnitude. It panics if a slice is too short.
func DotRows(count, n int, a, x, magnitude, sums []float64) {
	if count <= 0 || n <= 0 {
		clear(sums[:2*max(count, 0)])
		return
	}
	_, _, _, _ = a[:count*n], x[:n], magnitude[:n], sums[:2*count]
	active.Load().relax.dot(count, n, &a[0], &x[0], &magnitude[0], &sums[0])
}

// AlongRows carries count rows of n values forward along the lines that the
// coefficients a chose: out = slope·in + intercept of the high line where a is
// negative, else of the low line. It panics if a slice is too short.
func AlongRows(count, n int, a, in, out []float64, lines *Lines) {
	if count <= 0 || n <= 0 {
		return
	}
	lines.check(count, n)
	_, _, _ = a[:count*n], in[:count*n], out[:count*n]
	active.Load().relax.along(count, n, &a[0], &in[0], &out[0], &lines.LowSlope[0], 8*lines.LowStep, &lines.HighSlope[0], &lines.Low[0], &lines.High[0])
}

// Tilt puts into sums Σ |a+g·coef|·radius and Σ sign(a+g·coef)·reach, where zeros
// have the sign of their bit: over a box, the radius of the row a tilted by g times
// coef, and with reach = coef·radius its derivative by g. a+g·coef rounds once or
// twice. It panics if a slice is shorter than a.
func Tilt(g float64, a, coef, radius, reach, sums []float64) {
	n := len(a)
	if n == 0 {
		clear(sums[:2])
		return
	}
	_, _, _, _ = coef[:n], radius[:n], reach[:n], sums[:2]
	active.Load().relax.tilt(n, g, &a[0], &coef[0], &radius[0], &reach[0], &sums[0])
}

// Ascent is one step of Adam (Kingma & Ba 2015, arXiv:1412.6980) on slopes.
type Ascent struct {
	constants [36]float64
}

// NewAscent is the step number it, counted from 0, at the given rate, with decays
// of the two moments; slopes stay in [least, most].
func NewAscent(it int, rate, first, second, least, most float64) *Ascent {
	t := float64(it + 1)
	s := &Ascent{}
	for i, c := range [9]float64{
		first, 1 - first, second, 1 - second, 1 / (1 - math.Pow(second, t)), 1e-12,
		rate / (1 - math.Pow(first, t)), least, most,
	} {
		for lane := range 4 {
			s.constants[4*i+lane] = c
		}
	}
	return s
}

// Free and Fixed are the two values of an element of the mask of Row.
var (
	Free  = math.Float64frombits(math.MaxUint64)
	Fixed = 0.0
)

// Row moves the slopes of one row. The derivative by a slope is max(a,0)·in.
// Slopes whose element of free is Fixed stay; those with Free move. Moments and
// slopes are updated. A derivative or a step that is not finite counts as zero.
// It panics if a slice is shorter than a.
func (s *Ascent) Row(a, in, free, first, second, slope []float64) {
	n := len(a)
	if n == 0 {
		return
	}
	_, _, _, _, _ = in[:n], free[:n], first[:n], second[:n], slope[:n]
	active.Load().relax.ascend(n, &a[0], &in[0], &free[0], &first[0], &second[0], &slope[0], &s.constants[0])
}

// The routines in plain Go.

var genericRelax = relaxKernels{
	relax: func(count, n int, a, dst, lowSlope *float64, lowStep int, highSlope, low, high, magnitude, sums *float64) {
		genericRelaxRows(false, count, n, a, dst, lowSlope, lowStep, highSlope, low, high, magnitude, sums)
	},
	relaxAdd: func(count, n int, a, dst, lowSlope *float64, lowStep int, highSlope, low, high, magnitude, sums *float64) {
		genericRelaxRows(true, count, n, a, dst, lowSlope, lowStep, highSlope, low, high, magnitude, sums)
	},
	box: genericBoxRows, dot: genericDotRows, along: genericAlongRows, ascend: genericAscend,
	tilt: genericTilt,
}

func genericRelaxRows(add bool, count, n int, a, dst, lowSlope *float64, lowStep int, highSlope, low, high, magnitude, sums *float64) {
	genericBoxRows(count, n, a, low, high, magnitude, sums)
	from, to := unsafe.Slice(a, count*n), unsafe.Slice(dst, count*n)
	slopes, us := unsafe.Slice(lowSlope, (count-1)*lowStep/8+n), unsafe.Slice(highSlope, n)
	for r := range count {
		ls := slopes[r*lowStep/8:]
		for k, v := range from[r*n : (r+1)*n] {
			x := max(v, 0)*ls[k] + min(v, 0)*us[k]
			if add {
				x += to[r*n+k]
			}
			to[r*n+k] = x
		}
	}
}

func genericBoxRows(count, n int, a, low, high, magnitude, sums *float64) {
	rows, out := unsafe.Slice(a, count*n), unsafe.Slice(sums, 2*count)
	for r := range count {
		row := &rows[r*n]
		out[2*r], out[2*r+1] = genericSignDot(n, row, low, high), genericAbsDot(n, row, magnitude)
	}
}

func genericDotRows(count, n int, a, x, magnitude, sums *float64) {
	rows, out := unsafe.Slice(a, count*n), unsafe.Slice(sums, 2*count)
	for r := range count {
		row := &rows[r*n]
		out[2*r], out[2*r+1] = genericDot(n, row, x), genericAbsDot(n, row, magnitude)
	}
}

func genericAlongRows(count, n int, a, in, out, lowSlope *float64, lowStep int, highSlope, low, high *float64) {
	rows, from, to := unsafe.Slice(a, count*n), unsafe.Slice(in, count*n), unsafe.Slice(out, count*n)
	slopes, us := unsafe.Slice(lowSlope, (count-1)*lowStep/8+n), unsafe.Slice(highSlope, n)
	li, ui := unsafe.Slice(low, n), unsafe.Slice(high, n)
	for r := range count {
		ls := slopes[r*lowStep/8:]
		for k, v := range rows[r*n : (r+1)*n] {
			if v < 0 {
				to[r*n+k] = us[k]*from[r*n+k] + ui[k]
			} else {
				to[r*n+k] = ls[k]*from[r*n+k] + li[k]
			}
		}
	}
}

func genericAscend(n int, a, in, free, first, second, slope, constants *float64) {
	c := unsafe.Slice(constants, 36)
	rows, from, mask := unsafe.Slice(a, n), unsafe.Slice(in, n), unsafe.Slice(free, n)
	m, v, x := unsafe.Slice(first, n), unsafe.Slice(second, n), unsafe.Slice(slope, n)
	for k, fixed := range mask {
		fixed := math.Float64bits(fixed) == 0
		g := max(rows[k], 0) * from[k]
		if g-g != 0 || fixed {
			g = 0
		}
		m[k] = c[0]*m[k] + c[4]*g
		v[k] = c[8]*v[k] + c[12]*(g*g)
		step := c[24] * (m[k] / (math.Sqrt(v[k]*c[16]) + c[20]))
		if step-step != 0 {
			step = 0
		}
		if !fixed {
			x[k] = min(max(x[k]+step, c[28]), c[32])
		}
	}
}

func genericTilt(n int, g float64, a, coef, radius, reach, sums *float64) {
	const sign = 1 << 63
	row, c, r, s := unsafe.Slice(a, n), unsafe.Slice(coef, n), unsafe.Slice(radius, n), unsafe.Slice(reach, n)
	value, slope := 0.0, 0.0
	for k, v := range row {
		t := v + g*c[k]
		value += math.Abs(t) * r[k]
		slope += math.Float64frombits(math.Float64bits(s[k]) ^ math.Float64bits(t)&sign)
	}
	out := unsafe.Slice(sums, 2)
	out[0], out[1] = value, slope
}

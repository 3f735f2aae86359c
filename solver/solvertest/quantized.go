package solvertest

import (
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/solver"
)

// Encoding of a quantised neuron.
type Encoding int

// The encodings.
const (
	// Direct has an integer per neuron and two binaries for its clamps.
	Direct Encoding = iota
	// Levels has a binary per value that the neuron can take, as QVIP (Zhang et al.
	// 2022, "QVIP: an ILP-based formal verification approach for quantized neural
	// networks", ASE) has.
	Levels
)

// Quantized asks whether a random quantised network has an input within radius of a
// random one, in the maximum norm, that it puts into another class: feasible if so.
// Inputs are integers from 0 to 255, weights of the given number of bits; a neuron sums
// up, adds its bias, divides by a power of two, rounds half up and clamps. Intervals
// drop what cannot happen. Every variable is integer or binary, every coefficient an
// integer or half of one. It is the integer problem of verifying quantised networks.
func Quantized(seed uint64, encoding Encoding, bits, radius int, widths ...int) *solver.Problem {
	q := quantized{p: &solver.Problem{}, rng: rand.New(rand.NewPCG(seed, 0x9b)), bits: bits, encoding: encoding}
	for range widths[0] {
		x := q.rng.IntN(256)
		low, high := max(x-radius, 0), min(x+radius, 255)
		q.value = append(q.value, x)
		q.neurons = append(q.neurons, neuron{q.p.AddInteger(float64(low), float64(high), 0), low, high})
	}
	for k, width := range widths[1:] {
		shift := bits - 1
		if k == 0 {
			shift = 9
		}
		q.layer(width, shift, k == len(widths)-2)
	}
	q.otherClass()
	return q.p
}

// neuron is a variable of the problem and its interval.
type neuron struct{ variable, low, high int }

// quantized is a layer, at the central input and as variables.
type quantized struct {
	p        *solver.Problem
	rng      *rand.Rand
	bits     int
	encoding Encoding
	neurons  []neuron
	value    []int
}

// layer adds a layer of random weights.
func (q *quantized) layer(width, shift int, last bool) {
	floor, ceiling := 0, 1<<q.bits-1
	if last {
		floor, ceiling = -1<<(q.bits-1), 1<<(q.bits-1)-1
	}
	most := 1<<(q.bits-1) - 1
	var neurons []neuron
	var value []int
	for range width {
		sum := 1 << (shift - 1) // half, for rounding
		bias := q.rng.IntN(5) - 2
		constant := sum + bias<<shift
		low, high := constant, constant
		at := constant
		var columns []int
		var weights []float64
		for k, n := range q.neurons {
			w := int(math.Round(q.rng.NormFloat64() * float64(most) / 2))
			if w = min(max(w, -most), most); w == 0 {
				continue
			}
			columns, weights = append(columns, n.variable), append(weights, float64(w))
			low += min(w*n.low, w*n.high)
			high += max(w*n.low, w*n.high)
			at += w * q.value[k]
		}
		value = append(value, min(max(at>>shift, floor), ceiling))
		yLow, yHigh := min(max(low>>shift, floor), ceiling), min(max(high>>shift, floor), ceiling)
		y := neuron{q.p.AddInteger(float64(yLow), float64(yHigh), 0), yLow, yHigh}
		neurons = append(neurons, y)
		c := clamped{q.p, y, columns, weights, constant, low, high, 1 << shift, floor, ceiling}
		switch {
		case yLow == yHigh:
		case q.encoding == Direct:
			c.direct()
		default:
			c.levels()
		}
	}
	q.neurons, q.value = neurons, value
}

// clamped is a neuron y = clamp(⌊(Σ weights·columns + constant)/step⌋, floor, ceiling),
// whose numerator lies in [low, high].
type clamped struct {
	p              *solver.Problem
	y              neuron
	columns        []int
	weights        []float64
	constant       int
	low, high      int
	step           int
	floor, ceiling int
}

// row adds the weighted sum plus further terms, at most or at least limit.
func (c *clamped) row(atMost bool, limit int, columns []int, values ...float64) {
	all := append(append([]int{}, c.columns...), columns...)
	coefficients := append(append([]float64{}, c.weights...), values...)
	if atMost {
		c.p.AddLessEqual(float64(limit-c.constant), all, coefficients)
	} else {
		c.p.AddGreaterEqual(float64(limit-c.constant), all, coefficients)
	}
}

// direct has y between numerator/step and what rounding leaves, and binaries for "not
// clamped from below" and "clamped from above".
func (c *clamped) direct() {
	y, step := c.y.variable, float64(c.step)
	over, under := max(0, c.high-c.step*c.ceiling-c.step+1), max(0, c.step*c.floor-c.low)
	if over > 0 {
		t := c.p.AddInteger(0, 1, 0)
		c.row(true, c.step-1, []int{y, t}, -step, -float64(over))
		room := float64(c.ceiling - c.y.low)
		c.p.AddGreaterEqual(float64(c.y.low), []int{y, t}, []float64{1, -room})
	} else {
		c.row(true, c.step-1, []int{y}, -step)
	}
	if under > 0 {
		s := c.p.AddInteger(0, 1, 0)
		c.row(false, -under, []int{y, s}, -step, -float64(under))
		c.p.AddLessEqual(float64(c.floor), []int{y, s}, []float64{1, -float64(c.y.high - c.floor)})
	} else {
		c.row(false, 0, []int{y}, -step)
	}
}

// levels has a binary per value: they add up to one, y is the value chosen, and the
// numerator lies where that value asks for.
func (c *clamped) levels() {
	var binaries []int
	ones, values, below, above := []float64{}, []float64{-1}, []float64{}, []float64{}
	for v := c.y.low; v <= c.y.high; v++ {
		binaries = append(binaries, c.p.AddInteger(0, 1, 0))
		ones, values = append(ones, 1), append(values, float64(v))
		most, least := c.step*v+c.step-1, c.step*v
		if v == c.ceiling {
			most = c.high
		}
		if v == c.floor {
			least = c.low
		}
		below, above = append(below, -float64(min(most, c.high))), append(above, -float64(max(least, c.low)))
	}
	c.p.AddEqual(1, binaries, ones)
	c.p.AddEqual(0, append([]int{c.y.variable}, binaries...), values)
	c.row(true, 0, binaries, below...)
	c.row(false, 0, binaries, above...)
}

// otherClass asks for an output that beats that of the central input; the first of
// equal outputs wins.
func (q *quantized) otherClass() {
	class := 0
	for i, v := range q.value {
		if v > q.value[class] {
			class = i
		}
	}
	g := q.neurons[class]
	var columns []int
	var ones []float64
	for i, n := range q.neurons {
		need := 0 // of y − y_g
		if i > class {
			need = 1
		}
		if i == class || n.high-g.low < need {
			continue
		}
		b := q.p.AddInteger(0, 1, 0)
		columns, ones = append(columns, b), append(ones, 1)
		q.p.AddGreaterEqual(float64(n.low-g.high), []int{n.variable, g.variable, b},
			[]float64{1, -1, -float64(need - (n.low - g.high))})
	}
	q.p.AddGreaterEqual(1, columns, ones)
}

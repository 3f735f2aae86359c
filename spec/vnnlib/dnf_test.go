package vnnlib

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The dumb twin: formulas as trees, evaluated as they stand. Numbers are small
// multiples of 1/8, so that float64 evaluates them without rounding.

type node struct {
	op   string // and, or, <=, <, >=, >, =, +, -, *, X, Y, or a number
	kids []node
	f    float64
	i    int
}

func (n node) String() string {
	switch n.op {
	case "X", "Y":
		return fmt.Sprintf("%s_%d", n.op, n.i)
	case "number":
		if n.i == 1 && n.f < 0 {
			return fmt.Sprintf("(- %v)", -n.f)
		}
		return fmt.Sprint(n.f)
	}
	s := "(" + n.op
	for _, k := range n.kids {
		s += " " + k.String()
	}
	return s + ")"
}

func (n node) holds(x, y []float64) bool {
	switch n.op {
	case "and":
		for _, k := range n.kids {
			if !k.holds(x, y) {
				return false
			}
		}
		return true
	case "or":
		for _, k := range n.kids {
			if k.holds(x, y) {
				return true
			}
		}
		return false
	}
	for i := 1; i < len(n.kids); i++ {
		l, r := n.kids[i-1].value(x, y), n.kids[i].value(x, y)
		switch n.op {
		case "<=", "<":
			if l > r {
				return false
			}
		case ">=", ">":
			if l < r {
				return false
			}
		case "=":
			if l != r {
				return false
			}
		}
	}
	return true
}

func (n node) value(x, y []float64) float64 {
	switch n.op {
	case "X":
		return x[n.i]
	case "Y":
		return y[n.i]
	case "number":
		return n.f
	}
	v := n.kids[0].value(x, y)
	if n.op == "-" && len(n.kids) == 1 {
		return -v
	}
	for _, k := range n.kids[1:] {
		switch w := k.value(x, y); n.op {
		case "+":
			v += w
		case "-":
			v -= w
		case "*":
			v *= w
		}
	}
	return v
}

func randomFormula(r *rand.Rand, depth int) node {
	if depth == 0 || r.IntN(4) == 0 {
		n := node{op: []string{"<=", ">=", "<", ">", "="}[min(r.IntN(6), r.IntN(5))]}
		for range 2 + r.IntN(5)/4 {
			n.kids = append(n.kids, randomLinear(r, r.IntN(3)))
		}
		return n
	}
	n := node{op: []string{"and", "or"}[r.IntN(2)]}
	for range r.IntN(4) {
		n.kids = append(n.kids, randomFormula(r, depth-1))
	}
	return n
}

func randomNumber(r *rand.Rand) node {
	return node{op: "number", f: float64(r.IntN(33)-16) / 8, i: r.IntN(2)}
}

func randomLinear(r *rand.Rand, depth int) node {
	if depth == 0 {
		if r.IntN(3) == 0 {
			return randomNumber(r)
		}
		return node{op: []string{"X", "Y"}[r.IntN(2)], i: r.IntN(2)}
	}
	n := node{op: []string{"+", "-", "*"}[r.IntN(3)]}
	if n.op == "*" {
		n.kids = []node{{op: "number", f: float64(r.IntN(7) - 3)}, randomLinear(r, depth-1)}
		if r.IntN(2) == 0 {
			n.kids[0], n.kids[1] = n.kids[1], n.kids[0]
		}
		return n
	}
	for range 1 + r.IntN(3) {
		n.kids = append(n.kids, randomLinear(r, depth-1))
	}
	return n
}

func TestPropertyMeansTheFormula(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sat, cases := 0, 0
	for range 4000 {
		f := randomFormula(r, 4)
		text := twoByTwo + "(assert (<= -2 X_0 2))(assert (<= -2 X_1 2))(assert " + f.String() + ")"
		p := parse(t, text)
		cases += len(p.Cases)
		var w strings.Builder
		require.NoError(t, Write(&w, p))
		require.Equal(t, p, parse(t, w.String()), "round trip of %s by\n%s", text, w.String())
		point := func() float64 {
			v := float64(r.IntN(33)-16) / 8
			if r.IntN(4) == 0 {
				v /= 3 // where divisions were rounded
			}
			for range r.IntN(3) {
				v = math.Nextafter(v, math.Inf(1-2*r.IntN(2)))
			}
			return max(-2, min(2, v))
		}
		for range 50 {
			x, y := []float64{point(), point()}, []float64{point(), point()}
			if r.IntN(2) == 0 {
				for i := range x { // exactly representable
					x[i], y[i] = math.Round(x[i]*8)/8, math.Round(y[i]*8)/8
				}
			} else if !exactly(f) {
				continue
			}
			_, _, got := p.Check(x, y)
			require.Equal(t, f.holds(x, y), got, "%s at %v %v", text, x, y)
			if got {
				sat++
			}
		}
	}
	assert.Greater(t, sat, 10000)
	assert.Greater(t, cases, 4300, "too few formulas split the inputs")
}

// exactly reports that the twin's plain float64 evaluation of f does not round
// on arbitrary points: no sums, and no products but by powers of two.
func exactly(f node) bool {
	switch f.op {
	case "+", "-":
		return len(f.kids) == 1 && exactly(f.kids[0])
	case "*":
		for _, k := range f.kids {
			if k.op == "number" && math.Abs(k.f) == 3 {
				return false
			}
		}
	}
	for _, k := range f.kids {
		if !exactly(k) {
			return false
		}
	}
	return true
}

// TestThirds: the kept inequality decides where the box was rounded outward.
func TestThirds(t *testing.T) {
	p := parse(t, unit+"(assert (<= (* 3 X_0) 1))")
	in := 1.0 / 3
	out := math.Nextafter(in, 1)
	assert.True(t, p.Cases[0].Region.Contains([]float64{out, 0}))
	_, _, ok := p.Check([]float64{in, 0}, []float64{0, 0})
	assert.True(t, ok)
	_, _, ok = p.Check([]float64{out, 0}, []float64{0, 0})
	assert.False(t, ok)
}

func TestLimits(t *testing.T) {
	var product strings.Builder
	product.WriteString(unit)
	for range 40 {
		product.WriteString("(assert (or (<= Y_0 1) (<= Y_1 1)))\n")
	}
	var crossed strings.Builder // 2^40 ways, every one impossible at the last step
	crossed.WriteString(strings.ReplaceAll(unit, "(<= X_1 1)", ""))
	for range 40 {
		crossed.WriteString("(assert (or (<= Y_0 1) (<= Y_1 1)))\n")
	}
	crossed.WriteString("(assert (or (<= X_1 -1) (<= X_1 -2)))\n")
	var boxes strings.Builder
	boxes.WriteString(unit + "(assert (or\n")
	for i := range 1000 {
		fmt.Fprintf(&boxes, "(and (>= X_0 0.%04d) (<= X_1 0.%04d))\n", i, i)
	}
	boxes.WriteString("))")
	var ors strings.Builder
	ors.WriteString(unit)
	for range maxChoices + 1 {
		ors.WriteString("(assert (or (<= Y_0 1) (<= Y_1 1)))\n")
	}
	for name, c := range map[string]struct {
		text string
		o    Options
		what string
	}{
		"conjunctions": {product.String(), Options{MaxConjunctions: 10000}, "conjunctions"},
		"memory":       {product.String(), Options{MaxMemory: 1 << 20}, "bytes of the property"},
		"impossible":   {crossed.String(), Options{MaxConjunctions: 10000}, "steps to the disjunctive normal form"},
		"boxes":        {boxes.String(), Options{MaxMemory: 1 << 16}, "bytes of the property"},
		"ors":          {ors.String(), Options{}, "disjunctions that hold together"},
		"inputs":       {boxes.String(), Options{MaxMemory: 1}, "bytes of the property"},
	} {
		_, err := Read(strings.NewReader(c.text), "big", &c.o)
		var e *LimitError
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, c.what, e.What, name)
		assert.Contains(t, e.Error(), "big: "+c.what+" exceed the limit of")
	}
}

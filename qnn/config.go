package qnn

import (
	"fmt"
	"math"
)

// Quantization configurations.
//
// A configuration ⟨sign, Q, F⟩ says how real numbers become integers of Q bits,
// of which F stand behind the binary point: the integer n has the value n/2^F,
// signed integers run from −2^(Q−1) to 2^(Q−1)−1 and unsigned ones from 0 to
// 2^Q−1. A real number v becomes clamp(round(2^F·v)). Zhang et al. 2022 (QVIP,
// ASE), section 2.2; Henzinger et al. 2021 (AAAI) have the same.
//
// Which way a half is rounded is not said by all who use such networks, and it
// decides a few images in ten thousand. Half up is what reproduces the published
// accuracies, and what a shift after adding half of the divisor does in
// hardware. The other rules are there for other tool chains.

// Tie is how a number half-way between two integers is rounded.
type Tie int

// The rules. Floor is not about ties: it drops the fraction, as a shift alone
// does.
const (
	HalfUp   Tie = iota // towards +∞: floor(v + 1/2)
	HalfEven            // to the even neighbour, as IEEE 754 and ONNX do
	HalfAway            // away from zero, as C's round does
	Floor               // always down
)

var tieNames = []string{"half-up", "half-even", "half-away", "floor"}

// String is the rule's name in lower case.
func (t Tie) String() string {
	if t < 0 || int(t) >= len(tieNames) {
		return fmt.Sprintf("Tie(%d)", int(t))
	}
	return tieNames[t]
}

// ParseTie is the rule of a name, "" standing for half-up.
func ParseTie(name string) (Tie, error) {
	if name == "" {
		return HalfUp, nil
	}
	for i, n := range tieNames {
		if n == name {
			return Tie(i), nil
		}
	}
	return 0, &Error{Field: "tie", Detail: fmt.Sprintf("%q is none of %v", name, tieNames)}
}

// Round is v rounded to an integer; a NaN stays one.
func (t Tie) Round(v float64) float64 {
	switch t {
	case HalfEven:
		return math.RoundToEven(v)
	case HalfAway:
		return math.Round(v)
	case Floor:
		return math.Floor(v)
	}
	f := math.Floor(v)
	if v-f >= 0.5 { // exact: v and its floor share their leading bits
		f++
	}
	return f
}

// MaxBits is the greatest Q.
const MaxBits = 16

// Config is a quantization configuration ⟨sign, Q, F⟩.
type Config struct {
	Signed   bool
	Bits     int // Q, from 1 to MaxBits
	Fraction int // F, from −32 to 32
}

// Validate checks the ranges of Bits and Fraction.
func (c Config) Validate() error {
	if c.Bits < 1 || c.Bits > MaxBits {
		return errorf("config", "%d bits, want 1 to %d", c.Bits, MaxBits)
	}
	if c.Fraction < -32 || c.Fraction > 32 {
		return errorf("config", "%d fractional bits, want −32 to 32", c.Fraction)
	}
	return nil
}

// String is the configuration as in the paper, for instance <+-,6,4>.
func (c Config) String() string {
	sign := "+"
	if c.Signed {
		sign = "+-"
	}
	return fmt.Sprintf("<%s,%d,%d>", sign, c.Bits, c.Fraction)
}

// Min is the least integer.
func (c Config) Min() int64 {
	if c.Signed {
		return -1 << (c.Bits - 1)
	}
	return 0
}

// Max is the greatest integer.
func (c Config) Max() int64 {
	if c.Signed {
		return 1<<(c.Bits-1) - 1
	}
	return 1<<c.Bits - 1
}

// Quantize is the integer of the real number v. A NaN becomes Min.
func (c Config) Quantize(v float64, tie Tie) int64 {
	r := tie.Round(math.Ldexp(v, c.Fraction))
	switch {
	case r >= float64(c.Max()):
		return c.Max()
	case r > float64(c.Min()):
		return int64(r)
	default:
		return c.Min()
	}
}

// Value is the real number that n stands for.
func (c Config) Value(n int64) float64 { return math.Ldexp(float64(n), -c.Fraction) }

// FakeQuantize is the real number that v is replaced by when it is quantized:
// Value(Quantize(v)). inside reports whether v lies within the range of the
// integers, which is where a straight-through estimator lets a gradient pass.
func (c Config) FakeQuantize(v float64, tie Tie) (quantized float64, inside bool) {
	s := math.Ldexp(v, c.Fraction)
	return c.Value(c.Quantize(v, tie)), s >= float64(c.Min()) && s <= float64(c.Max())
}

// fitFraction is the greatest number of fractional bits with which numbers of
// absolute value up to magnitude fit into bits bits without clamping, within
// [−32, 32].
func fitFraction(magnitude float64, signed bool, bits int) int {
	for f := 32; f > -32; f-- {
		c := Config{Signed: signed, Bits: bits, Fraction: f}
		if math.Ldexp(magnitude, f) < float64(c.Max())+0.5 {
			return f
		}
	}
	return -32
}

// Error reports a network, property or file that is malformed.
type Error struct {
	Field  string // which part, for instance "layer 1: weights"
	Detail string
}

// Error names the part and what is wrong with it.
func (e *Error) Error() string { return "qnn: " + e.Field + ": " + e.Detail }

func errorf(field, format string, args ...any) error {
	return &Error{Field: field, Detail: fmt.Sprintf(format, args...)}
}

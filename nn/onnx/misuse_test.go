package onnx

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOperatorsMisused gives each operator every choice of up to three inputs
// out of a node and constants of odd kinds, some of more, with any number of
// outputs and attributes that it knows or not: a graph or a typed error.
//
// The fuzzer found Concat without inputs only after minutes; what can be listed
// is listed here.
func TestOperatorsMisused(t *testing.T) {
	have := []string{"", "x", "f", "fs", "f0", "f03", "f23", "i", "is", "i0"}
	rng := rand.New(rand.NewPCG(15, 16))
	try := func(op string, in []string) {
		m := build([]int64{1, 6, 9, 11, 13, 18}[rng.IntN(6)]).input("x", 1, 2, 3).
			floats("f", []int{2}, 1, 2).floats("fs", nil, 3).floats("f0", []int{0}).floats("f03", []int{0, 3}).
			floats("f23", []int{2, 3}, count(6)...).ints("i", 1, -1).int("is", 2).ints("i0")
		io := append(append([]string{}, in...), "->")
		outputs := 1 + rng.IntN(3)
		for k := range outputs {
			io = append(io, fmt.Sprint("y", k))
		}
		code := make([]byte, 60)
		for k := range code {
			code[k] = byte(rng.Uint32())
		}
		p := &program{code: code}
		var attrs []message
		if rng.IntN(3) > 0 {
			attrs = p.attrs(op)
		}
		m.node(op, io, attrs...).output("y0")
		require.NotPanics(t, func() {
			if _, _, err := m.read(&Options{MaxBytes: 1 << 20}); err != nil && !typed(err) {
				t.Fatalf("%s of %q: untyped error %T %v", op, in, err, err)
			}
		}, "%s of %q", op, in)
	}
	for _, op := range kinds() {
		for range 20 {
			try(op, nil)
		}
		for n, all := 1, len(have); n <= 3; n, all = n+1, all*len(have) {
			for k := range all {
				var in []string
				for range n {
					in = append(in, have[k%len(have)])
					k /= len(have)
				}
				try(op, in)
			}
		}
		for range 500 {
			var in []string
			for range 4 + rng.IntN(3) {
				in = append(in, have[rng.IntN(len(have))])
			}
			try(op, in)
		}
	}
}

package bounds

import (
	"math"
	"math/rand"
	"testing"

	"github.com/vouchnn/vouch/internal/blas"
)

func relaxRow2(a, dst, ls, us, li, ui, magnitude []float64) (constant, mass float64) {
	n := len(a)
	dst, ls, us = dst[:n], ls[:n], us[:n]
	for k, v := range a {
		w := math.Abs(v)
		dst[k] += 0.5 * ((w+v)*ls[k] + (v-w)*us[k])
	}
	return blas.PosNegDot(a, li, ui), blas.AbsDot(a, magnitude)
}

func relaxRow3(a, dst, ls, us, li, ui, magnitude []float64) (constant, mass float64) {
	n := len(a)
	dst, ls, us = dst[:n], ls[:n], us[:n]
	for k, v := range a {
		dst[k] += max(v, 0)*ls[k] + min(v, 0)*us[k]
	}
	return blas.PosNegDot(a, li, ui), blas.AbsDot(a, magnitude)
}
func relaxRow4(a, dst, ls, us, li, ui, magnitude []float64) (constant, mass float64) {
	n := len(a)
	dst, ls, us = dst[:n], ls[:n], us[:n]
	for k, v := range a {
		s := us[k]
		if v > 0 {
			s = ls[k]
		}
		dst[k] += v * s
	}
	return blas.PosNegDot(a, li, ui), blas.AbsDot(a, magnitude)
}

func BenchmarkZZ(b *testing.B) {
	n := 256
	v := make([][]float64, 7)
	for i := range v {
		v[i] = make([]float64, n)
		for k := range v[i] {
			v[i][k] = rand.NormFloat64()
		}
	}
	for name, f := range map[string]func(a, dst, ls, us, li, ui, magnitude []float64) (float64, float64){"now": relaxRow, "abs": relaxRow2, "minmax": relaxRow3, "branch": relaxRow4} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f(v[0], v[1], v[2], v[3], v[4], v[5], v[6])
			}
		})
	}
	b.Run("box", func(b *testing.B) {
		for b.Loop() {
			minOverBox(v[0], v[1], v[2])
		}
	})
	b.Run("box2", func(b *testing.B) {
		for b.Loop() {
			blas.PosNegDot(v[0], v[1], v[2])
			blas.AbsDot(v[0], v[3])
		}
	})
}

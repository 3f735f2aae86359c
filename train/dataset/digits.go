package dataset

import (
	"math"

	"github.com/vouchnn/vouch/internal/digits"
)

// Digits draws n pictures of the ten digits, for examples and tests that must
// run without files; all digits come equally often up to one. Their size is
// 12×12 pixels, or 28×28 as MNIST's if large is set. The same seed gives the
// same pictures. They are far easier than handwriting.
func Digits(seed uint64, n int, large bool) *Set {
	images, labels := digits.Set(seed, n)
	s := &Set{Name: "digits", Shape: []int{1, digits.Size, digits.Size}, Classes: digits.Classes}
	const scale, margin, side = 2, 2, 28
	if large {
		s.Shape = []int{1, side, side}
	}
	s.Pixels = make([]uint8, n*s.Size())
	for i := range n {
		s.Labels = append(s.Labels, uint8(labels[i]))
		to := s.Image(i)
		for k, v := range images[i*digits.Pixels : (i+1)*digits.Pixels] {
			p := uint8(math.Round(255 * v))
			if !large {
				to[k] = p
				continue
			}
			y, x := margin+k/digits.Size*scale, margin+k%digits.Size*scale
			for d := range scale * scale {
				to[(y+d/scale)*side+x+d%scale] = p
			}
		}
	}
	return s
}

package digits

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDrawGivesGreyValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		image := Draw(rng, i%Classes)
		require.Len(t, image, Pixels)
		ink := 0.0
		for _, v := range image {
			require.True(t, v >= 0 && v <= 1)
			require.InDelta(t, math.Round(255*v), 255*v, 1e-12)
			ink += v
		}
		require.Greater(t, ink, 8.0, "digit %d is hardly there", i%Classes)
		require.Less(t, ink, 80.0, "digit %d fills the picture", i%Classes)
	}
}

func TestSetIsReproducibleAndBalanced(t *testing.T) {
	images, labels := Set(7, 105)
	again, labelsAgain := Set(7, 105)
	require.Equal(t, images, again)
	require.Equal(t, labels, labelsAgain)
	other, _ := Set(8, 105)
	require.NotEqual(t, images, other)
	count := make([]int, Classes)
	for _, l := range labels {
		count[l]++
	}
	for digit, n := range count {
		require.True(t, n == 10 || n == 11, "digit %d occurs %d times", digit, n)
	}
}

// A nearest-mean classifier already reads most digits, and not all: the
// classes differ by what is drawn, and there is something to learn.
func TestDigitsCanBeTold(t *testing.T) {
	images, labels := Set(1, 1000)
	mean := make([][Pixels]float64, Classes)
	for i, l := range labels {
		for k := range Pixels {
			mean[l][k] += images[i*Pixels+k] / 100
		}
	}
	images, labels = Set(2, 1000)
	right := 0
	for i, l := range labels {
		best, at := math.Inf(1), 0
		for c := range mean {
			d := 0.0
			for k := range Pixels {
				e := images[i*Pixels+k] - mean[c][k]
				d += e * e
			}
			if d < best {
				best, at = d, c
			}
		}
		if at == l {
			right++
		}
	}
	require.Greater(t, right, 500)
	require.Less(t, right, 900)
}

func ExampleDraw() {
	image := Draw(rand.New(rand.NewPCG(3, 0)), 5)
	for y := range Size {
		var line strings.Builder
		for _, v := range image[y*Size : (y+1)*Size] {
			line.WriteByte(" .+#"[int(3.99*v)])
		}
		fmt.Println("|" + strings.TrimRight(line.String(), " "))
	}
	// Output:
	// |
	// |      +++..
	// |     .#..+
	// |     +.
	// |     ++.
	// |     +.++
	// |       .+
	// |       .+
	// |   .#  +.
	// |    +#+.
	// |     .
	// |
}

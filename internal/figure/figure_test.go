package figure

import (
	"bytes"
	"image/png"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

func curve(t *testing.T) *plot.Plot {
	t.Helper()
	p := New()
	line, err := plotter.NewLine(plotter.XYs{{X: 0.01, Y: 1}, {X: 10, Y: 2}})
	require.NoError(t, err)
	line.Color = Color(1)
	p.Add(line)
	Logarithmic(&p.X)
	p.Title.Text = "Title"
	return p
}

// A margin is blank on all sides, and in between is something.
func TestRenderLeavesAMargin(t *testing.T) {
	file, err := Render("x.png", 12*vg.Centimeter, 8*vg.Centimeter, []*plot.Plot{curve(t), Legend()}, []*plot.Plot{nil, curve(t)})
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	size := img.Bounds()
	blank := func(x, y int) bool {
		r, g, b, _ := img.At(x, y).RGBA()
		return min(r, g, b) == 0xffff
	}
	inside := 0
	const edge = 8 // of 11 pixels, at 96 to the inch
	for y := range size.Dy() {
		for x := range size.Dx() {
			near := min(x, y, size.Dx()-1-x, size.Dy()-1-y) < edge
			require.True(t, !near || blank(x, y), "%d, %d", x, y)
			if !blank(x, y) {
				inside++
			}
		}
	}
	assert.Greater(t, inside, 1000)
}

func TestRenderFormats(t *testing.T) {
	for _, format := range []string{"svg", "pdf", "PNG"} {
		file, err := Render("a."+format, vg.Inch, vg.Inch, []*plot.Plot{curve(t)})
		require.NoError(t, err)
		assert.NotEmpty(t, file)
	}
	_, err := Render("a.txt", vg.Inch, vg.Inch, []*plot.Plot{curve(t)})
	require.ErrorContains(t, err, "a picture's name ends in .svg")
}

func TestDecades(t *testing.T) {
	labels := map[float64]string{}
	for _, tick := range (decades{}).Ticks(0.1, 10) {
		labels[tick.Value] = tick.Label
	}
	assert.Len(t, labels, 19)
	assert.Equal(t, "0.1", labels[0.1])
	assert.Equal(t, "10", labels[10])
	assert.Empty(t, labels[2])
}

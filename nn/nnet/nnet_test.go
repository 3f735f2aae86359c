package nnet

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
)

// tiny is a network of two inputs, two hidden neurons and one output.
const tiny = `// a comment
2,2,1,2,
2,2,1,
0,
-1,-2,
1,2,
0.5,1,10,
2,4,3,
1,2,
-3,4,
0.5,
-0.5,
5,-6,
7,
`

// dataDir is the folder of real files, or the test is skipped.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("VOUCH_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "acasxu")); err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", dir)
	}
	return dir
}

func TestRead(t *testing.T) {
	raw, info, err := Read(strings.NewReader(tiny), "tiny.nnet", &Options{Raw: true})
	require.NoError(t, err)
	assert.Equal(t, &Info{
		Comments: []string{"a comment"}, Sizes: []int{2, 2, 1},
		Min: []float64{-1, -2}, Max: []float64{1, 2}, Mean: []float64{0.5, 1}, Range: []float64{2, 4}, OutputMean: 10, OutputRange: 3,
	}, info)
	// By hand: hidden = relu(1+2·2+0.5, −3+4·2−0.5) = (5.5, 4.5), y = 27.5 − 27 + 7.
	y, err := nn.Evaluate(raw, []float64{1, 2})
	require.NoError(t, err)
	assert.Equal(t, []float64{7.5}, y)

	// x = mean + range·(1, 2) is the same point before normalisation.
	g, _, err := Read(strings.NewReader(tiny), "tiny.nnet", nil)
	require.NoError(t, err)
	y, err = nn.Evaluate(g, []float64{2.5, 9})
	require.NoError(t, err)
	assert.Equal(t, []float64{7.5*3 + 10}, y)
}

// TestReadACASXu compares with the ONNX files of the same networks, which hold
// the raw function with float32 weights that were written with other rounding:
// weights differ by up to 7.6e-7.
func TestReadACASXu(t *testing.T) {
	dir := dataDir(t)
	for k := 1; k <= 3; k++ {
		path := filepath.Join(dir, "acasxu", "nnet", fmt.Sprintf("ACASXU_experimental_v2a_1_%d.nnet", k))
		raw, info, err := ReadFile(path, &Options{Raw: true})
		require.NoError(t, err)
		assert.Equal(t, []int{5, 50, 50, 50, 50, 50, 50, 5}, info.Sizes)
		assert.InDelta(t, 373.94992, info.OutputRange, 0)
		other, _, err := onnx.ReadFile(filepath.Join(dir, "vnncomp", "2022", "acasxu", "onnx", fmt.Sprintf("ACASXU_run2a_1_%d_batch_2000.onnx", k)), nil)
		require.NoError(t, err)
		assert.LessOrEqual(t, weightDifference(t, raw, other), 8e-7)

		full, _, err := ReadFile(path, nil)
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(1, uint64(k)))
		worst := 0.0
		for range 200 {
			x, normalised := make([]float64, 5), make([]float64, 5)
			for i := range x {
				x[i] = info.Min[i] + rng.Float64()*(info.Max[i]-info.Min[i])
				normalised[i] = (x[i] - info.Mean[i]) / info.Range[i]
			}
			a, err := nn.Evaluate(raw, normalised)
			require.NoError(t, err)
			b, err := nn.Evaluate(other, normalised)
			require.NoError(t, err)
			y, err := nn.Evaluate(full, x)
			require.NoError(t, err)
			for i := range a {
				worst = math.Max(worst, math.Abs(a[i]-b[i]))
				assert.InDelta(t, a[i]*info.OutputRange+info.OutputMean, y[i], 1e-9)
			}
		}
		t.Logf("network 1_%d: outputs differ from ONNX by up to %.2g", k, worst)
		assert.LessOrEqual(t, worst, 1e-4)
	}
}

// weightDifference is the largest difference between the parameters of two
// networks of the same layers.
func weightDifference(t *testing.T, a, b nn.Network) float64 {
	params := func(net nn.Network) []*nn.Dense {
		var d []*nn.Dense
		for _, n := range net.Nodes() {
			if op, ok := n.Op.(*nn.Dense); ok {
				d = append(d, op)
			}
		}
		return d
	}
	p, q := params(a), params(b)
	require.Len(t, q, len(p))
	worst := 0.0
	for k := range p {
		for j, w := range p[k].Params() {
			require.Equal(t, w.Shape, q[k].Params()[j].Shape)
			for i, v := range w.Values() {
				worst = math.Max(worst, math.Abs(v-q[k].Params()[j].Values()[i]))
			}
		}
	}
	return worst
}

// TestReadCoAv reads the collision avoidance benchmarks, whose normalisation
// changes nothing and leaves no operators behind.
func TestReadCoAv(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(dataDir(t), "small", "resources", "nnet", "coav", "*.nnet"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		g, info, err := ReadFile(f, nil)
		require.NoError(t, err)
		assert.Equal(t, []int{6, 40, 40, 38, 19, 1}, info.Sizes, f)
		assert.Len(t, g.Nodes(), 1+5+4, f)
		roundTrip(t, g, info)
	}
}

// roundTrip writes a raw network and compares what is read back bit for bit.
func roundTrip(t *testing.T, g nn.Network, info *Info) {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, Write(&buf, g, info))
	h, again, err := Read(&buf, "written.nnet", &Options{Raw: true})
	require.NoError(t, err)
	if info != nil {
		assert.Equal(t, info, again)
	}
	assert.Zero(t, weightDifference(t, g, h))
}

func TestWriteRoundTrip(t *testing.T) {
	g, info, err := Read(strings.NewReader(tiny), "tiny.nnet", &Options{Raw: true})
	require.NoError(t, err)
	roundTrip(t, g, info)
	roundTrip(t, g, nil)
}

func TestWriteErrors(t *testing.T) {
	g, info, err := Read(strings.NewReader(tiny), "tiny.nnet", nil)
	require.NoError(t, err)
	require.ErrorAs(t, Write(&bytes.Buffer{}, g, info), new(*nn.UnsupportedError), "normalisation is not a layer")
	raw, _, err := Read(strings.NewReader(tiny), "tiny.nnet", &Options{Raw: true})
	require.NoError(t, err)
	require.ErrorAs(t, Write(&bytes.Buffer{}, raw, &Info{}), new(*nn.ValueError))
	b := nn.NewBuilder(nn.Shape{2})
	empty, err := b.Build(0)
	require.NoError(t, err)
	require.ErrorAs(t, Write(&bytes.Buffer{}, empty, nil), new(*nn.UnsupportedError))
}

// typed tells whether err is one of the errors that Read documents.
func typed(err error) bool {
	return errors.As(err, new(*nn.FormatError)) || errors.As(err, new(*nn.ShapeError)) ||
		errors.As(err, new(*nn.ValueError)) || errors.As(err, new(*nn.UnsupportedError))
}

func TestReadErrors(t *testing.T) {
	replace := func(old, by string) string { return strings.Replace(tiny, old, by, 1) }
	for _, tc := range []struct{ name, text, where string }{
		{"empty", "", "the file ends"},
		{"a word", replace("-3,4,", "-3,four,"), `at line 10 (weights of layer 1): "four"`},
		{"a number too few", replace("-3,4,", "-3,"), "at line 10 (weights of layer 1): 1 numbers, not 2"},
		{"a number too many", replace("-3,4,", "-3,4,5,"), "at line 10"},
		{"NaN", replace("-3,4,", "nan,4,"), "line 10"},
		{"beyond float64", replace("-3,4,", "1e999,4,"), "line 10"},
		{"beyond float32", replace("-3,4,", "1e99,4,"), "exceeds float32"},
		{"a line too many", tiny + "8,\n", "at line 15"},
		{"a line too few", strings.TrimSuffix(tiny, "7,\n"), "the file ends"},
		{"no layers", replace("2,2,1,2,", "0,2,1,2,"), "at line 2"},
		{"many layers", replace("2,2,1,2,", "99999,2,1,2,"), "layers"},
		{"other sizes", replace("2,2,1,2,", "2,3,1,2,"), "at line 3"},
		{"a huge layer", strings.ReplaceAll(tiny, "2,2,1,\n", "2,2000000000,1,\n"), "at line"},
		{"half a neuron", replace("2,2,1,\n", "2,2.5,1,\n"), "2.5"},
		{"range 0", replace("2,4,3,", "2,0,3,"), "range 1"},
	} {
		_, _, err := Read(strings.NewReader(tc.text), "bad.nnet", nil)
		require.Error(t, err, tc.name)
		assert.True(t, typed(err), "%s: %T", tc.name, err)
		assert.ErrorContains(t, err, "bad.nnet", tc.name)
		assert.ErrorContains(t, err, tc.where, tc.name)
	}
	for n := range len(tiny) - 3 {
		_, _, err := Read(strings.NewReader(tiny[:n]), "cut", nil)
		require.True(t, typed(err), "cut at %d: %v", n, err)
	}
	_, _, err := Read(strings.NewReader(tiny), "long", &Options{MaxBytes: 10})
	require.ErrorAs(t, err, new(*nn.UnsupportedError))
	_, _, err = Read(strings.NewReader(tiny), "", &Options{MaxBytes: -1})
	require.ErrorAs(t, err, new(*nn.ValueError))
	_, _, err = ReadFile(filepath.Join(t.TempDir(), "absent"), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// FuzzRead: any bytes give a network or a typed error, and a network survives
// a round trip.
func FuzzRead(f *testing.F) {
	f.Add([]byte(tiny))
	f.Add([]byte("1,1,1,1\n1,1\n0\n0\n1\n0,0\n1,1\n2\n3"))
	f.Add([]byte("1,1,1,1\r\n1,1,\r\n0,\r\n\r\n0,\r\n1,\r\n0,0,\r\n1,1,\r\n-0x1p-3,\r\n3,\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, info, err := Read(bytes.NewReader(data), "fuzz", &Options{Raw: true, MaxBytes: 1 << 20})
		if err != nil {
			if !typed(err) {
				t.Fatalf("untyped error %T %v", err, err)
			}
			return
		}
		var buf bytes.Buffer
		require.NoError(t, Write(&buf, g, info))
		h, again, err := Read(&buf, "again", &Options{Raw: true})
		require.NoError(t, err)
		require.Equal(t, info.Sizes, again.Sizes)
		require.Zero(t, weightDifference(t, g, h))
	})
}

package onnx

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/vouchnn/vouch/nn"
)

// typed tells whether err is one of the errors that Read documents.
func typed(err error) bool {
	return errors.As(err, new(*nn.FormatError)) || errors.As(err, new(*nn.ShapeError)) ||
		errors.As(err, new(*nn.ValueError)) || errors.As(err, new(*nn.UnsupportedError))
}

// TestReadErrors states which error each fault gives, and that it names the
// place.
func TestReadErrors(t *testing.T) {
	relu := func() *modelBuilder { return vector(13, 2).node("Relu", names("x -> y")) }
	binary := func(op string, attrs ...message) *modelBuilder {
		return vector(13, 2).floats("c", []int{2}, 1, 2).node(op, names("x c -> y"), attrs...)
	}
	var external message
	external.str(8, "w")
	external.integer(2, typeFloat)
	external.bytes(13, nil)
	for _, tc := range []struct {
		name  string
		m     *modelBuilder
		kind  any
		where string // part of the message
	}{
		{"unknown operator", vector(13, 2).node("Resize", names("x -> y")), new(*nn.UnsupportedError), `node "Resize y": Resize`},
		{"softmax", vector(13, 1, 2).node("Softmax", names("x -> y")), new(*nn.UnsupportedError), `node "Softmax y": Softmax`},
		{"product of nodes", vector(13, 2).node("Mul", names("x x -> y")), new(*nn.UnsupportedError), `node "Mul y": Mul`},
		{"matrix product of nodes", vector(13, 2, 2).node("MatMul", names("x x -> y")), new(*nn.UnsupportedError), "MatMul"},
		{"division by a node", vector(13, 2).floats("c", []int{1}, 1).node("Div", names("c x -> y")), new(*nn.UnsupportedError), "Div"},
		{"division by zero", vector(13, 2).floats("c", []int{1}, 0).node("Div", names("x c -> y")), new(*nn.ValueError), "Div"},
		{"unknown attribute", vector(13, 2).node("Relu", names("x -> y"), intAttr("mystery", 1)), new(*nn.UnsupportedError), "mystery"},
		{"attribute of the wrong type", binary("Gather", floatAttr("axis", 1)), new(*nn.FormatError), "axis"},
		{"missing input", relu().node("Neg", names("nowhere -> z")).output("z"), new(*nn.FormatError), "nowhere"},
		{"too few inputs", vector(13, 2).node("Add", names("x -> y")), new(*nn.FormatError), "Add"},
		{"input left out", vector(13, 2).node("Add", names("x _ -> y")), new(*nn.FormatError), "Add"},
		{"cycle", vector(13, 2).node("Add", names("x b -> a")).node("Relu", names("a -> b")).node("Relu", names("b -> y")), new(*nn.FormatError), "itself"},
		{"tensor made twice", relu().node("Neg", names("x -> y")), new(*nn.FormatError), "twice"},
		{"initializer twice", relu().ints("a", 1).ints("a", 1), new(*nn.FormatError), "two initializers"},
		{"initializer without a name", relu().ints("", 1), new(*nn.FormatError), "no name"},
		{"input twice", relu().input("x", 2), new(*nn.FormatError), "two inputs"},
		{"no output", build(13).input("x", 2), new(*nn.FormatError), "no output"},
		{"no input", build(13).output("y").floats("y", []int{1}, 1), new(*nn.FormatError), "no input"},
		{"NaN weight", binary("Add").floats("w", []int{1}, math.NaN()), new(*nn.ValueError), `"w"`},
		{"infinite weight", binary("Add").floats("w", []int{1}, math.Inf(1)), new(*nn.ValueError), `"w"`},
		{"infinite attribute", vector(13, 2).node("LeakyRelu", names("x -> y"), floatAttr("alpha", float32(math.Inf(1)))), new(*nn.ValueError), "alpha"},
		{"data too short", relu().floats("w", []int{3}, 1), new(*nn.FormatError), "w"},
		{"negative axis", relu().floats("w", []int{-3}, 1), new(*nn.ShapeError), "w"},
		{"external data", relu().tensor(external), new(*nn.UnsupportedError), "external"},
		{"strings", relu().tensor(tensorMessage("w", nil, typeString, nil)), new(*nn.UnsupportedError), "string"},
		{"shapes that do not fit", vector(13, 2).floats("c", []int{3}, 1, 2, 3).node("Add", names("x c -> y")), new(*nn.ShapeError), `node "Add y"`},
		{"matrix that does not fit", vector(13, 1, 2).floats("c", []int{3, 1}, 1, 2, 3).node("MatMul", names("x c -> y")), new(*nn.ShapeError), `node "MatMul y"`},
		{"C that widens", vector(13, 1, 2).floats("w", []int{2, 1}, 1, 2).floats("c", []int{2, 1}, 1, 2).node("Gemm", names("x w c -> y")), new(*nn.ShapeError), "C"},
		{"second output of a pool", vector(13, 1, 1, 4).node("MaxPool", names("x -> z y"), intsAttr("kernel_shape", []int{2})), new(*nn.UnsupportedError), "output 1"},
		{"training", vector(13, 2).floats("r", nil, 0.5).tensor(tensorMessage("t", nil, typeBool, []byte{1})).node("Dropout", names("x r t -> y")), new(*nn.UnsupportedError), "training"},
		{"training of old", vector(6, 2).node("Dropout", names("x -> y")), new(*nn.UnsupportedError), "is_test"},
		{"cast to integers", vector(13, 2).node("Cast", names("x -> y"), intAttr("to", typeInt64)), new(*nn.UnsupportedError), "int64"},
		{"reflecting pad", vector(13, 2).ints("p", 1, 1).node("Pad", names("x p -> y"), stringAttr("mode", "reflect")), new(*nn.UnsupportedError), "reflect"},
		{"shape that depends on the input", vector(13, 2).node("Reshape", names("x x -> y")), new(*nn.UnsupportedError), "shape"},
		{"operator set too new", vector(maxOpset+1, 2).node("Relu", names("x -> y")), new(*nn.UnsupportedError), "version"},
		{"a constant out of proportion", vector(13, 1).ints("s", 1<<14, 1<<14).node("ConstantOfShape", names("s -> c")).node("Add", names("x c -> y")), new(*nn.ValueError), "proportion"},
		{"an output out of proportion", vector(13, 2).ints("p", 1<<30, 1<<30).node("Pad", names("x p -> y")), nil, "Pad"},
		{"one constant many times", manyTimes(), new(*nn.ValueError), "proportion"},
		{"the integers' end", vector(13, 2).ints("a", 1<<62).ints("b", 0).node("Slice", names("x a b -> y")), new(*nn.ShapeError), "Slice"},
		{"empty matrix of huge size", vector(13, 1).tensor(tensorMessage("w", []int{math.MaxInt32, math.MaxInt32, 0}, typeFloat, nil)).
			node("MatMul", names("x w -> y")), new(*nn.ShapeError), "MatMul"},
		{"empty concatenation of huge size", vector(13, 1).tensor(tensorMessage("w", []int{math.MaxInt32, math.MaxInt32, 0}, typeFloat, nil)).
			node("Concat", names("w w -> c"), intAttr("axis", 2)).node("Add", names("x c -> y")), new(*nn.ShapeError), "Add"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			start := time.Now()
			g, info, err := tc.m.read(nil)
			assert.Less(t, time.Since(start), time.Minute)
			require.Error(t, err)
			assert.Nil(t, g)
			assert.Nil(t, info)
			assert.True(t, typed(err), "%T", err)
			if tc.kind != nil {
				assert.ErrorAs(t, err, tc.kind)
			}
			assert.ErrorContains(t, err, "test.onnx")
			assert.ErrorContains(t, err, tc.where)
		})
	}
}

// manyTimes is a small file in which many nodes multiply by one matrix.
func manyTimes() *modelBuilder {
	m := build(13).input("x", 1, 100).floats("w", []int{100, 100}, make([]float64, 10000)...)
	at := "x"
	for k := range 2000 {
		next := string(rune('一' + k))
		m.node("MatMul", []string{at, "w", "->", next})
		at = next
	}
	return m.output(at)
}

// TestReadNotONNX: other files are malformed, not something else.
func TestReadNotONNX(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty":          nil,
		"text":           []byte("these are not the bytes you are looking for"),
		"zeros":          make([]byte, 100),
		"a PNG":          []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
		"a torn gzip":    {0x1f, 0x8b, 8, 0},
		"an empty graph": {0x3a, 0},
	} {
		_, _, err := Read(bytes.NewReader(data), "some.file", nil)
		require.Error(t, err, name)
		assert.ErrorAs(t, err, new(*nn.FormatError), name)
		assert.ErrorContains(t, err, "some.file", name)
	}
	_, _, err := ReadFile(filepath.Join(t.TempDir(), "absent.onnx"), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestReadGzip: compressed files are told by their bytes, and ReadFile finds
// them by the plain name.
func TestReadGzip(t *testing.T) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, err := z.Write(vector(13, 2).node("Neg", names("x -> y")).bytes())
	require.NoError(t, err)
	require.NoError(t, z.Close())
	path := filepath.Join(t.TempDir(), "net.onnx")
	require.NoError(t, os.WriteFile(path+".gz", buf.Bytes(), 0o600))
	g, _, err := ReadFile(path, nil)
	require.NoError(t, err)
	y, err := nn.Evaluate(g, []float64{1, 2})
	require.NoError(t, err)
	assert.Equal(t, []float64{-1, -2}, y)
}

// TestReadBoundsGzip: a small file that unpacks to a large one is refused
// before it fills the memory.
func TestReadBoundsGzip(t *testing.T) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	zeros := make([]byte, 1<<20)
	for range 16 {
		_, err := z.Write(zeros)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	used := allocated(func() {
		_, _, err := Read(&buf, "bomb", &Options{MaxBytes: 1 << 18})
		assert.ErrorAs(t, err, new(*nn.UnsupportedError))
	})
	assert.Less(t, used, uint64(4<<20))
}

// allocated is how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestReadForgedLengths: a length or a shape that claims what is not there
// allocates nothing for it.
func TestReadForgedLengths(t *testing.T) {
	claim := func(num protowire.Number) message {
		m := message(protowire.AppendTag(nil, num, protowire.BytesType))
		return append(protowire.AppendVarint(m, 1<<40), 1, 2, 3)
	}
	var inGraph, inNode, inTensor message
	inGraph.bytes(7, claim(1))
	var n message
	n.bytes(1, claim(5))
	inNode.bytes(7, n)
	var tensor message
	tensor.bytes(5, claim(9))
	inTensor.bytes(7, tensor)
	huge := func(elem int64, dims ...int) []byte {
		return vector(13, 2).tensor(tensorMessage("w", dims, elem, []byte{1, 2, 3, 4})).node("Relu", names("x -> y")).bytes()
	}
	for name, data := range map[string][]byte{
		"model": claim(7), "graph": inGraph, "node": inNode, "tensor": inTensor,
		"shape": huge(typeFloat, 1<<20, 1<<20), "shape beyond int": huge(typeInt8, 1<<30, 1<<30, 1<<30),
		"input": build(13).input("x", 1<<20, 1<<20).output("y").node("Relu", names("x -> y")).bytes(),
	} {
		used := allocated(func() {
			_, _, err := Read(bytes.NewReader(data), "forged", nil)
			assert.True(t, typed(err), "%s: %v", name, err)
		})
		assert.Less(t, used, uint64(1<<20), name)
	}
}

// small is a written model with an operator of most families.
func small(t testing.TB) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 8))
	g, err := chain(nn.Shape{2, 4, 3},
		must(nn.NewConv(nn.ConvConfig{Kernel: []int{2, 2}}, 1, 2, numbers(rng, 8), numbers(rng, 1))), nn.ReLU{},
		must(nn.NewConstArith(nn.ArithSub, numbers(rng, 2), nn.Shape{2}, false)), must(nn.NewTranspose([]int{2, 0, 1})), nn.Flatten{Axis: 0},
		must(nn.NewDense(2, 6, numbers(rng, 12), nil)), must(nn.NewReduce(nn.ReduceSum, []int{1}, true)))
	require.NoError(t, err)
	var buf bytes.Buffer
	require.NoError(t, Write(&buf, g, nil))
	return buf.Bytes()
}

// TestReadTruncated cuts a model at every byte: a typed error each time.
func TestReadTruncated(t *testing.T) {
	data := small(t)
	for n := range len(data) {
		_, _, err := Read(bytes.NewReader(data[:n]), "cut", nil)
		if n > len(data)-8 && err == nil {
			continue // only the operator set, which stands last, is cut off
		}
		require.True(t, typed(err), "cut at %d: %v", n, err)
	}
}

// TestReadFlipped flips bytes at random: a graph or a typed error each time,
// soon and without much memory.
func TestReadFlipped(t *testing.T) {
	data := small(t)
	rng := rand.New(rand.NewPCG(11, 12))
	for range 2000 {
		mutant := bytes.Clone(data)
		for range 1 + rng.IntN(4) {
			mutant[rng.IntN(len(mutant))] ^= byte(1 + rng.IntN(255))
		}
		used := allocated(func() {
			start := time.Now()
			_, _, err := Read(bytes.NewReader(mutant), "flipped", nil)
			require.True(t, err == nil || typed(err), "%v", err)
			require.Less(t, time.Since(start), time.Minute)
		})
		require.Less(t, used, uint64(256<<20))
	}
}

// FuzzRead: any bytes give a graph or a typed error; a graph that is small
// enough to evaluate survives a round trip through Write.
func FuzzRead(f *testing.F) {
	f.Add(small(f))
	for _, r := range readings() {
		f.Add(r.m.bytes())
	}
	f.Fuzz(roundTripIfNetwork)
}

// roundTripIfNetwork is the property of both fuzz targets.
func roundTripIfNetwork(t *testing.T, data []byte) {
	g, _, err := Read(bytes.NewReader(data), "fuzz", &Options{MaxBytes: 1 << 20})
	if err != nil {
		if !typed(err) {
			t.Fatalf("untyped error %T %v", err, err)
		}
		return
	}
	total := 0
	for _, n := range g.Nodes() {
		if total += n.Shape.Size(); total > 1<<12 {
			return
		}
	}
	var buf bytes.Buffer
	err = Write(&buf, g, &WriteOptions{Double: true})
	if err != nil {
		if !typed(err) {
			t.Fatalf("untyped error %T %v", err, err)
		}
		return
	}
	h, _, err := Read(&buf, "again", nil)
	require.NoError(t, err)
	x := make([]float64, nn.InputShape(g).Size())
	for k := range x {
		x[k] = float64(k%7) - 3
	}
	want, err := nn.Evaluate(g, x)
	require.NoError(t, err)
	got, err := nn.Evaluate(h, x)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for k := range want {
		if want[k] != got[k] && !(math.IsNaN(want[k]) && math.IsNaN(got[k])) {
			t.Fatalf("output %d: %v, after a round trip %v", k, want[k], got[k])
		}
	}
}

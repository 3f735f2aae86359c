package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
)

// idx is a file of bytes with the given sizes.
func idx(data []byte, sizes ...int) string {
	b := []byte{0, 0, 8, byte(len(sizes))}
	for _, n := range sizes {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return string(append(b, data...))
}

// pictures fills a folder with a tanh network, tanh.onnx, of 2×3 pixels and four
// classes, and six images with the classes that it gives them, but for image 4.
func pictures(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 9))
	normals := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(float32(rng.NormFloat64()))
		}
		return x
	}
	b := nn.NewBuilder(nn.Shape{1, 2, 3})
	at := b.Add("flat", nn.NewReshape(nn.Shape{6}), b.Input())
	for _, s := range [][2]int{{8, 6}, {4, 8}} {
		d, err := nn.NewDense(s[0], s[1], normals(s[0]*s[1]), normals(s[0]))
		require.NoError(t, err)
		at = b.Add("", d, at)
		if s[0] == 8 {
			at = b.Add("", nn.Tanh{}, at)
		}
	}
	net, err := b.Build(at)
	require.NoError(t, err)
	require.NoError(t, onnx.WriteFile(filepath.Join(dir, "tanh.onnx"), net, nil))

	pixels, labels := make([]byte, 6*6), make([]byte, 6)
	for i := range pixels {
		pixels[i] = byte(rng.IntN(256))
	}
	for i := range labels {
		x := make([]float64, 6)
		for k := range x {
			x[k] = float64(pixels[6*i+k]) / 255
		}
		y, err := nn.Evaluate(net, x)
		require.NoError(t, err)
		for k := range y {
			if y[k] > y[labels[i]] {
				labels[i] = byte(k)
			}
		}
	}
	labels[4] = (labels[4] + 1) % 4
	put(t, dir, "images.idx", idx(pixels, 6, 2, 3))
	put(t, dir, "labels.idx", idx(labels, 6))
	return dir
}

func radius(dir string, more ...string) (code int, stdout, stderr string) {
	args := []string{"radius", "-net", filepath.Join(dir, "tanh.onnx"), "-images", filepath.Join(dir, "images.idx"), "-labels", filepath.Join(dir, "labels.idx")}
	return vouch(append(args, more...)...)
}

func TestRadius(t *testing.T) {
	dir := pictures(t)
	code, stdout, stderr := radius(dir, "-method", "dualapp-mc, newise,deeppoly", "-target", "random")
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, stdout, "1 of 6 images are misclassified")
	for _, method := range []string{"dualapp-mc", "newise", "deeppoly"} {
		assert.Contains(t, stdout, " "+method+" ")
	}
	assert.Equal(t, "tanh", tableRow(t, stdout, "tanh")[0])
	assert.Empty(t, stderr, "no terminal, no progress")
}

// Images of the class that is to be excluded are left out, and counted.
func TestRadiusOwnTarget(t *testing.T) {
	dir := pictures(t)
	own := 0
	for _, class := range []string{"0", "1", "2", "3"} {
		code, stdout, stderr := radius(dir, "-target", class, "-json")
		require.Equal(t, exitOK, code, stderr)
		var got struct {
			Misclassified int         `json:"misclassified"`
			OwnTarget     int         `json:"own_target"`
			Radii         []radiusRow `json:"radii"`
		}
		require.NoError(t, json.Unmarshal([]byte(stdout), &got))
		assert.Equal(t, 6, got.Misclassified+got.OwnTarget+len(got.Radii))
		own += got.OwnTarget
		code, stdout, _ = radius(dir, "-target", class)
		require.Equal(t, exitOK, code)
		assert.Equal(t, got.OwnTarget > 0, strings.Contains(stdout, "of the target's class and left out"))
	}
	assert.Equal(t, 5, own, "each image is of one class")
}

// radii is the rows of a run.
func radii(t *testing.T, dir string, more ...string) []radiusRow {
	t.Helper()
	code, stdout, stderr := radius(dir, append(more, "-json")...)
	require.Equal(t, exitOK, code, stderr)
	var got struct {
		Misclassified int
		Radii         []radiusRow
		Summary       []radiusTally
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.Equal(t, len(got.Radii) > 0, len(got.Summary) > 0)
	return got.Radii
}

func TestRadiusTargetsAndOutputs(t *testing.T) {
	dir := pictures(t)
	plain := radii(t, dir)
	require.Len(t, plain, 5)
	for _, r := range plain {
		assert.Positive(t, r.Radius)
		assert.Equal(t, "all", r.Target)
		assert.Equal(t, "dualapp-mc", r.Method)
	}
	margin := radii(t, dir, "-margin")
	clipped := radii(t, dir, "-margin", "-clip", "-method", "verinet")
	assert.Equal(t, "dualapp-mc+margin", margin[0].Method)
	assert.Equal(t, "verinet+margin+clip", clipped[0].Method)
	for i := range plain {
		assert.Greater(t, margin[i].Radius, plain[i].Radius, "one function is bounded better than two")
	}
	paper := radii(t, dir, "-search", "paper", "-index", "0-2")
	require.Len(t, paper, 3)
	for i, r := range paper {
		assert.InEpsilon(t, plain[i].Radius, r.Radius, 2e-3)
	}

	put(t, dir, "targets.csv", "sample,target\n3,0\n1,1\n0,2\n")
	for _, r := range radii(t, dir, "-targets", filepath.Join(dir, "targets.csv")) {
		assert.Contains(t, []string{"3 0", "1 1", "0 2"}, strconv.Itoa(r.Sample)+" "+r.Target)
	}
	rows := 0
	for target := range 4 {
		for _, r := range radii(t, dir, "-target", strconv.Itoa(target)) {
			assert.Equal(t, strconv.Itoa(target), r.Target)
			rows++
		}
	}
	assert.Equal(t, 5*3, rows, "an image is not proved against its own class")
}

// A run that is started again does what is left, and the file of a run that was
// cut off grows into that of one that was not.
func TestRadiusResumes(t *testing.T) {
	dir := pictures(t)
	file := filepath.Join(dir, "out.csv")
	code, _, stderr := radius(dir, "-method", "verinet,crown", "-target", "random", "-csv", file)
	require.Equal(t, exitOK, code, stderr)
	whole := read(t, file)
	assert.True(t, strings.HasPrefix(whole, "network,method,sample,target,radius,seconds\ntanh,verinet,0,"), whole)
	lines := strings.SplitAfter(whole, "\n")
	require.Len(t, lines, 1+2*5+1)
	put(t, dir, "out.csv", strings.Join(lines[:4], "")+lines[4][:7])
	code, stdout, stderr := radius(dir, "-method", "verinet,crown", "-target", "random", "-csv", file)
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, tableRow(t, stdout, "tanh"), "5")
	assert.Equal(t, withoutSeconds(whole), withoutSeconds(read(t, file)))

	put(t, dir, "out.csv", "something,else\n")
	code, _, stderr = radius(dir, "-csv", file)
	assert.Equal(t, exitError, code)
	assert.Contains(t, stderr, "columns are")
	put(t, dir, "out.csv", "network,method,sample,target,radius,seconds\ntanh,verinet,zero,1,2,3\n")
	code, _, stderr = radius(dir, "-csv", file)
	assert.Equal(t, exitError, code)
	assert.Contains(t, stderr, "row 1")
}

func withoutSeconds(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(line[:strings.LastIndex(line, ",")] + "\n")
	}
	return b.String()
}

func TestRadiusUsage(t *testing.T) {
	dir := pictures(t)
	put(t, dir, "bad.csv", "sample,class\n0,1\n")
	put(t, dir, "far.csv", "sample,target\n0,1\n17,1\n")
	put(t, dir, "twice.csv", "sample,target\n0,1\n0,2\n")
	put(t, dir, "class.csv", "sample,target\n0,9\n")
	put(t, dir, "few.csv", "sample,target\n0,1\n")
	at := func(name string) string { return filepath.Join(dir, name) }
	for says, test := range map[string]struct {
		args []string
		code int
	}{
		"want one of dualapp-mc":    {[]string{"-method", "magic"}, exitUsage},
		"want all, random":          {[]string{"-target", "none"}, exitUsage},
		"Step: 3 is not in":         {[]string{"-step", "3"}, exitUsage},
		"Tolerance: 1 is not in":    {[]string{"-tolerance", "1"}, exitUsage},
		"Steps: -1 is negative":     {[]string{"-steps", "-1"}, exitUsage},
		"-data and -images exclude": {[]string{"-data", "mnist"}, exitUsage},
		"there is no 6":             {[]string{"-index", "0-2,6"}, exitUsage},
		"exclude each other":        {[]string{"-target", "1", "-targets", at("few.csv")}, exitUsage},
		"not sample,target":         {[]string{"-targets", at("bad.csv")}, exitError},
		"line 3":                    {[]string{"-targets", at("far.csv")}, exitError},
		"is there twice":            {[]string{"-targets", at("twice.csv")}, exitError},
		"sample 0 has the target 9": {[]string{"-targets", at("class.csv")}, exitError},
		"no target for sample":      {[]string{"-index", "0-1", "-targets", at("few.csv")}, exitError},
		"has the target 7":          {[]string{"-target", "7"}, exitError},
	} {
		code, stdout, stderr := radius(dir, test.args...)
		assert.Equal(t, test.code, code, says)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, says)
	}
	code, _, stderr := vouch("radius", "-net", at("tanh.onnx"))
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "which images?")
	put(t, dir, "images.idx", idx(make([]byte, 6*4), 6, 2, 2))
	code, _, stderr = radius(dir)
	assert.Equal(t, exitError, code)
	assert.Contains(t, stderr, "takes 6 numbers, the images have 4")
}

func TestRadiusInterrupted(t *testing.T) {
	dir := pictures(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, err bytes.Buffer
	code := run(ctx, []string{
		"radius", "-net", filepath.Join(dir, "tanh.onnx"), "-images", filepath.Join(dir, "images.idx"), "-labels", filepath.Join(dir, "labels.idx"),
	}, strings.NewReader(""), &out, &err)
	assert.Equal(t, exitError, code)
	assert.Contains(t, err.String(), "interrupted after 0 radii")
}

// untilRows is a context that ends when a file has more lines than some: a Ctrl-C midway.
type untilRows struct {
	context.Context
	cancel func()
	file   string
	rows   int
}

func newUntilRows(t *testing.T, file string, rows int) untilRows {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return untilRows{ctx, cancel, file, rows}
}

// Err implements context.Context; what runs long asks it time and again.
func (u untilRows) Err() error {
	if text, err := os.ReadFile(u.file); err == nil && strings.Count(string(text), "\n") > u.rows {
		u.cancel()
	}
	return u.Context.Err()
}

// Ctrl-C midway: table, JSON and file have what is done, and the same command goes on.
func TestRadiusInterruptedMidway(t *testing.T) {
	dir := pictures(t)
	const copies = 20
	pixels, labels := read(t, filepath.Join(dir, "images.idx"))[16:], read(t, filepath.Join(dir, "labels.idx"))[8:]
	put(t, dir, "images.idx", idx([]byte(strings.Repeat(pixels, copies)), 6*copies, 2, 3))
	put(t, dir, "labels.idx", idx([]byte(strings.Repeat(labels, copies)), 6*copies))
	file := filepath.Join(dir, "out.csv")
	args := []string{"-index", fmt.Sprintf("0-%d", 6*copies-1), "-method", "alpha", "-iterations", "10", "-csv", file}
	all := append([]string{
		"radius", "-net", filepath.Join(dir, "tanh.onnx"), "-images", filepath.Join(dir, "images.idx"), "-labels", filepath.Join(dir, "labels.idx"), "-json",
	}, args...)
	ctx := newUntilRows(t, file, 20)
	var out, errs bytes.Buffer
	require.Equal(t, exitError, run(ctx, all, strings.NewReader(""), &out, &errs))
	var got struct {
		Radii   []radiusRow
		Summary []radiusTally
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.GreaterOrEqual(t, len(got.Radii), 20)
	require.Less(t, len(got.Radii), 5*copies)
	assert.Equal(t, fmt.Sprintf("vouch: interrupted after %d radii\n", len(got.Radii)), errs.String())
	require.Len(t, got.Summary, 1)
	assert.Equal(t, len(got.Radii), got.Summary[0].Samples)
	part := read(t, file)
	assert.Equal(t, 1+len(got.Radii), strings.Count(part, "\n"), "the file has what the answer has")

	code, stdout, stderr := radius(dir, args...)
	require.Equal(t, exitOK, code, stderr)
	assert.Equal(t, strconv.Itoa(5*copies), tableRow(t, stdout, "tanh")[2])
	whole := read(t, file)
	assert.True(t, strings.HasPrefix(whole, part))
	assert.Equal(t, 1+5*copies, strings.Count(whole, "\n"))
}

func TestRandomTargetIsNeitherFirstSecondNorLast(t *testing.T) {
	y := []float64{0.1, 5, -2, 3, 0.2}
	seen := map[int]int{}
	for i := range uint64(200) {
		seen[randomTarget(rand.New(rand.NewPCG(1, i)), 1, y)]++
	}
	assert.Len(t, seen, 2)
	assert.Greater(t, seen[0], 60)
	assert.Greater(t, seen[4], 60)
	assert.Equal(t, 1, randomTarget(rand.New(rand.NewPCG(1, 1)), 0, []float64{1, 0}), "of two classes there is one other")
	assert.Equal(t, 0, randomTarget(rand.New(rand.NewPCG(1, 1)), 0, []float64{1}))
}

// TestRadiusOfPublishedNetwork runs a network of DualApp's on its images and
// targets; the mean of the published logs is 0.02526.
func TestRadiusOfPublishedNetwork(t *testing.T) {
	dir := os.Getenv("VOUCH_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, "dualapp")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", dir)
	}
	var targets strings.Builder
	targets.WriteString("sample,target\n")
	for _, line := range strings.Split(read(t, filepath.Join(dir, "golden_bounds_dev.csv")), "\n") {
		if f := strings.Split(line, ","); len(f) > 5 && f[1] == "guided_by_endpoint-sigmoid" && strings.Contains(f[2], "fnn_1x100") {
			targets.WriteString(f[4] + "," + f[5] + "\n")
		}
	}
	tmp := t.TempDir()
	put(t, tmp, "targets.csv", targets.String())
	code, stdout, stderr := vouch("radius", "-net", filepath.Join(dir, "onnx", "dualapp", "mnist_fnn_1x100_sigmoid_local.onnx"),
		"-images", filepath.Join(dir, "images", "mnist_first100_jpegdecoded.idx"), "-labels", filepath.Join(dir, "images", "mnist_first100_labels.idx"),
		"-targets", filepath.Join(tmp, "targets.csv"))
	require.Equal(t, exitOK, code, stderr)
	row := tableRow(t, stdout, "mnist_fnn_1x100_sigmoid_local")
	assert.Equal(t, "98", row[2])
	mean, err := strconv.ParseFloat(row[3], 64)
	require.NoError(t, err)
	assert.InEpsilon(t, 0.02526, mean, 0.002)
}

package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func zip(t *testing.T, data []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, err := z.Write(data)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return buf.Bytes()
}

// serve answers with files and counts requests.
func serve(t *testing.T, files map[string][]byte) (url string, requests *int) {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		data, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(data)
	}))
	t.Cleanup(s.Close)
	return s.URL, &n
}

// withHomes stands in for the published sets.
func withHomes(t *testing.T, h map[string]home) {
	old := homes
	homes = h
	t.Cleanup(func() { homes = old })
}

func TestFetch(t *testing.T) {
	images := append([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2}, 7, 9)
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 1, 4}
	sum := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	withHomes(t, map[string]home{"mnist": {"http://unused.invalid/", []published{
		{"train-images-idx3-ubyte.gz", sum(images)}, {"train-labels-idx1-ubyte.gz", sum(labels)},
	}}})
	files := map[string][]byte{"/m/train-images-idx3-ubyte.gz": zip(t, images), "/m/train-labels-idx1-ubyte.gz": zip(t, labels)}
	url, requests := serve(t, files)
	dir := t.TempDir()
	var told []string
	opts := &FetchOptions{URL: url + "/m", Progress: func(f string) { told = append(told, f) }}
	require.NoError(t, Fetch(context.Background(), "mnist", dir, opts))
	assert.Equal(t, []string{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"}, told)
	s, err := Open("mnist", Train, dir)
	require.NoError(t, err)
	assert.Equal(t, []uint8{7, 9}, s.Image(0))
	// What is there is not fetched again, what is damaged is.
	require.NoError(t, Fetch(context.Background(), "mnist", dir, opts))
	assert.Equal(t, 2, *requests)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mnist", "train-labels-idx1-ubyte.gz"), zip(t, images), 0o644))
	require.NoError(t, Fetch(context.Background(), "mnist", dir, opts))
	assert.Equal(t, 3, *requests)

	for name, test := range map[string]struct {
		change func()
		want   string
	}{
		"wrong content": {func() { files["/m/train-images-idx3-ubyte.gz"] = zip(t, labels) }, "checksum is"},
		"no gzip":       {func() { files["/m/train-images-idx3-ubyte.gz"] = []byte("<html>") }, "gzip"},
		"not there":     {func() { delete(files, "/m/train-images-idx3-ubyte.gz") }, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			test.change()
			dir := t.TempDir()
			err := Fetch(context.Background(), "mnist", dir, opts)
			var bad *DownloadError
			require.ErrorAs(t, err, &bad)
			assert.ErrorContains(t, err, test.want)
			left, err := os.ReadDir(filepath.Join(dir, "mnist"))
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, Fetch(ctx, "mnist", t.TempDir(), opts), context.Canceled)
	var unknown *UnknownError
	require.ErrorAs(t, Fetch(context.Background(), "mednist", t.TempDir(), nil), &unknown)
}

func TestFetchUnpacks(t *testing.T) {
	record := append([]byte{3}, bytes.Repeat([]byte{5}, cifarPixels)...)
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, name := range []string{"cifar-10-batches-bin/readme.html", "../../test_batch.bin"} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(record)), Mode: 0o644, Typeflag: tar.TypeReg}))
		_, err := w.Write(record)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	archive := zip(t, buf.Bytes())
	sum := md5.Sum(archive)
	withHomes(t, map[string]home{"cifar-10": {"", []published{{"c.tar.gz", "md5:" + hex.EncodeToString(sum[:])}}}})
	url, _ := serve(t, map[string][]byte{"/c.tar.gz": archive})
	dir := t.TempDir()
	require.NoError(t, Fetch(context.Background(), "cifar-10", dir, &FetchOptions{URL: url}))
	s, err := Open("cifar-10", Test, dir)
	require.NoError(t, err)
	assert.Equal(t, []uint8{3}, s.Labels)
	_, err = os.Stat(filepath.Join(dir, "..", "test_batch.bin"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestCropFlip(t *testing.T) {
	image := []float32{1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60} // two channels of 2×3
	seen := map[[12]float32]int{}
	for seed := range uint64(400) {
		x := [12]float32(image)
		CropFlip{Pad: 1, Flip: true}.Apply(x[:], []int{2, 2, 3}, rand.New(rand.NewPCG(seed, 1)))
		seen[x]++
		for i := range 6 {
			require.Equal(t, 10*x[i], x[6+i], "channels move together")
		}
	}
	assert.Len(t, seen, 18, "9 places, mirrored or not")
	assert.Contains(t, seen, [12]float32{0, 1, 2, 0, 4, 5, 0, 10, 20, 0, 40, 50})
	assert.Contains(t, seen, [12]float32{3, 2, 1, 6, 5, 4, 30, 20, 10, 60, 50, 40})
	x := [12]float32(image)
	CropFlip{}.Apply(x[:], []int{2, 2, 3}, rand.New(rand.NewPCG(1, 1)))
	assert.Equal(t, [12]float32(image), x)
}

func TestDigits(t *testing.T) {
	small, large := Digits(3, 50, false), Digits(3, 50, true)
	assert.Equal(t, small.Labels, large.Labels)
	assert.Equal(t, []int{1, 28, 28}, large.Shape)
	assert.Len(t, large.Image(0), 28*28)
	for i, p := range small.Image(7) {
		y, x := 2+i/12*2, 2+i%12*2
		assert.Equal(t, p, large.Image(7)[(y+1)*28+x])
	}
	assert.Len(t, small.PerClass(5), 50)
	x := make([]float32, 784)
	assert.Equal(t, int(large.Labels[4]), large.Read(4, x))
	assert.Equal(t, large.Float32(4), x)
}

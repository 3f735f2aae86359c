package dataset_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/train/dataset"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "mnist/t10k-images-idx3-ubyte", idx(counting(8), 2, 2, 2))
	labels := write(t, dir, "mnist/t10k-labels-idx1-ubyte", idx([]uint8{9, 0}, 2))
	s, err := dataset.Open("mnist", dataset.Test, dir)
	require.NoError(t, err)
	assert.Equal(t, "mnist", s.Name)
	assert.Equal(t, 10, s.Classes)

	_, err = dataset.Open("mnist", dataset.Train, dir)
	var missing *dataset.MissingError
	require.ErrorAs(t, err, &missing)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Contains(t, missing.Looked, filepath.Join(dir, "mnist"))

	write(t, dir, "mnist/t10k-labels-idx1-ubyte", idx([]uint8{9, 10}, 2))
	_, err = dataset.Open("mnist", dataset.Test, dir)
	var format *dataset.FormatError
	require.ErrorAs(t, err, &format)
	assert.Equal(t, labels, format.File)
	assert.ErrorContains(t, err, "label 1 is 10")

	_, err = dataset.Open("imagenet", dataset.Test, dir)
	var unknown *dataset.UnknownError
	assert.ErrorAs(t, err, &unknown)

	t.Setenv("VOUCH_DATA", dir)
	_, err = dataset.Open("mnist", dataset.Test, "")
	require.ErrorAs(t, err, &missing)
	assert.Contains(t, missing.Looked, filepath.Join(dir, "datasets", "mnist"))
}

func TestOpenMedNIST(t *testing.T) {
	dir := t.TempDir()
	const stem = "mednist/mednist-first500perclass-"
	var labels []uint8
	for c := range 6 {
		for range 5 {
			labels = append(labels, uint8(c))
		}
	}
	write(t, dir, stem+"images-idx3-ubyte", idx(counting(30), 30, 1, 1))
	write(t, dir, stem+"labels-idx1-ubyte", idx(labels, 30))
	train, err := dataset.Open("mednist", dataset.Train, dir)
	require.NoError(t, err)
	test, err := dataset.Open("mednist", dataset.Test, dir)
	require.NoError(t, err)
	assert.Equal(t, 24, train.Len())
	assert.Equal(t, []uint8{4, 9, 14, 19, 24, 29}, test.Pixels)
	assert.Equal(t, []uint8{0, 1, 2, 3, 4, 5}, test.Labels)
}

func TestSubset(t *testing.T) {
	s := &dataset.Set{Name: "x", Shape: []int{1, 1, 2}, Classes: 3, Pixels: counting(10), Labels: []uint8{2, 0, 2, 0, 2}}
	assert.Equal(t, []int{1, 3, 0, 2}, s.PerClass(2))
	sub, err := s.Subset([]int{4, 1})
	require.NoError(t, err)
	assert.Equal(t, []uint8{8, 9, 2, 3}, sub.Pixels)
	assert.Equal(t, []uint8{2, 0}, sub.Labels)
	_, err = s.Subset([]int{5})
	var index *dataset.IndexError
	assert.ErrorAs(t, err, &index)
}

func TestSplit(t *testing.T) {
	for _, s := range []dataset.Split{dataset.Train, dataset.Test} {
		got, err := dataset.ParseSplit(s.String())
		require.NoError(t, err)
		assert.Equal(t, s, got)
	}
	_, err := dataset.ParseSplit("validation")
	assert.Error(t, err)
}

// TestPublished reads the real sets: counts and first labels as published.
func TestPublished(t *testing.T) {
	data := os.Getenv("VOUCH_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(data, "datasets")); err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", data)
	}
	for _, test := range []struct {
		name   string
		split  dataset.Split
		images int
		first  []uint8 // labels
		size   int
	}{
		{"mnist", dataset.Train, 60000, []uint8{5, 0, 4}, 784},
		{"mnist", dataset.Test, 10000, []uint8{7, 2, 1}, 784},
		{"fashion-mnist", dataset.Test, 10000, []uint8{9, 2, 1}, 784},
		{"cifar-10", dataset.Train, 5000, []uint8{6, 9, 9}, 3072},
		{"cifar-10", dataset.Test, 2000, []uint8{3, 8, 8}, 3072},
		{"mednist", dataset.Train, 2400, []uint8{0, 0, 0}, 4096},
		{"mednist", dataset.Test, 600, []uint8{0, 0, 0}, 4096},
	} {
		s, err := dataset.Open(test.name, test.split, filepath.Join(data, "datasets"))
		require.NoError(t, err)
		assert.Equal(t, test.images, s.Len())
		assert.Equal(t, test.first, s.Labels[:3])
		assert.Equal(t, test.size, s.Size())
	}
}

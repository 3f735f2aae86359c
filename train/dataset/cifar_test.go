package dataset_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/train/dataset"
)

func records(labels ...uint8) []byte {
	var out []byte
	for i, l := range labels {
		out = append(append(out, l), bytes.Repeat([]byte{uint8(i)}, 3072)...)
	}
	return out
}

func TestReadCIFAR(t *testing.T) {
	s, err := dataset.ReadCIFAR(write(t, t.TempDir(), "batch", zipped(t, records(9, 0, 4))))
	require.NoError(t, err)
	assert.Equal(t, []int{3, 32, 32}, s.Shape)
	assert.Equal(t, []uint8{9, 0, 4}, s.Labels)
	assert.Equal(t, bytes.Repeat([]byte{2}, 3072), s.Image(2))
}

func TestReadCIFARHostile(t *testing.T) {
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"empty":     {nil, "is empty"},
		"cut short": {records(1, 2)[:4000], "record 1 ends after 927 of 3073 bytes"},
		"label":     {records(1, 10), "record 1 has label 10"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := dataset.ReadCIFAR(write(t, t.TempDir(), "batch", test.data))
			var format *dataset.FormatError
			require.ErrorAs(t, err, &format)
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestOpenCIFAR(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cifar-10-subset/train_first5000.bin", records(7))
	s, err := dataset.Open("cifar-10", dataset.Train, dir)
	require.NoError(t, err)
	assert.Equal(t, []uint8{7}, s.Labels)

	for i, name := range []string{"1", "2", "3", "4"} {
		write(t, dir, "cifar-10-batches-bin/data_batch_"+name+".bin", records(uint8(i)))
	}
	_, err = dataset.Open("cifar-10", dataset.Train, dir)
	assert.ErrorContains(t, err, "data_batch_5.bin: is missing")
	write(t, dir, "cifar-10-batches-bin/data_batch_5.bin", records(4))
	s, err = dataset.Open("cifar-10", dataset.Train, filepath.Join(dir, "cifar-10-batches-bin"))
	require.NoError(t, err)
	assert.Equal(t, []uint8{0, 1, 2, 3, 4}, s.Labels)
}

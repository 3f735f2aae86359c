package dataset_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/train/dataset"
)

// idx is a file of bytes with the given sizes.
func idx(data []uint8, dims ...uint32) []byte {
	out := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, d)
	}
	return append(out, data...)
}

func zipped(t testing.TB, data []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, err := z.Write(data)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return buf.Bytes()
}

func write(t testing.TB, dir, name string, data []byte) string {
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return path
}

// counting is 0, 1, 2, ...
func counting(n int) []uint8 {
	out := make([]uint8, n)
	for i := range out {
		out[i] = uint8(i)
	}
	return out
}

func TestReadIDX(t *testing.T) {
	dir := t.TempDir()
	images := write(t, dir, "i", idx(counting(12), 2, 2, 3))
	write(t, dir, "l.gz", zipped(t, idx([]uint8{1, 3}, 2)))
	s, err := dataset.ReadIDX(images, filepath.Join(dir, "l")) // found as l.gz
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3}, s.Shape)
	assert.Equal(t, 2, s.Len())
	assert.Equal(t, 4, s.Classes)
	assert.Equal(t, []uint8{6, 7, 8, 9, 10, 11}, s.Image(1))
	assert.Equal(t, 7.0/255, s.Float64(1)[1])
	assert.Equal(t, float32(7)/255, s.Float32(1)[1])

	colour := write(t, dir, "c", idx(counting(12), 1, 3, 2, 2))
	s, err = dataset.ReadIDX(colour, write(t, dir, "k", idx([]uint8{0}, 1)))
	require.NoError(t, err)
	assert.Equal(t, []int{3, 2, 2}, s.Shape)
}

// TestReadIDXHostile: each bad file is named and says what is wrong.
func TestReadIDXHostile(t *testing.T) {
	good := idx(counting(12), 2, 2, 3)
	labels := idx([]uint8{1, 3}, 2)
	for name, test := range map[string]struct {
		images, labels []byte
		want           string
	}{
		"empty":              {nil, labels, "ends within its header"},
		"not IDX":            {[]byte("hello, world"), labels, "not an IDX file"},
		"floats":             {append([]byte{0, 0, 0xd}, good[3:]...), labels, "type 0xd"},
		"cut in header":      {good[:9], labels, "ends within its header"},
		"cut in data":        {good[:len(good)-1], labels, "has 11 bytes of data, its header says 12"},
		"too long":           {append(bytes.Clone(good), 0), labels, "has more than the 12 bytes"},
		"forged size":        {idx(nil, 1<<31, 28, 28), labels, "claims a dimension of 2147483648"},
		"forged product":     {idx(nil, 1<<27, 1<<20, 1<<20), labels, "claims a dimension"},
		"big claim, no data": {idx(nil, 1<<20, 28, 28), labels, "has 0 bytes of data"},
		"zero images":        {idx(nil, 0, 28, 28), labels, "claims a dimension of 0"},
		"no dimensions":      {idx(nil), labels, "no dimensions"},
		"two dimensions":     {idx(counting(4), 2, 2), labels, "has 2 dimensions"},
		"cut gzip":           {zipped(t, good)[:15], labels, "ends within its"},
		"labels short":       {good, idx([]uint8{1}, 1), "has 1 labels for the 2 images"},
		"labels are images":  {good, good, "has 3 dimensions, want 1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			i, l := write(t, dir, "images", test.images), write(t, dir, "labels", test.labels)
			_, err := dataset.ReadIDX(i, l)
			var format *dataset.FormatError
			require.ErrorAs(t, err, &format)
			assert.ErrorContains(t, err, test.want)
			assert.Contains(t, []string{i, l}, format.File)
		})
	}
	_, err := dataset.ReadIDX(filepath.Join(t.TempDir(), "none"), "")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// FuzzReadIDX: whatever the bytes, an error or a consistent set.
func FuzzReadIDX(f *testing.F) {
	f.Add(idx(counting(12), 2, 2, 3))
	f.Add(idx(counting(24), 2, 3, 2, 2))
	f.Add(idx(nil, 1<<31, 28, 28))
	f.Add(zipped(f, idx(counting(12), 2, 2, 3)))
	dir := f.TempDir()
	labels := write(f, dir, "labels", idx([]uint8{1, 3}, 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := dataset.ReadIDX(write(t, t.TempDir(), "images", data), labels)
		if err != nil {
			return
		}
		require.Equal(t, 2, s.Len())
		require.Len(t, s.Pixels, 2*s.Size())
	})
}

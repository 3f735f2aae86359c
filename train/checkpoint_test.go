package train

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fullDisk fails after so many bytes.
type fullDisk struct {
	io.WriteCloser
	left int
}

var errFull = errors.New("no space left on device")

func (f *fullDisk) Write(p []byte) (int, error) {
	if len(p) > f.left {
		n, _ := f.WriteCloser.Write(p[:f.left])
		f.left = 0
		return n, errFull
	}
	f.left -= len(p)
	return f.WriteCloser.Write(p)
}

// A disk that fills up while a checkpoint is written leaves the last good one.
func TestFitFullDisk(t *testing.T) {
	data, dir := blobs(1, 150), t.TempDir()
	o := busyOptions()
	o.Checkpoint = dir
	writes := 0
	o.create = func(path string) (io.WriteCloser, error) {
		f, err := createFile(path)
		if writes++; writes > 1 {
			return &fullDisk{f, 2000}, err
		}
		return f, err
	}
	_, err := Engine{}.Fit(context.Background(), busyNet(t), data, o)
	var bad *CheckpointError
	require.ErrorAs(t, err, &bad)
	require.ErrorIs(t, err, errFull)
	assert.ErrorContains(t, err, checkpointName)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "the half-written file is gone")
	o.create = nil
	h, err := Engine{}.Fit(context.Background(), busyNet(t), data, o)
	require.NoError(t, err)
	assert.Equal(t, 5, h.Resumed, "from the epoch before")
}

// A folder that cannot be written to is an error before the first step.
func TestFitNowhereToSave(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	o := Options{Loss: CrossEntropy{}, Epochs: 1, Checkpoint: filepath.Join(file, "run"), Progress: func(Event) error {
		t.Error("a step was made")
		return nil
	}}
	_, err := Engine{}.Fit(context.Background(), blobNet(t), blobs(1, 96), o)
	var bad *CheckpointError
	require.ErrorAs(t, err, &bad)
	assert.ErrorContains(t, err, file)
	o.Checkpoint, o.Progress = filepath.Join(t.TempDir(), "a", "b"), nil
	_, err = Engine{}.Fit(context.Background(), blobNet(t), blobs(1, 96), o)
	require.NoError(t, err)
	left, err := os.ReadDir(o.Checkpoint)
	require.NoError(t, err)
	require.Len(t, left, 1, "the checkpoint alone")
}

// A checkpoint that is cut, changed or of another run is refused.
func TestCheckpointHostile(t *testing.T) {
	data, dir := blobs(1, 96), t.TempDir()
	o := Options{Loss: CrossEntropy{}, Epochs: 2, Batch: 32, Checkpoint: dir, Validation: data, KeepBest: true}
	_, err := Engine{}.Fit(context.Background(), blobNet(t), data, o)
	require.NoError(t, err)
	path := filepath.Join(dir, checkpointName)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	fit := func(o Options) error {
		_, err := Engine{}.Fit(context.Background(), blobNet(t), data, o)
		return err
	}
	require.NoError(t, fit(o), "nothing is left to do")
	rng := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		bad := slices.Clone(good)
		if rng.IntN(2) == 0 {
			bad = bad[:rng.IntN(len(bad))]
		} else {
			bad[rng.IntN(len(bad))] ^= byte(1 + rng.IntN(255))
		}
		require.NoError(t, os.WriteFile(path, bad, 0o644))
		var e *CheckpointError
		require.ErrorAs(t, fit(o), &e)
		assert.Equal(t, path, e.File)
	}
	require.NoError(t, os.WriteFile(path, good, 0o644))
	for _, change := range []func(*Options){
		func(o *Options) { o.Seed++ }, func(o *Options) { o.Epochs++ }, func(o *Options) { o.Batch = 31 },
		func(o *Options) { o.Optimizer = SGD{} }, func(o *Options) { o.Fingerprint = "x" }, func(o *Options) { o.KeepBest = false },
	} {
		other := o
		change(&other)
		assert.ErrorContains(t, fit(other), "another run")
	}
}

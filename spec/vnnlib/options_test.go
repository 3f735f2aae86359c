package vnnlib

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func compress(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	want := parse(t, unit)
	file("a.vnnlib.gz", compress(t, unit))
	for _, path := range []string{
		file("plain.vnnlib", []byte(unit)),
		file("disguised.vnnlib", compress(t, unit)),
		file("plain.gz", []byte(unit)),
		filepath.Join(dir, "a.vnnlib"),
		filepath.Join(dir, "a.vnnlib.gz"),
	} {
		p, err := ReadFile(path, nil)
		require.NoError(t, err, path)
		assert.Equal(t, want, p, path)
	}
	_, err := ReadFile(filepath.Join(dir, "none"), nil)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = ReadFile(file("empty", nil), nil)
	var e *ParseError
	assert.ErrorAs(t, err, &e)
	_, err = ReadFile(file("short.gz", compress(t, unit)[:40]), nil)
	assert.ErrorContains(t, err, "unexpected EOF")
	_, err = ReadFile(file("broken.gz", []byte{0x1f, 0x8b, 1}), nil)
	assert.ErrorContains(t, err, "broken.gz")

	// A few kilobytes that decompress to 64 MiB.
	bomb := file("bomb.gz", compress(t, strings.Repeat(" ", 64<<20)))
	_, err = ReadFile(bomb, &Options{MaxBytes: 1 << 20})
	var l *LimitError
	require.ErrorAs(t, err, &l)
	assert.Equal(t, int64(1<<20), l.Limit)

	c, err := ReadCounterexampleFile(file("c.gz", compress(t, "((X_0 1) (Y_0 2))")))
	require.NoError(t, err)
	assert.Equal(t, []float64{2}, c.Output)
	_, err = ReadCounterexampleFile(filepath.Join(dir, "none"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestOptionsShape(t *testing.T) {
	_, err := Read(strings.NewReader(unit), "", &Options{Inputs: 2, Outputs: 2})
	assert.NoError(t, err)
	_, err = Read(strings.NewReader(unit), "", &Options{Inputs: 3})
	assert.ErrorContains(t, err, "2 inputs are declared, want 3")
	_, err = Read(strings.NewReader(unit), "", &Options{Outputs: 1})
	assert.ErrorContains(t, err, "2 outputs are declared, want 1")
}

func TestOptionsValidate(t *testing.T) {
	for _, o := range []Options{{Inputs: -1}, {Outputs: -1}, {MaxBytes: -1}, {MaxConjunctions: -1}, {MaxMemory: -1}} {
		_, err := Read(strings.NewReader(unit), "", &o)
		assert.ErrorContains(t, err, "want ≥ 0")
	}
}

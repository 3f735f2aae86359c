package train

// Checkpoints: all that a run needs to go on as if nothing had happened. A file
// is written beside the last good one, flushed to the disk and then renamed, so
// that at each moment there is one good file or none; a checksum tells a good
// one. A header in JSON says what was trained and how far; what does not fit the
// run that wants to resume is an error, not a guess.
//
//	magic (8) · length of header (4) · header · float32 vectors · CRC-32C (4)
//
// Vectors are the unrounded parameters, the optimiser's slots, the statistics of
// normalisations and, if there is a best epoch, its parameters and statistics.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

const checkpointMagic = "vouchtr1"

// checkpointName is the file in Options.Checkpoint.
const checkpointName = "checkpoint.bin"

// CheckpointError reports a checkpoint that cannot be read, written or used.
type CheckpointError struct {
	File   string
	Detail string
	Err    error
}

// Error names the file and what is wrong.
func (e *CheckpointError) Error() string {
	s := e.File + ": checkpoint " + e.Detail
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap is the underlying error, if any.
func (e *CheckpointError) Unwrap() error { return e.Err }

// header is the part of a checkpoint that is not vectors.
type header struct {
	Run     string  `json:"run"` // what is trained, and how
	Step    int     `json:"step"`
	Sum     float64 `json:"sum"` // of this epoch's losses
	Terms   []term  `json:"terms,omitempty"`
	History History `json:"history"`
	Best    bool    `json:"best"` // the best epoch's vectors are there
	Sizes   []int   `json:"sizes"`
}

// writeCheckpoint replaces the file at path in one step.
func writeCheckpoint(path string, h header, vectors [][]float32, create func(string) (io.WriteCloser, error)) (err error) {
	fail := func(err error) error { return &CheckpointError{File: path, Detail: "not written", Err: err} }
	h.Sizes = nil
	for _, v := range vectors {
		h.Sizes = append(h.Sizes, len(v))
	}
	head, err := json.Marshal(h)
	if err != nil {
		return fail(err)
	}
	temporary := path + ".tmp"
	f, err := create(temporary)
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			os.Remove(temporary)
		}
	}()
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	w := io.MultiWriter(f, sum)
	prefix := append([]byte(checkpointMagic), binary.LittleEndian.AppendUint32(nil, uint32(len(head)))...)
	_, err = w.Write(append(prefix, head...))
	for _, v := range vectors {
		if err == nil {
			_, err = w.Write(floatBytes(v))
		}
	}
	if err == nil {
		_, err = f.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
	}
	if s, ok := f.(interface{ Sync() error }); ok && err == nil {
		err = s.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// checkFolder tells whether a checkpoint can be written at path, before the
// first epoch is spent.
func checkFolder(path string) error {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(filepath.Dir(path), ".probe*.tmp"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return &CheckpointError{File: path, Detail: "cannot be written", Err: err}
	}
	return nil
}

// createFile opens a file for a checkpoint.
func createFile(path string) (io.WriteCloser, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.Create(path)
}

func floatBytes(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// readCheckpoint reads the file at path into vectors of the sizes that sizes
// gives for its header. There being no file is no error: found is false.
func readCheckpoint(path, run string, sizes func(h *header) []int) (h header, vectors [][]float32, found bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil, false, nil
	}
	bad := func(detail string, err error) (header, [][]float32, bool, error) {
		return header{}, nil, false, &CheckpointError{File: path, Detail: detail, Err: err}
	}
	if err != nil {
		return bad("not read", err)
	}
	if len(data) < 16 || !bytes.HasPrefix(data, []byte(checkpointMagic)) {
		return bad("is not one of this program", nil)
	}
	body, tail := data[:len(data)-4], data[len(data)-4:]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(tail) {
		return bad("is damaged: its checksum is wrong", nil)
	}
	n := int(binary.LittleEndian.Uint32(body[8:]))
	if n > len(body)-12 {
		return bad("is damaged: its header is cut short", nil)
	}
	if err := json.Unmarshal(body[12:12+n], &h); err != nil {
		return bad("has a bad header", err)
	}
	if h.Run != run {
		return bad(fmt.Sprintf("belongs to another run: %s; this one is %s", h.Run, run), nil)
	}
	want, rest, total := sizes(&h), body[12+n:], 0
	for _, s := range want {
		total += s
	}
	if fmt.Sprint(want) != fmt.Sprint(h.Sizes) || len(rest) != 4*total {
		return bad(fmt.Sprintf("holds vectors of %v numbers, want %v", h.Sizes, want), nil)
	}
	for _, s := range want {
		v := make([]float32, s)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*i:]))
		}
		rest = rest[4*s:]
		vectors = append(vectors, v)
	}
	return h, vectors, true, nil
}

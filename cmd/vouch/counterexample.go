package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Counterexamples in files: vouch bench -counterexamples writes one for each
// sat, vouch report draws them. A file says by itself which instance it belongs
// to and what shape its input has, so it can be looked at without the network.

// storedCounterexample is the content of a file, one JSON object.
type storedCounterexample struct {
	Category string   `json:"category"`
	Onnx     string   `json:"onnx"`
	Vnnlib   string   `json:"vnnlib"`
	Shape    []int    `json:"shape"` // of the input
	Lower    []number `json:"lower"` // box around the region that the input lies in
	Upper    []number `json:"upper"`
	Input    []number `json:"input"`
	Output   []number `json:"output"`
}

func newStoredCounterexample(in instance, net nn.Network, prop *spec.Property, c *spec.Counterexample) *storedCounterexample {
	box := prop.Cases[c.Case].Region.Box()
	return &storedCounterexample{
		Category: in.category, Onnx: in.onnx, Vnnlib: in.vnnlib, Shape: nn.InputShape(net),
		Lower: numbers(box.Lower), Upper: numbers(box.Upper), Input: numbers(c.Input), Output: numbers(c.Output),
	}
}

// name is a file name that tells the instance, and no other's.
func (c *storedCounterexample) name() string {
	base := func(path string) string {
		path = path[strings.LastIndexByte(path, '/')+1:]
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
				return r
			}
			return '_'
		}, path[:min(len(path), 80)])
	}
	sum := sha256.Sum256([]byte(c.Category + "\x00" + c.Onnx + "\x00" + c.Vnnlib))
	return fmt.Sprintf("%s_%s_%x.json", base(c.Onnx), base(c.Vnnlib), sum[:6])
}

// write puts the counterexample into a file of dir.
func (c *storedCounterexample) write(dir string) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, c.name()), append(data, '\n'))
}

// readCounterexamples reads all .json files of a folder.
// Errors: *inputError, and those of the file system.
func readCounterexamples(dir string) ([]*storedCounterexample, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []*storedCounterexample
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if st, err := os.Stat(path); err == nil && st.Size() > maxResultsSize {
			return nil, &inputError{File: path, Detail: fmt.Sprintf("%d bytes are too many for a counterexample", st.Size())}
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		c, err := parseCounterexample(path, data)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func parseCounterexample(path string, data []byte) (*storedCounterexample, error) {
	c := &storedCounterexample{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(c); err != nil {
		offset := decoder.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			offset = syntax.Offset
		}
		line := 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
		return nil, &inputError{path, line, err.Error()}
	}
	n := len(c.Input)
	detail := ""
	switch {
	case c.Category == "" || c.Onnx == "" || c.Vnnlib == "":
		detail = "category, onnx or vnnlib is missing"
	case n == 0 || len(c.Lower) != n || len(c.Upper) != n:
		detail = fmt.Sprintf("input has %d values, lower %d and upper %d", n, len(c.Lower), len(c.Upper))
	case size(c.Shape) != n:
		detail = fmt.Sprintf("shape %v does not hold the %d values of input", c.Shape, n)
	}
	for i := range n {
		for name, list := range map[string][]number{"input": c.Input, "lower": c.Lower, "upper": c.Upper} {
			if detail == "" && math.IsNaN(float64(list[i])) {
				detail = fmt.Sprintf("%s %d is not a number", name, i)
			}
		}
	}
	if detail != "" {
		return nil, &inputError{File: path, Detail: detail}
	}
	return c, nil
}

// size is how many elements a shape holds, -1 for one that is none.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 1 || n > nn.MaxElements/d {
			return -1
		}
		n *= d
	}
	return n
}

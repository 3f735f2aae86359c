package nnet

// The parser: lines of numbers.

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/vouchnn/vouch/nn"
)

// maxLayers bounds the number of layers that a file may have.
const maxLayers = 1 << 16

type parser struct {
	file     string
	rest     []byte
	line     int // of the last line taken
	comments []string
}

func (p *parser) malformed(what, format string, args ...any) error {
	return &nn.FormatError{File: p.file, Offset: -1, Line: p.line, Field: what, Detail: fmt.Sprintf(format, args...)}
}

// next is the next line that is neither empty nor a comment, and whether there
// is one.
func (p *parser) next() ([]byte, bool) {
	for len(p.rest) > 0 {
		line := p.rest
		if k := bytes.IndexByte(line, '\n'); k >= 0 {
			line, p.rest = line[:k], line[k+1:]
		} else {
			p.rest = nil
		}
		p.line++
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("//")) {
			if len(p.comments) < maxLayers {
				p.comments = append(p.comments, string(bytes.TrimSpace(line[2:])))
			}
			continue
		}
		if len(line) > 0 {
			return line, true
		}
	}
	return nil, false
}

// numbers appends the numbers of the next line to dst. There must be want of
// them, or at least one if want is negative.
func (p *parser) numbers(what string, want int, dst []float64) ([]float64, error) {
	line, ok := p.next()
	if !ok {
		return nil, p.malformed(what, "the file ends here")
	}
	had := len(dst)
	line = bytes.TrimSuffix(line, []byte{','})
	for more := true; more; {
		var word []byte
		word, line, more = bytes.Cut(line, []byte{','})
		v, err := strconv.ParseFloat(string(bytes.TrimSpace(word)), 64)
		if errors.Is(err, strconv.ErrRange) || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &nn.ValueError{File: p.file, Node: what, Detail: fmt.Sprintf("%q at line %d", shorten(word), p.line)}
		}
		if err != nil {
			return nil, p.malformed(what, "%q is not a number", shorten(word))
		}
		dst = append(dst, v)
		if want >= 0 && len(dst)-had > want {
			break
		}
	}
	if n := len(dst) - had; want >= 0 && n != want {
		if n > want {
			return nil, p.malformed(what, "more than %d numbers", want)
		}
		return nil, p.malformed(what, "%d numbers, not %d", n, want)
	}
	return dst, nil
}

// shorten keeps messages readable.
func shorten(b []byte) string { return string(b[:min(len(b), 40)]) }

// integers is numbers that must be whole and in [least, 2³¹).
func (p *parser) integers(what string, want, least int) ([]int, error) {
	v, err := p.numbers(what, want, nil)
	if err != nil {
		return nil, err
	}
	out := make([]int, len(v))
	for k, x := range v {
		if x != math.Trunc(x) || x < float64(least) || x > math.MaxInt32 {
			return nil, p.malformed(what, "%v is not a whole number from %d on", x, least)
		}
		out[k] = int(x)
	}
	return out, nil
}

// network parses the whole file.
func (p *parser) network() (*Info, []layer, error) {
	info, err := p.header()
	if err != nil {
		return nil, nil, err
	}
	var layers []layer
	for k := range len(info.Sizes) - 1 {
		in, out := info.Sizes[k], info.Sizes[k+1]
		var l layer
		for range out {
			if l.weight, err = p.numbers(layerName("weights of layer", k), in, l.weight); err != nil {
				return nil, nil, err
			}
		}
		for range out {
			if l.bias, err = p.numbers(layerName("biases of layer", k), 1, l.bias); err != nil {
				return nil, nil, err
			}
		}
		layers = append(layers, l)
	}
	if _, more := p.next(); more {
		return nil, nil, p.malformed("end", "lines after the last bias")
	}
	info.Comments = p.comments
	return info, layers, nil
}

// header parses everything before the weights.
func (p *parser) header() (*Info, error) {
	counts, err := p.integers("header", 4, 1)
	if err != nil {
		return nil, err
	}
	if counts[0] > maxLayers {
		return nil, p.malformed("header", "%d layers, more than %d", counts[0], maxLayers)
	}
	info := &Info{}
	if info.Sizes, err = p.integers("layer sizes", counts[0]+1, 1); err != nil {
		return nil, err
	}
	n := counts[1]
	if info.Sizes[0] != n || info.Sizes[counts[0]] != counts[2] {
		return nil, p.malformed("layer sizes", "%d inputs and %d outputs, but the header says %d and %d", info.Sizes[0], info.Sizes[counts[0]], n, counts[2])
	}
	flag, err := p.integers("flag", 1, 0)
	if err != nil {
		return nil, err
	}
	info.Flag = flag[0]
	for _, part := range []struct {
		name string
		want int
		dst  *[]float64
	}{{"minima", n, &info.Min}, {"maxima", n, &info.Max}, {"means", n + 1, &info.Mean}, {"ranges", n + 1, &info.Range}} {
		if *part.dst, err = p.numbers(part.name, part.want, nil); err != nil {
			return nil, err
		}
	}
	for k, r := range info.Range {
		if !(r > 0) {
			return nil, &nn.ValueError{File: p.file, Node: "ranges", Detail: fmt.Sprintf("range %d is %v at line %d, not positive", k, r, p.line)}
		}
	}
	info.OutputMean, info.Mean = info.Mean[n], info.Mean[:n:n]
	info.OutputRange, info.Range = info.Range[n], info.Range[:n:n]
	return info, nil
}

// layerName is what names layer k, counted from 1.
func layerName(what string, k int) string {
	return strings.Join([]string{what, strconv.Itoa(k + 1)}, " ")
}

// inFile fills the file's name into an error of package nn.
func inFile(err error, file string) error {
	var s *nn.ShapeError
	var v *nn.ValueError
	switch {
	case errors.As(err, &s):
		s.File = file
	case errors.As(err, &v):
		v.File = file
	}
	return err
}

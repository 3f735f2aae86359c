package bab

// The lines of a results file: what is in them, and their checksum.
//
// Floating-point numbers are written with as many digits as it takes to read
// them back unchanged, so a record that is read and written again is the same
// line.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strconv"

	"github.com/vouchnn/vouch/spec"
)

// header is the first line.
type header struct {
	Format    string `json:"format"`
	Version   int    `json:"version"`
	Instances int    `json:"instances"`
	fingerprint
}

const (
	campaignFormat  = "vouch campaign"
	campaignVersion = 1
)

// record is the line of one finished instance.
type record struct {
	ID             string                `json:"id"`
	Verdict        spec.Verdict          `json:"verdict"`
	Reason         string                `json:"reason,omitempty"`
	LowerBound     jsonFloat             `json:"lower_bound"`
	Counterexample *recordCounterexample `json:"counterexample,omitempty"`
	Stats          recordStats           `json:"stats"`
}

type recordCounterexample struct {
	Case        int         `json:"case"`
	Conjunction int         `json:"conjunction"`
	Input       []jsonFloat `json:"input"`
	Output      []jsonFloat `json:"output"`
}

// recordStats is spec.Stats without times.
type recordStats struct {
	Domains     int               `json:"domains,omitempty"`
	Splits      int               `json:"splits,omitempty"`
	MaxFrontier int               `json:"max_frontier,omitempty"`
	Leaves      int               `json:"leaves,omitempty"`
	Attacks     int               `json:"attacks,omitempty"`
	Choices     map[string]string `json:"choices,omitempty"`
}

// jsonFloat is a float64 whose infinities and NaN are strings.
type jsonFloat float64

// MarshalJSON implements json.Marshaler.
func (f jsonFloat) MarshalJSON() ([]byte, error) {
	if v := float64(f); math.IsInf(v, 0) || math.IsNaN(v) {
		return strconv.AppendQuote(nil, strconv.FormatFloat(v, 'g', -1, 64)), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *jsonFloat) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseFloat(string(bytes.Trim(text, `"`)), 64)
	*f = jsonFloat(v)
	return err
}

func toFloats[T, F ~float64](x []F) []T {
	out := make([]T, len(x))
	for i, v := range x {
		out[i] = T(v)
	}
	return out
}

func newRecord(id string, r *spec.Result) *record {
	s := r.Stats
	rec := &record{
		ID: id, Verdict: r.Verdict, Reason: r.Reason.String(), LowerBound: jsonFloat(r.LowerBound),
		Stats: recordStats{Domains: s.Domains, Splits: s.Splits, MaxFrontier: s.MaxFrontier, Leaves: s.Leaves, Attacks: s.Attacks, Choices: s.Choices},
	}
	if c := r.Counterexample; c != nil {
		rec.Counterexample = &recordCounterexample{Case: c.Case, Conjunction: c.Conjunction, Input: toFloats[jsonFloat](c.Input), Output: toFloats[jsonFloat](c.Output)}
	}
	return rec
}

// result is the record's result, if it is one that prop can have.
func (r *record) result(prop *spec.Property) (*spec.Result, error) {
	reason, err := spec.ParseReason(r.Reason)
	if err != nil {
		return nil, err
	}
	s := r.Stats
	res := &spec.Result{
		Verdict: r.Verdict, Reason: reason, LowerBound: float64(r.LowerBound),
		Stats: spec.Stats{Domains: s.Domains, Splits: s.Splits, MaxFrontier: s.MaxFrontier, Leaves: s.Leaves, Attacks: s.Attacks, Choices: s.Choices},
	}
	if c := r.Counterexample; c != nil {
		if len(c.Input) != prop.Inputs || len(c.Output) != prop.Outputs || c.Case < 0 || c.Case >= len(prop.Cases) || c.Conjunction < 0 || c.Conjunction >= len(prop.Cases[c.Case].Unsafe) {
			return nil, errors.New("the counterexample does not fit the property")
		}
		res.Counterexample = &spec.Counterexample{Case: c.Case, Conjunction: c.Conjunction, Input: toFloats[float64](c.Input), Output: toFloats[float64](c.Output)}
	}
	if (res.Verdict == spec.Falsified) != (res.Counterexample != nil) || (res.Verdict == spec.Unknown) != (reason != spec.ReasonNone) {
		return nil, fmt.Errorf("the verdict %v does not agree with the rest", res.Verdict)
	}
	return res, nil
}

// The checksum is the last field: of all that precedes it on the line.
const (
	crcKey  = `,"crc":"`
	crcSize = len(crcKey) + 8 + len(`"}`)
)

// encodeLine is v, an object with at least one field, as a line.
func encodeLine(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-1]
	return fmt.Appendf(b, "%s%08x\"}\n", crcKey, crc32.ChecksumIEEE(b)), nil
}

// decodeLine reads a line without its newline.
func decodeLine(line []byte, v any) error {
	if len(line) < crcSize {
		return errors.New("the line is too short")
	}
	body, tail := line[:len(line)-crcSize], line[len(line)-crcSize:]
	if want := fmt.Sprintf("%s%08x\"}", crcKey, crc32.ChecksumIEEE(body)); string(tail) != want {
		return errors.New("the checksum is wrong")
	}
	d := json.NewDecoder(io.MultiReader(bytes.NewReader(body), bytes.NewReader([]byte{'}'})))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

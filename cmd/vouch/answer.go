package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/spec/vnnlib"
)

// How an answer is written: in the words of VNN-COMP, and as JSON.

var negInf = math.Inf(-1)

// The competition's words. It asks whether the unsafe condition is satisfiable:
// unsat is a property that holds.
const (
	wordUnsat   = "unsat"
	wordSat     = "sat"
	wordUnknown = "unknown"
	wordTimeout = "timeout"
	wordError   = "error"
)

// word is the competition's word for a result.
func word(r *spec.Result) string {
	switch {
	case r.Verdict == spec.Verified:
		return wordUnsat
	case r.Verdict == spec.Falsified:
		return wordSat
	case r.Reason == spec.ReasonTimeout:
		return wordTimeout
	default:
		return wordUnknown
	}
}

// competitionText is the first line's word, and the counterexample after it.
func competitionText(r *spec.Result) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintln(&b, word(r))
	if r.Verdict == spec.Falsified {
		if err := vnnlib.WriteCounterexample(&b, r.Counterexample); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// number is a float64 that JSON can hold: infinities and NaN are null.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler: null is NaN.
func (n *number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

func numbers(x []float64) []number {
	out := make([]number, len(x))
	for i, v := range x {
		out[i] = number(v)
	}
	return out
}

// jsonAnswer is a result as JSON. Seconds, of the whole command (of campaign: of this
// property, 0 if it was read from the file), and the rest of the numbers are plain; a bound of which nothing is known is null.
type jsonAnswer struct {
	Verdict        string              `json:"verdict"` // unsat, sat, unknown, timeout
	Reason         string              `json:"reason,omitempty"`
	Seconds        float64             `json:"seconds"`
	Net            string              `json:"net"`
	Spec           string              `json:"spec"`
	LowerBound     number              `json:"lower_bound"`
	Counterexample *jsonCounterexample `json:"counterexample"`
	Stats          jsonStats           `json:"stats"`
}

func newJSONAnswer(r *spec.Result, net, property string, took time.Duration) jsonAnswer {
	return jsonAnswer{
		Verdict: word(r), Reason: r.Reason.String(), Seconds: took.Seconds(),
		Net: net, Spec: property, LowerBound: number(r.LowerBound),
		Counterexample: newJSONCounterexample(r.Counterexample), Stats: newJSONStats(r.Stats),
	}
}

type jsonCounterexample struct {
	Input       []number `json:"input"`
	Output      []number `json:"output"`
	Case        int      `json:"case"`
	Conjunction int      `json:"conjunction"`
}

type jsonStats struct {
	VerifySeconds float64           `json:"verify_seconds"`
	Domains       int               `json:"domains"`
	Splits        int               `json:"splits"`
	MaxFrontier   int               `json:"max_frontier"`
	Leaves        int               `json:"leaves"`
	Attacks       int               `json:"attacks"`
	Choices       map[string]string `json:"choices,omitempty"`
}

func newJSONStats(s spec.Stats) jsonStats {
	return jsonStats{s.Elapsed.Seconds(), s.Domains, s.Splits, s.MaxFrontier, s.Leaves, s.Attacks, s.Choices}
}

func newJSONCounterexample(c *spec.Counterexample) *jsonCounterexample {
	if c == nil {
		return nil
	}
	return &jsonCounterexample{numbers(c.Input), numbers(c.Output), c.Case, c.Conjunction}
}

// writeJSON writes v on one line.
func (a *app) writeJSON(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return a.write(append(data, '\n'))
}

// write writes an answer.
func (a *app) write(data []byte) error {
	_, err := a.stdout.Write(data)
	return err
}

// writeFile writes data so that a reader sees all of it or what was there
// before: into a new file beside path that then takes its place. A path that is
// no regular file, such as /dev/null, is written to.
func writeFile(path string, data []byte) (err error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return os.WriteFile(path, data, 0o644)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// decimal is the shortest text that reads back as v.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

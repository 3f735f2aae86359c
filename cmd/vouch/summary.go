package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// The table at the end of vouch bench: one line per category, and one for all.

// tally counts the outcomes of one category. Every outcome is in exactly one of
// sat, unsat, wrong, badCex, timeout, unknown and errors.
type tally struct {
	Category  string `json:"category"`
	Instances int    `json:"instances"`
	Sat       int    `json:"sat"`
	Unsat     int    `json:"unsat"`
	Wrong     int    `json:"wrong"`   // against the listed verdict
	BadCex    int    `json:"bad_cex"` // sat, but its counterexample does not replay
	Timeout   int    `json:"timeout"`
	Unknown   int    `json:"unknown"`
	Errors    int    `json:"errors"`
	// Seconds of the solved instances, null if there are none.
	Median number `json:"median_seconds"`
	Mean   number `json:"mean_seconds"`
	Max    number `json:"max_seconds"`

	seconds []float64
}

// solved is how many instances were decided, and not known to be wrong.
func (t *tally) solved() int { return t.Sat + t.Unsat }

func (t *tally) add(o outcome) {
	t.Instances++
	switch {
	case o.BadCex:
		t.BadCex++
	case o.Wrong:
		t.Wrong++
	case o.Result == wordSat:
		t.Sat++
		t.seconds = append(t.seconds, o.Runtime)
	case o.Result == wordUnsat:
		t.Unsat++
		t.seconds = append(t.seconds, o.Runtime)
	case o.Result == wordTimeout:
		t.Timeout++
	case o.Result == wordUnknown:
		t.Unknown++
	default:
		t.Errors++
	}
}

// finish computes what needs all outcomes.
func (t *tally) finish() {
	slices.Sort(t.seconds)
	t.Median, t.Mean, t.Max = number(median(t.seconds)), number(negInf), number(negInf)
	if n := len(t.seconds); n > 0 {
		sum := 0.0
		for _, s := range t.seconds {
			sum += s
		}
		t.Mean, t.Max = number(sum/float64(n)), number(t.seconds[n-1])
	}
}

// median of sorted numbers, −Inf if there are none.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return negInf
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// summarise tallies outcomes by category, in order of appearance, and last of
// all of them together.
func summarise(outcomes []outcome) []*tally {
	total := &tally{Category: "total"}
	byName := map[string]*tally{}
	var out []*tally
	for _, o := range outcomes {
		t, ok := byName[o.Category]
		if !ok {
			t = &tally{Category: o.Category}
			byName[o.Category] = t
			out = append(out, t)
		}
		t.add(o)
		total.add(o)
	}
	out = append(out, total)
	for _, t := range out {
		t.finish()
	}
	return out
}

// failure says what makes the run a failure, or nothing.
func (t *tally) failure() string {
	if t.Wrong+t.BadCex+t.Errors == 0 {
		return ""
	}
	return fmt.Sprintf("%d wrong, %d counterexamples that do not replay, %d errors", t.Wrong, t.BadCex, t.Errors)
}

func writeSummary(w io.Writer, tallies []*tally) {
	t := newTable(w)
	t.AppendHeader(table.Row{"benchmark", "instances", "solved", "sat", "unsat", "wrong", "bad cex", "timeout", "unknown", "error", "median s", "mean s", "max s"})
	for i, y := range tallies {
		row := table.Row{y.Category, y.Instances, y.solved(), y.Sat, y.Unsat, y.Wrong, y.BadCex, y.Timeout, y.Unknown, y.Errors, seconds(y.Median), seconds(y.Mean), seconds(y.Max)}
		if i == len(tallies)-1 {
			t.AppendFooter(row)
		} else {
			t.AppendRow(row)
		}
	}
	alignRight(t, 2, 13)
	t.Render()
	fmt.Fprintln(w, "solved: sat or unsat, not contradicting the list; seconds are of solved instances, without loading")
}

// seconds as the table shows them, empty for none.
func seconds(n number) string {
	if float64(n) == negInf {
		return ""
	}
	return fmt.Sprintf("%.3f", float64(n))
}

// newTable is an empty table in the program's style.
func newTable(w io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Format.Header, style.Format.Footer = text.FormatDefault, text.FormatDefault
	t.SetStyle(style)
	return t
}

// alignRight sets the columns from first to last, counted from 1.
func alignRight(t table.Writer, first, last int) {
	var configs []table.ColumnConfig
	for i := first; i <= last; i++ {
		configs = append(configs, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
}

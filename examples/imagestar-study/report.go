package main

// The paper's table, as CSV and Markdown, and a summary: means over the networks that
// share an initialiser, a regulariser, a seed, a combination or a class, beside those of
// the paper's own table, which the program carries with it.
//
// A mean over 15 networks hides whether they agree. So the summary also counts pairs:
// networks that differ in one factor alone, and which of the two has more images
// verified or is verified faster.

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vouchnn/vouch/spec"
)

//go:embed paper-mnist.csv paper-mednist.csv
var paperTables embed.FS

// outcome is a row of the paper's table.
type outcome struct {
	cell
	accuracy             float64 // per cent
	robust, unknown, not int
	seconds, cpu         float64 // means
	undecided            float64 // mean
	programs             int
	answers              []answer // nil for the paper's
}

func (o *outcome) share() float64 {
	return 100 * float64(o.robust) / float64(max(o.robust+o.unknown+o.not, 1))
}

var paperHeader = []string{"regularizer", "initializer", "seed", "accuracy", "robust", "unknown", "not_robust", "seconds"}

// report writes tables and figures, and the summary to w as well.
func (st *study) report(w io.Writer, format string) error {
	ours, err := st.outcomes()
	if err != nil {
		return err
	}
	if _, err := st.writeTables(ours); err != nil {
		return err
	}
	paper, err := paperTable(st.Data)
	if err != nil {
		return err
	}
	var summary bytes.Buffer
	if err := st.summarise(&summary, ours, paper); err != nil {
		return err
	}
	if err := writeWhole(filepath.Join(st.dir, "summary.md"), summary.Bytes()); err != nil {
		return err
	}
	if err := st.figures(ours, format); err != nil {
		return err
	}
	_, err = w.Write(summary.Bytes())
	return err
}

// writeTables writes the paper's table as CSV and Markdown, and returns the latter.
func (st *study) writeTables(ours []outcome) (text []byte, err error) {
	if err := writeCSV(filepath.Join(st.dir, "table.csv"), tableRows(ours)); err != nil {
		return nil, err
	}
	var table bytes.Buffer
	writeTable(&table, ours)
	return table.Bytes(), writeWhole(filepath.Join(st.dir, "table.md"), table.Bytes())
}

// interrupted writes the table of the networks that there are, to w as well, and
// returns the error that says what is missing.
func (st *study) interrupted(w io.Writer) error {
	ours, err := st.outcomes()
	if err != nil {
		return err
	}
	text, err := st.writeTables(ours)
	if err != nil {
		return err
	}
	if len(ours) > 0 {
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	verified := 0
	for _, o := range ours {
		if o.answers != nil {
			verified++
		}
	}
	return fmt.Errorf("%w: %d of %d networks are trained, %d verified; the same command goes on", errInterrupted, len(ours), len(st.cells()), verified)
}

var errInterrupted = errors.New("interrupted")

// outcomes reads what the folder holds. Networks that are not trained yet are left out,
// those not verified have no answers.
func (st *study) outcomes() ([]outcome, error) {
	var all []outcome
	for _, c := range st.cells() {
		var r trained
		ok, err := readJSON(st.path(c, ".json"), &r)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		answers, err := st.answers(c)
		if err != nil {
			return nil, err
		}
		o := outcome{cell: c, accuracy: 100 * r.Accuracy, answers: answers}
		n := float64(max(len(answers), 1))
		for _, a := range answers {
			switch a.verdict {
			case spec.Verified:
				o.robust++
			case spec.Falsified:
				o.not++
			default:
				o.unknown++
			}
			o.seconds, o.cpu, o.undecided = o.seconds+a.wall/n, o.cpu+a.cpu/n, o.undecided+float64(a.undecided)/n
			o.programs += a.programs
		}
		all = append(all, o)
	}
	return all, nil
}

// paperTable is the paper's, nil for a data set that it does not have.
func paperTable(data string) ([]outcome, error) {
	name := "paper-" + data + ".csv"
	file, err := paperTables.ReadFile(name)
	if err != nil {
		return nil, nil //nolint:nilerr // there is no such table
	}
	rows, err := parseCSV(name, file, paperHeader)
	if err != nil {
		return nil, err
	}
	var all []outcome
	for _, row := range rows {
		o := outcome{cell: cell{Regularizer: row[0], Initializer: row[1]}}
		if _, err := fmt.Sscan(strings.Join(row[2:], " "), &o.Seed, &o.accuracy, &o.robust, &o.unknown, &o.not, &o.seconds); err != nil {
			return nil, fmt.Errorf("%s: row %q: %w", name, row, err)
		}
		all = append(all, o)
	}
	return all, nil
}

func tableRows(all []outcome) [][]string {
	rows := [][]string{append(slices.Clone(paperHeader), "cpu_seconds", "undecided_relus", "linear_programs")}
	for _, o := range all {
		row := []string{o.Regularizer, o.Initializer, strconv.Itoa(o.Seed), fmt.Sprintf("%.2f", o.accuracy)}
		verified := []string{
			strconv.Itoa(o.robust), strconv.Itoa(o.unknown), strconv.Itoa(o.not),
			fmt.Sprintf("%.6f", o.seconds), fmt.Sprintf("%.6f", o.cpu), fmt.Sprintf("%.1f", o.undecided), strconv.Itoa(o.programs),
		}
		if o.answers == nil {
			verified = make([]string, len(verified))
		}
		rows = append(rows, append(row, verified...))
	}
	return rows
}

// writeTable is the paper's table, with our columns behind it.
func writeTable(w io.Writer, all []outcome) {
	fmt.Fprintln(w, "| Regularization | Initialization | Seed | Accuracy (%) | Robust | Unknown | Not robust | Avg. time (ms) | CPU (ms) | Undecided ReLUs |")
	fmt.Fprintln(w, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, o := range all {
		fmt.Fprintf(w, "| %s | %s | %d | %.2f |", o.Regularizer, o.Initializer, o.Seed, o.accuracy)
		if o.answers == nil {
			fmt.Fprintln(w, " | | | | | |")
			continue
		}
		fmt.Fprintf(w, " %d | %d | %d | %.1f | %.1f | %.0f |\n", o.robust, o.unknown, o.not, 1000*o.seconds, 1000*o.cpu, o.undecided)
	}
}

// factor is a way to group networks.
type factor struct {
	name   string
	levels []string
	of     func(o *outcome) string
}

func (st *study) factors() []factor {
	var seeds, combinations []string
	for s := range st.Seeds {
		seeds = append(seeds, strconv.Itoa(s))
	}
	for _, r := range regularizers {
		for _, i := range initializers {
			combinations = append(combinations, r+" "+i)
		}
	}
	return []factor{
		{"initializer", initializers, func(o *outcome) string { return o.Initializer }},
		{"regularizer", regularizers, func(o *outcome) string { return o.Regularizer }},
		{"seed", seeds, func(o *outcome) string { return strconv.Itoa(o.Seed) }},
		{"combination", combinations, func(o *outcome) string { return o.Regularizer + " " + o.Initializer }},
	}
}

// mean is of a number over the networks at a level, with how many there are.
func (f *factor) mean(all []outcome, level string, number func(o *outcome) float64) float64 {
	sum, n := 0.0, 0
	for i := range all {
		if f.of(&all[i]) == level {
			sum += number(&all[i])
			n++
		}
	}
	return sum / float64(max(n, 1))
}

var (
	accuracyOf = func(o *outcome) float64 { return o.accuracy }
	shareOf    = (*outcome).share
	secondsOf  = func(o *outcome) float64 { return o.seconds }
	cpuOf      = func(o *outcome) float64 { return o.cpu }
	undecideds = func(o *outcome) float64 { return o.undecided }
)

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

// summarise writes what the paper's section on results looks at.
func (st *study) summarise(w io.Writer, ours, paper []outcome) error {
	fmt.Fprintf(w, "## %s: %d networks, %d images each\n\n", st.Data, len(ours), len(st.chosen))
	wall, cpu, programs := 0.0, 0.0, 0
	for _, o := range ours {
		wall, cpu, programs = wall+o.seconds/float64(len(ours)), cpu+o.cpu/float64(len(ours)), programs+o.programs
	}
	fmt.Fprintf(w, "Mean time per image %.1f ms, processor time %.1f ms; %d linear programs in all. Accuracy %.2f to %.2f %%.\n",
		1000*wall, 1000*cpu, programs, least(ours, accuracyOf), -least(ours, func(o *outcome) float64 { return -o.accuracy }))
	fmt.Fprintf(w, "All images verified: %s.\n", complete(ours))
	if paper != nil {
		fmt.Fprintf(w, "In the paper: %s.\n", complete(paper))
	}
	if err := st.summariseDecided(w, ours); err != nil {
		return err
	}
	if err := st.summariseExact(w, ours); err != nil {
		return err
	}
	for _, f := range st.factors() {
		fmt.Fprintf(w, "\n| %s | accuracy (%%) | robust (%%) | time (ms) | CPU (ms) | undecided ReLUs | paper: accuracy (%%) | robust (%%) | time (s) |\n", f.name)
		fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|--:|--:|")
		for _, l := range f.levels {
			fmt.Fprintf(w, "| %s | %.2f | %.2f | %.1f | %.1f | %.0f |", l, f.mean(ours, l, accuracyOf), f.mean(ours, l, shareOf),
				1000*f.mean(ours, l, secondsOf), 1000*f.mean(ours, l, cpuOf), f.mean(ours, l, undecideds))
			if paper == nil {
				fmt.Fprintln(w, " | | |")
				continue
			}
			fmt.Fprintf(w, " %.2f | %.2f | %.2f |\n", f.mean(paper, l, accuracyOf), f.mean(paper, l, shareOf), f.mean(paper, l, secondsOf))
		}
	}
	st.summariseClasses(w, ours)
	st.summarisePairs(w, ours, paper)
	return nil
}

func least(all []outcome, number func(*outcome) float64) float64 {
	v := number(&all[0])
	for i := range all {
		v = min(v, number(&all[i]))
	}
	return v
}

// complete counts the networks with all images verified, by combination.
func complete(all []outcome) string {
	count, names := map[string]int{}, []string{}
	total := 0
	for _, o := range all {
		if o.unknown+o.not > 0 {
			continue
		}
		total++
		name := o.Regularizer + " " + o.Initializer
		if count[name]++; count[name] == 1 {
			names = append(names, name)
		}
	}
	var parts []string
	for _, n := range names {
		parts = append(parts, fmt.Sprintf("%d %s", count[n], n))
	}
	return fmt.Sprintf("%d networks (%s)", total, strings.Join(parts, ", "))
}

// classLevel is the answers about one class.
type classLevel struct {
	robust, count           int
	seconds, cpu, undecided float64
}

// byClass adds up the answers of some networks.
func (st *study) byClass(all []outcome, want func(*outcome) bool) []classLevel {
	levels := make([]classLevel, len(st.classes))
	for i := range all {
		if !want(&all[i]) {
			continue
		}
		for _, a := range all[i].answers {
			l := &levels[a.class]
			l.count++
			if a.verdict == spec.Verified {
				l.robust++
			}
			l.seconds, l.cpu, l.undecided = l.seconds+a.wall, l.cpu+a.cpu, l.undecided+float64(a.undecided)
		}
	}
	return levels
}

func (st *study) summariseClasses(w io.Writer, ours []outcome) {
	fmt.Fprint(w, "\n| class | robust (%) | time (ms) | CPU (ms) | undecided ReLUs |\n|---|--:|--:|--:|--:|\n")
	for c, l := range st.byClass(ours, func(*outcome) bool { return true }) {
		if l.count == 0 {
			continue
		}
		n := float64(l.count)
		fmt.Fprintf(w, "| %s | %.2f | %.1f | %.1f | %.0f |\n", st.classes[c], 100*float64(l.robust)/n, 1000*l.seconds/n, 1000*l.cpu/n, l.undecided/n)
	}
}

// tally is how pairs of networks compare.
type tally struct{ more, fewer, faster, pairs int }

// compare counts the pairs that differ in factor f alone, a at one and b at the other
// level. Faster is by processor time where there is one.
func (f *factor) compare(all []outcome, a, b string) (t tally) {
	rest := func(o *outcome) string { // all but the factor
		return strings.Replace(o.String(), f.of(o), "", 1)
	}
	for i := range all {
		for j := range all {
			p, q := &all[i], &all[j]
			if f.of(p) != a || f.of(q) != b || rest(p) != rest(q) {
				continue
			}
			t.pairs++
			if p.robust > q.robust {
				t.more++
			}
			if p.robust < q.robust {
				t.fewer++
			}
			if p.cpu < q.cpu || p.cpu == 0 && p.seconds < q.seconds {
				t.faster++
			}
		}
	}
	return t
}

func (st *study) summarisePairs(w io.Writer, ours, paper []outcome) {
	fmt.Fprint(w, "\nOf pairs of networks that differ in this alone, the first has more images verified, fewer, or is verified faster:\n\n")
	fmt.Fprint(w, "| pair | more | fewer | faster | pairs | paper: more | fewer | faster |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, f := range st.factors()[:2] {
		for i := len(f.levels) - 1; i > 0; i-- {
			for j := i - 1; j >= 0; j-- {
				t := f.compare(ours, f.levels[i], f.levels[j])
				fmt.Fprintf(w, "| %s against %s | %d | %d | %d | %d |", f.levels[i], f.levels[j], t.more, t.fewer, t.faster, t.pairs)
				if paper == nil {
					fmt.Fprintln(w, " | | |")
					continue
				}
				t = f.compare(paper, f.levels[i], f.levels[j])
				fmt.Fprintf(w, " %d | %d | %d |\n", t.more, t.fewer, t.faster)
			}
		}
	}
}

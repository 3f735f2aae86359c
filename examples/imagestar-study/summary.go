package main

// What the paper's section on results looks at, in words and small tables.

import (
	"fmt"
	"io"
	"strings"

	"github.com/vouchnn/vouch/spec"
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

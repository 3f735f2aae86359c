package eval

// From rows to the paper's tables: sums, columns side by side, differences, and
// the score of Figure 2.

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/vouchnn/vouch/spec"
)

// Summary is the metrics of one network at one radius, percentages in
// [0, 100] and seconds.
type Summary struct {
	Epsilon    float64 `json:"epsilon"`
	Properties int     `json:"properties"`
	Unsat      float64 `json:"unsat_percent"`
	Sat        float64 `json:"sat_percent"`
	Stable     float64 `json:"stable_percent"`
	Time       float64 `json:"time_s"`    // mean of all
	TimeUT     float64 `json:"time_ut_s"` // mean of those proved or undecided; 0 without any
	PGD        float64 `json:"pgd_percent"`
	Correct    float64 `json:"correct_percent"` // of the images
}

// Summarise sums up the rows of each radius, in ascending order. No rows, no
// summary.
func Summarise(rows []Row) []Summary {
	var out []Summary
	for _, r := range rows {
		i := slices.IndexFunc(out, func(s Summary) bool { return s.Epsilon == r.Epsilon })
		if i < 0 {
			out = append(out, Summary{Epsilon: r.Epsilon})
		}
	}
	slices.SortFunc(out, func(a, b Summary) int {
		if a.Epsilon < b.Epsilon {
			return -1
		}
		return 1
	})
	for i := range out {
		out[i].fill(rows)
	}
	return out
}

func (s *Summary) fill(rows []Row) {
	hard := 0
	for _, r := range rows {
		if r.Epsilon != s.Epsilon {
			continue
		}
		s.Properties++
		s.Stable += 100 * r.Stable
		s.Time += r.Seconds
		switch r.Verdict {
		case spec.Verified:
			s.Unsat += 100
		case spec.Falsified:
			s.Sat += 100
		}
		if r.Verdict != spec.Falsified {
			s.TimeUT += r.Seconds
			hard++
		}
		if r.Resists {
			s.PGD += 100
		}
		if r.Correct {
			s.Correct += 100
		}
	}
	n := float64(s.Properties)
	for _, v := range []*float64{&s.Unsat, &s.Sat, &s.Stable, &s.Time, &s.PGD, &s.Correct} {
		*v /= n
	}
	s.TimeUT /= float64(max(hard, 1))
}

// Column is one method in a table.
type Column struct {
	Method    string    `json:"method"`
	Accuracy  float64   `json:"accuracy_percent"` // of the whole test set
	Summaries []Summary `json:"radii"`
}

// metric is one line of a table: greater is better unless less is set.
type metric struct {
	name string
	less bool
	of   func(Summary) float64
}

var metrics = []metric{
	{"UNSAT%", false, func(s Summary) float64 { return s.Unsat }},
	{"Stable%", false, func(s Summary) float64 { return s.Stable }},
	{"Time (s)", true, func(s Summary) float64 { return s.Time }},
	{"Time U+T (s)", true, func(s Summary) float64 {
		if s.Sat == 100 {
			return math.NaN() // there were none
		}
		return s.TimeUT
	}},
	{"PGD-100%", false, func(s Summary) float64 { return s.PGD }},
}

// Lines is the cells of the paper's Table 1: a header, then a line for the
// accuracy and for each metric of each radius. The best value of a line is
// marked with an asterisk.
func Lines(columns []Column) [][]string {
	head := []string{"ε", "metric"}
	accuracy := make([]float64, len(columns))
	for i, c := range columns {
		head = append(head, c.Method)
		accuracy[i] = c.Accuracy
	}
	lines := [][]string{head, append([]string{"", "test accuracy%"}, marked(accuracy, false)...)}
	for _, epsilon := range radii(columns) {
		for _, m := range metrics {
			values := make([]float64, len(columns))
			for i, c := range columns {
				values[i] = c.at(epsilon, m)
			}
			lines = append(lines, append([]string{fmt.Sprintf("%g", epsilon), m.name}, marked(values, m.less)...))
		}
	}
	return lines
}

// at is a metric at a radius, NaN if it was not measured.
func (c *Column) at(epsilon float64, m metric) float64 {
	for _, s := range c.Summaries {
		if s.Epsilon == epsilon {
			return m.of(s)
		}
	}
	return math.NaN()
}

// radii is the radii of all columns, ascending.
func radii(columns []Column) []float64 {
	var all []float64
	for _, c := range columns {
		for _, s := range c.Summaries {
			if !slices.Contains(all, s.Epsilon) {
				all = append(all, s.Epsilon)
			}
		}
	}
	slices.Sort(all)
	return all
}

// marked writes values with two digits and an asterisk at the best ones.
func marked(values []float64, less bool) []string {
	best := best(values, less)
	out := make([]string, len(values))
	for i, v := range values {
		switch {
		case math.IsNaN(v):
			out[i] = "-"
		case v == best:
			out[i] = fmt.Sprintf("%.2f*", v)
		default:
			out[i] = fmt.Sprintf("%.2f", v)
		}
	}
	return out
}

// best is the greatest number, or the least; NaN if there is none.
func best(values []float64, less bool) float64 {
	b := math.NaN()
	for _, v := range values {
		if !math.IsNaN(v) && (math.IsNaN(b) || less && v < b || !less && v > b) {
			b = v
		}
	}
	return b
}

// Gains is the cells of the paper's Table 2: by how much columns[i] differs from
// bases[i]. Precondition: as many of one as of the other.
func Gains(bases, columns []Column) [][]string {
	head := []string{"ε", "metric"}
	line := []string{"", "test accuracy%"}
	for i, c := range columns {
		head = append(head, c.Method+" − "+bases[i].Method)
		line = append(line, fmt.Sprintf("%+.2f", c.Accuracy-bases[i].Accuracy))
	}
	lines := [][]string{head, line}
	for _, epsilon := range radii(columns) {
		for _, m := range metrics {
			line := []string{fmt.Sprintf("%g", epsilon), m.name}
			for i, c := range columns {
				d := c.at(epsilon, m) - bases[i].at(epsilon, m)
				if math.IsNaN(d) {
					line = append(line, "-")
					continue
				}
				line = append(line, fmt.Sprintf("%+.2f", d))
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// Scores is Figure 2's: by metric, 100 for the best method at each radius, the
// others in proportion (times by their reciprocals), and the mean over radii.
// The first line of the result is names, a line for each metric follows. A
// metric that is 0 for all methods at a radius does not count there.
func Scores(columns []Column) (names []string, scores map[string][]float64) {
	scores = map[string][]float64{}
	all := append([]metric{{"test accuracy%", false, nil}}, metrics...)
	for _, m := range all {
		names = append(names, m.name)
		sum, count := make([]float64, len(columns)), 0
		points := radii(columns)
		if m.of == nil {
			points = []float64{0}
		}
		for _, epsilon := range points {
			values := make([]float64, len(columns))
			for i, c := range columns {
				if values[i] = c.Accuracy; m.of != nil {
					values[i] = c.at(epsilon, m)
				}
				if m.less {
					values[i] = 1 / max(values[i], 1e-9)
				}
			}
			top := best(values, false)
			if !(top > 0) {
				continue
			}
			count++
			for i, v := range values {
				if !math.IsNaN(v) {
					sum[i] += 100 * v / top
				}
			}
		}
		for i := range sum {
			sum[i] /= float64(max(count, 1))
		}
		scores[m.name] = sum
	}
	return names, scores
}

// Markdown writes lines as a table, the first line as its header.
func Markdown(lines [][]string) string {
	var b strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|%s\n", strings.Repeat(" --- |", len(line)))
		}
	}
	return b.String()
}

package main

import (
	"crypto/sha256"
	_ "embed" // the page's template, style and script
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/vouchnn/vouch/internal/figure"
)

// The page of vouch report. Its template, style and script are files in the
// folder report; html/template escapes whatever comes from
// results, and a content security policy, whose hash admits the one script,
// forbids the browser to load or run anything else.

//go:embed report/page.html
var pageTemplate string

//go:embed report/page.css
var pageStyle string

//go:embed report/page.js
var pageScript string

// instanceKey names an instance; lists may hold it several times, nth counts.
type instanceKey struct {
	category, onnx, vnnlib string
	nth                    int
}

// reportPage is what the template is filled with.
type reportPage struct {
	Title      string
	Policy     string // content security policy
	Style      template.CSS
	Script     template.JS
	Runs       []reportRun
	Total      reportGroup
	Benchmarks []reportGroup
	Scatter    template.HTML // of two runs, else empty
	Instances  int
	Conflicts  int // instances that one run calls sat, another unsat
	Wrong      int // results that contradict the list
	HasListed  bool
	Columns    int // of the tables of instances
}

// reportRun is a run as the legend shows it.
type reportRun struct {
	Label, File string
	Color       template.CSS
	Dashed      bool
}

// reportGroup is a benchmark, or all of them together.
type reportGroup struct {
	Name      string
	Rows      []reportRow // one for each run
	Cactus    template.HTML
	Instances []*reportInstance
}

// reportRow is a line of the table by benchmark.
type reportRow struct {
	*tally
	Run    reportRun
	Solved int
	Alone  int // solved by this run and no other, of what all tried
}

// reportInstance is an instance with its outcome in each run.
type reportInstance struct {
	Category, Onnx, Vnnlib, Listed string
	Outcomes                       []*outcome // nil where the run does not have it
	Conflict                       bool
	Words                          string // results, for the filter
	Cex                            *reportCounterexample
}

// reportCounterexample is a counterexample as it is shown.
type reportCounterexample struct {
	Pictures [3]template.URL
	HasImage bool
	Height   int // of a picture on the page, in pixels
	Inputs   []reportValue
	Outputs  []reportValue
	Hidden   int // inputs and outputs that are too many to be listed
}

// reportValue is one number of a counterexample with its bounds.
type reportValue struct {
	Name                string
	Lower, Value, Upper string
}

// solved reports whether the outcome is an answer that is not known to be wrong.
func (o *outcome) solved() bool {
	return !o.BadCex && !o.Wrong && (o.Result == wordSat || o.Result == wordUnsat)
}

// newPage arranges results.
func newPage(title string, runs []resultsRun, stored []*storedCounterexample) (*reportPage, error) {
	hash := sha256.Sum256([]byte(pageScript))
	p := &reportPage{
		Title: title, Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Policy: "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-" +
			base64.StdEncoding.EncodeToString(hash[:]) + "'",
	}
	for i, r := range runs {
		p.Runs = append(p.Runs, reportRun{r.label, r.file, cssColor(figure.Color(i)), i >= len(figure.Palette)})
	}
	all := joinRuns(runs)
	attach(all, stored)
	p.Instances = len(all)
	byName := map[string]int{}
	for _, in := range all {
		at, ok := byName[in.Category]
		if !ok {
			at = len(p.Benchmarks)
			byName[in.Category] = at
			p.Benchmarks = append(p.Benchmarks, reportGroup{Name: in.Category})
		}
		p.Benchmarks[at].Instances = append(p.Benchmarks[at].Instances, in)
		p.count(in)
	}
	if p.Columns = 2 + 2*len(runs); p.HasListed {
		p.Columns++
	}
	p.Total = reportGroup{Name: "total", Instances: all}
	var err error
	if p.Total, err = p.finish(p.Total, 7*vg.Inch, 3.6*vg.Inch); err != nil {
		return nil, err
	}
	for i := range p.Benchmarks {
		if p.Benchmarks[i], err = p.finish(p.Benchmarks[i], 4.2*vg.Inch, 2.2*vg.Inch); err != nil {
			return nil, err
		}
	}
	if len(runs) == 2 {
		p.Scatter, err = scatter(pairTimes(all), runs[0].label, runs[1].label, 3.6*vg.Inch, 3.6*vg.Inch)
	}
	return p, err
}

// joinRuns is all instances of the runs, in order of appearance.
func joinRuns(runs []resultsRun) []*reportInstance {
	var all []*reportInstance
	byKey := map[instanceKey]*reportInstance{}
	for i, r := range runs {
		count := map[instanceKey]int{}
		for k := range r.outcomes {
			o := &r.outcomes[k]
			key := instanceKey{o.Category, o.Onnx, o.Vnnlib, 0}
			count[key]++
			key.nth = count[key]
			in, ok := byKey[key]
			if !ok {
				in = &reportInstance{
					Category: o.Category, Onnx: o.Onnx, Vnnlib: o.Vnnlib, Listed: o.Listed,
					Outcomes: make([]*outcome, len(runs)),
				}
				byKey[key] = in
				all = append(all, in)
			}
			in.Outcomes[i] = o
		}
	}
	return all
}

// count takes note of contradictions.
func (p *reportPage) count(in *reportInstance) {
	words := map[string]bool{}
	for _, o := range in.Outcomes {
		word := "missing"
		if o != nil {
			word = o.Result
			if o.Wrong {
				p.Wrong++
				words["wrong"] = true
			}
		}
		words[word] = true
	}
	if in.Conflict = words[wordSat] && words[wordUnsat]; in.Conflict {
		p.Conflicts++
		words["conflict"] = true
	}
	if in.Cex != nil {
		words["counterexample"] = true
	}
	for _, w := range []string{wordSat, wordUnsat, wordTimeout, wordUnknown, wordError, "missing", "wrong", "conflict", "counterexample"} {
		if words[w] {
			in.Words += " " + w
		}
	}
	p.HasListed = p.HasListed || in.Listed != ""
}

// finish computes a group's table and plot.
func (p *reportPage) finish(g reportGroup, width, height vg.Length) (reportGroup, error) {
	times := make([][]float64, len(p.Runs))
	for i, run := range p.Runs {
		row := reportRow{tally: &tally{Category: g.Name}, Run: run}
		outcomes := make([]*outcome, len(g.Instances))
		for k, in := range g.Instances {
			o := in.Outcomes[i]
			if outcomes[k] = o; o == nil {
				continue
			}
			row.tally.add(*o)
			if o.solved() && !slices.ContainsFunc(in.Outcomes, func(other *outcome) bool {
				return other == nil || other != o && other.solved()
			}) {
				row.Alone++
			}
		}
		row.tally.finish()
		row.Solved = row.tally.solved()
		times[i] = solvedTimes(outcomes)
		g.Rows = append(g.Rows, row)
	}
	var err error
	g.Cactus, err = cactus(times, width, height)
	return g, err
}

// pairTimes is the times of what both runs tried, +Inf for what is unsolved.
func pairTimes(all []*reportInstance) [][2]float64 {
	var out [][2]float64
	for _, in := range all {
		t := [2]float64{math.Inf(1), math.Inf(1)}
		tried := true
		for i, o := range in.Outcomes {
			if o == nil {
				tried = false
			} else if o.solved() {
				t[i] = o.Runtime
			}
		}
		if tried && !(math.IsInf(t[0], 1) && math.IsInf(t[1], 1)) {
			out = append(out, t)
		}
	}
	return out
}

// attach gives counterexamples to the instances that a run calls sat.
func attach(all []*reportInstance, stored []*storedCounterexample) {
	byKey := map[instanceKey]*storedCounterexample{}
	for _, c := range stored {
		byKey[instanceKey{c.Category, c.Onnx, c.Vnnlib, 0}] = c
	}
	for _, in := range all {
		c := byKey[instanceKey{in.Category, in.Onnx, in.Vnnlib, 0}]
		for _, o := range in.Outcomes {
			if c != nil && in.Cex == nil && o != nil && o.Result == wordSat {
				in.Cex = newReportCounterexample(c)
			}
		}
	}
}

// mostListed is how many inputs, and outputs, are listed as numbers.
const mostListed = 64

func newReportCounterexample(c *storedCounterexample) *reportCounterexample {
	out := &reportCounterexample{}
	if out.Pictures, out.HasImage = c.pictures(); out.HasImage {
		_, height, _, _ := imageShape(c.Shape)
		out.Height = height * max(1, 140/height)
	}
	if len(c.Input) <= mostListed {
		for i, v := range c.Input {
			out.Inputs = append(out.Inputs, reportValue{
				fmt.Sprintf("X_%d", i), short(c.Lower[i]), short(v), short(c.Upper[i]),
			})
		}
	} else {
		out.Hidden += len(c.Input)
	}
	if len(c.Output) <= mostListed {
		for i, v := range c.Output {
			out.Outputs = append(out.Outputs, reportValue{Name: fmt.Sprintf("Y_%d", i), Value: short(v)})
		}
	} else {
		out.Hidden += len(c.Output)
	}
	return out
}

func short(v number) string { return fmt.Sprintf("%.6g", float64(v)) }

// write renders the page.
func (p *reportPage) write(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"seconds": seconds,
		"runtime": func(v float64) string { return fmt.Sprintf("%.3f", v) },
		"base":    func(path string) string { return path[strings.LastIndexByte(path, '/')+1:] },
	}).Parse(pageTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}

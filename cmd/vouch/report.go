package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

const reportHelp = `Make a page of the results of vouch bench, to be looked at in a browser.

The page is one file that needs nothing else and asks the network for nothing. It
holds a cactus plot (instances solved over time), a table by benchmark, all
instances, to be filtered, and counterexamples, as pictures where inputs are images.

-csv is a file that vouch bench -csv wrote. Given several times, the runs are
compared: a curve for each, what only one of them solved, and instances that one
calls sat and another unsat. LABEL=FILE gives a run a name other than its file's.

-instances compares with the verdicts of a list, as vouch bench does.
-counterexamples is a folder that vouch bench -counterexamples filled.

-json prints the numbers of the table by benchmark as well, as one JSON object.

The exit code is 1 if runs contradict each other or the list; the page is written
all the same, in one step.`

// reportCommand is the flags of vouch report.
type reportCommand struct {
	*app
	csv       []string
	instances string
	cexs      string
	out       string
	title     string
	json      bool
}

func newReport(a *app) *cobra.Command {
	c := &reportCommand{app: a}
	cmd := &cobra.Command{
		Use: "report -csv FILE [-csv FILE ...] [flags]", Args: noArguments,
		Short: "Make a page of the results of bench", Long: reportHelp,
		Example: "vouch report -csv results.csv -o report.html\nvouch report -csv before=old.csv -csv after=new.csv -counterexamples cex",
		RunE:    a.action(c.run),
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&c.csv, "csv", nil, "results of vouch bench, a `file` or LABEL=FILE; may be given several times")
	fs.StringVarP(&c.out, "out", "o", "report.html", "the page, a `file`, or - for standard output")
	fs.StringVar(&c.instances, "instances", "", "list with verdicts to compare with, a CSV `file`")
	fs.StringVar(&c.cexs, "counterexamples", "", "`folder` of counterexamples")
	fs.StringVar(&c.title, "title", "Verification results", "heading of the page")
	fs.BoolVar(&c.json, "json", false, "also print one JSON object")
	demand(cmd, "csv")
	return cmd
}

// resultsRun is what one file of results holds.
type resultsRun struct {
	label    string
	file     string
	outcomes []outcome
}

// reportAnswer is what -json prints.
type reportAnswer struct {
	Page      string      `json:"page"`
	Instances int         `json:"instances"`
	Conflicts int         `json:"conflicts"` // runs contradict each other
	Wrong     int         `json:"wrong"`     // results that contradict the list
	Runs      []reportSum `json:"runs"`
}

// reportSum is one run, over all benchmarks and by benchmark.
type reportSum struct {
	Label      string   `json:"label"`
	File       string   `json:"file"`
	Total      *tally   `json:"total"`
	Benchmarks []*tally `json:"benchmarks"`
}

// answer is the numbers of the page.
func (c *reportCommand) answer(p *reportPage) reportAnswer {
	out := reportAnswer{Page: c.out, Instances: p.Instances, Conflicts: p.Conflicts, Wrong: p.Wrong}
	for i, r := range p.Runs {
		sum := reportSum{Label: r.Label, File: r.File, Total: p.Total.Rows[i].tally}
		for _, g := range p.Benchmarks {
			sum.Benchmarks = append(sum.Benchmarks, g.Rows[i].tally)
		}
		out.Runs = append(out.Runs, sum)
	}
	return out
}

func (c *reportCommand) run(ctx context.Context) error {
	if c.json && c.out == "-" {
		return usagef("-json and -o - both write to standard output")
	}
	runs, err := c.read()
	if err != nil {
		return err
	}
	var stored []*storedCounterexample
	if c.cexs != "" {
		if stored, err = readCounterexamples(c.cexs); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted before %s was written", c.out)
	}
	page, err := newPage(c.title, runs, stored)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	if err := page.write(&buf); err != nil {
		return err
	}
	if c.out == "-" {
		err = c.write(buf.Bytes())
	} else {
		err = writeFile(c.out, buf.Bytes())
	}
	if err == nil && c.json {
		err = c.writeJSON(c.answer(page))
	}
	if err == nil && page.Conflicts+page.Wrong > 0 {
		err = fmt.Errorf("%d instances on which runs contradict each other, %d results that contradict the list", page.Conflicts, page.Wrong)
	}
	return err
}

// read reads the runs and compares them with the list, if there is one.
func (c *reportCommand) read() ([]resultsRun, error) {
	listed := map[instanceKey]string{}
	if c.instances != "" {
		f, err := os.Open(c.instances)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		list, err := readInstances(f, filepath.Dir(c.instances))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.instances, err)
		}
		for _, in := range list {
			listed[instanceKey{in.category, in.onnx, in.vnnlib, 0}] = in.listed
		}
	}
	var runs []resultsRun
	seen := map[string]bool{}
	for _, arg := range c.csv {
		label, file := splitLabel(arg)
		if seen[label] {
			label = file
		}
		if seen[label] {
			return nil, usagef("-csv %s is given twice", arg)
		}
		seen[label] = true
		outcomes, err := readResults(file)
		if err != nil {
			return nil, err
		}
		for i := range outcomes {
			o := &outcomes[i]
			o.Listed = listed[instanceKey{o.Category, o.Onnx, o.Vnnlib, 0}]
			o.Wrong = contradicts(o.Result, o.Listed)
		}
		runs = append(runs, resultsRun{label, file, outcomes})
	}
	return runs, nil
}

// splitLabel reads LABEL=FILE, or FILE, whose label is its name.
func splitLabel(arg string) (label, file string) {
	if _, err := os.Stat(arg); err != nil {
		if label, file, ok := strings.Cut(arg, "="); ok && label != "" && file != "" {
			return label, file
		}
	}
	base := filepath.Base(arg)
	return strings.TrimSuffix(base, filepath.Ext(base)), arg
}

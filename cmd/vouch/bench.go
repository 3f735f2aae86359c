package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/spec"
)

const benchHelp = `Decide every instance of a list, and compare with what the list says.

The list is a VNN-COMP instances.csv (network, property, timeout, no header), or
has a header that names the columns onnx, vnnlib and optionally timeout, year,
benchmark and verdict; then files are found at ROOT/year/benchmark/file. A file
may carry .gz after the name that is listed.

An instance's time limit is the smaller of its listed one and -timeout, and holds
for verifying alone. Networks and properties used again soon are not read again.

-csv FILE receives a row per instance as it ends, without a header:
  category,onnx,vnnlib,prepare,result,runtime
prepare is the seconds to load, runtime the seconds to verify, and result is
unsat, sat, unknown, timeout or error. vouch report makes a page of such files.
With -resume, instances that have a row there already are not run again.

Each sat is replayed on the network as read, in float32 and float64; if that
fails it counts as "bad cex". The exit code is 1 if there is one, if a verdict
contradicts the list, after an error, and after Ctrl-C, which keeps the rows so
far and prints the table of them.`

// benchCommand is the flags of vouch bench.
type benchCommand struct {
	*app
	verify    verifier
	instances string
	root      string
	raw       bool
	timeout   timeoutFlag
	filter    patternFlag
	csv       string
	resume    bool
	cexs      string // folder of counterexamples
	json      bool
	jobs      int
	verbose   bool
	solver    solverFlags
	profiles  profiles

	opts       bab.Options
	networks   *cache[network]
	properties *cache[*spec.Property]
}

func newBench(a *app) *cobra.Command {
	c := &benchCommand{app: a, verify: bab.Verify}
	cmd := c.command()
	return cmd
}

func (c *benchCommand) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "bench -instances FILE [flags]", Args: noArguments,
		Short: "Decide a list of instances and compare", Long: benchHelp,
		Example: "vouch bench -instances vnncomp/instances_dev.csv -filter '^2022/acasxu .*prop_[34]' -timeout 20s -csv acasxu.csv",
		RunE: c.action(func(ctx context.Context) error {
			return c.profiles.around(func() error { return c.run(ctx) })
		}),
	}
	fs := cmd.Flags()
	fs.StringVar(&c.instances, "instances", "", "list of instances, a CSV `file`, or - for standard input")
	fs.StringVar(&c.root, "root", "", "`folder` of the files (default the list's)")
	rawFlag(fs, &c.raw)
	fs.Var(&c.timeout, "timeout", "cap on the time limit of each instance: a duration, or seconds")
	fs.Var(&c.filter, "filter", `only instances whose "category onnx vnnlib" matches`)
	fs.StringVar(&c.csv, "csv", "", "write a row per instance to this `file`")
	fs.BoolVar(&c.resume, "resume", false, "keep the rows that the file of -csv has, and run the other instances")
	fs.StringVar(&c.cexs, "counterexamples", "", "write a file per sat to this `folder`, for vouch report")
	fs.BoolVar(&c.json, "json", false, "print one JSON object instead of the table")
	fs.IntVar(&c.jobs, "jobs", 1, "instances at a time; each uses all processors either way")
	fs.BoolVarP(&c.verbose, "verbose", "v", false, "a line per instance on standard error instead of a progress bar")
	c.solver.register(fs)
	c.profiles.register(fs)
	demand(cmd, "instances")
	return cmd
}

// outcome is what became of one instance.
type outcome struct {
	Category   string    `json:"category"`
	Onnx       string    `json:"onnx"`
	Vnnlib     string    `json:"vnnlib"`
	Listed     string    `json:"listed,omitempty"`
	Result     string    `json:"result"`
	Reason     string    `json:"reason,omitempty"` // why unknown, or the error
	Wrong      bool      `json:"wrong,omitempty"`
	BadCex     bool      `json:"bad_cex,omitempty"`
	Prepare    float64   `json:"prepare"` // seconds to load
	Runtime    float64   `json:"runtime"` // seconds to verify
	LowerBound number    `json:"lower_bound"`
	Stats      jsonStats `json:"stats"`

	interrupted bool
	stack       []byte                // of a panic
	cex         *storedCounterexample // nil unless sat, and wanted
}

func (c *benchCommand) run(ctx context.Context) error {
	var err error
	if c.opts, err = c.solver.options(); err != nil {
		return err
	}
	if c.jobs < 1 {
		return usagef("-jobs %d is not at least 1", c.jobs)
	}
	if c.resume && c.csv == "" {
		return usagef("-resume goes with -csv")
	}
	list, err := c.list()
	if err != nil {
		return err
	}
	if c.cexs != "" {
		if err := os.MkdirAll(c.cexs, 0o755); err != nil {
			return err
		}
	}
	rows, found, err := c.rows()
	if err != nil {
		return err
	}
	c.networks, c.properties = newCache[network](c.jobs+4), newCache[*spec.Property](c.jobs+15)
	kept, left := divide(list, found)
	outcomes, err := c.runAll(ctx, left, rows)
	if err := errors.Join(err, rows.Close()); err != nil {
		return err
	}
	outcomes = append(kept, outcomes...)
	tallies := summarise(outcomes)
	if err := c.report(outcomes, tallies); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted after %d of %d instances", len(outcomes), len(list))
	}
	if failure := tallies[len(tallies)-1].failure(); failure != "" {
		return errors.New(failure)
	}
	return nil
}

// list is the instances to run.
func (c *benchCommand) list() ([]instance, error) {
	src, root := c.stdin, "."
	if c.instances != "-" {
		f, err := os.Open(c.instances)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		src, root = f, filepath.Dir(c.instances)
	}
	if c.root != "" {
		root = c.root
	}
	all, err := readInstances(src, root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.instances, err)
	}
	var list []instance
	for _, in := range all {
		if c.filter.match(in.key()) {
			list = append(list, in)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: none of %d instances to run", c.instances, len(all))
	}
	return list, nil
}

// runAll runs the list on c.jobs goroutines. Outcomes come in the order in which
// they end; those that ctx cut short are left out.
func (c *benchCommand) runAll(ctx context.Context, list []instance, rows io.Writer) ([]outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	todo, done := make(chan instance), make(chan outcome)
	go func() {
		defer close(todo)
		for _, in := range list {
			select {
			case todo <- in:
			case <-ctx.Done():
				return
			}
		}
	}()
	var workers sync.WaitGroup
	for range c.jobs {
		workers.Go(func() {
			for in := range todo {
				if ctx.Err() == nil {
					done <- c.one(ctx, in)
				}
			}
		})
	}
	go func() {
		workers.Wait()
		close(done)
	}()

	show := newProgress(c.stderr, len(list), c.verbose)
	defer show.end()
	table := csv.NewWriter(rows)
	var outcomes []outcome
	var failed error
	for o := range done {
		if o.interrupted || failed != nil {
			continue
		}
		outcomes = append(outcomes, o)
		if failed = c.keep(&o, table); failed != nil {
			cancel() // a run without its rows is worth nothing
		}
		show.add(o)
	}
	return outcomes, failed
}

// keep writes the outcome's counterexample, if it is wanted, and its row.
func (c *benchCommand) keep(o *outcome, table *csv.Writer) error {
	if c.cexs != "" && o.cex != nil {
		if err := o.cex.write(c.cexs); err != nil {
			return err
		}
	}
	o.cex = nil
	table.Write(o.row())
	table.Flush()
	return table.Error()
}

// one runs one instance. It does not fail: errors and panics are outcomes.
func (c *benchCommand) one(ctx context.Context, in instance) outcome {
	o := outcome{Category: in.category, Onnx: in.onnx, Vnnlib: in.vnnlib, Listed: in.listed, LowerBound: number(negInf)}
	begin := time.Now()
	net, prop, err := c.load(in)
	o.Prepare = time.Since(begin).Seconds()
	if err != nil {
		o.fail(err)
		return o
	}
	limited := ctx
	if limit := c.limit(in); limit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	begin = time.Now()
	res, err := decide(limited, c.verify, net.graph, prop, c.opts)
	o.Runtime = time.Since(begin).Seconds()
	if err != nil {
		o.fail(err)
		return o
	}
	o.Result, o.Reason = word(res), res.Reason.String()
	o.LowerBound, o.Stats = number(res.LowerBound), newJSONStats(res.Stats)
	o.Wrong = contradicts(o.Result, in.listed)
	if c.cexs != "" && res.Counterexample != nil {
		o.cex = newStoredCounterexample(in, net.graph, prop, res.Counterexample)
	}
	o.interrupted = res.Verdict == spec.Unknown && ctx.Err() != nil
	return o
}

func (o *outcome) fail(err error) {
	o.Result, o.Reason = wordError, err.Error()
	var bad *replayError
	o.BadCex = errors.As(err, &bad)
	var internal *panicError
	if errors.As(err, &internal) {
		o.stack = internal.stack
	}
}

// load reads the instance's files, or finds them read.
func (c *benchCommand) load(in instance) (network, *spec.Property, error) {
	net, err := c.networks.get(in.net, func() (network, error) { return loadNetwork(in.net, c.raw) })
	if err != nil {
		return network{}, nil, err
	}
	prop, err := c.properties.get(in.property, func() (*spec.Property, error) { return loadProperty(in.property) })
	return net, prop, err
}

// limit is the instance's time limit, 0 for none.
func (c *benchCommand) limit(in instance) time.Duration {
	limit := time.Duration(c.timeout)
	if limit == 0 || in.timeout > 0 && in.timeout < limit {
		limit = in.timeout
	}
	return limit
}

func (c *benchCommand) report(outcomes []outcome, tallies []*tally) error {
	if c.json {
		return c.writeJSON(struct {
			Instances []outcome `json:"instances"`
			Summary   []*tally  `json:"summary"`
		}{append([]outcome{}, outcomes...), tallies})
	}
	var b strings.Builder
	writeSummary(&b, tallies)
	return c.write([]byte(b.String()))
}

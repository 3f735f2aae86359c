package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

const reachHelp = `Decide whether a network has a property by computing its set of outputs.

Methods: exact-star splits at every undecided neuron and decides every property of
piecewise linear networks, given time; approx-star relaxes undecided neurons to
triangles over ranges from linear programs; relax-star solves such programs for a
share 1 - RELAX of them only, chosen by -choice; abs-dom keeps one lower line for
each neuron; zono carries a zonotope and solves none. What an approximate method
leaves open is attacked, and with -refine handed to exact-star.

The first line printed is unsat, sat, unknown or timeout, as by vouch verify; after
sat follows the counterexample, replayed in float32 and float64. -plot draws the
output set over the first case's region, projected to two outputs, as a picture in
the format of the file's name (.svg, .png, .pdf).

-timeout counts from the start of the command, loading included. Ctrl-C ends with
"unknown". All four answers exit with code 0.`

// reachCommand is the flags of vouch reach.
type reachCommand struct {
	*app
	net, spec string
	raw       bool
	method    choiceFlag
	relax     float64
	choice    choiceFlag
	refine    bool
	noAttack  bool
	seed      uint64
	maxStars  int
	maxMemory int64
	timeout   timeoutFlag
	json      bool
	verbose   bool
	plot      string
	dims      string
}

func newReach(a *app) *cobra.Command {
	c := &reachCommand{app: a}
	c.method = choiceFlag{value: "approx-star", choices: []string{"exact-star", "approx-star", "relax-star", "abs-dom", "zono"}}
	c.choice = choiceFlag{value: "range", choices: []string{"range", "area", "bound", "random", "static", "upper-bounds-first"}}
	cmd := &cobra.Command{
		Use: "reach -net FILE -spec FILE [flags]", Args: noArguments,
		Short: "Decide a property by the set of outputs", Long: reachHelp,
		Example: "vouch reach -net Convnet_avgpool.onnx -spec prop_3_0.02.vnnlib -method relax-star -relax 0.5 -timeout 60s",
	}
	fs := cmd.Flags()
	fs.StringVar(&c.net, "net", "", "network `file`, .onnx or .nnet")
	fs.StringVar(&c.spec, "spec", "", "property `file`, .vnnlib")
	rawFlag(fs, &c.raw)
	fs.Var(&c.method, "method", "how the set is computed, by `name`:\nexact-star, approx-star, relax-star, abs-dom or zono")
	fs.Float64Var(&c.relax, "relax", 0, "of relax-star: share of the neurons without linear programs, in [0, 1]")
	fs.Var(&c.choice, "choice", "of relax-star, whose programs to solve, by `rule`:\nrange, area, bound, random, static or upper-bounds-first")
	fs.BoolVar(&c.refine, "refine", false, "hand what an approximate method leaves open to exact-star")
	fs.BoolVar(&c.noAttack, "no-attack", false, "do not attack what an approximate method leaves open")
	fs.Uint64Var(&c.seed, "seed", 1, "seed of attacks and random choices; same seed, same answer")
	fs.IntVar(&c.maxStars, "max-stars", 0, "give up after so many stars of exact-star (0: no limit)")
	fs.Int64Var(&c.maxMemory, "max-memory", 0, "MiB of memory for stars (0: 1024)")
	fs.Var(&c.timeout, "timeout", "answer by then: a duration, or seconds (default no limit)")
	fs.BoolVar(&c.json, "json", false, "print one JSON object instead")
	fs.BoolVarP(&c.verbose, "verbose", "v", false, "report progress on standard error")
	fs.StringVar(&c.plot, "plot", "", "draw the output set into this `file`")
	fs.StringVar(&c.dims, "dims", "0,1", "the two outputs that -plot draws, as `i,j`")
	demand(cmd, "net", "spec")
	cmd.RunE = a.action(func(ctx context.Context) error {
		return c.run(ctx, cmd.Flags().Changed("relax") || cmd.Flags().Changed("choice"))
	})
	return cmd
}

// options are the flags as reach wants them; relaxed says that some of relax-star's
// were given.
func (c *reachCommand) options(relaxed bool) (reach.Options, error) {
	o := reach.Options{
		RelaxFactor: c.relax, Refine: c.refine, Seed: c.seed, MaxStars: c.maxStars, MaxMemory: c.maxMemory << 20,
		NoAttack: c.noAttack,
	}
	var err error
	if o.Method, err = reach.ParseMethod(c.method.value); err != nil {
		return o, err
	}
	if o.Choice, err = reach.ParseChoice(c.choice.value); err != nil {
		return o, err
	}
	if relaxed && o.Method != reach.RelaxStar {
		return o, usagef("-relax and -choice are for -method relax-star, not %v", o.Method)
	}
	if c.maxMemory < 0 || c.maxMemory > 1<<40 {
		return o, usagef("-max-memory %d is not in [0, 2^40]", c.maxMemory)
	}
	if err := o.Validate(); err != nil {
		return o, usagef("%v", err)
	}
	return o, nil
}

func (c *reachCommand) run(ctx context.Context, relaxed bool) error {
	opts, err := c.options(relaxed)
	if err != nil {
		return err
	}
	dims, err := parsePair(c.dims)
	if err != nil {
		return err
	}
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, c.start.Add(time.Duration(c.timeout)))
		defer cancel()
	}
	type problem struct {
		net  network
		prop *spec.Property
	}
	p, err := interruptible(ctx, func() (p problem, err error) {
		p.net, p.prop, err = loadProblem(c.net, c.spec, c.raw)
		return p, err
	})
	switch {
	case err != nil && isContextError(err):
		return c.print(undecided(err))
	case err != nil:
		return err
	}
	if c.plot != "" {
		if n := nn.OutputShape(p.net.graph).Size(); max(dims[0], dims[1]) >= n {
			return usagef("-dims %s: the network has outputs 0 to %d", c.dims, n-1)
		}
	}
	verify := func(ctx context.Context, net nn.Network, prop *spec.Property, _ bab.Options) (*spec.Result, error) {
		return reach.Verify(ctx, net, prop, opts)
	}
	show := c.newStatus(c.verbose)
	if show != nil {
		opts.Progress = func(p reach.Progress) {
			show.show("%7.1fs node %d, %d stars at the output, %d open", p.Elapsed.Seconds(), p.Node, p.Stars, p.Open)
		}
	}
	res, err := decide(ctx, verify, p.net.graph, p.prop, bab.Options{})
	show.end()
	if err != nil {
		return err
	}
	if err := c.print(res); err != nil || c.plot == "" {
		return err
	}
	return c.draw(ctx, p.net.graph, p.prop, opts, dims)
}

// parsePair reads two indices with a comma between them.
func parsePair(s string) (pair [2]int, err error) {
	left, right, ok := strings.Cut(s, ",")
	for k, text := range []string{left, right} {
		v, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || v < 0 || !ok {
			return pair, usagef("-dims %q is not two indices with a comma between them", s)
		}
		pair[k] = v
	}
	return pair, nil
}

func (c *reachCommand) print(res *spec.Result) error {
	if res.Verdict == spec.Unknown {
		fmt.Fprintf(c.stderr, "vouch: undecided (%v) after %.3fs; least violation >= %.6g\n",
			res.Reason, time.Since(c.start).Seconds(), res.LowerBound)
	}
	if !c.json {
		text, err := competitionText(res)
		if err != nil {
			return err
		}
		return c.write(text)
	}
	return c.writeJSON(struct {
		Method string `json:"method"`
		jsonAnswer
	}{c.method.value, newJSONAnswer(res, c.net, c.spec, time.Since(c.start))})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/spec"
)

const verifyHelp = `Decide whether a network has a property.

The first line printed is one of

  unsat    the property holds: no input of its region is unsafe
  sat      the property is violated; an input that shows it follows, as
           ((X_0 value) ... (Y_0 value)), and was replayed in float32 and float64
  unknown  undecided; why is said on standard error
  timeout  undecided when -timeout ran out

-timeout counts from the start of the command, loading included. Ctrl-C ends the
search with "unknown" and says what is known so far. All four exit with code 0.`

// verifyCommand is the flags of vouch verify.
type verifyCommand struct {
	*app
	verify    verifier
	net, spec string
	raw       bool
	out       string
	timeout   timeoutFlag
	json      bool
	verbose   bool
	solver    solverFlags
	profiles  profiles
}

func newVerify(a *app) *cobra.Command {
	c := &verifyCommand{app: a, verify: bab.Verify}
	cmd := &cobra.Command{
		Use: "verify -net FILE -spec FILE [flags]", Args: noArguments,
		Short: "Decide whether a network has a property", Long: verifyHelp,
		Example: "vouch verify -net ACASXU_1_1.onnx -spec prop_1.vnnlib -timeout 116s -out result.txt",
		RunE: a.action(func(ctx context.Context) error {
			return c.profiles.around(func() error { return c.run(ctx) })
		}),
	}
	fs := cmd.Flags()
	fs.StringVar(&c.net, "net", "", "network `file`, .onnx or .nnet")
	fs.StringVar(&c.spec, "spec", "", "property `file`, .vnnlib")
	rawFlag(fs, &c.raw)
	fs.Var(&c.timeout, "timeout", "answer by then: a duration, or seconds (default no limit)")
	fs.StringVar(&c.out, "out", "", "also write word and counterexample to this `file`, in one step")
	fs.BoolVar(&c.json, "json", false, "print one JSON object instead")
	fs.BoolVarP(&c.verbose, "verbose", "v", false, "report progress on standard error")
	c.solver.register(fs)
	c.profiles.register(fs)
	demand(cmd, "net", "spec")
	return cmd
}

func (c *verifyCommand) run(ctx context.Context) error {
	opts, err := c.solver.options()
	if err != nil {
		return err
	}
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, c.start.Add(time.Duration(c.timeout)))
		defer cancel()
	}
	show := c.newStatus(c.verbose)
	if show != nil {
		opts.Progress = func(p bab.Progress) {
			show.show("%7.1fs %9d sub-problems %9d open, least violation >= %.6g", p.Elapsed.Seconds(), p.Domains, p.Open, p.LowerBound)
		}
	}
	res, err := c.decide(ctx, opts)
	show.end()
	if err != nil {
		return err
	}
	err = c.print(res)
	if c.out == "" {
		return err
	}
	text, textErr := competitionText(res)
	if textErr != nil {
		return errors.Join(err, textErr)
	}
	return errors.Join(err, writeFile(c.out, text))
}

// decide loads and verifies.
func (c *verifyCommand) decide(ctx context.Context, opts bab.Options) (*spec.Result, error) {
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
		return undecided(err), nil
	case err != nil:
		return nil, err
	}
	return decide(ctx, c.verify, p.net.graph, p.prop, opts)
}

func (c *verifyCommand) print(res *spec.Result) error {
	if res.Verdict == spec.Unknown {
		fmt.Fprintf(c.stderr, "vouch: undecided (%v) after %.3fs and %d sub-problems; least violation >= %.6g\n",
			res.Reason, time.Since(c.start).Seconds(), res.Stats.Domains, res.LowerBound)
	}
	if !c.json {
		text, err := competitionText(res)
		if err != nil {
			return err
		}
		return c.write(text)
	}
	return c.writeJSON(newJSONAnswer(res, c.net, c.spec, time.Since(c.start)))
}

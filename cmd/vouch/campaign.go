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

const campaignHelp = `Decide many properties of one network, in a run that can be interrupted.

The network is prepared once, and properties whose regions coincide or nest share
bounds. A line is printed for each property as it ends: unsat, sat, unknown or
timeout, as of vouch verify, and the file's name.

-file FILE keeps the results, one JSON object a line, counterexamples included.
After Ctrl-C, a kill or a power cut the same command goes on where it stopped: what
is in FILE is printed again and not decided again. It must then be given the same
network, properties and options; -jobs alone may differ. When all properties are
decided FILE has them in the order of the command line, and without -timeout it
does not depend on interruptions.

Each sat is replayed on the network as read. The exit code is 1 if that fails, and
if the run was interrupted.`

// campaignCommand is the flags of vouch campaign.
type campaignCommand struct {
	*app
	net      string
	raw      bool
	file     string
	timeout  timeoutFlag
	jobs     int
	json     bool
	solver   solverFlags
	profiles profiles
}

func newCampaign(a *app) *cobra.Command {
	c := &campaignCommand{app: a}
	cmd := &cobra.Command{
		Use: "campaign -net FILE [flags] PROPERTY...", Args: cobra.MinimumNArgs(1),
		Short: "Decide many properties of a network, resumably", Long: campaignHelp,
		Example: "vouch campaign -net mnist-net_256x4.onnx -file results.jsonl -max-domains 10000 prop_*.vnnlib",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.action(func(ctx context.Context) error {
				return c.profiles.around(func() error { return c.run(ctx, args) })
			})(cmd, args)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&c.net, "net", "", "network `file`, .onnx or .nnet")
	rawFlag(fs, &c.raw)
	fs.StringVar(&c.file, "file", "", "keep results in this `file`, and resume from it")
	fs.Var(&c.timeout, "timeout", "time for each property: a duration, or seconds (default no limit)")
	fs.IntVar(&c.jobs, "jobs", 0, "properties at a time; each uses all processors anyway (0: one per processor)")
	fs.BoolVar(&c.json, "json", false, "print a JSON object for each property, one a line")
	c.solver.register(fs)
	c.profiles.register(fs)
	demand(cmd, "net")
	return cmd
}

func (c *campaignCommand) run(ctx context.Context, paths []string) error {
	opts := bab.CampaignOptions{Timeout: time.Duration(c.timeout), Parallel: c.jobs, File: c.file}
	var err error
	if opts.Options, err = c.solver.options(); err != nil {
		return err
	}
	if err := opts.Validate(); err != nil {
		return usagef("%v", err)
	}
	net, instances, err := c.load(ctx, paths)
	if err != nil {
		return err
	}
	properties := make(map[string]*spec.Property, len(instances))
	for _, in := range instances {
		properties[in.ID] = in.Property
	}
	var failed []error
	shown := newProgress(c.stderr, len(instances), false)
	opts.OnResult = func(r bab.InstanceResult) {
		shown.clear()
		defer shown.step(r.Result.Verdict != spec.Unknown)
		if r.Result.Verdict == spec.Falsified {
			if err := replay(net.graph, properties[r.ID], r.Result.Counterexample); err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", r.ID, err))
				return
			}
		}
		if err := c.print(r); err != nil {
			failed = append(failed, err)
		}
	}
	report, err := contained(func() (*bab.CampaignReport, error) {
		return bab.RunCampaign(ctx, net.graph, instances, opts)
	})
	shown.end()
	if err == nil && len(report.Unfinished) > 0 {
		err = fmt.Errorf("interrupted after %d of %d properties", len(report.Results), len(instances))
	}
	return errors.Join(append(failed, err)...)
}

// print writes a result, as JSON as vouch verify does.
func (c *campaignCommand) print(r bab.InstanceResult) error {
	if !c.json {
		return c.write(fmt.Appendf(nil, "%-7s  %s\n", word(r.Result), r.ID))
	}
	return c.writeJSON(newJSONAnswer(r.Result, c.net, r.ID, r.Result.Stats.Elapsed))
}

// load reads the network and the properties, which are named by their files.
func (c *campaignCommand) load(ctx context.Context, paths []string) (network, []bab.Instance, error) {
	type loaded struct {
		net       network
		instances []bab.Instance
	}
	l, err := interruptible(ctx, func() (l loaded, err error) {
		if l.net, err = loadNetwork(c.net, c.raw); err != nil {
			return l, err
		}
		for _, path := range paths {
			prop, err := loadProperty(path)
			if err != nil {
				return l, err
			}
			l.instances = append(l.instances, bab.Instance{ID: path, Property: prop})
		}
		return l, nil
	})
	return l.net, l.instances, err
}

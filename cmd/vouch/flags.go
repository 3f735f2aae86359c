package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
)

// Kinds of flag that pflag does not have, and the flags that steer the verifier.

// choiceFlag takes one of a few words.
type choiceFlag struct {
	value   string
	choices []string
}

func (f *choiceFlag) String() string { return f.value }

func (f *choiceFlag) Type() string { return strings.Join(f.choices, "|") }

func (f *choiceFlag) Set(s string) error {
	if !slices.Contains(f.choices, s) {
		return fmt.Errorf("want one of %s", strings.Join(f.choices, ", "))
	}
	f.value = s
	return nil
}

// timeoutFlag takes a duration such as 1m30s, or a bare number of seconds.
// Zero, its default, is no limit.
type timeoutFlag time.Duration

func (f *timeoutFlag) String() string {
	if *f == 0 {
		return ""
	}
	return time.Duration(*f).String()
}

func (*timeoutFlag) Type() string { return "duration" }

func (f *timeoutFlag) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil {
		if d, err = parseSeconds(s); err != nil {
			return err
		}
	}
	if d < 0 {
		return fmt.Errorf("is negative")
	}
	*f = timeoutFlag(d)
	return nil
}

// parseSeconds reads a number of seconds, as instance lists have it.
func parseSeconds(s string) (time.Duration, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0 && v < float64(1<<62)/1e9) {
		return 0, fmt.Errorf("want a duration such as 1m30s, or a number of seconds")
	}
	return time.Duration(v * float64(time.Second)), nil
}

// patternFlag takes a regular expression; nil, its default, matches everything.
type patternFlag struct{ re *regexp.Regexp }

func (f *patternFlag) String() string {
	if f.re == nil {
		return ""
	}
	return f.re.String()
}

func (*patternFlag) Type() string { return "regexp" }

func (f *patternFlag) Set(s string) (err error) {
	f.re, err = regexp.Compile(s)
	return err
}

func (f *patternFlag) match(s string) bool { return f.re == nil || f.re.MatchString(s) }

// rawFlag asks for the weights of a .nnet file alone.
func rawFlag(fs *pflag.FlagSet, raw *bool) {
	fs.BoolVar(raw, "raw", false, "of a .nnet file take the weights alone, without its normalisation")
}

// methodFlag chooses how bounds are computed.
func methodFlag(value string, choices ...string) *choiceFlag {
	return &choiceFlag{value: value, choices: choices}
}

// bounder is the method of a name; nil leaves the choice to bab.
func bounder(method string) bounds.Bounder {
	switch method {
	case "auto":
		return nil
	case "ibp":
		return bounds.IBP{}
	case "crown-ibp":
		return bounds.CrownIBP{}
	case "alpha-crown":
		return bounds.Alpha{}
	default:
		return bounds.Crown{}
	}
}

// solverFlags are the options of bab.Verify, for verify and bench.
type solverFlags struct {
	seed       uint64
	split      choiceFlag
	method     *choiceFlag
	maxDomains int
	maxMemory  int64 // MiB
	batch      int
	noAttack   bool
	restarts   int
	steps      int
}

func (f *solverFlags) register(fs *pflag.FlagSet) {
	f.split = choiceFlag{value: "auto", choices: []string{"auto", "input", "neuron"}}
	f.method = methodFlag("auto", "auto", "ibp", "crown-ibp", "crown")
	fs.Uint64Var(&f.seed, "seed", 1, "seed of the attacks; same seed, same answer")
	fs.Var(&f.split, "split", "what branch and bound splits")
	fs.Var(f.method, "method", "how sub-problems are bounded")
	fs.IntVar(&f.maxDomains, "max-domains", 0, "give up after so many sub-problems (0: no limit)")
	fs.Int64Var(&f.maxMemory, "max-memory", 0, "MiB of memory for open sub-problems (0: 2048)")
	fs.IntVar(&f.batch, "batch", 0, "sub-problems bounded at a time (0: chosen from the network)")
	fs.BoolVar(&f.noAttack, "no-attack", false, "do not look for a counterexample before bounding")
	fs.IntVar(&f.restarts, "restarts", 0, "starting points of the attack per conjunction (0: 32)")
	fs.IntVar(&f.steps, "steps", 0, "gradient steps of the attack per starting point (0: 40)")
}

// options are the flags as bab wants them. Values out of range are wrong usage.
func (f *solverFlags) options() (bab.Options, error) {
	o := bab.Options{
		Seed: f.seed, Bounder: bounder(f.method.value), Batch: f.batch,
		MaxDomains: f.maxDomains, MaxMemory: f.maxMemory << 20, NoAttack: f.noAttack,
		Attack: bab.AttackOptions{Restarts: f.restarts, Steps: f.steps},
	}
	switch f.split.value {
	case "input":
		o.Split = bab.SplitInput
	case "neuron":
		o.Split = bab.SplitNeuron
	}
	if f.maxMemory < 0 || f.maxMemory > 1<<40 {
		return o, usagef("-max-memory %d is not in [0, 2^40]", f.maxMemory)
	}
	if err := o.Validate(); err != nil {
		return o, usagef("%v", err)
	}
	return o, nil
}

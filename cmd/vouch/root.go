package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The command tree, its help, and flags with one dash.
//
// Flags are written as Go programs write them, -timeout 116s, and pflag's
// --timeout 116s works as well: before cobra sees the arguments, a dash before
// a name of several letters is doubled. Values are left alone, so -filter -nano
// looks for "-nano". One letter after one dash stays a shorthand (-v, -h).

const rootHelp = `vouch proves a property of a neural network, or refutes it with an input that
replays through the network.

Networks are read from .onnx and .nnet files, properties from .vnnlib files, each
plain or with .gz after its name. Every flag may be written with one dash or two.

Exit codes: 0 answered (also by "unknown" and "timeout"), 1 error, or a list that
Ctrl-C cut short, 2 wrong usage. The first Ctrl-C keeps and prints what is known.`

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "vouch",
		Short:         "Verify neural networks",
		Long:          rootHelp,
		Example:       "vouch verify -net model.onnx -spec property.vnnlib -timeout 60s",
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no command given; the commands are verify, campaign, bench, report, bounds, reach, radius, info, train, eval, qnn, completion and version")
		},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(cmd.OutOrStdout(), cmd) })
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true, Use: "help [command]", RunE: func(cmd *cobra.Command, args []string) error {
		about, rest, err := cmd.Root().Find(args)
		if err != nil || len(rest) > 0 {
			return usagef("no help on %q", strings.Join(args, " "))
		}
		about.InitDefaultHelpFlag()
		return about.Help()
	}})
	root.AddCommand(newVerify(a), newCampaign(a), newBench(a), newReport(a), newBounds(a), newReach(a), newRadius(a),
		newInfo(a), newTrain(a), newEval(a), newQNN(a), newCompletion(a), newVersion(a))
	for _, cmd := range root.Commands() {
		for _, c := range append(cmd.Commands(), cmd) {
			c.Flags().SortFlags = false
			c.DisableFlagsInUseLine = true
			complete(c)
		}
	}
	return root
}

// noArguments is for commands that take flags alone.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("%s takes no argument %q", strings.TrimPrefix(cmd.CommandPath(), "vouch "), args[0])
	if cmd.Flags().Lookup("net") != nil && extensionIs(args[0], extensionsOf(cmd, "net")) {
		err = fmt.Errorf("%w; a network is given by -net %s", err, args[0])
	}
	return err
}

// extensionIs reports whether file's name ends in one of extensions.
func extensionIs(file string, extensions []string) bool {
	return slices.ContainsFunc(extensions, func(e string) bool { return strings.HasSuffix(file, "."+e) })
}

// action adapts a command's function: once it runs, the usage was right.
func (a *app) action(do func(ctx context.Context) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		a.started = true
		return do(cmd.Context())
	}
}

// demand marks flags without which a command makes no sense.
func demand(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag does not exist
		}
	}
}

func writeHelp(w io.Writer, cmd *cobra.Command) {
	fmt.Fprintf(w, "%s\n\nUsage:\n", cmd.Long)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "  %s <command> [flags]\n\nCommands:\n", cmd.CommandPath())
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(w, "  %-10s %s\n", sub.Name(), sub.Short)
			}
		}
	} else {
		fmt.Fprintf(w, "  %s\n", cmd.UseLine())
	}
	if usages := cmd.LocalFlags().FlagUsages(); usages != "" {
		fmt.Fprintf(w, "\nFlags:\n%s", strings.ReplaceAll(usages, "--", "-"))
	}
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExample:\n  %s\n", strings.ReplaceAll(cmd.Example, "\n", "\n  "))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nRun '%s <command> -h' for a command's flags.\n", cmd.CommandPath())
	}
}

// doubleDashes writes -name as --name wherever pflag would take it for a group
// of shorthands. Everything after -- and the values of flags stay as they are.
func doubleDashes(root *cobra.Command, args []string) []string {
	cmd := root // a name may be of a flag with a value in one command and without in another
	for k, arg := range args {
		if k == 0 && strings.HasPrefix(arg, cobra.ShellCompRequestCmd) { // the shell's completion
			continue
		}
		i := slices.IndexFunc(cmd.Commands(), func(c *cobra.Command) bool { return c.Name() == arg || c.HasAlias(arg) })
		if i < 0 {
			break
		}
		cmd = cmd.Commands()[i]
	}
	takesValue := map[string]bool{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { takesValue[f.Name] = f.NoOptDefVal == "" })
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if isLongFlag(arg) {
			arg = "-" + arg
		}
		out = append(out, arg)
		if name, ok := strings.CutPrefix(arg, "--"); ok && takesValue[name] && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return out
}

// isLongFlag reports one dash followed by a letter and more than it.
func isLongFlag(arg string) bool {
	return len(arg) > 2 && arg[0] == '-' && (arg[1] >= 'a' && arg[1] <= 'z' || arg[1] >= 'A' && arg[1] <= 'Z')
}

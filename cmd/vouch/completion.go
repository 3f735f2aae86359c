package main

import (
	"bytes"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Completion by the shell: vouch completion prints cobra's script, which calls
// the hidden command __complete for every Tab. Here is what cobra cannot know:
// which words and files a flag takes, and that flags are written with one dash.

const completionHelp = `Print a script that lets the shell complete commands, flags, their values and
files by the Tab key. It asks this program, so it stays right when the program
changes. To load it:

  bash         source <(vouch completion bash)
  zsh          source <(vouch completion zsh)
  fish         vouch completion fish | source
  powershell   vouch completion powershell | Out-String | Invoke-Expression

A line like that in the shell's start-up file loads it for every session; bash
needs the package bash-completion, zsh "autoload -U compinit; compinit" before it.`

func newCompletion(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print a script for completion by the shell", Long: completionHelp,
		Example: "source <(vouch completion bash)",
		Args:    cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs), ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.started = true
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			default:
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			}
		},
	}
}

// extensions are of the files that flags take; a flag that is not here takes
// any file if its usage says that it is one.
var extensions = map[string][]string{
	"net":       {"onnx", "nnet", "gz"},
	"spec":      {"vnnlib", "gz"},
	"instances": {"csv"},
	"csv":       {"csv"},
	"from":      {"onnx", "nnet", "gz"},
}

// quantizedExtensions are of -net of the qnn commands.
var quantizedExtensions = []string{"json", "onnx", "h5", "hdf5", "gz"}

// extensionsOf are those of a flag of cmd, nil if it takes any file or none.
func extensionsOf(cmd *cobra.Command, flag string) []string {
	if flag == "net" && cmd.HasParent() && cmd.Parent().Name() == "qnn" {
		return quantizedExtensions
	}
	return extensions[flag]
}

// complete tells cobra what the flags and arguments of cmd take.
func complete(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name, _ := pflag.UnquoteUsage(f)
		choice, isChoice := f.Value.(*choiceFlag)
		switch {
		case isChoice:
			must(cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(choice.choices, cobra.ShellCompDirectiveNoFileComp)))
		case extensionsOf(cmd, f.Name) != nil:
			must(cmd.MarkFlagFilename(f.Name, extensionsOf(cmd, f.Name)...))
		case name == "folder":
			must(cmd.MarkFlagDirname(f.Name))
		case name != "file":
			must(cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions))
		}
	})
	switch {
	case cmd.ValidArgs != nil:
	case cmd.Name() == "campaign":
		cmd.ValidArgsFunction = cobra.FixedCompletions(extensions["spec"], cobra.ShellCompDirectiveFilterFileExt)
	default:
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
}

// must is for errors that say that a flag does not exist.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// singleDashes passes completions on, with one dash before a flag's name where
// one was typed: the shell drops words that do not begin with what is there.
type singleDashes struct {
	to  io.Writer
	buf bytes.Buffer
}

// completing returns the writer for a call by the shell, nil if it is none or
// needs nothing done.
func completing(args []string, stdout io.Writer) *singleDashes {
	if len(args) < 2 || args[0] != cobra.ShellCompRequestCmd && args[0] != cobra.ShellCompNoDescRequestCmd {
		return nil
	}
	if last := args[len(args)-1]; last != "-" && !isLongFlag(last) {
		return nil
	}
	return &singleDashes{to: stdout}
}

// Write implements io.Writer.
func (w *singleDashes) Write(p []byte) (int, error) { return w.buf.Write(p) }

// flush rewrites what was written.
func (w *singleDashes) flush() error {
	var out strings.Builder
	for line := range strings.Lines(w.buf.String()) {
		if strings.HasPrefix(line, "--") {
			line = line[1:]
		}
		out.WriteString(line)
	}
	_, err := io.WriteString(w.to, out.String())
	return err
}

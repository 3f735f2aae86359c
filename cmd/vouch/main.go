// Command vouch proves properties of neural networks, or refutes them, from the
// command line. It is a thin shell: the work is done by the packages of
// github.com/vouchnn/vouch, and every subcommand has a file of its own.
//
//	vouch verify      decide one property                         verify.go
//	vouch campaign    decide many of one network, resumably       campaign.go
//	vouch bench       decide many, replay, compare, summarise     bench.go
//	vouch report      a page of the results of bench              report.go
//	vouch bounds      lower bounds of a property's functions      bounds.go
//	vouch reach       decide by the set of outputs, draw it       reach.go
//	vouch radius      certified radii, method against method      radius.go, images.go
//	vouch info        what a network file holds                   info.go
//	vouch train       train a network that is easy to verify      train.go
//	vouch eval        accuracy, proofs and attacks, as tables     eval.go
//	vouch qnn         quantized networks: verify, mrr, info, ...   qnn.go
//	vouch completion  for the shell's Tab key                     completion.go
//	vouch version     what this program was built from            version.go
//
// Exit codes: 0 if the question was answered (unknown and timeout are answers),
// 1 for an error, 2 for wrong usage. Answers go to standard output, everything
// else to standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end; from then on a signal kills.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program without the process around it: it runs the command that
// args name and returns the exit code. The end of ctx stands for Ctrl-C.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{start: time.Now(), stdin: stdin, stdout: stdout, stderr: stderr}
	tab := completing(args, stdout)
	if tab != nil {
		a.stdout = tab
	}
	root := newRoot(a)
	root.SetArgs(doubleDashes(root, args))
	cmd, err := root.ExecuteContextC(ctx)
	if tab != nil {
		err = errors.Join(err, tab.flush())
	}
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		fmt.Fprintln(stderr, "vouch: interrupted")
		return exitError
	}
	fmt.Fprintln(stderr, "vouch:", err)
	var internal *panicError
	if errors.As(err, &internal) {
		fmt.Fprintf(stderr, "%s", internal.stack)
	}
	var usage *usageError
	if !a.started || errors.As(err, &usage) {
		fmt.Fprintf(stderr, "Run '%s -h' for help.\n", cmd.CommandPath())
		return exitUsage
	}
	return exitError
}

// app is what the commands share: the streams and the time at which it began.
type app struct {
	start   time.Time
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	started bool // a command got past its flags: errors are no longer wrong usage
}

// usageError is wrong usage that is found after the flags were parsed.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

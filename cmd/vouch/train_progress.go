package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/vouchnn/vouch/train"
)

// epochs shows how training goes: a line per epoch, and a bar on a terminal.
type epochs struct {
	a     *app
	quiet bool
	bar   *progressbar.ProgressBar
	shown int // steps on the bar
}

func newEpochs(a *app, quiet bool) *epochs { return &epochs{a: a, quiet: quiet} }

func (e *epochs) event(ev train.Event) error {
	if e.bar == nil {
		e.bar = terminalBar(e.a.stderr, ev.Steps, progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(200*time.Millisecond))
	}
	if e.bar != nil {
		e.bar.Describe(fmt.Sprintf("epoch %d/%d, loss %.4f", ev.Epoch, ev.Epochs, ev.Loss))
		e.bar.Add(ev.Step - e.shown)
		e.shown = ev.Step
	}
	if !ev.EpochEnd || e.quiet {
		return nil
	}
	if e.bar != nil {
		e.bar.Clear()
	}
	line := fmt.Sprintf("epoch %*d/%d  loss %.4f", len(fmt.Sprint(ev.Epochs)), ev.Epoch, ev.Epochs, ev.Record.Loss)
	names := make([]string, 0, len(ev.Record.Terms))
	for name := range ev.Record.Terms {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		line += fmt.Sprintf("  %s %.4f", name, ev.Record.Terms[name])
	}
	if ev.Record.Measured > 0 {
		line += fmt.Sprintf("  validation %.2f %%", 100*ev.Record.Measured)
	}
	return e.a.write(fmt.Appendf(nil, "%s  %.1f s\n", line, ev.Record.Seconds))
}

func (e *epochs) end() {
	if e.bar != nil {
		e.bar.Finish()
	}
}

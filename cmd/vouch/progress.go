package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a list of questions is: a bar on a terminal; of a benchmark
// also a line for each instance if asked, else only what went wrong.
type progress struct {
	w      io.Writer
	total  int
	done   int
	lines  bool
	bar    *progressbar.ProgressBar // nil if there is none
	solved int
}

func newProgress(w io.Writer, total int, lines bool) *progress {
	p := &progress{w: w, total: total, lines: lines}
	if !lines {
		p.bar = terminalBar(w, total)
	}
	return p
}

// terminalBar is a bar on w if that is a terminal, else nil. It is drawn at once: the
// first step may take long.
func terminalBar(w io.Writer, total int, more ...progressbar.Option) *progressbar.ProgressBar {
	if !isTerminal(w) {
		return nil
	}
	b := progressbar.NewOptions(total, append([]progressbar.Option{
		progressbar.OptionSetWriter(w), progressbar.OptionShowCount(), progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetPredictTime(false), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(),
	}, more...)...)
	b.RenderBlank()
	return b
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// status is what a command without a bar says about once a second: lines one below the
// other if asked (-v), one line that changes on a terminal, nothing elsewhere.
type status struct {
	w     io.Writer
	lines bool // one below the other
	mu    sync.Mutex
	last  time.Time
	width int  // of the line on the terminal
	ended bool // what comes late is not shown
}

// newStatus is nil where there is nothing to show.
func (a *app) newStatus(lines bool) *status {
	if !lines && !isTerminal(a.stderr) {
		return nil
	}
	return &status{w: a.stderr, lines: lines, last: a.start}
}

// show shows a line, unless the last one is younger than a second.
func (s *status) show(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.ended || now.Sub(s.last) < time.Second {
		return
	}
	s.last = now
	line := fmt.Sprintf(format, args...)
	if s.lines {
		fmt.Fprintln(s.w, line)
		return
	}
	fmt.Fprintf(s.w, "\r%-*s", s.width, line)
	s.width = max(s.width, len(line))
}

// end takes the line away.
func (s *status) end() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.width > 0 {
		fmt.Fprintf(s.w, "\r%*s\r", s.width, "")
	}
}

// bar counts on a terminal and is silent elsewhere.
type bar struct{ on *progressbar.ProgressBar }

func newBar(w io.Writer, total int, what string) *bar {
	b := &bar{terminalBar(w, total)}
	b.describe(what)
	return b
}

func (b *bar) describe(what string) {
	if b.on != nil {
		b.on.Describe(what)
	}
}

func (b *bar) add(n int) {
	if b.on != nil {
		b.on.Add(n)
	}
}

func (b *bar) end() {
	if b.on != nil {
		b.on.Finish()
	}
}

func (p *progress) add(o outcome) {
	p.done++
	notable := ""
	switch {
	case o.BadCex || o.Result == wordError:
		notable = o.Reason
	case o.Wrong:
		notable = "WRONG: listed as " + o.Listed
	}
	if o.Result == wordSat || o.Result == wordUnsat {
		p.solved++
	}
	if notable != "" {
		p.clear()
	}
	if p.lines || notable != "" {
		fmt.Fprintf(p.w, "%*d/%d %-7s %9.3fs %s %s %s", len(fmt.Sprint(p.total)), p.done, p.total, o.Result, o.Runtime, o.Category, o.Onnx, o.Vnnlib)
		if notable == "" {
			notable = o.Reason
		}
		if notable != "" {
			fmt.Fprintf(p.w, " (%s)", notable)
		}
		fmt.Fprintln(p.w)
	}
	if p.lines && o.stack != nil {
		fmt.Fprintf(p.w, "%s", o.stack)
	}
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%d solved", p.solved))
		p.bar.Add(1)
	}
}

// clear takes the bar away until something is counted: other lines come.
func (p *progress) clear() {
	if p.bar != nil {
		p.bar.Clear()
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Finish()
	}
}

// step counts an item that is not an outcome of a benchmark.
func (p *progress) step(solved bool) {
	p.done++
	if solved {
		p.solved++
	}
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%d solved", p.solved))
		p.bar.Add(1)
	}
}

package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/vouchnn/vouch/train/eval"
)

// evalAnswer is the answer as JSON.
type evalAnswer struct {
	Data     string               `json:"data"`
	Timeout  float64              `json:"timeout_s"`
	Networks []eval.Column        `json:"networks"`
	Scores   map[string][]float64 `json:"scores"`
}

// show prints what was measured.
func (c *evalCommand) show(nets []evaluated) error {
	var columns []eval.Column
	for _, n := range nets {
		if len(n.rows) > 0 {
			columns = append(columns, eval.Column{Method: n.name, Accuracy: 100 * n.accuracy, Summaries: eval.Summarise(n.rows)})
		}
	}
	if len(columns) == 0 {
		return nil
	}
	lines := eval.Lines(columns)
	if c.summary != "" {
		if err := writeTable(c.summary, lines); err != nil {
			return err
		}
	}
	names, scores := eval.Scores(columns)
	if c.json {
		return c.writeJSON(evalAnswer{c.data.value, time.Duration(c.timeout).Seconds(), columns, scores})
	}
	tables := [][][]string{lines}
	if gains := c.differences(columns); gains != nil {
		tables = append(tables, gains)
	}
	if c.markdown {
		score := [][]string{append([]string{"score"}, lines[0][2:]...)}
		for _, name := range names {
			line := []string{name}
			for _, v := range scores[name] {
				line = append(line, fmt.Sprintf("%.1f", v))
			}
			score = append(score, line)
		}
		var b strings.Builder
		for i, t := range append(tables, score) {
			if i > 0 {
				b.WriteString("\n")
			}
			b.WriteString(eval.Markdown(t))
		}
		return c.write([]byte(b.String()))
	}
	var b strings.Builder
	for _, lines := range tables {
		boxed(&b, lines)
	}
	return c.write([]byte(b.String()))
}

// differences are the lines that -gains asks for, of what was measured.
func (c *evalCommand) differences(columns []eval.Column) [][]string {
	var bases, others []eval.Column
	for _, pair := range c.gains {
		a, b, _ := strings.Cut(pair, "=")
		i := slices.IndexFunc(columns, func(c eval.Column) bool { return c.Method == a })
		k := slices.IndexFunc(columns, func(c eval.Column) bool { return c.Method == b })
		if i >= 0 && k >= 0 {
			others, bases = append(others, columns[i]), append(bases, columns[k])
		}
	}
	if others == nil {
		return nil
	}
	return eval.Gains(bases, others)
}

// boxed draws lines with a frame, the first as a header.
func boxed(w io.Writer, lines [][]string) {
	t := newTable(w)
	for i, line := range lines {
		row := make(table.Row, len(line))
		for k, cell := range line {
			row[k] = cell
		}
		if i == 0 {
			t.AppendHeader(row)
			continue
		}
		t.AppendRow(row)
	}
	alignRight(t, 3, len(lines[0]))
	t.Render()
}

// writeTable writes lines to a file as CSV, without the marks of the best.
func writeTable(path string, lines [][]string) error {
	var b strings.Builder
	w := csv.NewWriter(&b)
	for _, line := range lines {
		plain := make([]string, len(line))
		for i, cell := range line {
			plain[i] = strings.TrimSuffix(cell, "*")
		}
		if err := w.Write(plain); err != nil {
			return err
		}
	}
	w.Flush()
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

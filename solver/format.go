package solver

import (
	"fmt"
	"math"
	"strconv"
)

// FormatError reports text that cannot be read, or a problem that a format cannot
// express.
type FormatError struct {
	Format string // LP or MPS
	Line   int    // from 1; 0 when writing
	Detail string
}

// Error names format, line and what is wrong.
func (e *FormatError) Error() string {
	if e.Line == 0 {
		return "solver: " + e.Format + ": " + e.Detail
	}
	return fmt.Sprintf("solver: %s, line %d: %s", e.Format, e.Line, e.Detail)
}

// names are what a writer calls variables and rows: their own names if all of them
// are allowed and differ, otherwise x0, x1, ... and r0, r1, ...
func names(count int, own func(k int) string, allowed func(string) bool, prefix string) []string {
	all := make([]string, count)
	seen := make(map[string]bool, count)
	for k := range all {
		name := own(k)
		if seen[name] || !allowed(name) {
			for k := range all {
				all[k] = prefix + strconv.Itoa(k)
			}
			return all
		}
		seen[name] = true
		all[k] = name
	}
	return all
}

func (p *Problem) variableNames(allowed func(string) bool) []string {
	return names(len(p.Variables), func(j int) string { return p.Variables[j].Name }, allowed, "x")
}

func (p *Problem) rowNames(allowed func(string) bool) []string {
	return names(len(p.Rows), func(i int) string { return p.Rows[i].Name }, allowed, "r")
}

// number writes v so that reading gives v again.
func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// finiteNumber reads a number, without NaN and infinities.
func finiteNumber(s string) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

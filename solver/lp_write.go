package solver

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
)

// The LP format: problems as one would write them on paper. It exists in dialects;
// what is written here is what they share, but for two things that a Problem may
// have: rows with two bounds (lower <= ... <= upper) and rows without any
// (>= -inf). Bounds are always written out.

// termsPerLine keeps lines short.
const termsPerLine = 8

// WriteLP writes p in LP format. Names that the format does not allow or that are
// not unique are replaced by numbers; coefficients of zero in rows are left out. p must be
// valid, and has to have variables if it has rows.
func WriteLP(w io.Writer, p *Problem) error {
	if len(p.Variables) == 0 && len(p.Rows) > 0 {
		return &FormatError{"LP", 0, "rows without variables cannot be written"}
	}
	b := bufio.NewWriter(w)
	columns, rows := p.variableNames(lpName), p.rowNames(lpName)
	if p.Name != "" && !strings.ContainsAny(p.Name, "\r\n") {
		fmt.Fprintf(b, "\\ Problem name: %s\n", p.Name)
	}
	if p.Sense == Maximize {
		fmt.Fprint(b, "Maximize\n obj:")
	} else {
		fmt.Fprint(b, "Minimize\n obj:")
	}
	l := lpTerms{b: b, names: columns}
	for j, v := range p.Variables { // zeros too: that fixes the order
		l.term(j, v.Cost)
	}
	if p.Offset != 0 {
		fmt.Fprintf(b, " %s", signed(p.Offset))
	}
	fmt.Fprint(b, "\nSubject To\n")
	for i := range p.Rows {
		writeLPRow(b, &p.Rows[i], rows[i], columns)
	}
	fmt.Fprint(b, "Bounds\n")
	for j := range p.Variables {
		writeLPBounds(b, columns[j], &p.Variables[j])
	}
	if p.HasIntegers() {
		fmt.Fprint(b, "General\n")
		for j, v := range p.Variables {
			if v.Integer {
				fmt.Fprintf(b, " %s\n", columns[j])
			}
		}
	}
	fmt.Fprint(b, "End\n")
	return b.Flush()
}

// lpTerms writes a sum.
type lpTerms struct {
	b     *bufio.Writer
	names []string
	count int
}

func (l *lpTerms) term(j int, v float64) {
	if l.count > 0 && l.count%termsPerLine == 0 {
		fmt.Fprint(l.b, "\n  ")
	}
	l.count++
	fmt.Fprintf(l.b, " %s %s", signed(v), l.names[j])
}

// signed writes a number with its sign apart.
func signed(v float64) string {
	if math.Signbit(v) {
		return "- " + number(-v)
	}
	return "+ " + number(v)
}

func writeLPRow(b *bufio.Writer, r *Row, name string, columns []string) {
	fmt.Fprintf(b, " %s:", name)
	low, high := !math.IsInf(r.Lower, -1), !math.IsInf(r.Upper, 1)
	both := low && high && r.Lower != r.Upper
	if both {
		fmt.Fprintf(b, " %s <=", number(r.Lower))
	}
	l := lpTerms{b: b, names: columns}
	for k, j := range r.Columns {
		if r.Values[k] != 0 {
			l.term(j, r.Values[k])
		}
	}
	if l.count == 0 {
		fmt.Fprintf(b, " 0 %s", columns[0])
	}
	switch {
	case low && r.Lower == r.Upper:
		fmt.Fprintf(b, " = %s\n", number(r.Lower))
	case high:
		fmt.Fprintf(b, " <= %s\n", number(r.Upper))
	default:
		fmt.Fprintf(b, " >= %s\n", number(r.Lower))
	}
}

func writeLPBounds(b *bufio.Writer, name string, v *Variable) {
	switch {
	case math.IsInf(v.Lower, -1) && math.IsInf(v.Upper, 1):
		fmt.Fprintf(b, " %s free\n", name)
	case v.Lower == v.Upper:
		fmt.Fprintf(b, " %s = %s\n", name, number(v.Lower))
	default:
		fmt.Fprintf(b, " %s <= %s <= %s\n", number(v.Lower), name, number(v.Upper))
	}
}

// lpName reports whether a name can stand in LP format: it starts with a letter
// other than e, which could be an exponent, or an underscore, and is no keyword.
func lpName(s string) bool {
	if s == "" || len(s) > 255 || s[0] == 'e' || s[0] == 'E' || !lpLetter(s[0]) || lpKeyword(s) {
		return false
	}
	for k := range len(s) {
		if !lpInName(s[k]) {
			return false
		}
	}
	return true
}

func lpLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func lpInName(c byte) bool {
	return lpLetter(c) || c >= '0' && c <= '9' || strings.IndexByte(".[]#@$%&(){}!,;?'`|~", c) >= 0
}

// lpKeyword reports whether a word begins a section or stands for a bound.
func lpKeyword(s string) bool {
	s = strings.ToLower(s)
	return lpSections[s] != 0 || s == "free" || s == "inf" || s == "infinity" || s == "subject" || s == "such" ||
		s == "to" || s == "that"
}

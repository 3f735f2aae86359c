package solver

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
)

// MPS, the oldest of the formats and the one that every solver reads, in its free
// form: fields parted by spaces. Bounds are always written out, since solvers differ
// in what they assume of integer variables and of negative upper bounds. A row with
// two different finite bounds is the one closer to zero and a range; where their sum
// is rounded the other may come back wider by a rounding error, never tighter.

// objectiveRow is the name of MPS's row of costs.
const objectiveRow = "COST"

// WriteMPS writes p in free MPS format. Names that contain spaces, begin with $ or *
// or are not unique are replaced by numbers. p must be valid.
func WriteMPS(w io.Writer, p *Problem) error {
	for i := range p.Rows {
		if math.IsInf(mpsForm(&p.Rows[i]).span, 0) {
			return &FormatError{"MPS", 0, fmt.Sprintf("the range of row %d overflows", i)}
		}
	}
	b := bufio.NewWriter(w)
	columns, rows := p.variableNames(mpsName), p.rowNames(mpsName)
	name := p.Name
	if !mpsName(name) {
		name = ""
	}
	fmt.Fprintf(b, "NAME %s\n", name)
	if p.Sense == Maximize {
		fmt.Fprint(b, "OBJSENSE\n    MAX\n")
	}
	fmt.Fprintf(b, "ROWS\n N  %s\n", objectiveRow)
	for i := range p.Rows {
		fmt.Fprintf(b, " %c  %s\n", mpsForm(&p.Rows[i]).kind, rows[i])
	}
	writeMPSColumns(b, p, columns, rows)
	fmt.Fprintln(b, "RHS")
	if p.Offset != 0 {
		fmt.Fprintf(b, "    RHS  %s  %s\n", objectiveRow, number(-p.Offset))
	}
	for i := range p.Rows {
		if f := mpsForm(&p.Rows[i]); f.rhs != 0 {
			fmt.Fprintf(b, "    RHS  %s  %s\n", rows[i], number(f.rhs))
		}
	}
	fmt.Fprintln(b, "RANGES")
	for i := range p.Rows {
		if f := mpsForm(&p.Rows[i]); f.span != 0 {
			fmt.Fprintf(b, "    RNG  %s  %s\n", rows[i], number(f.span))
		}
	}
	fmt.Fprintln(b, "BOUNDS")
	for j := range p.Variables {
		writeMPSBounds(b, columns[j], &p.Variables[j])
	}
	fmt.Fprintln(b, "ENDATA")
	return b.Flush()
}

// mpsName reports whether free MPS can hold a name.
func mpsName(s string) bool {
	return s != "" && s != objectiveRow && s != "'MARKER'" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) &&
		s[0] != '$' && s[0] != '*'
}

// mpsRow is a row's kind, right-hand side and range.
type mpsRow struct {
	kind      byte
	rhs, span float64
}

func mpsForm(r *Row) mpsRow {
	low, high := !math.IsInf(r.Lower, -1), !math.IsInf(r.Upper, 1)
	switch {
	case !low && !high:
		return mpsRow{kind: 'N'}
	case !low:
		return mpsRow{'L', r.Upper, 0}
	case !high:
		return mpsRow{'G', r.Lower, 0}
	case r.Lower == r.Upper:
		return mpsRow{'E', r.Lower, 0}
	}
	span := r.Upper - r.Lower
	if math.Abs(r.Lower) <= math.Abs(r.Upper) {
		for r.Lower+span < r.Upper {
			span = math.Nextafter(span, math.Inf(1))
		}
		return mpsRow{'G', r.Lower, span}
	}
	for r.Upper-span > r.Lower {
		span = math.Nextafter(span, math.Inf(1))
	}
	return mpsRow{'L', r.Upper, span}
}

func writeMPSColumns(b *bufio.Writer, p *Problem, columns, rows []string) {
	type entry struct {
		row   int
		value float64
	}
	entries := make([][]entry, len(columns))
	for i := range p.Rows {
		for k, j := range p.Rows[i].Columns {
			entries[j] = append(entries[j], entry{i, p.Rows[i].Values[k]})
		}
	}
	fmt.Fprintln(b, "COLUMNS")
	integer := false
	for j, v := range p.Variables {
		if v.Integer != integer {
			integer = v.Integer
			marker := "INTEND"
			if integer {
				marker = "INTORG"
			}
			fmt.Fprintf(b, "    MARK%d  'MARKER'  '%s'\n", j, marker)
		}
		if v.Cost != 0 || len(entries[j]) == 0 {
			fmt.Fprintf(b, "    %s  %s  %s\n", columns[j], objectiveRow, number(v.Cost))
		}
		for _, e := range entries[j] {
			fmt.Fprintf(b, "    %s  %s  %s\n", columns[j], rows[e.row], number(e.value))
		}
	}
	if integer {
		fmt.Fprintf(b, "    MARK%d  'MARKER'  'INTEND'\n", len(columns))
	}
}

func writeMPSBounds(b *bufio.Writer, name string, v *Variable) {
	low, high := !math.IsInf(v.Lower, -1), !math.IsInf(v.Upper, 1)
	switch {
	case !low && !high:
		fmt.Fprintf(b, " FR BND  %s\n", name)
		return
	case v.Lower == v.Upper:
		fmt.Fprintf(b, " FX BND  %s  %s\n", name, number(v.Lower))
		return
	case !low:
		fmt.Fprintf(b, " MI BND  %s\n", name)
	default:
		fmt.Fprintf(b, " LO BND  %s  %s\n", name, number(v.Lower))
	}
	if high {
		fmt.Fprintf(b, " UP BND  %s  %s\n", name, number(v.Upper))
	} else if v.Integer {
		fmt.Fprintf(b, " PL BND  %s\n", name)
	}
}

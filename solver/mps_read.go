package solver

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
)

// maxLine is the longest line of a file, in bytes.
const maxLine = 1 << 20

// ReadMPS reads a problem in MPS format, free or fixed without spaces in names. The
// first row of kind N is the objective; others become rows without bounds. An
// integer variable without bounds is in [0, +Inf). A negative upper bound of a
// variable without another makes its lower bound −Inf.
//
// Errors: *FormatError; *Error if what is read is not a valid problem.
func ReadMPS(r io.Reader) (*Problem, error) {
	m := mpsReader{p: &Problem{}, rows: map[string]int{}, columns: map[string]int{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		m.line++
		text := lines.Text()
		if strings.HasPrefix(text, "*") || strings.TrimSpace(text) == "" {
			continue
		}
		fields := strings.Fields(text)
		var err error
		if text[0] != ' ' && text[0] != '\t' {
			if fields[0] == "ENDATA" {
				return m.finish()
			}
			err = m.startSection(fields)
		} else {
			err = m.read(fields)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("solver: MPS, after line %d: %w", m.line, err)
	}
	return nil, m.fail("no ENDATA")
}

// objective is the index that stands for the row of costs.
const objective = -1

type mpsReader struct {
	p        *Problem
	line     int
	section  string
	hasCosts bool
	integer  bool
	rows     map[string]int // objective for the costs
	kinds    []byte
	rhs      []float64
	spans    []float64 // NaN: none
	columns  map[string]int
	touched  []bool // variables whose lower bound was given
	last     map[int]int
}

func (m *mpsReader) fail(format string, args ...any) error {
	return &FormatError{"MPS", m.line, fmt.Sprintf(format, args...)}
}

// startSection begins the section of a line that does not start with a space.
func (m *mpsReader) startSection(fields []string) error {
	m.section = fields[0]
	switch m.section {
	case "NAME":
		if len(fields) > 1 {
			m.p.Name = fields[1]
		}
	case "OBJSENSE":
		if len(fields) > 1 {
			return m.read(fields[1:])
		}
	case "ROWS", "COLUMNS", "RHS", "RANGES", "BOUNDS":
	default:
		return m.fail("section %s is not supported", m.section)
	}
	return nil
}

// read takes a line of the current section.
func (m *mpsReader) read(fields []string) error {
	switch m.section {
	case "OBJSENSE":
		return m.readSense(fields[0])
	case "ROWS":
		return m.readRow(fields)
	case "COLUMNS":
		return m.readColumn(fields)
	case "RHS":
		return m.pairs(fields, m.readRHS)
	case "RANGES":
		return m.pairs(fields, m.readRange)
	case "BOUNDS":
		return m.readBound(fields)
	}
	return m.fail("data outside a section")
}

func (m *mpsReader) readSense(s string) error {
	switch strings.ToUpper(s) {
	case "MAX", "MAXIMIZE":
		m.p.Sense = Maximize
	case "MIN", "MINIMIZE":
		m.p.Sense = Minimize
	default:
		return m.fail("%s is not a sense", s)
	}
	return nil
}

func (m *mpsReader) readRow(fields []string) error {
	if len(fields) != 2 || len(fields[0]) != 1 || strings.IndexByte("NLGE", fields[0][0]) < 0 {
		return m.fail("want a kind, N, L, G or E, and a name")
	}
	name := fields[1]
	if _, twice := m.rows[name]; twice {
		return m.fail("row %s occurs twice", name)
	}
	if fields[0] == "N" && !m.hasCosts {
		m.hasCosts = true
		m.rows[name] = objective
		return nil
	}
	m.rows[name] = len(m.kinds)
	m.kinds = append(m.kinds, fields[0][0])
	m.rhs = append(m.rhs, 0)
	m.spans = append(m.spans, math.NaN())
	m.p.Rows = append(m.p.Rows, Row{Name: name})
	return nil
}

func (m *mpsReader) readColumn(fields []string) error {
	if len(fields) == 3 && fields[1] == "'MARKER'" {
		switch fields[2] {
		case "'INTORG'":
			m.integer = true
		case "'INTEND'":
			m.integer = false
		default:
			return m.fail("marker %s is not supported", fields[2])
		}
		return nil
	}
	if len(fields)%2 == 0 || len(fields) < 3 {
		return m.fail("want a column and pairs of row and value")
	}
	name := fields[0]
	j, known := m.columns[name]
	if !known {
		j = m.p.AddVariable(0, math.Inf(1), 0)
		m.p.Variables[j].Name, m.p.Variables[j].Integer = name, m.integer
		m.columns[name] = j
		m.touched = append(m.touched, false)
		m.last = map[int]int{}
	} else if j != len(m.p.Variables)-1 {
		return m.fail("column %s is not in one piece", name)
	}
	return m.pairs(fields, func(i int, v float64) error {
		if m.last[i]++; m.last[i] > 1 {
			return m.fail("column %s has two entries in a row", name)
		}
		if i == objective {
			m.p.Variables[j].Cost = v
			return nil
		}
		r := &m.p.Rows[i]
		r.Columns, r.Values = append(r.Columns, j), append(r.Values, v)
		return nil
	})
}

// pairs calls f for the pairs of row and value of a line, whose first field, a name,
// may be missing.
func (m *mpsReader) pairs(fields []string, f func(row int, v float64) error) error {
	if len(fields)%2 == 1 {
		fields = fields[1:]
	}
	for k := 0; k+1 < len(fields); k += 2 {
		i, known := m.rows[fields[k]]
		if !known {
			return m.fail("there is no row %s", fields[k])
		}
		v, ok := finiteNumber(fields[k+1])
		if !ok {
			return m.fail("%s is not a finite number", fields[k+1])
		}
		if err := f(i, v); err != nil {
			return err
		}
	}
	return nil
}

func (m *mpsReader) readRHS(i int, v float64) error {
	if i == objective {
		m.p.Offset = -v
	} else {
		m.rhs[i] = v
	}
	return nil
}

func (m *mpsReader) readRange(i int, v float64) error {
	if i == objective || m.kinds[i] == 'N' {
		return m.fail("a range of a row without bounds")
	}
	m.spans[i] = v
	return nil
}

func (m *mpsReader) readBound(fields []string) error {
	value := 0.0
	switch fields[0] {
	case "FR", "MI", "PL", "BV":
		if len(fields) == 2 {
			fields = []string{fields[0], "", fields[1]}
		}
	default:
		if len(fields) == 3 {
			fields = []string{fields[0], "", fields[1], fields[2]}
		}
		if len(fields) != 4 {
			return m.fail("want a kind of bound, a name, a column and a value")
		}
		var ok bool
		if value, ok = boundValue(fields[3]); !ok {
			return m.fail("%s is not a number", fields[3])
		}
	}
	if len(fields) < 3 {
		return m.fail("want a kind of bound and a column")
	}
	j, known := m.columns[fields[2]]
	if !known {
		return m.fail("there is no column %s", fields[2])
	}
	return m.setBound(j, fields[0], value)
}

// boundValue reads a number that may be infinite.
func boundValue(s string) (float64, bool) {
	switch strings.ToLower(strings.TrimPrefix(s, "+")) {
	case "inf", "infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	}
	return finiteNumber(s)
}

func (m *mpsReader) setBound(j int, kind string, value float64) error {
	v := &m.p.Variables[j]
	switch kind {
	case "FR":
		v.Lower, v.Upper = math.Inf(-1), math.Inf(1)
	case "MI":
		v.Lower = math.Inf(-1)
	case "PL":
		v.Upper = math.Inf(1)
		return nil
	case "BV":
		v.Lower, v.Upper, v.Integer = 0, 1, true
	case "FX":
		v.Lower, v.Upper = value, value
	case "LO", "LI":
		v.Lower = value
		v.Integer = v.Integer || kind == "LI"
	case "UP", "UI":
		v.Upper = value
		v.Integer = v.Integer || kind == "UI"
		if value < 0 && !m.touched[j] {
			v.Lower = math.Inf(-1)
		}
		return nil
	default:
		return m.fail("bounds of kind %s are not supported", kind)
	}
	m.touched[j] = true
	return nil
}

// finish makes the rows' bounds of kinds, right-hand sides and ranges.
func (m *mpsReader) finish() (*Problem, error) {
	for i := range m.p.Rows {
		r, b, span := &m.p.Rows[i], m.rhs[i], m.spans[i]
		r.Lower, r.Upper = b, b
		ranged := !math.IsNaN(span)
		switch kind := m.kinds[i]; {
		case kind == 'N':
			r.Lower, r.Upper = math.Inf(-1), math.Inf(1)
		case kind == 'E' && ranged && span < 0:
			r.Lower = b + span
		case kind == 'E' && ranged:
			r.Upper = b + span
		case kind == 'L' && ranged:
			r.Lower = b - math.Abs(span)
		case kind == 'L':
			r.Lower = math.Inf(-1)
		case kind == 'G' && ranged:
			r.Upper = b + math.Abs(span)
		case kind == 'G':
			r.Upper = math.Inf(1)
		}
	}
	if err := m.p.Validate(); err != nil {
		return nil, err
	}
	return m.p, nil
}

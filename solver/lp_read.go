package solver

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
)

// lpSection is a part of a file in LP format.
type lpSection int

const (
	lpMinimize lpSection = iota + 1
	lpMaximize
	lpRows
	lpBounds
	lpGeneral
	lpBinary
	lpEnd
	lpOther
)

// lpSections are the words that begin sections, alone on a line or, of the first
// three, in front of more.
var lpSections = map[string]lpSection{
	"minimize": lpMinimize, "minimise": lpMinimize, "minimum": lpMinimize, "min": lpMinimize,
	"maximize": lpMaximize, "maximise": lpMaximize, "maximum": lpMaximize, "max": lpMaximize,
	"st": lpRows, "s.t.": lpRows, "st.": lpRows, "subject to": lpRows, "such that": lpRows,
	"bounds": lpBounds, "bound": lpBounds,
	"general": lpGeneral, "generals": lpGeneral, "gen": lpGeneral,
	"integer": lpGeneral, "integers": lpGeneral, "int": lpGeneral,
	"binary": lpBinary, "binaries": lpBinary, "bin": lpBinary,
	"end":             lpEnd,
	"semi-continuous": lpOther, "semis": lpOther, "semi": lpOther, "sos": lpOther, "sos1": lpOther, "sos2": lpOther,
}

// ReadLP reads a problem in LP format: linear objective with constant, rows with one
// or two bounds, bounds, general and binary variables. Variables are in the order in
// which they occur first; without bounds they are in [0, +Inf).
//
// Errors: *FormatError; *Error if what is read is not a valid problem.
func ReadLP(r io.Reader) (*Problem, error) {
	p := lpReader{p: &Problem{}, columns: map[string]int{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() && p.section != lpEnd {
		p.line++
		text, comment, _ := strings.Cut(lines.Text(), "\\")
		if name, found := strings.CutPrefix(strings.TrimSpace(comment), "Problem name:"); found && p.section == 0 {
			p.p.Name = strings.TrimSpace(name)
		}
		if err := p.readLine(text); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("solver: LP, after line %d: %w", p.line, err)
	}
	if p.section != lpEnd {
		return nil, p.fail("no End")
	}
	if err := p.p.Validate(); err != nil {
		return nil, err
	}
	return p.p, nil
}

type lpReader struct {
	p       *Problem
	line    int
	section lpSection
	columns map[string]int
	pending []token // of the statement that is being read
}

func (p *lpReader) fail(format string, args ...any) error {
	return &FormatError{"LP", p.line, fmt.Sprintf(format, args...)}
}

// readLine begins a section or adds to the current one.
func (p *lpReader) readLine(text string) error {
	section, rest := splitSection(text)
	if section != 0 {
		if err := p.flush(); err != nil {
			return err
		}
		if err := p.enter(section); err != nil {
			return err
		}
		text = rest
	}
	tokens, err := p.tokens(text)
	if err != nil || len(tokens) == 0 {
		return err
	}
	switch p.section {
	case 0, lpEnd:
		return p.fail("text outside a section")
	case lpMinimize, lpMaximize:
		p.pending = append(p.pending, tokens...)
		return nil
	case lpRows:
		return p.rowTokens(tokens)
	case lpBounds:
		return p.bound(tokens)
	}
	return p.integers(tokens)
}

// splitSection recognises the words that begin a section.
func splitSection(text string) (section lpSection, rest string) {
	fields := strings.Fields(text)
	for words := min(2, len(fields)); words > 0; words-- {
		s := lpSections[strings.ToLower(strings.Join(fields[:words], " "))]
		if s == 0 || len(fields) > words && s > lpRows || len(fields) > words && strings.HasPrefix(fields[words], ":") {
			continue
		}
		return s, strings.Join(fields[words:], " ")
	}
	return 0, text
}

// enter checks the order of sections.
func (p *lpReader) enter(section lpSection) error {
	switch {
	case section == lpOther:
		return p.fail("special ordered sets and semi-continuous variables are not supported")
	case section <= lpMaximize && p.section != 0:
		return p.fail("a second objective")
	case section > lpMaximize && p.section == 0:
		return p.fail("no objective")
	case section == lpMaximize:
		p.p.Sense = Maximize
	}
	p.section = section
	return nil
}

// flush ends the statement that is being read.
func (p *lpReader) flush() error {
	tokens := p.pending
	p.pending = nil
	switch p.section {
	case lpMinimize, lpMaximize:
		return p.objective(tokens)
	case lpRows:
		if len(tokens) > 0 {
			return p.fail("a row without an end")
		}
	}
	return nil
}

func (p *lpReader) objective(tokens []token) error {
	_, tokens = label(tokens)
	s, err := p.sum(tokens)
	if err != nil {
		return err
	}
	p.p.Offset = s.constant
	for k, j := range s.columns {
		p.p.Variables[j].Cost += s.values[k]
	}
	return nil
}

// rowTokens collects tokens until a row is complete: a relation and a number at the
// end of a line, unless another relation must follow.
func (p *lpReader) rowTokens(tokens []token) error {
	p.pending = append(p.pending, tokens...)
	name, rest := label(p.pending)
	var relations []int
	for k, t := range rest {
		if t.kind == tokenRelation {
			relations = append(relations, k)
		}
	}
	if len(relations) == 0 || relations[len(relations)-1] == len(rest)-1 {
		return nil
	}
	if _, ok := numberOf(rest[:relations[0]]); ok && len(relations) == 1 && relations[0] > 0 {
		return nil // lower <= ..., the upper bound is to come
	}
	if _, ok := numberOf(rest[relations[len(relations)-1]+1:]); !ok {
		return p.fail("a row has to end with a number")
	}
	p.pending = nil
	return p.row(name, rest, relations)
}

func (p *lpReader) row(name string, tokens []token, relations []int) error {
	r := Row{Lower: math.Inf(-1), Upper: math.Inf(1), Name: name}
	if name == "" {
		r.Name = fmt.Sprintf("r%d", len(p.p.Rows))
	}
	last := relations[len(relations)-1]
	right, _ := numberOf(tokens[last+1:])
	limit(&r.Lower, &r.Upper, tokens[last].text, right)
	first := 0
	if len(relations) == 2 {
		left, ok := numberOf(tokens[:relations[0]])
		if !ok {
			return p.fail("a row with two relations has to start with a number")
		}
		first = relations[0] + 1
		limit(&r.Lower, &r.Upper, mirrored(tokens[relations[0]].text), left)
	} else if len(relations) > 2 {
		return p.fail("a row with %d relations", len(relations))
	}
	s, err := p.sum(tokens[first:last])
	if err != nil {
		return err
	}
	if s.constant != 0 {
		return p.fail("a constant among the terms of a row")
	}
	for k, j := range s.columns {
		if s.values[k] != 0 {
			r.Columns, r.Values = append(r.Columns, j), append(r.Values, s.values[k])
		}
	}
	p.p.Rows = append(p.p.Rows, r)
	return nil
}

// limit applies "... relation v" to bounds.
func limit(lower, upper *float64, relation string, v float64) {
	if relation != "<=" {
		*lower = v
	}
	if relation != ">=" {
		*upper = v
	}
}

func mirrored(relation string) string {
	switch relation {
	case "<=":
		return ">="
	case ">=":
		return "<="
	}
	return relation
}

// variable is the index of a name, a new variable if need be.
func (p *lpReader) variable(name string) int {
	j, known := p.columns[name]
	if !known {
		j = p.p.AddVariable(0, math.Inf(1), 0)
		p.p.Variables[j].Name = name
		p.columns[name] = j
	}
	return j
}

func (p *lpReader) integers(tokens []token) error {
	for _, t := range tokens {
		if t.kind != tokenName {
			return p.fail("%s is not the name of a variable", t.text)
		}
		v := &p.p.Variables[p.variable(t.text)]
		v.Integer = true
		if p.section == lpBinary {
			v.Lower, v.Upper = 0, 1
		}
	}
	return nil
}

// bound reads [number relation] name [relation number], or name free.
func (p *lpReader) bound(tokens []token) error {
	at := -1
	for k, t := range tokens {
		if _, isNumber := numberOf(tokens[k : k+1]); t.kind == tokenName && !isNumber {
			at = k
			break
		}
	}
	if at < 0 {
		return p.fail("a bound without a variable")
	}
	v := &p.p.Variables[p.variable(tokens[at].text)]
	before, after := tokens[:at], tokens[at+1:]
	if len(before) == 0 && len(after) == 1 && strings.EqualFold(after[0].text, "free") {
		v.Lower, v.Upper = math.Inf(-1), math.Inf(1)
		return nil
	}
	if len(before)+len(after) == 0 {
		return p.fail("a variable without a bound")
	}
	if n := len(before); n > 0 {
		x, ok := numberOf(before[:n-1])
		if !ok || before[n-1].kind != tokenRelation {
			return p.fail("want a number and a relation before %s", tokens[at].text)
		}
		limit(&v.Lower, &v.Upper, mirrored(before[n-1].text), x)
	}
	if len(after) > 0 {
		x, ok := numberOf(after[1:])
		if !ok || after[0].kind != tokenRelation {
			return p.fail("want a relation and a number after %s", tokens[at].text)
		}
		limit(&v.Lower, &v.Upper, after[0].text, x)
	}
	return nil
}

package solver

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// format is a writer with its reader.
type format struct {
	name  string
	write func(io.Writer, *Problem) error
	read  func(io.Reader) (*Problem, error)
}

var formats = []format{{"LP", WriteLP, ReadLP}, {"MPS", WriteMPS, ReadMPS}}

// randomProblem has everything a problem can have.
func randomProblem(rng *rand.Rand) *Problem {
	value := func() float64 {
		if rng.IntN(3) == 0 {
			return float64(rng.IntN(9) - 4)
		}
		return rng.NormFloat64() * math.Pow(10, float64(rng.IntN(20)-10))
	}
	interval := func() (float64, float64) {
		a, b := value(), value()
		switch rng.IntN(5) {
		case 0:
			return math.Inf(-1), math.Inf(1)
		case 1:
			return a, math.Inf(1)
		case 2:
			return math.Inf(-1), a
		case 3:
			return a, a
		}
		return min(a, b), max(a, b)
	}
	p := &Problem{Name: "random", Sense: Sense(rng.IntN(2)), Offset: value()}
	for range 1 + rng.IntN(6) {
		lower, upper := interval()
		p.Variables = append(p.Variables, Variable{Lower: lower, Upper: upper, Cost: value(), Integer: rng.IntN(3) == 0})
	}
	for range rng.IntN(6) {
		lower, upper := interval()
		var columns []int
		var values []float64
		for j := range p.Variables {
			if rng.IntN(2) == 0 {
				columns, values = append(columns, j), append(values, value())
			}
		}
		p.AddRow(lower, upper, columns, values)
	}
	return p
}

// plain is p without names, zeros in rows, and order within rows.
func plain(p *Problem) *Problem {
	p = p.Clone()
	p.Name = ""
	for j := range p.Variables {
		p.Variables[j].Name = ""
	}
	for i := range p.Rows {
		r := &p.Rows[i]
		entries := map[int]float64{}
		for k, j := range r.Columns {
			if r.Values[k] != 0 {
				entries[j] = r.Values[k]
			}
		}
		*r = Row{Lower: r.Lower, Upper: r.Upper}
		for j := range p.Variables {
			if v, ok := entries[j]; ok {
				r.Columns, r.Values = append(r.Columns, j), append(r.Values, v)
			}
		}
	}
	return p
}

// requireSame compares problems; rows may be wider by rounding errors.
func requireSame(t *testing.T, want, got *Problem) {
	t.Helper()
	want, got = plain(want), plain(got)
	require.Len(t, got.Rows, len(want.Rows))
	for i := range want.Rows {
		w, g := &want.Rows[i], &got.Rows[i]
		if math.IsInf(w.Lower, 0) || math.IsInf(w.Upper, 0) || w.Lower == w.Upper {
			require.Equal(t, *w, *g)
			continue
		}
		slack := 1e-15 * max(math.Abs(w.Lower), math.Abs(w.Upper), 1e-300)
		require.True(t, g.Lower <= w.Lower && g.Lower >= w.Lower-slack, "%g became %g", w.Lower, g.Lower)
		require.True(t, g.Upper >= w.Upper && g.Upper <= w.Upper+slack, "%g became %g", w.Upper, g.Upper)
		g.Lower, g.Upper = w.Lower, w.Upper
	}
	require.Equal(t, want, got)
}

func roundTrip(t *testing.T, f format, p *Problem) *Problem {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, f.write(&b, p))
	text := b.String()
	got, err := f.read(&b)
	require.NoError(t, err, "%s", text)
	return got
}

func TestFormatsRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, f := range formats {
		for range 500 {
			p := randomProblem(rng)
			got := roundTrip(t, f, p)
			requireSame(t, p, got)
			require.Equal(t, p.Name, got.Name)
		}
		requireSame(t, &Problem{Offset: 2}, roundTrip(t, f, &Problem{Offset: 2}))
	}
}

func TestFormatsKeepNames(t *testing.T) {
	p := valid()
	for k, name := range []string{"speed", "weight_2"} {
		p.Variables[k].Name = name
	}
	p.Rows[0].Name, p.Rows[1].Name = "first", "second.b"
	for _, f := range formats {
		got := roundTrip(t, f, p)
		require.Equal(t, "weight_2", got.Variables[1].Name)
		require.Equal(t, "second.b", got.Rows[1].Name)
	}
	p.Variables[1].Name = "speed" // not unique: numbers
	for _, f := range formats {
		require.Equal(t, "x1", roundTrip(t, f, p).Variables[1].Name)
	}
	for _, name := range []string{"", "e12", "3x", "free", "End", "a b", "x+y", "Infinity", "st"} {
		require.False(t, lpName(name), name)
	}
}

// Written by hand in the dialect of other programs.
func TestReadLP(t *testing.T) {
	p, err := ReadLP(strings.NewReader(`\ a comment
maximise
 profit: 3 x + 2y
  - z + 10
subject to
 c1: x + y + z <= 4 \ and another
 c2: -1 <= x - 2 y
   <= 3
 x + x => 1
 c4: z = -.5e1
bounds
 x <= 3
 -inf <= y
 2 >= z >= -7
binaries
 b
generals
 x y
end
`))
	require.NoError(t, err)
	inf := math.Inf(1)
	require.Equal(t, &Problem{
		Sense: Maximize, Offset: 10,
		Variables: []Variable{
			{0, 3, 3, true, "x"}, {-inf, inf, 2, true, "y"}, {-7, 2, -1, false, "z"}, {0, 1, 0, true, "b"},
		},
		Rows: []Row{
			{-inf, 4, []int{0, 1, 2}, []float64{1, 1, 1}, "c1"},
			{-1, 3, []int{0, 1}, []float64{1, -2}, "c2"},
			{1, inf, []int{0}, []float64{2}, "r2"},
			{-5, -5, []int{2}, []float64{1}, "c4"},
		},
	}, p)
}

func TestReadMPS(t *testing.T) {
	p, err := ReadMPS(strings.NewReader(`* a comment
NAME          TEST
ROWS
 N  PROFIT
 L  LIM
 G  MYEQN
 E  BAL
 E  BAN
 N  NOTE
COLUMNS
    X         PROFIT         1.0   LIM            1.0
    X         MYEQN          2.0
    M1        'MARKER'                 'INTORG'
    Y         PROFIT        -1.0   BAL            1.0
    M2        'MARKER'                 'INTEND'
    Z         BAN            1.0   NOTE           4
RHS
    RHS       LIM            4.0   MYEQN          1.0
    RHS       BAL            7.0   PROFIT        -3
RANGES
    RNG       LIM            2.5   BAL           -2
    RNG       BAN            3
BOUNDS
 UP BND       X              4.0
 UP BND       Y             -1.0
 BV BND       Z
ENDATA
`))
	require.NoError(t, err)
	inf := math.Inf(1)
	require.Equal(t, &Problem{
		Name: "TEST", Offset: 3,
		Variables: []Variable{{0, 4, 1, false, "X"}, {-inf, -1, -1, true, "Y"}, {0, 1, 0, true, "Z"}},
		Rows: []Row{
			{1.5, 4, []int{0}, []float64{1}, "LIM"},
			{1, inf, []int{0}, []float64{2}, "MYEQN"},
			{5, 7, []int{1}, []float64{1}, "BAL"},
			{0, 3, []int{2}, []float64{1}, "BAN"},
			{-inf, inf, []int{2}, []float64{4}, "NOTE"},
		},
	}, p)
}

// What is malformed is refused with the line.
func TestFormatErrors(t *testing.T) {
	for _, c := range []struct {
		read func(io.Reader) (*Problem, error)
		text string
		line int
	}{
		{ReadLP, "", 0},
		{ReadLP, "x + y", 1},
		{ReadLP, "min\nx\nst\nx >= 1\n", 4},
		{ReadLP, "min\nx\nst\n x >= y\nend", 4},
		{ReadLP, "min\nx\nst\n 1 <= x <= 2 <= 3\nend", 4},
		{ReadLP, "min\nx\nst\n x + 1 <= 3\nend", 4},
		{ReadLP, "min\nx +\nst\nend", 3},
		{ReadLP, "min\nx\nbounds\n 3 <= 4\nend", 4},
		{ReadLP, "min\nx\nbounds\n x\nend", 4},
		{ReadLP, "min\n1e999 x\nend", 2},
		{ReadLP, "min\n x \"\nend", 2},
		{ReadLP, "min\nx\nmax\nend", 3},
		{ReadLP, "min\nx\nsos\nend", 3},
		{ReadLP, "min\nx\ngeneral\n 3\nend", 4},
		{ReadLP, "st\n x <= 1\nend", 1},
		{ReadLP, "min\nx\nst\n x <>= 1\nend", 4},
		{ReadMPS, "", 0},
		{ReadMPS, "ROWS\n Q a\n", 2},
		{ReadMPS, "ROWS\n L a\n L a\n", 3},
		{ReadMPS, "ROWS\n L a\nCOLUMNS\n x b 1\n", 4},
		{ReadMPS, "ROWS\n L a\nCOLUMNS\n x a nan\n", 4},
		{ReadMPS, "ROWS\n L a\nCOLUMNS\n x a 1 a 1\n", 4},
		{ReadMPS, "ROWS\n L a\n L b\nCOLUMNS\n x a 1\n y a 1\n x b 1\n", 7},
		{ReadMPS, "ROWS\n L a\nCOLUMNS\n x a 1\nBOUNDS\n XX BND x 1\n", 6},
		{ReadMPS, "ROWS\n L a\nCOLUMNS\n x a 1\nBOUNDS\n UP BND y 1\n", 6},
		{ReadMPS, "ROWS\n N c\nRANGES\n RNG c 1\n", 4},
		{ReadMPS, "SOS\n", 1},
		{ReadMPS, " x\n", 1},
		{ReadMPS, "OBJSENSE\n SIDEWAYS\n", 2},
	} {
		_, err := c.read(strings.NewReader(c.text))
		var e *FormatError
		require.ErrorAs(t, err, &e, "%q", c.text)
		require.Equal(t, c.line, e.Line, "%q: %v", c.text, err)
	}
	_, err := ReadLP(strings.NewReader("min\nx\nbounds\n 2 <= x <= 1\nend"))
	require.ErrorIs(t, err, ErrReversedBounds)
	_, err = ReadMPS(io.MultiReader(strings.NewReader("ROWS\n"), errorReader{}))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Error(t, WriteLP(io.Discard, &Problem{Rows: []Row{{}}}))
	require.Error(t, WriteMPS(io.Discard, &Problem{Rows: []Row{{Lower: -math.MaxFloat64, Upper: math.MaxFloat64}}}))
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// fuzz reads anything without a panic, and what can be read comes back the same.
func fuzz(f *testing.F, format format) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 10 {
		var b bytes.Buffer
		require.NoError(f, format.write(&b, randomProblem(rng)))
		f.Add(b.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := format.read(strings.NewReader(text))
		if err != nil {
			require.Nil(t, p)
			return
		}
		require.NoError(t, p.Validate())
		var b bytes.Buffer
		if err := format.write(&b, p); err != nil {
			var e *FormatError
			require.ErrorAs(t, err, &e)
			return
		}
		got, err := format.read(&b)
		require.NoError(t, err)
		requireSame(t, p, got)
	})
}

func FuzzReadLP(f *testing.F)  { fuzz(f, formats[0]) }
func FuzzReadMPS(f *testing.F) { fuzz(f, formats[1]) }

func TestWritersReportWriteErrors(t *testing.T) {
	for _, f := range formats {
		require.ErrorIs(t, f.write(failingWriter{}, valid()), io.ErrClosedPipe)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

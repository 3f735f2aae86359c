package simplex

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Scaling.
//
// Rows and columns are divided in turns by the geometric mean of their greatest
// and least absolute value (Tomlin 1975, "On scaling linear programming
// problems", Math. Program. Study 4), and the factors rounded to powers of two, so
// that scaling changes no digit of any number. The objective is scaled to a
// greatest coefficient of about one, which gives its tolerance a meaning.

// scalePasses is the number of turns.
const scalePasses = 4

// scaling holds the factors: the scaled matrix is row[i]·A[i][j]·column[j], the
// scaled variables are x[j]/column[j] and row[i]·s[i].
type scaling struct{ row, column []float64 }

func scaleOf(p *solver.Problem) scaling {
	return scaleLines(linesOf(p), len(p.Rows), len(p.Variables))
}

// scaleLines scales m rows, given as lines, of n columns.
func scaleLines(rows *list, m, n int) scaling {
	s := scaling{make([]float64, m), make([]float64, n)}
	ones(s.row)
	ones(s.column)
	most, least := make([]float64, n), make([]float64, n)
	for range scalePasses {
		clear(most)
		clear(least)
		for i := range s.row {
			columns, values := rows.line(i)
			s.row[i] = s.rowFactor(columns, values)
			for k, j := range columns {
				spread(math.Abs(values[k])*s.row[i], &most[j], &least[j])
			}
		}
		for j := range s.column {
			s.column[j] = factor(most[j], least[j])
		}
	}
	for i := range s.row {
		s.row[i] = powerOfTwo(s.row[i])
	}
	for j := range s.column {
		s.column[j] = powerOfTwo(s.column[j])
	}
	return s
}

// linesOf are p's rows without zeros.
func linesOf(p *solver.Problem) *list {
	nonzeros := 0
	for i := range p.Rows {
		nonzeros += len(p.Rows[i].Columns)
	}
	l := &list{make([]int, 1, len(p.Rows)+1), make([]int, 0, nonzeros), make([]float64, 0, nonzeros)}
	for i := range p.Rows {
		for k, j := range p.Rows[i].Columns {
			if a := p.Rows[i].Values[k]; a != 0 {
				l.add(j, a)
			}
		}
		l.end()
	}
	return l
}

// rowFactor is the factor of a row, given the columns'.
func (s *scaling) rowFactor(columns []int, values []float64) float64 {
	most, least := 0.0, 0.0
	for k, j := range columns {
		spread(math.Abs(values[k])*s.column[j], &most, &least)
	}
	return factor(most, least)
}

// spread widens [least, most] to v ≥ 0; a zero is nothing.
func spread(v float64, most, least *float64) {
	if v == 0 {
		return
	}
	if v > *most {
		*most = v
	}
	if *least == 0 || v < *least {
		*least = v
	}
}

func factor(most, least float64) float64 {
	if most == 0 {
		return 1
	}
	return 1 / (math.Sqrt(most) * math.Sqrt(least))
}

// powerOfTwo is the power of two next to v, kept far from overflow.
func powerOfTwo(v float64) float64 {
	e := math.Round(math.Log2(v))
	return math.Ldexp(1, int(min(max(e, -300), 300)))
}

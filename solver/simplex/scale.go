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
	s := scaling{make([]float64, len(p.Rows)), make([]float64, len(p.Variables))}
	for i := range s.row {
		s.row[i] = 1
	}
	for j := range s.column {
		s.column[j] = 1
	}
	most, least := make([]float64, len(p.Variables)), make([]float64, len(p.Variables))
	for range scalePasses {
		for i := range p.Rows {
			s.row[i] = s.rowFactor(&p.Rows[i])
		}
		clear(most)
		clear(least)
		for i := range p.Rows {
			for k, j := range p.Rows[i].Columns {
				spread(math.Abs(p.Rows[i].Values[k])*s.row[i], &most[j], &least[j])
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

// rowFactor is the factor of a row, given the columns'.
func (s *scaling) rowFactor(r *solver.Row) float64 {
	most, least := 0.0, 0.0
	for k, j := range r.Columns {
		spread(math.Abs(r.Values[k])*s.column[j], &most, &least)
	}
	return factor(most, least)
}

// spread widens [least, most] to v; a zero is nothing.
func spread(v float64, most, least *float64) {
	if v == 0 {
		return
	}
	*most = max(*most, v)
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

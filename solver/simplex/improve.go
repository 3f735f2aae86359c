package simplex

import "math"

// Local search.
//
// A new incumbent of a problem without continuous variables is improved by moves that
// keep all rows: one variable by a step, or two by a step each, as long as the
// objective gains (1-opt and swaps). It costs a pass over the columns per move tried
// and is exact for what it accepts: the referee judges the result.

const (
	improveMoves = 200
	improveWork  = 4_000_000 // entries looked at
)

// improve tries to better the incumbent.
func (s *search) improve() {
	if len(s.integers) < len(s.p.Variables) || s.incumbent == nil {
		return
	}
	l := newLocal(s)
	for range improveMoves {
		if !l.step() {
			break
		}
	}
	if v, full := s.value(l.x); full != nil {
		s.accept(v, l.x, full)
	}
}

// local is a point with the activities of its rows.
type local struct {
	*search
	x        []float64
	activity []float64
	columns  *list
	work     int
}

func newLocal(s *search) *local {
	l := &local{search: s, x: append([]float64{}, s.incumbent...), activity: make([]float64, len(s.p.Rows))}
	var rows list
	rows.reset()
	for i := range s.p.Rows {
		r := &s.p.Rows[i]
		for k, j := range r.Columns {
			rows.add(j, r.Values[k])
		}
		rows.end()
		l.activity[i] = r.Activity(l.x)
	}
	l.columns = new(list)
	rows.transpose(l.columns, len(s.p.Variables), nil)
	return l
}

// shift moves variable j by d in the activities.
func (l *local) shift(j int, d float64) {
	for p := l.columns.start[j]; p < l.columns.start[j+1]; p++ {
		l.activity[l.columns.index[p]] += d * l.columns.value[p]
	}
	l.x[j] += d
}

// fits reports whether variable j may move by d.
func (l *local) fits(j int, d float64) bool {
	v := &l.p.Variables[j]
	l.work += l.columns.start[j+1] - l.columns.start[j] + 1
	if x := l.x[j] + d; x < v.Lower || x > v.Upper || l.work > improveWork {
		return false
	}
	for p := l.columns.start[j]; p < l.columns.start[j+1]; p++ {
		r := &l.p.Rows[l.columns.index[p]]
		a := l.activity[l.columns.index[p]] + d*l.columns.value[p]
		if slack := 1e-9 * max(1, math.Abs(a)); a > r.Upper+slack || a < r.Lower-slack {
			return false
		}
	}
	return true
}

// step makes the first move that gains: one variable, or two.
func (l *local) step() bool {
	least := max(1e-9*max(1, math.Abs(l.best)), l.grid/2)
	for j := range l.x {
		for _, d := range [...]float64{1, -1} {
			if gain := -d * l.p.Variables[j].Cost; gain > least && l.fits(j, d) {
				l.shift(j, d)
				return true
			}
		}
	}
	for j := range l.x {
		for _, d := range [...]float64{1, -1} {
			if x := l.x[j] + d; x < l.p.Variables[j].Lower || x > l.p.Variables[j].Upper {
				continue
			}
			gain := -d * l.p.Variables[j].Cost
			if gain <= 0 || l.work > improveWork {
				continue
			}
			l.shift(j, d)
			for i := range l.x {
				if i == j {
					continue
				}
				for _, b := range [...]float64{1, -1} {
					if gain-b*l.p.Variables[i].Cost > least && l.fitsAll(i, b) {
						l.shift(i, b)
						return true
					}
				}
			}
			l.shift(j, -d)
		}
	}
	return false
}

// fitsAll reports whether all rows hold after variable j has moved by d.
func (l *local) fitsAll(j int, d float64) bool {
	if !l.fits(j, d) {
		return false
	}
	l.shift(j, d)
	l.work += len(l.activity)
	ok := true
	for i, a := range l.activity {
		r := &l.p.Rows[i]
		if slack := 1e-9 * max(1, math.Abs(a)); a > r.Upper+slack || a < r.Lower-slack {
			ok = false
			break
		}
	}
	l.shift(j, -d)
	return ok
}

package simplex

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Bound propagation.
//
// In a row Σ aⱼxⱼ ≤ u every variable is bounded by what the least activity of the
// others leaves (Savelsbergh 1994, "Preprocessing and probing techniques for mixed
// integer programming problems", ORSA J. Comput. 6, Sect. 1; Achterberg 2007,
// "Constraint Integer Programming", Sect. 7.1). An integer variable's new bound is
// rounded inward. Rows wait in a queue until their variables' bounds stop moving. All
// activities carry error bounds (outward.go), so no point that satisfies the rows is
// ever lost, and a box that turns out empty is. Rows with several variables of one choice,
// Σ xⱼ = 1 over binaries, are looked at in choices.go.
//
// Cost: two passes over a row each time it leaves the queue; rows that cannot move
// any bound are recognised in the first.

const (
	continuousGain = 0.05 // share of its width by which a continuous bound has to move
	largestBound   = 1e12 // implied bounds beyond this say nothing
	visitsPerRow   = 12   // on average, of one propagation
)

// domains is a box with the rows that tighten it.
type domains struct {
	p            *solver.Problem
	rowsOf       [][]int // rows of each variable
	lower, upper []float64

	partitions []*partition // of rows with choices (choices.go), otherwise nil
	touches    [][]int      // rows of choices of each variable, beside rowsOf
	leasts     []float64    // scratch

	queue   []int
	waiting []bool
	work    int   // entries of rows that were looked at
	touched []int // variables whose bounds moved since reset, perhaps repeatedly
}

func newDomains(p *solver.Problem, rowsOf [][]int) *domains {
	d := &domains{
		p: p, rowsOf: rowsOf, waiting: make([]bool, len(p.Rows)),
		lower: make([]float64, len(p.Variables)), upper: make([]float64, len(p.Variables)),
	}
	d.partitions, d.touches = partitionsOf(p)
	for j := range p.Variables {
		d.lower[j], d.upper[j] = p.Variables[j].Lower, p.Variables[j].Upper
	}
	return d
}

// rowsOfVariables is, for every variable, the rows in which it has an entry.
func rowsOfVariables(p *solver.Problem) [][]int {
	count := make([]int, len(p.Variables))
	total := 0
	for i := range p.Rows {
		for k, j := range p.Rows[i].Columns {
			if p.Rows[i].Values[k] != 0 {
				count[j]++
				total++
			}
		}
	}
	all := make([]int, 0, total)
	rows := make([][]int, len(count))
	for j, c := range count {
		rows[j] = all[len(all) : len(all) : len(all)+c]
		all = all[:len(all)+c]
	}
	for i := range p.Rows {
		for k, j := range p.Rows[i].Columns {
			if p.Rows[i].Values[k] != 0 {
				rows[j] = append(rows[j], i)
			}
		}
	}
	return rows
}

// reset makes the box the given one.
func (d *domains) reset(lower, upper []float64) {
	copy(d.lower, lower)
	copy(d.upper, upper)
	d.forget()
	d.touched = d.touched[:0]
}

// forget empties the queue.
func (d *domains) forget() {
	for _, i := range d.queue {
		d.waiting[i] = false
	}
	d.queue = d.queue[:0]
}

// all puts every row into the queue.
func (d *domains) all() {
	for i := range d.p.Rows {
		d.wait(i)
	}
}

func (d *domains) wait(i int) {
	if !d.waiting[i] {
		d.waiting[i] = true
		d.queue = append(d.queue, i)
	}
}

// setLower raises a lower bound; false means that nothing is left.
func (d *domains) setLower(j int, v float64) bool {
	if v <= d.lower[j] {
		return true
	}
	d.lower[j] = v
	d.moved(j)
	return v <= d.upper[j]
}

// setUpper lowers an upper bound; false means that nothing is left.
func (d *domains) setUpper(j int, v float64) bool {
	if v >= d.upper[j] {
		return true
	}
	d.upper[j] = v
	d.moved(j)
	return v >= d.lower[j]
}

func (d *domains) moved(j int) {
	d.touched = append(d.touched, j)
	for _, i := range d.rowsOf[j] {
		d.wait(i)
	}
	for _, i := range d.touches[j] {
		d.wait(i)
	}
}

// fix makes both bounds v.
func (d *domains) fix(j int, v float64) bool { return d.setLower(j, v) && d.setUpper(j, v) }

// propagate works off the queue; false means that no point of the box satisfies the
// rows.
func (d *domains) propagate() bool {
	ok := true
	visits := visitsPerRow * (len(d.p.Rows) + 1)
	next := 0
	for ; next < len(d.queue) && visits > 0; next++ {
		i := d.queue[next]
		d.waiting[i] = false
		visits--
		if !d.row(i) {
			ok = false
			next++
			break
		}
	}
	for _, i := range d.queue[next:] {
		d.waiting[i] = false
	}
	d.queue = d.queue[:0]
	return ok
}

// activity is the range of a row's activity: sums of the finite terms, how many are
// infinite, and the sums' error.
type activity struct {
	least, most           float64
	openBelow, openAbove  int
	leastError, mostError float64
	greatestStep          float64 // the widest term
}

func (d *domains) activity(r *solver.Row) activity {
	var a activity
	for k, j := range r.Columns {
		v := r.Values[k]
		low, high := v*d.lower[j], v*d.upper[j]
		if v < 0 {
			low, high = high, low
		}
		if v == 0 {
			continue
		}
		if math.IsInf(low, 0) {
			a.openBelow++
		} else {
			a.least += low
			a.leastError += math.Abs(low)
		}
		if math.IsInf(high, 0) {
			a.openAbove++
		} else {
			a.most += high
			a.mostError += math.Abs(high)
		}
		if high-low > a.greatestStep {
			a.greatestStep = high - low
		}
	}
	a.leastError = slackOf(len(r.Columns), a.leastError)
	a.mostError = slackOf(len(r.Columns), a.mostError)
	return a
}

// row tightens the variables of row i.
func (d *domains) row(i int) bool {
	r := &d.p.Rows[i]
	d.work += len(r.Columns)
	if d.partitions[i] != nil {
		return d.rowInParts(i)
	}
	a := d.activity(r)
	if a.openBelow == 0 && a.least-a.leastError > r.Upper || a.openAbove == 0 && a.most+a.mostError < r.Lower {
		return false
	}
	if !math.IsInf(r.Upper, 1) && a.openBelow <= 1 && (a.openBelow == 1 || a.least+a.greatestStep > r.Upper) {
		if !d.side(r, 1, r.Upper, a.least, a.leastError, a.openBelow == 1) {
			return false
		}
		if !math.IsInf(r.Lower, -1) {
			a = d.activity(r)
		}
	}
	if !math.IsInf(r.Lower, -1) && a.openAbove <= 1 && (a.openAbove == 1 || a.most-a.greatestStep < r.Lower) {
		return d.side(r, -1, -r.Lower, -a.most, a.mostError, a.openAbove == 1)
	}
	return true
}

// side uses Σ sign·Values·x ≤ limit, whose finite terms are at least least up to its
// error, to bound each variable; with open, only the one whose term is infinite.
func (d *domains) side(r *solver.Row, sign, limit, least, errorBound float64, open bool) bool {
	room := roomOf(limit, least, errorBound)
	for k, j := range r.Columns {
		a := sign * r.Values[k]
		if a == 0 || !open && math.Abs(a)*(d.upper[j]-d.lower[j]) <= room {
			continue
		}
		if !d.limitEntry(j, a, room, open) {
			return false
		}
	}
	return true
}

// roomOf is limit − least, rounded up by all errors.
func roomOf(limit, least, errorBound float64) float64 {
	room := limit - least
	return room + (errorBound + math.Abs(limit)*0x1p-52 + math.Abs(room)*0x1p-52)
}

// limitEntry bounds variable j, whose entry is a, by the room that the others leave for
// a·(x − end), or for a·x if end is infinite; with open, only then.
func (d *domains) limitEntry(j int, a, room float64, open bool) bool {
	end := d.nearEnd(j, a)
	v := room
	switch {
	case open && !math.IsInf(end, 0):
		return true
	case !open && math.Abs(a)*(d.upper[j]-d.lower[j]) <= room:
		return true
	case !open:
		t := a * end
		v += t
		v += (math.Abs(t) + math.Abs(v)) * 0x1p-52
	}
	v /= a
	return d.bound(j, v+math.Copysign(math.Abs(v)*0x1p-52, a), a > 0)
}

// bound makes v a bound of variable j, if that is worth it.
func (d *domains) bound(j int, v float64, upper bool) bool {
	if math.IsNaN(v) || math.Abs(v) > largestBound {
		return true
	}
	if d.p.Variables[j].Integer {
		if upper {
			return d.setUpper(j, math.Floor(v))
		}
		return d.setLower(j, math.Ceil(v))
	}
	least := continuousGain * (d.upper[j] - d.lower[j])
	if math.IsInf(least, 0) {
		least = 0
	}
	switch {
	case upper && v < d.lower[j] || !upper && v > d.upper[j]:
		return false
	case upper && v < d.upper[j]-max(least, 1e-6):
		d.upper[j] = v
		d.moved(j)
	case !upper && v > d.lower[j]+max(least, 1e-6):
		d.lower[j] = v
		d.moved(j)
	}
	return true
}

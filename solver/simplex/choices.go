package simplex

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Choices in propagation.
//
// A row Σ xⱼ = 1 over binaries is a choice of one of them. Another row that has several
// of these with entries aⱼ gains exactly one of the entries, not any sum of them; so
// its least activity counts the least entry that can still be chosen, and an entry
// that leaves the others too little room cannot be chosen (Achterberg et al. 2020, Sect.
// 3.2 and 4.6, for cliques). Models that encode an integer by a binary per value (QVIP's
// levels) have such rows only: without choices, bounds on the integer, or on what it is
// computed from, would not reach its binaries, nor theirs the rest.
//
// Together with branching on the encoded integer this halves a choice in one step: the
// binaries of the values cut off go to zero at once.
//
// Each variable belongs to at most one choice. What is known of a choice stays known
// whatever presolve does to its row later: rows are dropped only if the box implies
// them.

// part is the variables that a row shares with a choice.
type part struct {
	at     []int // their positions in the row
	others []int // variables of the choice that the row has not
}

// partition is a row in parts.
type partition struct {
	parts []part
	rest  []int // positions of variables in none
}

// partitionsOf finds the choices of a problem and says how they partition its rows: nil
// for rows without any, and for the choices' own. touches is, for each variable, the rows
// that say something of its choice but have no entry of its own.
func partitionsOf(p *solver.Problem) (partitions []*partition, touches [][]int) {
	choiceOf := make([]int, len(p.Variables)) // plus one
	var members [][]int
	own := make([]bool, len(p.Rows))
	for i := range p.Rows {
		if isChoice(p, &p.Rows[i], choiceOf) {
			members = append(members, p.Rows[i].Columns)
			for _, j := range p.Rows[i].Columns {
				choiceOf[j] = len(members)
			}
			own[i] = true
		}
	}
	partitions, touches = make([]*partition, len(p.Rows)), make([][]int, len(p.Variables))
	for i := range p.Rows {
		if len(members) == 0 || own[i] {
			continue
		}
		q := partitionOf(&p.Rows[i], choiceOf, members)
		if partitions[i] = q; q == nil {
			continue
		}
		for _, g := range q.parts {
			for _, j := range g.others {
				touches[j] = append(touches[j], i)
			}
		}
	}
	return partitions, touches
}

// isChoice reports whether a row is Σ a·x = a over at least two binaries that have no
// choice yet.
func isChoice(p *solver.Problem, r *solver.Row, choiceOf []int) bool {
	if len(r.Columns) < 2 || r.Lower != r.Upper || r.Lower == 0 {
		return false
	}
	for k, j := range r.Columns {
		v := &p.Variables[j]
		if r.Values[k] != r.Lower || !v.Integer || v.Lower != 0 || v.Upper != 1 || choiceOf[j] > 0 {
			return false
		}
	}
	return true
}

// partitionOf is nil if the row has no two entries of one choice.
func partitionOf(r *solver.Row, choiceOf []int, members [][]int) *partition {
	at := map[int][]int{}
	var order []int
	for k, j := range r.Columns {
		if c := choiceOf[j]; c > 0 && r.Values[k] != 0 {
			if len(at[c]) == 0 {
				order = append(order, c)
			}
			at[c] = append(at[c], k)
		}
	}
	q := &partition{}
	isPart := map[int]bool{}
	for _, c := range order {
		if len(at[c]) < 2 {
			continue
		}
		has := map[int]bool{}
		for _, k := range at[c] {
			has[r.Columns[k]] = true
		}
		g := part{at: at[c]}
		for _, j := range members[c-1] {
			if !has[j] {
				g.others = append(g.others, j)
			}
		}
		q.parts, isPart[c] = append(q.parts, g), true
	}
	if len(q.parts) == 0 {
		return nil
	}
	for k, j := range r.Columns {
		if !isPart[choiceOf[j]] && r.Values[k] != 0 {
			q.rest = append(q.rest, k)
		}
	}
	return q
}

// rowInParts is row for a row with choices.
func (d *domains) rowInParts(i int) bool {
	r := &d.p.Rows[i]
	return (math.IsInf(r.Upper, 1) || d.sideInParts(r, d.partitions[i], 1, r.Upper)) &&
		(math.IsInf(r.Lower, -1) || d.sideInParts(r, d.partitions[i], -1, -r.Lower))
}

// sideInParts is side for Σ sign·Values·x ≤ limit.
func (d *domains) sideInParts(r *solver.Row, q *partition, sign, limit float64) bool {
	least, size, open := 0.0, 0.0, 0
	for _, k := range q.rest {
		a := sign * r.Values[k]
		if a == 0 { // presolve has shrunk it
			continue
		}
		t := a * d.nearEnd(r.Columns[k], a)
		if math.IsInf(t, 0) {
			open++
			continue
		}
		least += t
		size += math.Abs(t)
	}
	d.leasts = d.leasts[:0]
	for g := range q.parts {
		t := d.leastOfPart(r, &q.parts[g], sign)
		if math.IsInf(t, 1) {
			return false // nothing left to choose
		}
		d.leasts = append(d.leasts, t)
		least += t
		size += math.Abs(t)
	}
	errorBound := slackOf(len(r.Columns), size)
	switch {
	case open > 1:
		return true
	case open == 0 && least-errorBound > limit:
		return false
	}
	room := roomOf(limit, least, errorBound)
	for _, k := range q.rest {
		if a := sign * r.Values[k]; a != 0 && !d.limitEntry(r.Columns[k], a, room, open == 1) {
			return false
		}
	}
	for g := range q.parts {
		if open == 0 && !d.exclude(r, &q.parts[g], sign, room+d.leasts[g]) {
			return false
		}
	}
	return true
}

// nearEnd is the bound of variable j at which a·x is least.
func (d *domains) nearEnd(j int, a float64) float64 {
	if a < 0 {
		return d.upper[j]
	}
	return d.lower[j]
}

// leastOfPart is the least entry that can be chosen; +Inf if there is none.
func (d *domains) leastOfPart(r *solver.Row, g *part, sign float64) float64 {
	least := math.Inf(1)
	for _, j := range g.others {
		if d.lower[j] > 0 {
			return 0
		}
		if d.upper[j] > 0 {
			least = 0
		}
	}
	for _, k := range g.at {
		j, a := r.Columns[k], sign*r.Values[k]
		if d.lower[j] > 0 {
			return a
		}
		if d.upper[j] > 0 && a < least {
			least = a
		}
	}
	return least
}

// exclude sets the variables of a choice to zero whose entry, zero if the row has none,
// exceeds limit, up to rounding.
func (d *domains) exclude(r *solver.Row, g *part, sign, limit float64) bool {
	limit += math.Abs(limit) * 0x1p-51
	for _, j := range g.others {
		if limit < 0 && !d.setUpper(j, 0) {
			return false
		}
	}
	for _, k := range g.at {
		if j := r.Columns[k]; sign*r.Values[k] > limit && !d.setUpper(j, 0) {
			return false
		}
	}
	return true
}

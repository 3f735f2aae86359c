package simplex

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// rootCuts are all cuts that are found at p's root, in rounds. p is to be minimised, its
// variables have bounds.
func rootCuts(t *testing.T, p *solver.Problem, cuts cutting) (found []solver.Row, points [][]float64) {
	s := &search{given: p, p: p, sign: 1, near: 1e-6, best: math.Inf(1), cuts: cuts}
	s.prepareIntegers()
	s.index()
	tree := newTree(s)
	w := tree.newWorker()
	require.True(t, w.ready)
	if w.r.solve(context.Background(), math.Inf(1), 0) != relaxed {
		return nil, nil
	}
	c := &cutter{tree: tree, w: w, given: p.Rows, dense: make([]float64, len(p.Variables))}
	for round := range 5 {
		c.separate(round)
		for _, k := range c.found {
			found, points = append(found, k.Row), append(points, w.r.x)
		}
		if c.choose(); len(c.found) == 0 || c.add(context.Background()) != relaxed {
			break
		}
	}
	return found, points
}

// holds reports whether a cut holds at all points of p with integers, in exact arithmetic.
// The twin for problems with reals may give up.
func holds(p *solver.Problem, cut solver.Row, points [][]float64) (ok, known bool) {
	if points != nil {
		for _, x := range points {
			if above(cut.Columns, cut.Values, x, cut.Upper) {
				return false, true
			}
		}
		return true, true
	}
	q := p.Clone()
	q.Sense, q.Offset = solver.Maximize, 0
	for j := range q.Variables {
		q.Variables[j].Cost = 0
	}
	for k, j := range cut.Columns {
		q.Variables[j].Cost = cut.Values[k]
	}
	status, most := solvertest.ExactInteger(q, 3000)
	if status != solver.Optimal {
		return true, status == solver.Infeasible
	}
	return most.Cmp(new(big.Rat).SetFloat64(cut.Upper)) <= 0, true
}

// above reports whether values·x > end, exactly.
func above(columns []int, values, x []float64, end float64) bool {
	sum := 0.0
	for k, j := range columns {
		sum += values[k] * x[j]
	}
	if d := sum - end; math.Abs(d) > 1e-4 { // far beyond any rounding here
		return d > 0
	}
	exact, term := new(big.Rat), new(big.Rat)
	for k, j := range columns {
		exact.Add(exact, term.Mul(new(big.Rat).SetFloat64(values[k]), new(big.Rat).SetFloat64(x[j])))
	}
	return exact.Cmp(new(big.Rat).SetFloat64(end)) > 0
}

// pointsOf are all points of a problem without reals, in exact arithmetic; nil if it has
// reals.
func pointsOf(p *solver.Problem) [][]float64 {
	for j := range p.Variables {
		if !p.Variables[j].Integer {
			return nil
		}
	}
	points := [][]float64{}
	box(p, func(x []float64) {
		if satisfies(p, x) {
			points = append(points, slices.Clone(x))
		}
	})
	return points
}

// randomMixed has integers and reals, and coefficients that are not integers.
func randomMixed(rng *rand.Rand) *solver.Problem {
	p := &solver.Problem{}
	reals := rng.IntN(6) == 0
	for range 3 + rng.IntN(5) {
		low, width := float64(rng.IntN(7)-3), float64(1+rng.IntN(4))
		switch cost, kind := float64(rng.IntN(19)-9)/3, rng.IntN(5); {
		case kind == 0 && reals:
			p.AddVariable(low/3, low/3+width/7, cost)
		case kind <= 1:
			p.AddInteger(low, low+width, cost)
		default:
			p.AddInteger(0, 1, cost)
		}
	}
	for range 2 + rng.IntN(4) {
		var columns []int
		var values []float64
		middle, room := 0.0, 0.0
		for j := range p.Variables {
			if a := float64(rng.IntN(41) - 20); a != 0 && rng.IntN(4) > 0 {
				if rng.IntN(2) == 0 {
					a /= 7
				}
				v := &p.Variables[j]
				columns, values = append(columns, j), append(values, a)
				middle += a * (v.Lower + v.Upper) / 2
				room += math.Abs(a) * (v.Upper - v.Lower) / 2
			}
		}
		end := middle + room*(rng.Float64()-0.4)/2
		if rng.IntN(3) == 0 {
			end = math.Round(end)
		}
		switch rng.IntN(4) {
		case 0:
			p.AddGreaterEqual(end-room/3, columns, values)
		case 1:
			p.AddRow(end-room, end, columns, values)
		default:
			p.AddLessEqual(end, columns, values)
		}
	}
	return p
}

// No point with integers violates a cut, not even by a rounding error, and the linear
// program's point does.
func TestCutsHoldOverTheReals(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 1))
	seen := map[string]int{}
	problems := cutProblems
	if testing.Short() {
		problems = 30
	}
	for range problems {
		p := randomMixed(rng)
		cuts, points := rootCuts(t, p, cutsAlways)
		all := pointsOf(p)
		for i, cut := range cuts {
			require.Greater(t, cut.Activity(points[i]), cut.Upper)
			ok, known := holds(p, cut, all)
			require.True(t, ok, "%+v\nviolates %+v", p, cut)
			kind := "rounding"
			if cut.Upper == math.Trunc(cut.Upper) && cut.Values[0] == math.Trunc(cut.Values[0]) {
				kind = "cover"
			}
			if seen[kind]++; !known {
				seen["open"]++
			}
		}
	}
	t.Log(seen)
	require.Greater(t, seen["cover"], problems/10, "%v", seen)
	require.Greater(t, seen["rounding"], problems/2, "%v", seen)
	require.Less(t, 20*seen["open"], seen["rounding"], "%v", seen)
}

// With all cuts, and with none, the answers are those of exact arithmetic.
func TestCutsAgainstExactArithmetic(t *testing.T) {
	count := integerProblems / 10
	if testing.Short() {
		count = 100
	}
	both(t, func(t *testing.T, keep keeping) {
		for _, cuts := range []cutting{cutsAlways, cutsNever} {
			solvertest.TwinInteger(t, Solver{keep, cuts}, 5, count)
		}
	})
}

// Cuts change the path and not the answer; where they pay the path is shorter.
func TestCutsPay(t *testing.T) {
	for name, c := range map[string]struct {
		problem func(seed uint64) *solver.Problem
		seeds   uint64
	}{
		"knapsack": {func(seed uint64) *solver.Problem { return solvertest.SparseKnapsack(seed, 60, 50, 10) }, 5},
		"networks": {func(seed uint64) *solver.Problem { return solvertest.ReLUs(seed, 0.1, 10, 15, 15, 5) }, 8},
	} {
		nodes := map[cutting]int{}
		for seed := range c.seeds {
			p := c.problem(seed)
			plain, err := Solver{cuts: cutsNever}.Solve(context.Background(), p, solver.Options{})
			require.NoError(t, err)
			require.Equal(t, solver.Optimal, plain.Status)
			nodes[cutsNever] += plain.Nodes
			for _, cuts := range []cutting{cutsWhereTheyPay, cutsAlways} {
				got, err := Solver{cuts: cuts}.Solve(context.Background(), p, solver.Options{})
				require.NoError(t, err)
				require.Equal(t, solver.Optimal, got.Status)
				require.InDelta(t, plain.Objective, got.Objective, 1e-6, "%s %d", name, seed)
				nodes[cuts] += got.Nodes
			}
		}
		t.Log(name, nodes)
		require.Less(t, 4*nodes[cutsWhereTheyPay], 3*nodes[cutsNever], name)
	}
}

// A textbook's cover: 11, 6, 6, 5, 5, 4, 1 within 19 (Wolsey 1998, example 9.8). The
// cover of the items 3 to 6 is lifted by the first item, with coefficient 2, and the second.
func TestCoverIsLifted(t *testing.T) {
	p := &solver.Problem{}
	var columns []int
	weights := []float64{11, 6, 6, 5, 5, 4, 1}
	for range weights {
		columns = append(columns, p.AddInteger(0, 1, 0))
	}
	p.AddLessEqual(19, columns, weights)
	x := []float64{0, 0, 1, 1, 1, 0.75, 0}
	low, high := make([]float64, 7), []float64{1, 1, 1, 1, 1, 1, 1}
	k, ok := knapsackOf(p, 0, true, low, high, x)
	require.True(t, ok)
	row, ok := k.cover()
	require.True(t, ok)
	got := make([]float64, 7)
	for i, j := range row.Columns {
		got[j] = row.Values[i]
	}
	require.Equal(t, []float64{2, 1, 1, 1, 1, 1, 0}, got)
	require.Equal(t, 3.0, row.Upper)

	// The same of complements: Σ a(1−x) ≤ 19.
	q := &solver.Problem{}
	total := 0.0
	for i, a := range weights {
		q.AddInteger(0, 1, 0)
		total += a
		x[i] = 1 - x[i]
	}
	q.AddGreaterEqual(total-19, columns, weights)
	k, ok = knapsackOf(q, 0, false, low, high, x)
	require.True(t, ok)
	row, ok = k.cover()
	require.True(t, ok)
	for i, j := range row.Columns {
		require.Equal(t, -got[j], row.Values[i])
	}
	require.Equal(t, 3.0-7, row.Upper)
}

// A limit that strikes among the cuts is named, and what is known then is a bound.
func TestCutsKeepToLimits(t *testing.T) {
	p := solvertest.SparseKnapsack(1, 60, 50, 10)
	want, err := Solver{}.Solve(context.Background(), p, solver.Options{})
	require.NoError(t, err)
	seen := map[solver.Reason]int{}
	check := func(opts solver.Options, reason solver.Reason) {
		got, err := Solver{cuts: cutsAlways}.Solve(context.Background(), p, opts)
		require.NoError(t, err)
		if got.Status == solver.Optimal {
			require.InDelta(t, want.Objective, got.Objective, 1e-9)
			return
		}
		require.Equal(t, solver.Limit, got.Status, "%+v", opts)
		require.Equal(t, reason, got.Reason, "%+v", opts)
		require.GreaterOrEqual(t, got.Bound, want.Objective-1e-9)
		if opts.MaxIterations > 0 {
			require.LessOrEqual(t, got.Iterations, opts.MaxIterations+trialRoom)
		}
		seen[got.Reason]++
	}
	for most := 1; most < 400; most += 7 {
		check(solver.Options{MaxIterations: most}, solver.ReasonIterations)
	}
	for memory := int64(20_000); memory < 400_000; memory += 10_000 {
		check(solver.Options{MaxMemory: memory}, solver.ReasonMemory)
	}
	require.Greater(t, seen[solver.ReasonIterations], 20)
	require.Positive(t, seen[solver.ReasonMemory])
}

// trialRoom is what dives and branching may take beyond the limit, which is looked at
// between rounds.
const trialRoom = 300

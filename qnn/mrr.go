package qnn

import (
	"context"
	"math"
	"time"

	"github.com/vouchnn/vouch/spec"
)

// Maximum robust radius: the greatest integer r such that an input's class is
// robust within distance r.
//
// PaperRadius is algorithm 1 of Zhang et al. 2022: from a start the radius grows
// by a constant step until it is not robust, then bisection. (The paper's
// recursive call drops the step; it is kept here.) MaxRadius needs fewer and
// easier queries: the radius doubles, starting where bounds alone still prove
// robustness, and a counterexample does not only show that its query's radius is
// too large but that its own distance is.
//
// Robustness is monotone in r, so bisection is valid. Where a query runs out of
// time the answer is an interval. A query gets a small part of the time that is
// left; one that is not decided by then is left aside, the search goes on where it
// can still narrow the interval, and comes back with a greater part, at last with
// all of it; where a single radius is open it has all of it at once. Beyond the input
// range a ball no longer grows; robust there is robust for ever.

// Radius is what is known of a maximum robust radius: robust at Lower (−1: not
// even that is known, or the input is misclassified), not robust at Upper + 1.
// Lower = Upper is the answer; Unbounded says that no radius breaks the class.
type Radius struct {
	Lower, Upper   int
	Unbounded      bool
	Queries        int
	Counterexample []int64 // at distance Upper + 1 at most, nil if there is none
}

// Solved reports whether the radius is known.
func (r *Radius) Solved() bool { return r.Unbounded || r.Lower == r.Upper }

// Decider decides a property; Verify and VerifyILP with their options bound are
// deciders.
type Decider func(ctx context.Context, net *Network, prop spec.Property) (*spec.Result, error)

// RadiusOptions of the searches. The zero value works.
type RadiusOptions struct {
	Norm spec.Norm // default L∞
	// Start and Step of PaperRadius. Default 0: 10, as in the paper.
	Start, Step int
	// Decide answers the queries. Default nil: Verify with default options.
	Decide Decider
}

// radiusSearch is one input's.
type radiusSearch struct {
	net   *Network
	x     []int64
	label int
	o     RadiusOptions
	limit int // no ball grows beyond this radius
	known Radius
	stuck map[int]bool  // radii that were not decided
	share time.Duration // a query may take this part of the time that is left
}

func newRadiusSearch(net *Network, x []int64, o RadiusOptions) (*radiusSearch, error) {
	if err := net.CheckInput(x); err != nil {
		return nil, err
	}
	if o.Start < 0 || o.Step < 0 {
		return nil, errorf("RadiusOptions", "start %d, step %d", o.Start, o.Step)
	}
	if o.Start == 0 {
		o.Start = 10
	}
	if o.Step == 0 {
		o.Step = 10
	}
	if o.Decide == nil {
		o.Decide = func(ctx context.Context, net *Network, prop spec.Property) (*spec.Result, error) {
			return Verify(ctx, net, prop, Options{})
		}
	}
	s := &radiusSearch{net: net, x: x, label: net.Classify(x), o: o, stuck: map[int]bool{}, share: 1}
	far := make([]int64, len(x))
	for i, v := range x {
		far[i] = net.Input.Min()
		if net.Input.Max()-v > v-net.Input.Min() {
			far[i] = net.Input.Max()
		}
	}
	s.limit = int(math.Ceil(distance(o.Norm, far, x)))
	s.known = Radius{Lower: 0, Upper: s.limit}
	return s, nil
}

// robust decides radius r and narrows what is known. decided is false if the
// query stayed open.
func (s *radiusSearch) robust(ctx context.Context, r int) (robust, decided bool, err error) {
	switch {
	case r <= s.known.Lower:
		return true, true, nil
	case r > s.known.Upper:
		return false, true, nil
	}
	ball, err := s.net.Ball(s.o.Norm, s.x, float64(r))
	if err != nil {
		return false, false, err
	}
	s.known.Queries++
	if end, ok := ctx.Deadline(); ok && s.share > 1 && s.known.Upper-s.known.Lower > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/s.share)
		defer cancel()
	}
	res, err := s.o.Decide(ctx, s.net, Robustness(ball, s.label, s.net.Outputs()))
	if err != nil {
		return false, false, err
	}
	switch res.Verdict {
	case spec.Verified:
		s.known.Lower = r
		return true, true, nil
	case spec.Falsified:
		s.known.Counterexample = integers(res.Counterexample.Input)
		found := int(math.Ceil(distance(s.o.Norm, s.known.Counterexample, s.x)))
		s.known.Upper = min(s.known.Upper, r-1, found-1)
		return false, true, nil
	}
	s.stuck[r] = true
	return false, false, nil
}

func (s *radiusSearch) result() *Radius {
	if s.known.Lower >= s.limit {
		s.known.Unbounded = true
	}
	r := s.known
	return &r
}

// PaperRadius is the paper's search. It panics nowhere and returns what is known
// when ctx ends.
// Errors: *Error, and the decider's.
func PaperRadius(ctx context.Context, net *Network, x []int64, opts RadiusOptions) (*Radius, error) {
	s, err := newRadiusSearch(net, x, opts)
	if err != nil {
		return nil, err
	}
	robust, decided, err := s.robust(ctx, 1)
	if err != nil || !decided || !robust {
		return s.result(), err
	}
	for r := s.o.Start; ; r += s.o.Step {
		r = min(r, s.limit)
		robust, decided, err = s.robust(ctx, r)
		if err != nil || !decided || r == s.limit && robust {
			return s.result(), err
		}
		if !robust {
			break
		}
	}
	return s.bisect(ctx)
}

// MaxRadius is the improved search.
// Errors: *Error, and the decider's.
func MaxRadius(ctx context.Context, net *Network, x []int64, opts RadiusOptions) (*Radius, error) {
	s, err := newRadiusSearch(net, x, opts)
	if err != nil {
		return nil, err
	}
	easy, err := s.boundsOnly()
	if err != nil {
		return nil, err
	}
	s.known.Lower = easy
	s.share = 64
	for r := max(1, 2*easy); s.known.Lower < s.known.Upper; r *= 2 {
		r = min(r, s.known.Upper)
		robust, decided, err := s.robust(ctx, r)
		if err != nil {
			return s.result(), err
		}
		if !decided || !robust {
			break
		}
	}
	return s.bisect(ctx)
}

// bisect narrows the interval around radii that stay open.
func (s *radiusSearch) bisect(ctx context.Context) (*Radius, error) {
	for ctx.Err() == nil {
		r, ok := s.next()
		if !ok {
			if s.share == 1 || s.known.Lower >= s.known.Upper {
				break
			}
			s.share /= 4
			clear(s.stuck)
			continue
		}
		if _, _, err := s.robust(ctx, r); err != nil {
			return s.result(), err
		}
	}
	return s.result(), nil
}

// next is the radius to ask for: the middle, or where that is open, the nearest
// to an end of the interval, where queries are easier.
func (s *radiusSearch) next() (int, bool) {
	low, high := s.known.Lower, s.known.Upper
	if low >= high {
		return 0, false
	}
	if mid := low + (high-low+1)/2; len(s.stuck) == 0 || !s.stuckWithin(low, high) {
		return mid, true
	}
	first, last := high+1, low
	for r := range s.stuck {
		if r > low && r <= high {
			first, last = min(first, r), max(last, r)
		}
	}
	switch {
	case first > low+1:
		return low + (first-low)/2, true
	case last < high:
		return last + (high-last+1)/2, true
	}
	return 0, false
}

func (s *radiusSearch) stuckWithin(low, high int) bool {
	for r := range s.stuck {
		if r > low && r <= high {
			return true
		}
	}
	return false
}

// boundsOnly is a radius that intervals alone prove, by bisection.
func (s *radiusSearch) boundsOnly() (int, error) {
	low, high := 0, s.limit+1
	for high-low > 1 {
		mid := low + (high-low)/2
		ball, err := s.net.Ball(s.o.Norm, s.x, float64(mid))
		if err != nil {
			return 0, err
		}
		safe := true
		c := Robustness(ball, s.label, s.net.Outputs()).Cases[0]
		reg, ok := newRegion(ball, s.net.Input)
		if ok {
			m := newModel(s.net, reg)
			for k, unsafe := range c.Unsafe {
				m.addConjunction(k, unsafe)
			}
			for k := range m.rows {
				safe = safe && m.newDomain(k) == nil
			}
		}
		if safe {
			low = mid
		} else {
			high = mid
		}
	}
	return low, nil
}

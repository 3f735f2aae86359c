package reach

import (
	"context"
	"fmt"
	"time"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Reach is the network's output set over a region: one star by the approximate
// methods, a union of stars by ExactStar. Zono's star has no rows. Of a region that
// is not a box the box around it is taken.
//
// Guarantee: every output of the network over the region, as a function over the
// real numbers, lies in one of the stars; by ExactStar they hold nothing else, up to
// rounding.
// Errors: the context's; *nn.ShapeError; *nn.UnsupportedError; *OptionError for a field
// of opts out of range; ErrOverflow; ExactStar also ErrStars and ErrMemory, with the stars
// that were found.
func (m *Model) Reach(ctx context.Context, region spec.Region, opts Options) ([]*Star, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	box := region.Box()
	if err := box.Validate(); err != nil {
		return nil, err
	}
	if n := m.Inputs(); box.Dim() != n {
		return nil, &nn.ShapeError{Detail: fmt.Sprintf("the region has %d dimensions, the network takes %d", box.Dim(), n)}
	}
	opts = opts.withDefaults()
	if opts.Method != ExactStar {
		a, err := m.approximate(ctx, box, &opts, false)
		if err != nil {
			return nil, err
		}
		return []*Star{{f: a.forms[m.output], p: a.p, Solver: opts.Solver}}, nil
	}
	if err := m.checkExact(); err != nil {
		return nil, err
	}
	e := &exact{m: m, o: &opts, begun: time.Now()}
	var stars []*Star
	examine := func(_ context.Context, l *leaf) (any, error) {
		return &Star{f: l.image.out, p: l.image.p, Solver: opts.Solver}, nil
	}
	err := e.run(ctx, box, examine, func(x any) bool {
		s := x.(*Star)
		e.kept += s.f.bytes() + int64(8*s.p.box.len()*(5+len(s.p.rows)))
		stars = append(stars, s)
		return false
	})
	return stars, err
}

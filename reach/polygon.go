package reach

// Projection to two dimensions, for plots.
//
// The projection of a star is a convex polygon. Its vertices are found by the
// support function: a direction's farthest point is a vertex or lies on an edge.
// Between two neighbouring vertices the direction normal to the line through them
// either finds a new vertex beyond the line or shows that the line is an edge. So a
// polygon of v vertices takes 2v + 4 linear programs at most, all in one session;
// without rows the support function is a sum. The vertices are the solver's points:
// good for plots, not proofs.

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Point is a point of the plane.
type Point struct{ X, Y float64 }

// polygonLimit bounds the vertices of a polygon.
const polygonLimit = 4096

// Polygon is the projection to dimensions i and j as the vertices of a convex
// polygon, counter-clockwise: one point or two where the projection is flat, none if
// the star is empty.
// Errors: the context's; the solver's.
func (s *Star) Polygon(ctx context.Context, i, j int) ([]Point, error) {
	rows := s.f.rows([]int{i, j}, &s.p.box)
	if i == j {
		rows = []expr{*s.f.row(i, &s.p.box), *s.f.row(i, &s.p.box)}
	}
	t := &tracer{x: &rows[0], y: &rows[1], b: &s.p.box}
	if !s.p.bare() {
		g, err := open(s.solver(), s.p.problem())
		if err != nil {
			return nil, err
		}
		defer g.close()
		t.g = g
	}
	var corners []Point
	for _, d := range []Point{{-1, 0}, {0, -1}, {1, 0}, {0, 1}} {
		p, ok, err := t.support(ctx, d)
		if err != nil || !ok {
			return nil, err
		}
		corners = append(corners, p)
		t.scale = max(t.scale, math.Abs(p.X-corners[0].X), math.Abs(p.Y-corners[0].Y))
	}
	var out []Point
	for k, p := range corners {
		q := corners[(k+1)%len(corners)]
		out = t.append(out, p)
		var err error
		if out, err = t.between(ctx, out, p, q); err != nil {
			return nil, err
		}
	}
	return t.hull(out), nil
}

// hull is the vertices of the convex hull, counter-clockwise, without those that are
// on a line with their neighbours (Andrew 1979). The support function of a flat set or
// along an edge answers with any point of it, which need not be a vertex.
func (t *tracer) hull(points []Point) []Point {
	slices.SortFunc(points, func(a, b Point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) })
	var out []Point
	half := func(from int, p Point) {
		for len(out)-from >= 2 {
			a, b := out[len(out)-2], out[len(out)-1]
			if (b.X-a.X)*(p.Y-a.Y)-(b.Y-a.Y)*(p.X-a.X) > 1e-9*t.scale*math.Hypot(p.X-a.X, p.Y-a.Y) {
				break
			}
			out = out[:len(out)-1]
		}
		if len(out) == from || !t.near(out[len(out)-1], p) {
			out = append(out, p)
		}
	}
	for _, p := range points {
		half(0, p)
	}
	lower := len(out) - 1
	for i := len(points) - 1; i >= 0; i-- {
		half(lower, points[i])
	}
	for len(out) > 1 && t.near(out[0], out[len(out)-1]) {
		out = out[:len(out)-1]
	}
	return out
}

// tracer finds a polygon's vertices.
type tracer struct {
	x, y  *expr
	b     *box
	g     *program // nil: the box is all
	scale float64
}

// near tells points apart by more than the solver's tolerance.
func (t *tracer) near(p, q Point) bool {
	return math.Hypot(p.X-q.X, p.Y-q.Y) <= 1e-7*t.scale
}

func (t *tracer) append(to []Point, p Point) []Point {
	if n := len(to); n > 0 && t.near(to[n-1], p) {
		return to
	}
	return append(to, p)
}

// between appends the vertices after p and before q.
func (t *tracer) between(ctx context.Context, to []Point, p, q Point) ([]Point, error) {
	if t.near(p, q) || len(to) > polygonLimit {
		return to, nil
	}
	// Outward is to the right of p→q, the polygon being counter-clockwise.
	n := Point{q.Y - p.Y, p.X - q.X}
	length := math.Hypot(n.X, n.Y)
	n.X, n.Y = n.X/length, n.Y/length
	r, ok, err := t.support(ctx, n)
	if err != nil || !ok {
		return to, err
	}
	if (r.X-p.X)*n.X+(r.Y-p.Y)*n.Y <= 1e-7*t.scale || t.near(r, p) || t.near(r, q) {
		return to, nil
	}
	if to, err = t.between(ctx, to, p, r); err != nil {
		return to, err
	}
	return t.between(ctx, t.append(to, r), r, q)
}

// support is the farthest point in direction d; ok is false if there is none.
func (t *tracer) support(ctx context.Context, d Point) (p Point, ok bool, err error) {
	costs := make([]float64, t.b.len())
	for i, j := range t.x.vars {
		costs[j] -= d.X * t.x.coef[i]
	}
	for i, j := range t.y.vars {
		costs[j] -= d.Y * t.y.coef[i]
	}
	a := make([]float64, len(costs))
	if t.g != nil {
		copy(t.g.costs, costs)
		o, err := t.g.least(ctx)
		if err != nil || o.point == nil {
			return p, false, err
		}
		a = o.point
	} else {
		for j, c := range costs {
			switch {
			case c > 0:
				a[j] = t.b.lower[j]
			case c < 0:
				a[j] = t.b.upper[j]
			}
		}
	}
	return Point{t.x.value(a), t.y.value(a)}, true, nil
}

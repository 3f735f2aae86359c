package qnn

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// The descent on the prices of hull.go.

// evaluate bounds the domain with the prices at hand.
func (h *hull) evaluate() float64 {
	k := len(h.columns)
	h.pass.evaluateAbove()
	clear(h.total)
	value := h.pass.value[0]
	for j := range h.neurons {
		n := &h.neurons[j]
		if w := h.pass.omega[0][j]; w != n.mirror*n.omega {
			h.reweigh(n, j, w)
		}
		n.size, n.chosen = 0, 0
		for p := range n.count {
			h.solve(n, &n.pieces[p], j)
			if n.pieces[p].value > n.pieces[n.chosen].value {
				n.chosen = p
			}
		}
		c := &n.pieces[n.chosen]
		value += c.value
		z := min(max(c.z, c.low), c.high)
		n.z, n.level = n.mirror*z, c.objective(z)
		if n.omega != 0 {
			n.level *= n.mirror / n.omega
		}
		blas.Axpy(1, h.price[j*k:(j+1)*k], h.total)
	}
	for i, v := range h.total {
		value += math.Abs(v)
		h.sign[i] = math.Copysign(1, v)
	}
	return value
}

// margin bounds the rounding error of evaluate from above.
func (h *hull) margin() float64 {
	st := &h.m.stages[0]
	sum := math.Abs(h.pass.value[0])
	for _, v := range h.price {
		sum += 3 * math.Abs(v)
	}
	d := h.pass.domain[0]
	for j := range h.neurons {
		n := &h.neurons[j]
		sum += n.size * (2*st.size[j] + st.width[j])
		sum += 4 * n.omega * (math.Abs(float64(d.first[j])) + math.Abs(float64(d.last[j])) + math.Abs(st.min[j]) + 2)
		sum += 4 * n.omega * (math.Abs(st.base[j]) + st.slack[j] + st.size[j]) / st.width[j]
	}
	return h.m.gamma*sum + h.pass.margin(0)
}

// descend lowers the domain's bound, at most iterations times, until it is below zero
// or will not be. visit sees the inputs that the bounds name; if it returns true the
// search is over.
func (h *hull) descend(ctx context.Context, d *domain, iterations int, rate float64, visit func(x []float64) bool) {
	h.load(d)
	best, checked := math.Inf(1), math.Inf(1)
	patience := max(iterations/5, 5)
	for it := 0; it < iterations; it++ {
		value := h.evaluate()
		if value < best {
			best = value
			copy(h.best, h.price)
			h.keepAbove(d)
			if bound := value + h.margin(); bound < d.bound {
				d.bound = bound
			}
			if d.bound < 0 {
				return
			}
		}
		if it%10 == 9 && visit != nil && visit(h.inputs()) {
			return
		}
		if ctx.Err() != nil {
			break
		}
		if it > 0 && it%patience == 0 {
			left := float64(iterations-it) / float64(patience)
			if gain := checked - best; it > patience && best-gain*left > 0 {
				break
			}
			checked = best
		}
		h.move(it, rate*math.Pow(0.02, float64(it)/float64(iterations)))
	}
	h.finish(d)
}

// keepAbove stores the multipliers behind the first stage in the domain.
func (h *hull) keepAbove(d *domain) {
	p := h.pass
	for s := 1; s < len(h.m.stages); s++ {
		copy(d.v[h.m.offset[s]:], p.v[s][:h.m.stages[s].out])
	}
	copy(d.mu, p.mu[0])
}

// inputs is the corner that the last evaluation named.
func (h *hull) inputs() []float64 {
	copy(h.x, h.m.region.low)
	for k, i := range h.columns {
		h.x[i] += h.r[k] * (1 + h.sign[k])
	}
	return h.x
}

// move takes one step; rate is in units of a typical multiplier.
func (h *hull) move(it int, rate float64) {
	k := len(h.columns)
	fade1, fade2 := 1/(1-math.Pow(momentum, float64(it+1))), 1/(1-math.Pow(memory, float64(it+1)))
	share := max(2/float64(it+2), 0.1)
	h.moveAbove(share, rate, fade1, fade2)
	for j := range h.neurons {
		n := &h.neurons[j]
		n.mean += share * (n.level - n.mean)
		n.meanZ += share * (n.z - n.meanZ)
		u := n.mirror * n.pieces[n.chosen].u
		price, first, second := h.price[j*k:(j+1)*k], h.first[j*k:(j+1)*k], h.second[j*k:(j+1)*k]
		w := h.w[j][:len(price)]
		first, second, sign := first[:len(price)], second[:len(price)], h.sign[:len(price)]
		step := rate * h.slot.unit[0] / h.m.stages[0].width[j] * fade1
		for i, c := range w {
			if c == 0 {
				continue
			}
			g := 0.5 * (sign[i] - math.Copysign(1, u*c-price[i]))
			first[i] += (1 - momentum) * (g - first[i])
			second[i] += (1 - memory) * (g*g - second[i])
			price[i] -= step * math.Abs(c) * first[i] / math.Sqrt(second[i]*fade2+1e-4)
		}
	}
}

// moveAbove is the step of the multipliers behind the first stage.
func (h *hull) moveAbove(share, rate, fade1, fade2 float64) {
	p := h.pass
	for j := range h.neurons {
		p.t[0][j] = h.neurons[j].level
	}
	for s := 1; s < len(h.m.stages); s++ {
		st := &h.m.stages[s]
		copy(p.acc[s][:st.out], st.b)
		if st.out > 0 {
			blas.Gemv(false, st.out, st.in, 1, st.w, st.in, p.t[s-1], 1, p.acc[s])
		}
		p.moveStage(0, h.slot, s, share, rate, fade1, fade2)
	}
	p.moveRows(0, p.domain[0], rate)
	p.moveShare(0, h.slot, rate*fade1, fade2)
}

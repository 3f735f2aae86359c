package train

// The trainer: epochs of steps on shuffled batches.
//
// All randomness comes from the seed and the number of the step (of the epoch,
// for the order of the samples), and the engine computes the same bits on any
// number of processors. So a run is a function of its options and data, and
// one that is killed goes on from its last checkpoint to the same weights.

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// term is a sum of numbers reported under a name.
type term struct {
	Name  string  `json:"name"`
	Sum   float64 `json:"sum"`
	Count int     `json:"count"`
}

// Engine trains with this package's own reverse mode.
type Engine struct{}

// Fit implements Trainer.
//
// Errors: *ValueError, *LabelError, *DivergedError, *CheckpointError,
// *nn.UnsupportedError where a loss has no rule for an operator, and the
// context's error; in the last case a checkpoint has been written.
func (Engine) Fit(ctx context.Context, net nn.Network, data Data, opts Options) (*History, error) {
	r, err := newRun(net, data, opts)
	if err != nil {
		return nil, err
	}
	if err := r.resume(); err != nil {
		return nil, err
	}
	err = r.loop(ctx)
	return &r.h.History, err
}

// run is the state of one training.
type run struct {
	m         *model
	data      Data
	opts      Options
	path      string // of the checkpoint, or ""
	perEpoch  int
	steps     int
	h         header
	w         []float32   // parameters, unrounded
	slots     [][]float32 // of the optimiser
	best      []float32   // parameters and statistics of the best epoch
	rounded   []float32   // for quantization, and where a gradient passes
	inside    []float32
	step      *Step
	x         []float32
	labels    []int
	epochDone time.Time
	order     []int
	ordered   int // epoch that order is of, from 1
	pcg       source
	terms     map[string]float64 // reported in this step
	sums      []float64          // of squares of pieces of the gradient
}

func newRun(net nn.Network, data Data, opts Options) (*run, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if opts.Batch == 0 {
		opts.Batch = 128
	}
	if opts.Optimizer == nil {
		opts.Optimizer = Adam{}
	}
	if opts.Rate == nil {
		opts.Rate = Constant(1e-3)
	}
	if opts.create == nil {
		opts.create = createFile
	}
	m, err := newModel(net, &opts)
	if err != nil {
		return nil, err
	}
	if err := m.checkData("data", data); err != nil {
		return nil, err
	}
	if opts.Validation != nil {
		if err := m.checkData("Options.Validation", opts.Validation); err != nil {
			return nil, err
		}
	}
	if err := opts.Loss.Validate(net); err != nil {
		return nil, err
	}
	r := &run{
		m: m, data: data, opts: opts, perEpoch: (data.Len() + opts.Batch - 1) / opts.Batch,
		w: make([]float32, m.weights), step: newStep(m), x: make([]float32, opts.Batch*m.inputs), labels: make([]int, opts.Batch),
		epochDone: time.Now(), terms: map[string]float64{},
	}
	if opts.Every == 0 {
		r.opts.Every = r.perEpoch
	}
	r.steps = r.perEpoch * opts.Epochs
	for range opts.Optimizer.Slots() {
		r.slots = append(r.slots, make([]float32, m.weights))
	}
	if m.quant != nil {
		r.rounded, r.inside = make([]float32, m.weights), make([]float32, m.weights)
	}
	m.pull(r.w)
	r.h.Run = r.describe()
	if opts.Checkpoint != "" {
		r.path = filepath.Join(opts.Checkpoint, checkpointName)
	}
	r.step.record = func(name string, value float64) { r.terms[name] = value }
	return r, nil
}

// describe is what a checkpoint must agree on to be resumed.
func (r *run) describe() string {
	h := fnv.New64a()
	for _, n := range r.m.nodes {
		kind := ""
		if n.Op != nil {
			kind = n.Op.Kind()
		}
		fmt.Fprintf(h, "%s %v %v;", kind, n.Inputs, n.Shape)
	}
	o := &r.opts
	fmt.Fprintf(h, "%v %v %v %v", o.Dropout, o.FreezeStatistics, o.ClipNorm, o.KeepBest)
	if o.Quantization != nil {
		fmt.Fprintf(h, "%+v", *o.Quantization)
	}
	return fmt.Sprintf("network and options %016x, %d samples, %d epochs of batches of %d, seed %d, %T%+v, %q",
		h.Sum64(), r.data.Len(), o.Epochs, o.Batch, o.Seed, o.Optimizer, o.Optimizer, o.Fingerprint)
}

// count adds the numbers that a complete step reported to the epoch's.
func (r *run) count() {
	for name, value := range r.terms {
		i := slices.IndexFunc(r.h.Terms, func(t term) bool { return t.Name == name })
		if i < 0 {
			i = len(r.h.Terms)
			r.h.Terms = append(r.h.Terms, term{Name: name})
		}
		r.h.Terms[i].Sum += value
		r.h.Terms[i].Count++
	}
}

// loop makes the steps that are left.
func (r *run) loop(ctx context.Context) error {
	for r.h.Step < r.steps && !r.h.History.Stopped {
		value, rate, err := r.one(ctx)
		if err != nil {
			r.push()
			if ctx.Err() != nil {
				if saved := r.save(); saved != nil {
					return saved
				}
			}
			return err
		}
		r.h.Step++
		r.h.Sum += value
		r.count()
		e := Event{
			Epoch: (r.h.Step-1)/r.perEpoch + 1, Epochs: r.opts.Epochs, Step: r.h.Step, Steps: r.steps, Loss: value, Rate: rate, Terms: r.terms,
		}
		if r.h.Step%r.perEpoch == 0 {
			if err := r.endEpoch(ctx, &e); err != nil {
				return err
			}
		}
		if r.h.Step%r.opts.Every == 0 || r.h.Step == r.steps || r.h.History.Stopped {
			if err := r.save(); err != nil {
				return err
			}
		}
		if r.opts.Progress != nil {
			if err := r.opts.Progress(e); err != nil {
				r.push()
				return err
			}
		}
	}
	if r.opts.KeepBest && r.best != nil {
		copy(r.w, r.best)
		r.setStatistics(r.best[len(r.w):])
	}
	r.push()
	return nil
}

// one makes one step. Until it succeeds nothing but buffers has changed.
func (r *run) one(ctx context.Context) (value, rate float64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	epoch, at := r.h.Step/r.perEpoch+1, r.h.Step%r.perEpoch*r.opts.Batch
	n := min(r.opts.Batch, r.data.Len()-at)
	r.pcg.seed(r.opts.Seed, uint64(r.h.Step)+1)
	if err := r.batch(epoch, at, n); err != nil {
		return 0, 0, err
	}
	progress := float64(r.h.Step) / float64(r.steps)
	statistics := r.statistics()
	clear(r.terms)
	r.push()
	s := r.step
	s.begin(Batch{Size: n, X: r.x[:n*r.m.inputs], Labels: r.labels[:n]}, progress, r.pcg.rand)
	value, err = s.gradient(ctx, r.opts.Loss)
	if err == nil {
		err = r.finite(epoch, value)
	}
	if err != nil {
		r.setStatistics(statistics)
		return 0, 0, err
	}
	if r.m.quant != nil {
		multiply(s.grad, r.inside)
	}
	rate = r.opts.Rate(progress)
	r.update(rate)
	return value, rate, nil
}

// update lets the optimizer make a step. Each processor has a stretch of all parameters.
func (r *run) update(rate float64) {
	parallel.For(r.m.weights, grain, func(lo, hi int) {
		slots := make([][]float32, len(r.slots))
		for _, p := range r.m.params {
			from, to := max(lo, p.from), min(hi, p.to)
			if from >= to {
				continue
			}
			for k, slot := range r.slots {
				slots[k] = slot[from:to]
			}
			r.opts.Optimizer.Update(&Update{
				W: r.w[from:to], G: r.step.grad[from:to], Slots: slots, Step: r.h.Step + 1, Rate: rate, Weight: p.weight,
			})
		}
	})
}

// finite checks loss and gradient, and clips the gradient.
func (r *run) finite(epoch int, value float64) error {
	bad := func(what string, v float64) error {
		return &DivergedError{Epoch: epoch, Step: r.h.Step + 1, What: what, Value: v}
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return bad("loss", value)
	}
	square := r.sumOfSquares(r.step.grad)
	if math.IsNaN(square) || math.IsInf(square, 0) {
		return bad("gradient", math.Sqrt(square))
	}
	if norm := math.Sqrt(square); r.opts.ClipNorm > 0 && norm > r.opts.ClipNorm {
		f := float32(r.opts.ClipNorm / norm)
		for i := range r.step.grad {
			r.step.grad[i] *= f
		}
	}
	return nil
}

// batch reads n samples from place at of the epoch's order.
func (r *run) batch(epoch, at, n int) error {
	if r.ordered != epoch {
		r.order, r.ordered = permutation(r.opts.Seed, epoch, r.data.Len()), epoch
	}
	parallel.For(n, 1+grain/r.m.inputs, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			r.labels[i] = r.data.Read(r.order[at+i], r.x[i*r.m.inputs:(i+1)*r.m.inputs])
		}
	})
	for i, label := range r.labels[:n] {
		if label < 0 || label >= r.m.outputs {
			return &LabelError{Index: r.order[at+i], Label: label, Classes: r.m.outputs}
		}
		if r.opts.Augment != nil {
			r.opts.Augment.Apply(r.x[i*r.m.inputs:(i+1)*r.m.inputs], r.m.nodes[0].Shape, r.pcg.rand)
		}
	}
	return nil
}

// sumOfSquares adds up in float32 within short pieces of a fixed size, so that the sum
// does not depend on the number of processors; in float64 if a piece overflows.
func (r *run) sumOfSquares(x []float32) float64 {
	const piece = 1 << 10
	r.sums = grown(r.sums, (len(x)+piece-1)/piece)
	parallel.For(len(r.sums), grain/piece, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			part := x[k*piece : min((k+1)*piece, len(x))]
			r.sums[k] = float64(blas.Dot(part, part))
			if math.IsInf(r.sums[k], 0) {
				r.sums[k] = squares(part)
			}
		}
	})
	total := 0.0
	for _, v := range r.sums {
		total += v
	}
	return total
}

func squares(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

// push sets the network's parameters.
func (r *run) push() {
	if r.m.quant == nil {
		r.m.push(r.w)
		return
	}
	r.m.quant.round(r.m, r.w, r.rounded, r.inside)
	r.m.push(r.rounded)
}

// endEpoch measures and summarises.
func (r *run) endEpoch(ctx context.Context, e *Event) error {
	h := &r.h.History
	rec := EpochRecord{Loss: r.h.Sum / float64(r.perEpoch), Terms: map[string]float64{}}
	for _, t := range r.h.Terms {
		rec.Terms[t.Name] = t.Sum / float64(t.Count)
	}
	if r.opts.Validation != nil {
		r.push()
		var err error
		if r.opts.Measure != nil {
			rec.Measured, err = r.opts.Measure(ctx, r.m.net, r.opts.Validation)
		} else {
			rec.Measured, err = r.m.accuracy(ctx, r.opts.Validation)
		}
		if err != nil {
			return err // the checkpoint is still that of an earlier step
		}
		if h.Best == 0 || rec.Measured > h.Epochs[h.Best-1].Measured {
			h.Best = len(h.Epochs) + 1
			r.best = append(append(r.best[:0], r.w...), r.statistics()...)
		}
		h.Stopped = r.opts.Patience > 0 && len(h.Epochs)+1-h.Best >= r.opts.Patience
	}
	rec.Seconds = time.Since(r.epochDone).Seconds()
	r.epochDone = time.Now()
	h.Epochs = append(h.Epochs, rec)
	r.h.Sum, r.h.Terms = 0, nil
	e.EpochEnd, e.Record = true, rec
	return nil
}

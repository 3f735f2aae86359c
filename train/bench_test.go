package train

// Speed on M1 with batches of 128: what a step and an attack's step cost.

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// median reports the median of b.N calls of f in milliseconds, beside the best.
func median(b *testing.B, f func()) {
	f()
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		f()
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1e3, "median-ms")
	b.ReportMetric(float64(times[0].Microseconds())/1e3, "best-ms")
}

// scaling reports how much faster two processors are than one: the ratio of medians
// of calls that take turns, so that a busy machine slows both down.
func scaling(b *testing.B, f func() error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var times [2][]time.Duration
	for b.Loop() {
		for procs := range times {
			runtime.GOMAXPROCS(procs + 1)
			for k := range 4 { // the first finds caches and helpers cold
				start := time.Now()
				if err := f(); err != nil {
					b.Fatal(err)
				}
				if k > 0 {
					times[procs] = append(times[procs], time.Since(start))
				}
			}
		}
	}
	var ms [2]float64
	for procs, t := range times {
		slices.Sort(t)
		ms[procs] = float64(t[len(t)/2].Microseconds()) / 1e3
		b.ReportMetric(ms[procs], fmt.Sprintf("median-ms-%d", procs+1))
	}
	b.ReportMetric(ms[0]/ms[1], "speedup")
}

// BenchmarkM1 is forward + backward + Adam, and forward + gradient to the input,
// on one processor and on two.
func BenchmarkM1(b *testing.B) {
	net, err := NewNetwork("M1")
	if err != nil {
		b.Fatal(err)
	}
	Initialize(net, He, 1)
	data := randomBatch(net, 1, 128)
	r, err := newRun(net, &Samples{data.X, data.Labels}, Options{Loss: CrossEntropy{}, Epochs: 1 << 20})
	if err != nil {
		b.Fatal(err)
	}
	p, s := newPass(r.m), newStep(r.m)
	loss := NewNBC(Constant(1), Attack{Epsilon: Constant(0.3), Steps: 7})
	for _, part := range []struct {
		name string
		do   func() error
	}{
		{"step", func() error {
			_, _, err := r.one(context.Background())
			return err
		}},
		{"input-gradient", func() error {
			p.run(data.X, 128, false, nil)
			copy(p.GradOutput(), p.Output())
			p.back(nil, true)
			return nil
		}},
		{"nbc-7", func() error {
			s.begin(data, 0.5, rand.New(rand.NewPCG(1, 2)))
			_, err := s.gradient(context.Background(), loss)
			return err
		}},
	} {
		if runtime.NumCPU() > 1 {
			b.Run(part.name+"/scaling", func(b *testing.B) { scaling(b, part.do) })
		}
		for procs := 1; procs <= min(2, runtime.NumCPU()); procs++ {
			b.Run(fmt.Sprintf("%s/procs=%d", part.name, procs), func(b *testing.B) {
				// b.Run has set it to -cpu's value.
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				median(b, func() {
					if err := part.do(); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

package bab

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/spec"
)

func sharedNet(tb testing.TB, sizes ...int) *nn.Graph {
	rng := rand.New(rand.NewPCG(3, 4))
	b := nn.NewBuilder(nn.Shape{sizes[0]})
	at := b.Input()
	for l, n := range sizes[1:] {
		if l > 0 {
			at = b.Add("", nn.ReLU{}, at)
		}
		w, bias := make([]float64, n*sizes[l]), make([]float64, n)
		for i := range w {
			w[i] = rng.NormFloat64() * math.Sqrt(1.5/float64(sizes[l]))
		}
		for i := range bias {
			bias[i] = 0.1 * rng.NormFloat64()
		}
		d, err := nn.NewDense(n, sizes[l], w, bias)
		require.NoError(tb, err)
		at = b.Add("", d, at)
	}
	g, err := b.Build(at)
	require.NoError(tb, err)
	return g
}

func targeted(region spec.Region) *spec.Property {
	p := spec.Targeted(region, 0, 1, 3)
	return &p
}

func ballAt(tb testing.TB, norm spec.Norm, radius float64, center ...float64) spec.Region {
	b, err := spec.NewBall(norm, center, radius, nil)
	require.NoError(tb, err)
	return b
}

// The forest: each region's parent is the tightest box around it, and its
// intervals hold at points of the region.
func TestCampaignSharing(t *testing.T) {
	net := sharedNet(t, 2, 12, 12, 3)
	model, err := bounds.Compile(net)
	require.NoError(t, err)
	regions := []spec.Region{
		ballAt(t, spec.LInf, 0.25, 0, 0), // 0
		ballAt(t, spec.LInf, 1, 0, 0),    // 1
		ballAt(t, spec.L2, 0.25, 0, 0),   // 2: in the box of 0, of the same width
		ballAt(t, spec.LInf, 0.5, 0.25, 0),
		ballAt(t, spec.LInf, 0.25, 3, 3),                                       // 4: far off
		spec.Box{Lower: []float64{-0.25, -0.25}, Upper: []float64{0.25, 0.25}}, // 5: is 0
		ballAt(t, spec.L2, 0.1, 0, 0),                                          // 6
		ballAt(t, spec.LInf, 0.05, 0, 0),                                       // 7: in 0, not in the L2 balls' boxes only
	}
	var list []Instance
	for _, r := range regions {
		list = append(list, Instance{Property: targeted(r)})
	}
	list = append(list, Instance{Property: &spec.Property{Inputs: 2, Outputs: 3, Cases: []spec.Case{{Region: regions[0]}}}}) // nothing unsafe
	s := newSharing(model, nil, list)
	require.Len(t, s.regions, 7)
	at := func(i int) *sharedRegion { return s.of[i][0] }
	require.Same(t, at(0), at(5))
	require.Nil(t, at(8))
	for i, parent := range map[int]int{0: 3, 2: 0, 3: 1, 6: 0, 7: 0} {
		require.Same(t, at(parent), at(i).parent, "region %d", i)
	}
	require.Nil(t, at(1).parent)
	require.Nil(t, at(4).parent)
	require.Equal(t, []int{1, 3, 0, 5, 2, 6, 7, 4, 8}, s.order)

	for _, keep := range []int{1, 2, 100} {
		s := newSharing(model, nil, list)
		s.keep = keep
		rng := rand.New(rand.NewPCG(5, 5))
		for range 60 {
			i := rng.IntN(len(list))
			known, settled, err := s.bounds(context.Background(), i, 0)
			require.NoError(t, err)
			require.LessOrEqual(t, s.recent.Len(), keep)
			switch i {
			case 4, 8:
				require.Nil(t, known)
				continue
			case 0, 1, 3, 5:
				require.Equal(t, math.MaxInt, settled)
			default:
				require.Zero(t, settled)
			}
			fresh, _, err := newSharing(model, nil, list).bounds(context.Background(), i, 0)
			require.NoError(t, err)
			require.Equal(t, fresh, known, "the same, whatever was asked before")
			requireHolds(t, rng, net, list[i].Property.Cases[0].Region, known)
		}
	}
}

// requireHolds samples a region and checks the intervals of dense layers.
func requireHolds(t *testing.T, rng *rand.Rand, net nn.Network, region spec.Region, known []bounds.Interval) {
	for range 50 {
		x := []float64{4 * rng.NormFloat64(), 4 * rng.NormFloat64()}
		region.Project(x)
		values := [][]float64{x}
		for i, n := range net.Nodes()[1:] {
			in := values[n.Inputs[0]]
			out := make([]float64, n.Shape.Size())
			n.Op.Forward64(&nn.Call[float64]{Batch: 1, InShapes: nn.InShapes(net, i+1), OutShape: n.Shape, In: [][]float64{in}, Out: out})
			values = append(values, out)
			for j, v := range out {
				if known[i+1].Lower != nil {
					require.LessOrEqual(t, known[i+1].Lower[j], v+1e-9)
					require.GreaterOrEqual(t, known[i+1].Upper[j], v-1e-9)
				}
			}
		}
	}
}

// A worker that waits for another's bounds does not wait longer than its time.
func TestCampaignSharingWaits(t *testing.T) {
	model, err := bounds.Compile(sharedNet(t, 2, 8, 3))
	require.NoError(t, err)
	p := targeted(ballAt(t, spec.LInf, 1, 0, 0))
	s := newSharing(model, nil, []Instance{{Property: p}, {Property: p}})
	s.regions[0].busy <- struct{}{}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, _, err = s.bounds(ctx, 1, 0)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	<-s.regions[0].busy
	known, _, err := s.bounds(context.Background(), 1, 0)
	require.NoError(t, err)
	require.NotNil(t, known)
}

// fullDisk takes so many bytes and then none.
type fullDisk struct {
	handle
	room int
}

func (f *fullDisk) Write(p []byte) (int, error) {
	n, err := f.handle.Write(p[:min(len(p), f.room)])
	f.room -= n
	if err == nil && n < len(p) {
		err = syscall.ENOSPC
	}
	return n, err
}

// A full disk ends the campaign with an error; what fitted is resumed.
func TestCampaignFullDisk(t *testing.T) {
	net := sharedNet(t, 2, 8, 3)
	var list []Instance
	for i := range 6 {
		list = append(list, Instance{ID: string(rune('a' + i)), Property: targeted(ballAt(t, spec.LInf, 0.1*float64(i+1), 0, 0))})
	}
	opts := CampaignOptions{Options: Options{MaxDomains: 50}, File: filepath.Join(t.TempDir(), "results"), Parallel: 2}
	want := opts
	want.File += ".undisturbed"
	_, err := RunCampaign(context.Background(), net, list, want)
	require.NoError(t, err)

	p, err := prepare(net)
	require.NoError(t, err)
	f, err := openResults(opts.File, newFingerprint(net, list, &opts), list)
	require.NoError(t, err)
	f.file = &fullDisk{f.file, 700}
	c := &campaign{opts: opts, prepared: p, instances: list, results: make([]*InstanceResult, len(list)), file: f}
	err = c.run(context.Background())
	f.close()
	require.ErrorIs(t, err, syscall.ENOSPC)
	var bad *CampaignFileError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, opts.File, bad.File)

	data, err := os.ReadFile(opts.File)
	require.NoError(t, err)
	require.Equal(t, byte('\n'), data[len(data)-1], "the torn record is gone")
	report, err := RunCampaign(context.Background(), net, list, opts)
	require.NoError(t, err)
	stored := 0
	for _, r := range report.Results {
		if r.Stored {
			stored++
		}
	}
	require.Positive(t, stored)
	require.Less(t, stored, len(list))
	data, err = os.ReadFile(opts.File)
	require.NoError(t, err)
	complete, err := os.ReadFile(want.File)
	require.NoError(t, err)
	require.Equal(t, string(complete), string(data))
}

// Every option that a result can depend on is in the fingerprint, also one that
// is added to Options later.
func TestCampaignFingerprintOfOptions(t *testing.T) {
	net := sharedNet(t, 2, 3)
	of := func(o Options) fingerprint { return newFingerprint(net, nil, &CampaignOptions{Options: o}) }
	exempt := []string{"Progress", "Logger"}
	fields := reflect.TypeFor[Options]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		if slices.Contains(exempt, name) {
			continue
		}
		var o Options
		change(t, reflect.ValueOf(&o).Elem().Field(i))
		require.NotEqual(t, of(Options{}).Options, of(o).Options, name)
	}
	require.NotEqual(t, of(Options{Bounder: bounds.AlphaBeta{}}), of(Options{Bounder: bounds.AlphaBeta{Iterations: 3}}))
	require.Equal(t, of(Options{}), of(Options{Progress: func(Progress) {}}))
}

type ownBranching struct{}

func (ownBranching) Score(context.Context, spec.Region, []bounds.Split, *bounds.DomainResult) ([][]float64, error) {
	return nil, nil
}

// change gives a field some other value.
func change(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Struct:
		change(t, v.Field(0))
	case reflect.Interface:
		if v.Type() == reflect.TypeFor[solver.Solver]() {
			v.Set(reflect.ValueOf(simplex.Solver{}))
			return
		}
		if v.Type() == reflect.TypeFor[Branching]() {
			v.Set(reflect.ValueOf(ownBranching{}))
			return
		}
		require.Equal(t, reflect.TypeFor[bounds.Bounder](), v.Type())
		v.Set(reflect.ValueOf(bounds.IBP{}))
	default:
		t.Fatalf("teach this test about %v", v.Type())
	}
}

// Records hold every field of a result but the time. Whoever adds one must
// decide whether it belongs into results files.
func TestCampaignRecordsAreComplete(t *testing.T) {
	names := func(v reflect.Type) (out []string) {
		for i := range v.NumField() {
			out = append(out, v.Field(i).Name)
		}
		return out
	}
	require.Equal(t, append([]string{"Elapsed"}, names(reflect.TypeFor[recordStats]())...), names(reflect.TypeFor[spec.Stats]()))
	require.ElementsMatch(t, append([]string{"ID"}, names(reflect.TypeFor[spec.Result]())...), names(reflect.TypeFor[record]()))
	require.ElementsMatch(t, names(reflect.TypeFor[spec.Counterexample]()), names(reflect.TypeFor[recordCounterexample]()))
}

// Numbers come back as they were, also those that JSON does not know.
func FuzzCampaignRecord(f *testing.F) {
	f.Add("a", 0.1, math.Inf(-1), 3)
	f.Add("\u2028<>\"\n", math.Copysign(0, -1), math.MaxFloat64, 0)
	f.Add("c", math.SmallestNonzeroFloat64, math.NaN(), -1)
	f.Fuzz(func(t *testing.T, id string, x, bound float64, n int) {
		if !utf8.ValidString(id) {
			t.Skip()
		}
		prop := &spec.Property{Inputs: 1, Outputs: 1, Cases: []spec.Case{{Unsafe: []spec.Conjunction{nil}}}}
		res := &spec.Result{
			Verdict: spec.Falsified, LowerBound: bound, Stats: spec.Stats{Domains: n, Choices: map[string]string{id: id}},
			Counterexample: &spec.Counterexample{Input: []float64{x}, Output: []float64{bound}},
		}
		line, err := encodeLine(newRecord(id, res))
		require.NoError(t, err)
		require.Equal(t, len(line)-1, slices.Index(line, '\n'), "one line")
		var r record
		require.NoError(t, decodeLine(line[:len(line)-1], &r))
		back, err := r.result(prop)
		require.NoError(t, err)
		again, err := encodeLine(newRecord(r.ID, back))
		require.NoError(t, err)
		require.Equal(t, line, again)
		require.Equal(t, math.Float64bits(x), math.Float64bits(back.Counterexample.Input[0]))
	})
}

// What sharing saves: many radii around one image, and each target class on
// one region, with a network of the size of VNN-COMP's mnist_fc 256x4.
func BenchmarkCampaign(b *testing.B) {
	net := sharedNet(b, 784, 256, 256, 256, 256, 10)
	rng := rand.New(rand.NewPCG(1, 1))
	image := make([]float64, 784)
	for i := range image {
		image[i] = rng.Float64()
	}
	y, err := nn.Evaluate(net, image)
	require.NoError(b, err)
	label := slices.Index(y, slices.Max(y))
	radii := func() (list []Instance) {
		for k := range 40 {
			p := spec.Robustness(ballAt(b, spec.LInf, 0.0005*float64(k+1), image...), label, 10)
			list = append(list, Instance{ID: strconv.Itoa(k), Property: &p})
		}
		return list
	}
	targets := func() (list []Instance) {
		region := ballAt(b, spec.LInf, 0.01, image...)
		for k := range 10 {
			if k != label {
				p := spec.Targeted(region, label, k, 10)
				list = append(list, Instance{ID: strconv.Itoa(k), Property: &p})
			}
		}
		return list
	}
	for _, bench := range []struct {
		name string
		list []Instance
	}{{"radii", radii()}, {"targets", targets()}} {
		for _, apart := range []bool{false, true} {
			for _, attack := range []bool{true, false} {
				b.Run(fmt.Sprintf("%s/shared=%v/attack=%v", bench.name, !apart, attack), func(b *testing.B) {
					opts := CampaignOptions{Options: Options{MaxDomains: 1, NoAttack: !attack}, Parallel: 1, NoSharing: apart}
					for b.Loop() {
						_, err := RunCampaign(context.Background(), net, bench.list, opts)
						require.NoError(b, err)
					}
					b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N*len(bench.list)), "ms/instance")
				})
			}
		}
	}
}

// settledRoots counts domains that arrive with all their bounds.
type settledRoots struct {
	bounds.Crown
	count *int
}

func (b settledRoots) Bound(ctx context.Context, m *bounds.Model, q *bounds.Query) ([]bounds.DomainResult, error) {
	for _, d := range q.Domains {
		if d.Settled == math.MaxInt && len(d.Splits) == 0 {
			*b.count++
		}
	}
	return b.Crown.Bound(ctx, m, q)
}

// Verifications start from the shared bounds.
func TestCampaignUsesSharedBounds(t *testing.T) {
	net := sharedNet(t, 2, 8, 3)
	var list []Instance
	for k := range 4 {
		p := spec.Targeted(ballAt(t, spec.LInf, 0.25, 0, 0), k%3, (k+1)%3, 3)
		list = append(list, Instance{ID: strconv.Itoa(k), Property: &p})
	}
	for _, apart := range []bool{false, true} {
		n := 0
		opts := CampaignOptions{Options: Options{Bounder: settledRoots{count: &n}, NoAttack: true, MaxDomains: 1, Split: SplitInput}, Parallel: 1, NoSharing: apart}
		_, err := RunCampaign(context.Background(), net, list, opts)
		require.NoError(t, err)
		require.Equal(t, !apart, n == len(list), "%d", n)
	}
}

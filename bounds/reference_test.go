package bounds_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/spec/vnnlib"
)

// referenceCase is one network and property with the bounds that auto_LiRPA
// (commit a050a3d, float64) computes: lower bounds of Y_label − Y_other over
// the property's box, and CROWN's bounds before every activation.
type referenceCase struct {
	Net     string `json:"net"`
	VNNLIB  string `json:"vnnlib"`
	Label   int    `json:"label"`
	Others  []int  `json:"others"`
	Methods map[string]struct {
		Lower []float64 `json:"lb"`
		CPU   float64   `json:"cpu_s"`
	} `json:"methods"`
	Before []struct{ Lower, Upper []float64 } `json:"crown_preact_bounds"`

	model     *bounds.Model
	box       spec.Box
	functions bounds.Functions
}

// dataDir is the folder of test data.
func dataDir() string {
	if dir := os.Getenv("VOUCH_DATA"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "shared", "data")
}

func referenceCases(tb testing.TB) []*referenceCase {
	raw, err := os.ReadFile(filepath.Join(dataDir(), "reference", "bounds_crown_family.json"))
	if err != nil {
		tb.Skipf("no reference bounds, set VOUCH_DATA: %v", err)
	}
	var file struct{ Rows []*referenceCase }
	require.NoError(tb, json.Unmarshal(raw, &file))
	require.NotEmpty(tb, file.Rows)
	return file.Rows
}

// load reads the network and the property, which may be absent.
func (c *referenceCase) load(tb testing.TB) {
	net, _, err := onnx.ReadFile(filepath.Join(dataDir(), c.Net), nil)
	if err != nil {
		tb.Skipf("no network: %v", err)
	}
	property, err := vnnlib.ReadFile(filepath.Join(dataDir(), c.VNNLIB), nil)
	if err != nil {
		tb.Skipf("no property: %v", err)
	}
	c.box = property.Cases[0].Region.Box()
	c.model, err = bounds.Compile(net)
	require.NoError(tb, err)
	outputs := nn.OutputShape(net).Size()
	c.functions.Output = make([]float64, len(c.Others)*outputs)
	for k, other := range c.Others {
		c.functions.Output[k*outputs+c.Label] = 1
		c.functions.Output[k*outputs+other] = -1
	}
}

func (c *referenceCase) query() *bounds.Query {
	return &bounds.Query{Domains: []bounds.Domain{{Region: c.box}}, Functions: c.functions}
}

// Ours must be as tight as the reference. They are tighter where interval
// arithmetic is, because every bound is intersected with it.
func TestReferenceBounds(t *testing.T) {
	methods := map[string]bounds.Bounder{"IBP": bounds.IBP{}, "CROWN-IBP": bounds.CrownIBP{}, "CROWN": bounds.Crown{}}
	// The reference looks the tangent's limit points up in a table, with ends
	// rounded to hundredths: a little looser over the neuron, but not in every
	// linear function of it. With the same table the numbers agree.
	methods["CROWN with table"] = bounds.Crown{Relaxer: bounds.TableRelaxer{}}
	for _, c := range referenceCases(t) {
		t.Run(filepath.Base(c.Net)+"/"+filepath.Base(c.VNNLIB), func(t *testing.T) {
			c.load(t)
			for name, b := range methods {
				want := c.Methods[strings.TrimSuffix(name, " with table")].Lower
				r, err := b.Bound(t.Context(), c.model, c.query())
				require.NoError(t, err)
				var d difference
				d.add(r[0].Lower, want)
				t.Logf("%s: ours − reference, %v; reference about %.4g", name, &d, want[0])
				assert.GreaterOrEqual(t, d.least, -1e-4, name)
				if strings.HasPrefix(name, "CROWN") && name != "CROWN-IBP" {
					c.compareNodes(t, &r[0], name != "CROWN")
				}
			}
		})
	}
}

// compareNodes compares the bounds before the activations, of the neurons that
// CROWN bounds: those that interval arithmetic leaves undecided.
func (c *referenceCase) compareNodes(t *testing.T, r *bounds.DomainResult, table bool) {
	nodes := c.model.Network().Nodes()
	nonlinear := c.model.Nonlinear()
	require.Len(t, nonlinear, len(c.Before))
	for l, i := range nonlinear {
		var d difference
		_, relu := nodes[i].Op.(nn.ReLU)
		ours, ref := r.Nodes[nodes[i].Inputs[0]], c.Before[l]
		for k := range ours.Lower {
			if relu && (ours.Lower[k] >= 0 || ours.Upper[k] <= 0) {
				continue
			}
			d.add(ours.Lower[k:k+1], ref.Lower[k:k+1])
			d.add([]float64{-ours.Upper[k]}, []float64{-ref.Upper[k]})
		}
		t.Logf("before activation %d: tighter by %v", l+1, &d)
		assert.GreaterOrEqual(t, d.mean, -1e-4, "activation %d", l+1)
		// From layer 5 of the sigmoid network on, intervals cut some ranges,
		// and the lines over these are different ones.
		if relu || (table && l < 4) {
			assert.GreaterOrEqual(t, d.least, -1e-4, "activation %d", l+1)
		}
	}
}

// difference gathers how much larger ours are than the reference's.
type difference struct {
	count             int
	least, most, mean float64
}

func (d *difference) add(ours, ref []float64) {
	for k := range ours {
		v := ours[k] - ref[k]
		if d.count == 0 {
			d.least, d.most = v, v
		}
		d.least, d.most = min(d.least, v), max(d.most, v)
		d.mean += (v - d.mean) / float64(d.count+1)
		d.count++
	}
}

func (d *difference) String() string {
	b, _ := json.Marshal(map[string]float64{"least": d.least, "mean": d.mean, "most": d.most, "count": float64(d.count)})
	return string(b)
}

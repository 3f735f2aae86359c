package unittest

import (
	"flag"
	"testing"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// always fails the test unless net decides for class in every situation of the
// box. This function is all that a test of one's own needs.
func always(t *testing.T, net nn.Network, class int, lower, upper []float64) {
	t.Helper()
	box, err := spec.NewBox(lower, upper)
	if err != nil {
		t.Fatal(err)
	}
	property := spec.Robustness(box, class, Classes)
	result, err := bab.Verify(t.Context(), net, &property, bab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if result.Verdict != spec.Verified {
		t.Error(result)
		return
	}
	t.Logf("%v; %d sub-problems", result, result.Stats.Domains)
}

func load(t *testing.T) nn.Network {
	t.Helper()
	net, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// Whoever is fast and close must brake, however wet the road.
func TestBrakesWhenClose(t *testing.T) {
	always(t, load(t), Brake, []float64{0, 20, 0}, []float64{20, 40, 1})
}

// Nobody brakes on a free road.
func TestCoastsOnFreeRoad(t *testing.T) {
	always(t, load(t), Coast, []float64{80, 0, 0}, []float64{100, 10, 1})
}

// Sensors err by a metre and by half a metre per second. That must not change
// what was decided on the test track.
func TestSensorNoise(t *testing.T) {
	net := load(t)
	for _, x := range [][]float64{{12, 15, 0.5}, {60, 12, 0}, {95, 35, 1}, {40, 8, 0.2}} {
		class, err := Decide(net, x[0], x[1], x[2])
		if err != nil {
			t.Fatal(err)
		}
		always(t, net, class, []float64{x[0] - 1, x[1] - 0.5, x[2]}, []float64{x[0] + 1, x[1] + 0.5, x[2]})
	}
}

var wish = flag.Bool("wish", false, "run the test that asks too much")

// A wish that this network does not fulfil, to show what failing looks like.
func TestWish(t *testing.T) {
	if !*wish {
		t.Skip("asks too much; -wish runs it")
	}
	always(t, load(t), Brake, []float64{0, 20, 0}, []float64{60, 40, 1})
}

package vouch_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/spec"
)

// certify asks whether every input that differs from x by at most radius,
// value by value, gets the class label.
func certify(ctx context.Context, file string, x []float64, label int, radius float64) (*spec.Result, error) {
	net, _, err := onnx.ReadFile(file, nil)
	if err != nil {
		return nil, err
	}
	region, err := spec.NewLInfBall(x, radius, nil)
	if err != nil {
		return nil, err
	}
	property := spec.Robustness(region, label, nn.OutputShape(net).Size())
	return bab.Verify(ctx, net, &property, bab.Options{})
}

// Certify a classifier. The function certify is the README's.
func Example() {
	folder, err := os.MkdirTemp("", "vouch-")
	must(err)
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "classifier.onnx")
	writeClassifier(file)

	for _, radius := range []float64{0.1, 0.3} {
		result, err := certify(context.Background(), file, []float64{0.8, 0.3}, 0, radius)
		must(err)
		fmt.Println(radius, result.Verdict)
		if result.Verdict == spec.Falsified {
			y := result.Counterexample.Output
			fmt.Println("class 1 reaches class 0:", y[1] >= y[0])
		}
	}
	// Output:
	// 0.1 verified
	// 0.3 falsified
	// class 1 reaches class 0: true
}

// writeClassifier writes a network of two inputs whose class is 0 where the
// first is the larger and 1 where the second is.
func writeClassifier(file string) {
	hidden, err := nn.NewDense(2, 2, []float64{1, -1, -1, 1}, []float64{0, 0})
	must(err)
	out, err := nn.NewDense(2, 2, []float64{1, 0, 0, 1}, []float64{0, 0})
	must(err)
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Add("relu", nn.ReLU{}, b.Add("hidden", hidden, b.Input()))
	net, err := b.Build(b.Add("out", out, h))
	must(err)
	must(onnx.WriteFile(file, net, nil))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// The Go code of the README is code of this file, so that it compiles and runs.
func TestReadmeCompiles(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := strings.Split(string(readme), "```go\n")[1:]
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		code, _, closed := strings.Cut(block, "```")
		require.True(t, closed)
		require.Contains(t, string(source), code)
	}
}

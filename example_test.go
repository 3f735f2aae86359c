package vouch_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// Certify a classifier that is read from a file.
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

// The README's test, pasted into a module of one's own as the README says, passes.
func TestReadmeInANewModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	here, err := os.Getwd()
	require.NoError(t, err)
	module := t.TempDir()
	place := func(name string, content []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(module, name), content, 0o600))
	}
	read := func(name ...string) []byte {
		content, err := os.ReadFile(filepath.Join(name...))
		require.NoError(t, err)
		return content
	}
	_, after, found := strings.Cut(string(read("README.md")), "```go\n")
	require.True(t, found)
	code, rest, found := strings.Cut(after, "```")
	require.True(t, found)
	require.NotContains(t, rest, "```go\n", "another block of Go that nobody compiles")
	place("class_test.go", []byte(code))
	place("model.onnx", read("examples", "unittest", "brake.onnx"))
	// In place of "go mod tidy", which asks the network: the same requirements.
	place("go.sum", read("go.sum"))
	name := []byte("module github.com/vouchnn/vouch\n")
	require.Contains(t, string(read("go.mod")), string(name))
	place("go.mod", append(bytes.Replace(read("go.mod"), name, []byte("module mine\n"), 1),
		"\nrequire github.com/vouchnn/vouch v0.0.0\nreplace github.com/vouchnn/vouch => "+strconv.Quote(here)+"\n"...))

	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", ".")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestClassIsStable")
}

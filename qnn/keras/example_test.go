package keras_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/vouchnn/vouch/qnn/keras"
)

// Weights of a network trained for 4 bits: two inputs, three neurons, two classes.
func ExampleReadFile() {
	dir, err := os.MkdirTemp("", "keras")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "weights.h5") // in practice model.save_weights("weights.h5") writes it
	err = writeWeights(file, []layerWeights{
		{"dense", []float32{0.5, -0.26, 0.125, -0.5, 0.25, 0.9}, []float32{0, 0.25, -0.5}},
		{"dense_1", []float32{0.75, -0.75, 0.1, 0.4, -0.2, 0.3}, []float32{0, 0.125}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	net, err := keras.ReadFile(file, &keras.Options{Bits: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range net.Layers {
		fmt.Println(l.Weights, l.Bias)
	}
	fmt.Println("class", net.Classify([]int64{255, 0}), "and", net.Classify([]int64{0, 255}))
	// Output:
	// [4 -4 -2 2 1 7] [0 512 -1024]
	// [6 1 -2 -6 3 2] [0 8]
	// class 0 and 1
}

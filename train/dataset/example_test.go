package dataset_test

import (
	"fmt"

	"github.com/vouchnn/vouch/train/dataset"
)

func ExampleSet() {
	s := &dataset.Set{
		Name: "tiny", Shape: []int{1, 1, 2}, Classes: 2,
		Pixels: []uint8{0, 255, 51, 102}, Labels: []uint8{1, 0},
	}
	fmt.Println(s.Len(), s.Float64(1), s.Labels[1])
	// Output: 2 [0.2 0.4] 0
}

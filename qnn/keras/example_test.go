package keras_test

import (
	"fmt"

	"github.com/vouchnn/vouch/qnn/keras"
)

// Weights of a network trained for 8 bits.
func ExampleReadFile() {
	net, err := keras.ReadFile("weights.h5", &keras.Options{Bits: 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(net.Inputs(), net.Outputs())
}

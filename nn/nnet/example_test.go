package nnet_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/nnet"
)

// A file with one layer, y = 2·x + 1 of normalised numbers.
const file = `// doubles and adds one
1,1,1,1,
1,1,
0,
0,
20,
10,0,
5,100,
2,
1,
`

func ExampleRead() {
	g, info, err := nnet.Read(strings.NewReader(file), "double.nnet", nil)
	if err != nil {
		log.Fatal(err)
	}
	y, err := nn.Evaluate(g, []float64{20}) // (20 − 10)/5 = 2, 2·2 + 1 = 5, 5·100
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Comments, "inputs from", info.Min, "to", info.Max, "give", y)
	// Output: [doubles and adds one] inputs from [0] to [20] give [500]
}

func ExampleWrite() {
	d, err := nn.NewDense(1, 2, []float64{1, -2}, []float64{0.5})
	if err != nil {
		log.Fatal(err)
	}
	b := nn.NewBuilder(nn.Shape{2})
	g, err := b.Build(b.Add("layer", d, b.Input()))
	if err != nil {
		log.Fatal(err)
	}
	var buf bytes.Buffer
	if err := nnet.Write(&buf, g, nil); err != nil {
		log.Fatal(err)
	}
	_, _ = buf.WriteTo(os.Stdout)
	// Output:
	// 1,2,1,2,
	// 2,1,
	// 0,
	// 0,0,
	// 1,1,
	// 0,0,0,
	// 1,1,1,
	// 1,-2,
	// 0.5,
}

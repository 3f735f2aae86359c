package bab_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/spec"
)

// Up to which radius is class 1 the answer around each of two points? The
// second call finds the results of the first in the file.
func ExampleRunCampaign() {
	var instances []bab.Instance
	for i, point := range [][]float64{{0.3, 0.1}, {0.5, 0.4}} {
		for _, radius := range []float64{0.3, 0.25, 0.1} {
			region, err := spec.NewLInfBall(point, radius, nil)
			if err != nil {
				panic(err)
			}
			prop := spec.Robustness(region, 1, 2)
			instances = append(instances, bab.Instance{ID: fmt.Sprintf("point %d radius %g", i, radius), Property: &prop})
		}
	}
	dir, err := os.MkdirTemp("", "campaign")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	opts := bab.CampaignOptions{File: filepath.Join(dir, "results.jsonl")}
	report, err := bab.RunCampaign(context.Background(), exampleNet(), instances, opts)
	if err != nil {
		panic(err)
	}
	for _, r := range report.Results {
		fmt.Println(r.ID, r.Result.Verdict)
	}

	verified := 0
	opts.OnStart = func(string) { verified++ }
	again, err := bab.RunCampaign(context.Background(), exampleNet(), instances, opts)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(again.Results), "results,", verified, "verified again")
	// Output:
	// point 0 radius 0.3 falsified
	// point 0 radius 0.25 falsified
	// point 0 radius 0.1 verified
	// point 1 radius 0.3 falsified
	// point 1 radius 0.25 verified
	// point 1 radius 0.1 verified
	// 6 results, 0 verified again
}

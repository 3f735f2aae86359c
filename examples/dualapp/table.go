package main

// Table 2: mean certified radius by network and method, outputs as separate
// intervals, and what margins and better combinations add.

import (
	"context"
	"fmt"
	"io"

	"github.com/vouchnn/vouch/dualapp"
)

// tolerance of all searches.
const tolerance = 1e-3

// columns are the methods of the table, DualApp first, as in the paper.
var columns = []struct {
	title, method string
	margin        bool
}{
	{"DualApp", "dualapp-mc", false},
	{"gradient", "dualapp-grad", false},
	{"NeWise", "newise", false},
	{"DeepCert", "deepcert", false},
	{"VeriNet", "verinet", false},
	{"RobustV.", "robustverifier", false},
	{"DeepPoly", "deeppoly", false},
	{"CROWN", "crown", false},
	{"aimed", "aimed", false},
	{"DualApp", "dualapp-mc", true},
	{"α", "alpha", true},
	{"aimed", "aimed", true},
}

func compare(ctx context.Context, w io.Writer, subjects []subject) error {
	fmt.Fprintf(w, "1. Compare. Mean radius, times 100,000, at which one other class is proved impossible.\n\n")
	fmt.Fprintf(w, "   %-30s %6s %4s  %-78s | %-26s\n", "", "", "", "two outputs, each bounded for itself", "their difference bounded")
	fmt.Fprintf(w, "   %-30s %6s %4s ", "network", "nodes", "imgs")
	for k, c := range columns {
		if c.margin && !columns[k-1].margin {
			fmt.Fprintf(w, " |")
		}
		fmt.Fprintf(w, " %8s", c.title)
	}
	fmt.Fprintf(w, "  s/img\n")
	for i := range subjects {
		if err := compareOne(ctx, w, &subjects[i]); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\n   s/img is DualApp's time.\n\n")
	return nil
}

func compareOne(ctx context.Context, w io.Writer, s *subject) error {
	fmt.Fprintf(w, "   %-30s %6d %4d ", s.name, s.neurons(), len(s.tasks))
	seconds := 0.0
	for k, c := range columns {
		v, err := dualapp.Method(c.method, dualapp.MethodOptions{})
		if err != nil {
			return err
		}
		v.Margin = c.margin
		mean, time, err := s.meanRadius(ctx, v, s.tasks)
		if err != nil {
			return err
		}
		if k == 0 {
			seconds = time
		}
		if c.margin && !columns[k-1].margin {
			fmt.Fprintf(w, " |")
		}
		fmt.Fprintf(w, " %8.0f", 1e5*mean)
	}
	fmt.Fprintf(w, "  %.3f\n", seconds)
	return nil
}

// meanRadius is the mean certified radius of the tasks, and the mean seconds that
// one took.
func (s *subject) meanRadius(ctx context.Context, v dualapp.Verifier, tasks []dualapp.Task) (mean, seconds float64, err error) {
	radii, err := v.Radii(ctx, s.model, tasks, dualapp.Search{Tolerance: tolerance})
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", s.name, err)
	}
	for _, r := range radii {
		mean += r.Proved / float64(len(radii))
		seconds += r.Elapsed.Seconds() / float64(len(radii))
	}
	return mean, seconds, nil
}

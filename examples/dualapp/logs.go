package main

// The bounds that DualApp's authors published as logs, and ours on the same
// networks, images and targets with the same search.

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
)

// logged is the log of one network and method.
type logged struct {
	subject
	method string
	radii  []float64
}

func logs(ctx context.Context, w io.Writer, s settings) error {
	all, err := s.readLogs()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "2. Logs. The authors' mean bounds and ours, 15 steps from 0.05 as theirs; how many of theirs we cannot prove.\n\n")
	fmt.Fprintf(w, "   %-36s %-22s %6s %9s %9s %8s %8s  s/img\n", "network", "method", "images", "logged", "ours", "ratio", "beyond")
	for i := range all {
		if err := all[i].compare(ctx, w, s.logs); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, `
   Samples differ, and a log has five digits: "beyond" counts logs above the
   least radius at which our proof failed, and 0.00001 more.

`)
	return nil
}

// compare is one line of the table.
func (l *logged) compare(ctx context.Context, w io.Writer, n int) error {
	n = min(n, len(l.tasks))
	v := dualapp.Verifier{Bounder: bounds.Crown{Relaxer: dualapp.Dual{}}, Under: dualapp.MonteCarlo{}}
	if strings.HasPrefix(l.method, "gradient") {
		step := 0.45
		if strings.Contains(l.name, "fnn") {
			step /= 2 // as the authors' code for dense networks does
		}
		v.Under = dualapp.Gradient{Step: step}
	}
	radii, err := v.Radii(ctx, l.model, l.tasks[:n], dualapp.Search{})
	if err != nil {
		return err
	}
	theirs, ours, seconds, beyond := 0.0, 0.0, 0.0, 0
	for i, r := range radii {
		theirs, ours, seconds = theirs+l.radii[i], ours+r.Proved, seconds+r.Elapsed.Seconds()
		if l.radii[i] > r.Failed+1e-5 {
			beyond++
		}
	}
	fmt.Fprintf(w, "   %-36s %-22s %6d %9.5f %9.5f %8.5f %8d  %.4f\n", l.name, strings.TrimSuffix(l.method, "-sigmoid"), n,
		theirs/float64(n), ours/float64(n), ours/theirs, beyond, seconds/float64(n))
	return nil
}

// readLogs reads golden_bounds_dev.csv.
func (s *settings) readLogs() ([]logged, error) {
	name := filepath.Join(s.data, "golden_bounds_dev.csv")
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	images, err := s.loadImages("mnist")
	if err != nil {
		return nil, err
	}
	column := map[string]int{}
	for k, title := range rows[0] {
		column[title] = k
	}
	var all []logged
	for i, row := range rows[1:] {
		number := func(title string) (v float64) {
			if err == nil {
				v, err = strconv.ParseFloat(row[column[title]], 64)
			}
			return v
		}
		sample, label, target := int(number("test_id")), int(number("true_label")), int(number("target_label"))
		radius := number("certified_lower_bound")
		if err == nil && (sample < 0 || sample >= images.Len()) {
			err = fmt.Errorf("there is no image %d", sample)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, i+2, err)
		}
		network := strings.TrimSuffix(filepath.Base(row[column["model"]]), ".h5")
		method := row[column["method"]]
		if n := len(all); n == 0 || all[n-1].name != network || all[n-1].method != method {
			net, err := loadNetwork(filepath.Join(s.data, "onnx", "dualapp", network+".onnx"))
			if err != nil {
				return nil, err
			}
			m, err := bounds.Compile(net)
			if err != nil {
				return nil, err
			}
			all = append(all, logged{subject: subject{name: network, model: m}, method: method})
		}
		l := &all[len(all)-1]
		l.tasks = append(l.tasks, dualapp.Task{Center: images.Float64(sample), Label: label, Targets: []int{target}})
		l.radii = append(l.radii, radius)
	}
	return all, nil
}

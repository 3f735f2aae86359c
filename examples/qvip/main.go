// Command qvip repeats, in small, the experiments of Zhang et al. 2022, "QVIP: An
// ILP-based formal verification approach for quantized neural networks" (ASE).
//
//	go run ./examples/qvip                  drawn digits, a network trained here; seconds
//	go run ./examples/qvip -plot radii.svg  the same, and a picture
//	go run ./examples/qvip -nets FOLDER     the paper's networks as .json.gz, on MNIST
//
// It prints accuracies (Table 1), verdicts with times for growing radii (a column
// of Table 2) and the distribution of maximum robust radii (Figure 7).
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train/dataset"
)

// subject is a network with its test images.
type subject struct {
	name   string
	net    *qnn.Network
	inputs [][]int64
	labels []int
	proved []int // the radius proved, for each image of the third experiment
}

func main() {
	nets := flag.String("nets", "", "`folder` of the paper's networks (default: a small network trained here)")
	images := flag.Int("images", 20, "images per radius")
	limit := flag.Duration("timeout", 10*time.Second, "time for each image")
	picture := flag.String("plot", "", "draw the distribution of radii into this `file`, .svg or .png")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	subjects, err := run(ctx, os.Stdout, *nets, *images, *limit)
	if err == nil && *picture != "" {
		err = draw(*picture, subjects)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "qvip:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, folder string, images int, limit time.Duration) ([]subject, error) {
	subjects, err := drawn()
	if folder != "" {
		subjects, err = published(folder)
	}
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "1. Accuracy (Table 1)\n\n")
	for _, s := range subjects {
		correct := 0
		for i, x := range s.inputs {
			if s.net.Classify(x) == s.labels[i] {
				correct++
			}
		}
		fmt.Fprintf(w, "   %-24s %-16v %6.2f %%\n", s.name, s.net, 100*float64(correct)/float64(len(s.inputs)))
	}
	fmt.Fprintf(w, "\n2. Robustness of %d images (Table 2)\n\n   %-24s radius  robust  not  open  seconds\n", images, "")
	for _, s := range subjects {
		for _, r := range []int{1, 2, 4, 8} {
			if err := s.verify(ctx, w, r, images, limit); err != nil {
				return nil, err
			}
		}
	}
	fmt.Fprintf(w, "\n3. Maximum robust radii (Figure 7); one mark for each image, ? for an interval\n\n")
	for i := range subjects {
		if err := subjects[i].radii(ctx, w, images, limit); err != nil {
			return nil, err
		}
	}
	return subjects, ctx.Err()
}

// each calls visit for the first count images that are classified correctly.
func (s *subject) each(count int, visit func(x []int64, label int) error) error {
	for i, x := range s.inputs {
		if count == 0 {
			break
		}
		if s.net.Classify(x) != s.labels[i] {
			continue
		}
		count--
		if err := visit(x, s.labels[i]); err != nil {
			return err
		}
	}
	return nil
}

// verify prints a line of verdicts.
func (s *subject) verify(ctx context.Context, w io.Writer, radius, images int, limit time.Duration) error {
	var count [3]int
	begin := time.Now()
	err := s.each(images, func(x []int64, label int) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ball, err := s.net.Ball(spec.LInf, x, float64(radius))
		if err != nil {
			return err
		}
		res, err := qnn.Verify(ctx, s.net, qnn.Robustness(ball, label, s.net.Outputs()), qnn.Options{})
		if err != nil {
			return err
		}
		count[res.Verdict]++
		return nil
	})
	fmt.Fprintf(w, "   %-24s %6d %7d %4d %5d %8.2f\n", s.name, radius, count[spec.Verified], count[spec.Falsified], count[spec.Unknown], time.Since(begin).Seconds())
	return err
}

// radii prints a histogram, and keeps what it is of.
func (s *subject) radii(ctx context.Context, w io.Writer, images int, limit time.Duration) error {
	marks := map[int]string{}
	top := 0
	err := s.each(images, func(x []int64, _ int) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		r, err := qnn.MaxRadius(ctx, s.net, x, qnn.RadiusOptions{})
		if err != nil {
			return err
		}
		mark := "#"
		if !r.Solved() {
			mark = "?"
		}
		marks[r.Lower] += mark
		s.proved = append(s.proved, r.Lower)
		top = max(top, r.Lower)
		return nil
	})
	fmt.Fprintf(w, "   %s\n", s.name)
	for r := range top + 1 {
		if marks[r] != "" {
			fmt.Fprintf(w, "   %4d %s\n", r, marks[r])
		}
	}
	return err
}

// published is the paper's networks with the images of MNIST.
func published(folder string) ([]subject, error) {
	set, err := dataset.Open("mnist", dataset.Test, "")
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*_in_8_*.json.gz"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no file *_in_8_*.json.gz in %s", folder)
	}
	var out []subject
	for _, file := range files {
		n, err := qnn.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s := subject{name: strings.TrimPrefix(n.Name, "mnist_"), net: n}
		for i := range set.Len() {
			s.inputs = append(s.inputs, n.QuantizePixels(set.Image(i)))
			s.labels = append(s.labels, int(set.Labels[i]))
		}
		out = append(out, s)
	}
	return out, nil
}

// Command dualapp compares nine relaxations of sigmoid, tanh and arctan, as the
// paper "A tale of two approximations" (Xue et al. 2023) does.
//
//	go run ./examples/dualapp -quick     a small network, no data, a second
//	go run ./examples/dualapp            networks and images of DualApp's authors
//
// The chapters of its output are the functions of these files, in order:
//
//	compare   certified radii by method and network: Table 2 (table.go)
//	logs      the authors' published bounds, image by image (logs.go)
//	lines     the lines that each method chooses for one neuron: Figures 4 to 6 (lines.go)
//	sweep     radii against samples and step length: Figure 9 (sweep.go)
//
// Pictures are written as PNG files to the folder that -out names.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/train/dataset"
)

// settings is the size of the story.
type settings struct {
	quick  bool
	data   string // folder of DualApp's networks and images
	out    string // folder of the pictures
	match  *regexp.Regexp
	images int // per network
	logs   int // images per network of the logs
	seed   uint64
}

func main() {
	var s settings
	match := flag.String("match", "ffnn_3x50", "networks to compare, a regular expression")
	flag.BoolVar(&s.quick, "quick", false, "a small network made here, no data")
	flag.StringVar(&s.data, "data", "", "folder of networks_dev.csv (default dualapp in VOUCH_DATA, or in ../shared/data)")
	flag.StringVar(&s.out, "out", "dualapp-plots", "folder of the pictures")
	flag.IntVar(&s.images, "images", 20, "images per network")
	flag.IntVar(&s.logs, "logs", 100, "images per network to compare with the published logs")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of targets, samples and the small network")
	flag.Parse()
	var err error
	if s.match, err = regexp.Compile(*match); err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err = tell(ctx, os.Stdout, s)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dualapp:", err)
		os.Exit(1)
	}
}

// tell runs all chapters and writes them to w.
func tell(ctx context.Context, w io.Writer, s settings) error {
	if s.images < 1 || s.logs < 1 {
		return errors.New("-images and -logs are at least 1")
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	subjects, err := s.subjects()
	if err != nil {
		return err
	}
	if err := compare(ctx, w, subjects); err != nil {
		return err
	}
	if !s.quick {
		if err := logs(ctx, w, s); err != nil {
			return err
		}
	}
	if err := lines(ctx, w, s, &subjects[0]); err != nil {
		return err
	}
	return sweep(ctx, w, s, &subjects[0])
}

// subject is a network with images that it classifies correctly and one target
// class for each.
type subject struct {
	name  string
	model *bounds.Model
	tasks []dualapp.Task
}

// subjects is the networks to compare.
func (s *settings) subjects() ([]subject, error) {
	if s.quick {
		one, err := smallNetwork(s.seed, s.images)
		return []subject{one}, err
	}
	if s.data == "" {
		root := os.Getenv("VOUCH_DATA")
		if root == "" {
			root = filepath.Join("..", "shared", "data")
		}
		s.data = filepath.Join(root, "dualapp")
	}
	var files []string
	for _, set := range []string{"mnist", "fashion_mnist", "cifar10"} { // the paper's order
		some, err := filepath.Glob(filepath.Join(s.data, "onnx", "trained_network", set+"_*.onnx"))
		if err != nil {
			return nil, err
		}
		files = append(files, some...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no networks of DualApp's authors; set VOUCH_DATA, give -data, or use -quick, which needs none", s.data)
	}
	var out []subject
	for _, f := range files {
		if s.match.MatchString(strings.TrimSuffix(filepath.Base(f), ".onnx")) {
			one, err := s.load(f)
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: none of %d networks matches %v", s.data, len(files), s.match)
	}
	return out, nil
}

func (s *settings) load(file string) (subject, error) {
	net, err := loadNetwork(file)
	if err != nil {
		return subject{}, err
	}
	name := strings.TrimSuffix(filepath.Base(file), ".onnx")
	set := "mnist"
	for _, other := range []string{"fashion_mnist", "cifar10"} {
		if strings.HasPrefix(name, other) {
			set = other
		}
	}
	images, err := s.loadImages(set)
	if err != nil {
		return subject{}, err
	}
	return newSubject(name, net, images, s.seed, s.images)
}

func loadNetwork(file string) (nn.Network, error) {
	net, _, err := onnx.ReadFile(file, nil)
	if err != nil {
		return nil, err
	}
	return nn.Simplify(net)
}

// loadImages reads images of DualApp's authors.
func (s *settings) loadImages(name string) (*dataset.Set, error) {
	at := func(what string) string { return filepath.Join(s.data, "images", name+"_first100_"+what+".idx") }
	set, err := dataset.ReadIDX(at("jpegdecoded"), at("labels"))
	if err != nil {
		return nil, err
	}
	return set.ChannelsFirst(), nil
}

// newSubject takes the first images that the network classifies correctly.
func newSubject(name string, net nn.Network, images *dataset.Set, seed uint64, n int) (subject, error) {
	m, err := bounds.Compile(net)
	if err != nil {
		return subject{}, fmt.Errorf("%s: %w", name, err)
	}
	one := subject{name: name, model: m}
	for i := 0; i < images.Len() && len(one.tasks) < n; i++ {
		x, label := images.Float64(i), int(images.Labels[i])
		y, err := nn.Evaluate(net, x)
		if err != nil {
			return one, fmt.Errorf("%s: %w", name, err)
		}
		if nn.ArgMax(y) == label {
			other := (label + 1 + int((seed+uint64(i)*7)%uint64(len(y)-1))) % len(y)
			one.tasks = append(one.tasks, dualapp.Task{Center: x, Label: label, Targets: []int{other}})
		}
	}
	if len(one.tasks) == 0 {
		return one, fmt.Errorf("%s: no image is classified correctly", name)
	}
	return one, nil
}

// neurons is the number of neurons of a network, as the paper counts nodes.
func (s *subject) neurons() int {
	nodes := s.model.Network().Nodes()
	n := nn.OutputShape(s.model.Network()).Size()
	for _, i := range s.model.Nonlinear() {
		n += nodes[i].Shape.Size()
	}
	return n
}

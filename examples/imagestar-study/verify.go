package main

// Verification: is the class the same wherever each pixel is moved by at most ε, within
// what a pixel can be? Asked of the first images of each class in the pool that all
// networks classify correctly, of each network by approx-star, one after the other, so
// that the times are those of one question on a machine that does nothing else for us.
//
// Beside each verdict stand the wall time, the processor time of the process, and how
// many ReLUs are undecided, which the paper holds responsible for both.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

// answer is one question's.
type answer struct {
	image, class int
	verdict      spec.Verdict
	wall, cpu    float64 // seconds
	undecided    int     // ReLUs
	programs     int     // linear programs solved
}

var answerHeader = []string{"image", "class", "verdict", "wall_seconds", "cpu_seconds", "undecided_relus", "linear_programs"}

func (a *answer) row() []string {
	return []string{
		strconv.Itoa(a.image), strconv.Itoa(a.class), a.verdict.String(), fmt.Sprintf("%.6f", a.wall), fmt.Sprintf("%.6f", a.cpu),
		strconv.Itoa(a.undecided), strconv.Itoa(a.programs),
	}
}

func parseAnswer(row []string) (a answer, err error) {
	n, err := fmt.Sscan(fmt.Sprint(row[0], " ", row[1], " ", row[3], " ", row[4], " ", row[5], " ", row[6]),
		&a.image, &a.class, &a.wall, &a.cpu, &a.undecided, &a.programs)
	if err != nil || n != 6 {
		return a, fmt.Errorf("row %q: %w", row, err)
	}
	if a.verdict, err = spec.ParseVerdict(row[2]); err != nil {
		return a, fmt.Errorf("row %q: %w", row, err)
	}
	return a, nil
}

// choose finds the images to verify.
func (st *study) choose() error {
	wrong := make([]bool, st.pool.Len())
	for _, c := range st.cells() {
		var r trained
		ok, err := readJSON(st.path(c, ".json"), &r)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%v is not trained", c)
		}
		for _, i := range r.Wrong {
			wrong[i] = true
		}
	}
	of := make([][]int, len(st.classes))
	for i, l := range st.pool.set.Labels {
		if !wrong[i] && len(of[l]) < st.PerClass {
			of[l] = append(of[l], i)
		}
	}
	for l, list := range of {
		if len(list) < st.PerClass {
			st.say("only %d images of class %s are classified correctly by all networks", len(list), st.classes[l])
		}
	}
	if st.chosen = slices.Concat(of...); len(st.chosen) == 0 {
		return errors.New("no image is classified correctly by all networks")
	}
	return nil
}

// verify verifies the networks that have not been.
func (st *study) verify(ctx context.Context) error {
	for _, c := range st.cells() {
		found, err := st.answers(c)
		if err != nil {
			return err
		}
		if found != nil {
			continue
		}
		answers, err := st.verifyOne(ctx, c)
		if err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		rows := [][]string{answerHeader}
		count := map[spec.Verdict]int{}
		wall, cpu := 0.0, 0.0
		for i := range answers {
			rows = append(rows, answers[i].row())
			count[answers[i].verdict]++
			wall, cpu = wall+answers[i].wall, cpu+answers[i].cpu
		}
		if err := writeCSV(st.path(c, ".csv"), rows); err != nil {
			return err
		}
		n := float64(len(answers)) / 1000
		st.say("verified %-24v %d robust, %d unknown, %d not; %.1f ms each, %.1f ms of processor time",
			c, count[spec.Verified], count[spec.Unknown], count[spec.Falsified], wall/n, cpu/n)
	}
	return nil
}

// answers are those on file, nil if there are none about the chosen images.
func (st *study) answers(c cell) ([]answer, error) {
	path := st.path(c, ".csv")
	rows, err := readCSV(path, answerHeader)
	if rows == nil || err != nil {
		return nil, err
	}
	if len(rows) != len(st.chosen) {
		return nil, nil
	}
	answers := make([]answer, len(rows))
	for k, row := range rows {
		if answers[k], err = parseAnswer(row); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if answers[k].image != st.chosen[k] {
			return nil, nil
		}
	}
	return answers, nil
}

// verifyOne verifies one network at all images.
func (st *study) verifyOne(ctx context.Context, c cell) ([]answer, error) {
	net, _, err := onnx.ReadFile(st.path(c, ".onnx"), nil)
	if err != nil {
		return nil, err
	}
	model, err := reach.Compile(net)
	if err != nil {
		return nil, err
	}
	simple, err := nn.Simplify(net)
	if err != nil {
		return nil, err
	}
	boxes, err := bounds.Compile(simple)
	if err != nil {
		return nil, err
	}
	var answers []answer
	for _, i := range st.chosen {
		prop, err := st.property(i)
		if err != nil {
			return nil, err
		}
		a := answer{image: i, class: int(st.pool.set.Labels[i])}
		if a.undecided, err = undecided(ctx, boxes, prop.Cases[0].Region); err != nil {
			return nil, err
		}
		start, used := time.Now(), cpuTime()
		res, err := model.Verify(ctx, prop, reach.Options{Method: reach.ApproxStar})
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err // the verdict is of a part of the work
		}
		a.wall, a.cpu, a.verdict = time.Since(start).Seconds(), (cpuTime() - used).Seconds(), res.Verdict
		if a.programs, err = strconv.Atoi(res.Stats.Choices["linear programs"]); err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// property is the robustness of an image of the pool.
func (st *study) property(i int) (*spec.Property, error) {
	pixels := st.pool.set.Image(i)
	lower, upper := make([]float64, len(pixels)), make([]float64, len(pixels))
	unit := 255.0
	if st.Raw {
		unit = 1
	}
	for k, p := range pixels {
		lower[k], upper[k] = float64(max(int(p)-st.Epsilon, 0))/unit, float64(min(int(p)+st.Epsilon, 255))/unit
	}
	box, err := spec.NewBox(lower, upper)
	if err != nil {
		return nil, err
	}
	prop := spec.Robustness(box, int(st.pool.set.Labels[i]), len(st.classes))
	return &prop, nil
}

// undecided counts the ReLUs whose input may have both signs. Intervals are exact here:
// only a convolution lies before the ReLUs.
func undecided(ctx context.Context, m *bounds.Model, region spec.Region) (int, error) {
	r, err := bounds.IBP{}.Bound(ctx, m, &bounds.Query{Domains: []bounds.Domain{{Region: region}}})
	if err != nil {
		return 0, err
	}
	count := 0
	for _, i := range m.Preactivations() {
		for k, l := range r[0].Nodes[i].Lower {
			if l < 0 && r[0].Nodes[i].Upper[k] > 0 {
				count++
			}
		}
	}
	return count, nil
}

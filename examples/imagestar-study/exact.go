package main

// Asked for by -exact: exact-star and branch and bound, both complete, on some images of
// each class, whatever approx-star says of them. Two programs that share nothing but
// the network must not contradict each other.
//
// Answers are kept beside those of approx-star, once a network is done.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

// exactLimit is the time that either has for a question if -exact asks.
const exactLimit = time.Minute

// exactAnswer is one image's.
type exactAnswer struct {
	image         int
	exact, branch spec.Verdict // by exact-star and by branch and bound
	stars         int
	wall          float64 // seconds, of exact-star
}

var exactHeader = []string{"image", "exact_star", "branch_and_bound", "stars", "wall_seconds"}

func (a *exactAnswer) row() []string {
	return []string{strconv.Itoa(a.image), a.exact.String(), a.branch.String(), strconv.Itoa(a.stars), fmt.Sprintf("%.3f", a.wall)}
}

func parseExactAnswer(row []string) (a exactAnswer, err error) {
	if _, err = fmt.Sscan(row[0]+" "+row[3]+" "+row[4], &a.image, &a.stars, &a.wall); err != nil {
		return a, err
	}
	if a.exact, err = spec.ParseVerdict(row[1]); err != nil {
		return a, err
	}
	a.branch, err = spec.ParseVerdict(row[2])
	return a, err
}

// firstOfClass lists the first images of each class among the chosen ones.
func (st *study) firstOfClass(each int) []int {
	var out []int
	of := map[uint8]int{}
	for _, i := range st.chosen {
		if l := st.pool.set.Labels[i]; of[l] < each {
			of[l]++
			out = append(out, i)
		}
	}
	return out
}

// exact puts the first images of each class to exact-star and to branch and bound,
// each with limit for a question.
func (st *study) exact(ctx context.Context, each int, limit time.Duration) error {
	for _, c := range st.cells() {
		found, err := st.exactAnswers(c)
		if err != nil {
			return err
		}
		known := map[int]bool{}
		for _, a := range found {
			known[a.image] = true
		}
		before := len(found)
		for _, i := range st.firstOfClass(each) {
			if known[i] {
				continue
			}
			a, err := st.exactOne(ctx, c, i, limit)
			if err != nil {
				return fmt.Errorf("%v: image %d: %w", c, i, err)
			}
			found = append(found, a)
		}
		if len(found) == before {
			continue
		}
		rows := [][]string{exactHeader}
		for i := range found {
			rows = append(rows, found[i].row())
		}
		if err := writeCSV(st.path(c, "-exact.csv"), rows); err != nil {
			return err
		}
		st.say("exact-star on %-24v %d images", c, len(found))
	}
	return nil
}

// errContradiction would be a bug in one of two verifiers.
var errContradiction = errors.New("exact-star and branch and bound contradict each other")

// exactOne asks both about one image.
func (st *study) exactOne(ctx context.Context, c cell, image int, limit time.Duration) (exactAnswer, error) {
	a := exactAnswer{image: image}
	net, _, err := onnx.ReadFile(st.path(c, ".onnx"), nil)
	if err != nil {
		return a, err
	}
	prop, err := st.property(image)
	if err != nil {
		return a, err
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	res, err := reach.Verify(limited, net, prop, reach.Options{Method: reach.ExactStar})
	if err != nil {
		return a, err
	}
	a.wall, a.exact, a.stars = time.Since(start).Seconds(), res.Verdict, res.Stats.Domains
	if err := ctx.Err(); err != nil {
		return a, err
	}
	if a.branch, err = st.decideOne(ctx, c, image, limit); err != nil {
		return a, err
	}
	if a.exact != spec.Unknown && a.branch != spec.Unknown && a.exact != a.branch {
		return a, fmt.Errorf("%w: %v and %v", errContradiction, a.exact, a.branch)
	}
	return a, nil
}

// exactAnswers are those on file.
func (st *study) exactAnswers(c cell) ([]exactAnswer, error) {
	path := st.path(c, "-exact.csv")
	rows, err := readCSV(path, exactHeader)
	if err != nil {
		return nil, err
	}
	var out []exactAnswer
	for _, row := range rows {
		a, err := parseExactAnswer(row)
		if err != nil {
			return nil, fmt.Errorf("%s: row %q: %w", path, row, err)
		}
		out = append(out, a)
	}
	return out, nil
}

// summariseExact says what exact-star has answered, if it was asked.
func (st *study) summariseExact(w io.Writer, ours []outcome) error {
	asked, answered, both, most, longest := 0, 0, 0, 0, 0.0
	for _, o := range ours {
		found, err := st.exactAnswers(o.cell)
		if err != nil {
			return err
		}
		for _, a := range found {
			asked++
			longest, most = max(longest, a.wall), max(most, a.stars)
			if a.exact != spec.Unknown {
				answered++
				if a.branch == a.exact {
					both++
				}
			}
		}
	}
	if asked > 0 {
		fmt.Fprintf(w, "Of %d questions put to exact-star it answered %d, %d of them as branch and bound does, none against it; at most %d stars and %.0f ms each.\n",
			asked, answered, both, most, 1000*longest)
	}
	return nil
}

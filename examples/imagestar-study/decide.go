package main

// Asked for by -decide: is an image that approx-star leaves open robust, or is it only
// hard for approx-star? The paper discusses this and leaves it to further work. Branch
// and bound (package bab) is complete; each question has a time limit.
//
// Answers are kept beside those of approx-star, once a network is done.

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/spec"
)

var decidedHeader = []string{"image", "verdict", "wall_seconds"}

// decide answers the open questions of every network, with limit for each.
func (st *study) decide(ctx context.Context, limit time.Duration) error {
	for _, c := range st.cells() {
		answers, err := st.answers(c)
		if err != nil {
			return err
		}
		known, rows, err := st.decided(c)
		if err != nil {
			return err
		}
		count, before := map[spec.Verdict]int{}, len(rows)
		for _, a := range answers {
			if _, ok := known[a.image]; ok || a.verdict != spec.Unknown {
				continue
			}
			start := time.Now()
			v, err := st.decideOne(ctx, c, a.image, limit)
			if err != nil {
				return fmt.Errorf("%v: %w", c, err)
			}
			count[v]++
			rows = append(rows, []string{strconv.Itoa(a.image), v.String(), fmt.Sprintf("%.3f", time.Since(start).Seconds())})
		}
		if len(rows) == before {
			continue
		}
		if err := writeCSV(st.path(c, "-decided.csv"), append([][]string{decidedHeader}, rows...)); err != nil {
			return err
		}
		st.say("decided %-24v %d robust, %d not, %d still unknown", c, count[spec.Verified], count[spec.Falsified], count[spec.Unknown])
	}
	return nil
}

// decideOne asks bab about one image.
func (st *study) decideOne(ctx context.Context, c cell, image int, limit time.Duration) (spec.Verdict, error) {
	net, _, err := onnx.ReadFile(st.path(c, ".onnx"), nil)
	if err != nil {
		return spec.Unknown, err
	}
	prop, err := st.property(image)
	if err != nil {
		return spec.Unknown, err
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := bab.Verify(limited, net, prop, bab.Options{})
	if err != nil {
		return spec.Unknown, err
	}
	return res.Verdict, ctx.Err()
}

// decided is the answers of decide on file, and their rows.
func (st *study) decided(c cell) (map[int]spec.Verdict, [][]string, error) {
	path := st.path(c, "-decided.csv")
	rows, err := readCSV(path, decidedHeader)
	if err != nil {
		return nil, nil, err
	}
	known := map[int]spec.Verdict{}
	for _, row := range rows {
		image, err := strconv.Atoi(row[0])
		if err != nil {
			return nil, nil, fmt.Errorf("%s: row %q: %w", path, row, err)
		}
		if known[image], err = spec.ParseVerdict(row[1]); err != nil {
			return nil, nil, fmt.Errorf("%s: row %q: %w", path, row, err)
		}
	}
	return known, rows, nil
}

// summariseDecided says what became of the questions that approx-star left open, if
// any of them has been decided.
func (st *study) summariseDecided(w io.Writer, ours []outcome) error {
	open, asked, count := 0, 0, map[spec.Verdict]int{}
	for _, o := range ours {
		known, _, err := st.decided(o.cell)
		if err != nil {
			return err
		}
		for _, a := range o.answers {
			if a.verdict != spec.Unknown {
				continue
			}
			open++
			if v, ok := known[a.image]; ok {
				asked++
				count[v]++
			}
		}
	}
	if asked > 0 {
		fmt.Fprintf(w, "Of %d questions that are left open %d were put to branch and bound: %d robust, %d not, %d still unknown.\n",
			open, asked, count[spec.Verified], count[spec.Falsified], count[spec.Unknown])
	}
	return nil
}

package main

import (
	"strconv"
	"strings"
)

// parseIndices reads a list of places below n: numbers and ranges with both ends
// included, separated by commas, as "0-99,200". An empty text is all of them.
// The order is the text's; a place that is named twice is an error.
func parseIndices(text string, n int) ([]int, error) {
	if strings.TrimSpace(text) == "" {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	var indices []int
	seen := map[int]bool{}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(strings.TrimSpace(from))
		last, err2 := strconv.Atoi(strings.TrimSpace(to))
		if err != nil || err2 != nil {
			return nil, usagef("%q is neither a number nor a range such as 0-99", part)
		}
		if first > last || first < 0 || last >= n {
			return nil, usagef("there is no %s: the indices are 0 to %d", part, n-1)
		}
		for i := first; i <= last; i++ {
			if seen[i] {
				return nil, usagef("%d is named twice in %q", i, text)
			}
			seen[i] = true
			indices = append(indices, i)
		}
	}
	return indices, nil
}

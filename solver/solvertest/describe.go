package solvertest

import (
	"fmt"
	"strings"

	"github.com/vouchnn/vouch/solver"
)

// describe writes a problem so that it can be typed in again.
func describe(p *solver.Problem) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v offset %v\n", p.Sense, p.Offset)
	for j, v := range p.Variables {
		kind := ""
		if v.Integer {
			kind = "integer "
		}
		fmt.Fprintf(&b, "  %sx%d in [%v, %v] cost %v\n", kind, j, v.Lower, v.Upper, v.Cost)
	}
	for i, r := range p.Rows {
		fmt.Fprintf(&b, "  row %d in [%v, %v]: %v of %v\n", i, r.Lower, r.Upper, r.Values, r.Columns)
	}
	return b.String()
}

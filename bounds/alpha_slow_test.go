//go:build slow

package bounds_test

import "testing"

func TestAlphaReference100(t *testing.T) { compareAlpha(t, 100, "alpha-CROWN-100") }

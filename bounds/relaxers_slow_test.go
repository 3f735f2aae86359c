//go:build slow

package bounds

import "testing"

func TestRelaxersAreExactlySound100000(t *testing.T) { exactlySound(t, 100_000) }

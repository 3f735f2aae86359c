package conv

import "fmt"

// Spec describes a convolution. All fields count elements.
type Spec struct {
	Channels, Height, Width int // of an input sample
	OutChannels             int
	KernelH, KernelW        int
	StrideH, StrideW        int // at least 1
	DilationH, DilationW    int // distance between kernel elements, at least 1

	PadTop, PadLeft, PadBottom, PadRight int // zeros around the input, at least 0

	Groups int // at least 1; divides Channels and OutChannels
}

// OutHeight is the height of the output.
func (s *Spec) OutHeight() int {
	return outSize(s.Height+s.PadTop+s.PadBottom, s.KernelH, s.StrideH, s.DilationH)
}

// OutWidth is the width of the output.
func (s *Spec) OutWidth() int {
	return outSize(s.Width+s.PadLeft+s.PadRight, s.KernelW, s.StrideW, s.DilationW)
}

// outSize is the number of positions of a kernel along one axis.
func outSize(size, kernel, stride, dilation int) int {
	span := dilation*(kernel-1) + 1
	if size < span {
		return 0
	}
	return (size-span)/stride + 1
}

// Validate reports the first field that is out of range, or that the kernel is
// larger than the padded input.
func (s *Spec) Validate() error {
	for _, f := range []struct {
		name         string
		value, least int
	}{
		{"Channels", s.Channels, 1},
		{"Height", s.Height, 1},
		{"Width", s.Width, 1},
		{"OutChannels", s.OutChannels, 1},
		{"KernelH", s.KernelH, 1},
		{"KernelW", s.KernelW, 1},
		{"StrideH", s.StrideH, 1},
		{"StrideW", s.StrideW, 1},
		{"DilationH", s.DilationH, 1},
		{"DilationW", s.DilationW, 1},
		{"PadTop", s.PadTop, 0},
		{"PadLeft", s.PadLeft, 0},
		{"PadBottom", s.PadBottom, 0},
		{"PadRight", s.PadRight, 0},
		{"Groups", s.Groups, 1},
	} {
		if f.value < f.least {
			return fmt.Errorf("conv: %s is %d, must be at least %d", f.name, f.value, f.least)
		}
	}
	if s.Channels%s.Groups != 0 || s.OutChannels%s.Groups != 0 {
		return fmt.Errorf("conv: Groups is %d, must divide Channels %d and OutChannels %d", s.Groups, s.Channels, s.OutChannels)
	}
	if s.OutHeight() == 0 || s.OutWidth() == 0 {
		return fmt.Errorf("conv: a kernel of %d×%d with dilation %d×%d does not fit a padded input of %d×%d",
			s.KernelH, s.KernelW, s.DilationH, s.DilationW,
			s.Height+s.PadTop+s.PadBottom, s.Width+s.PadLeft+s.PadRight)
	}
	return nil
}

// inputSize is the number of elements of an input sample.
func (s *Spec) inputSize() int { return s.Channels * s.Height * s.Width }

// positions is the number of elements of an output channel.
func (s *Spec) positions() int { return s.OutHeight() * s.OutWidth() }

// outputSize is the number of elements of an output sample.
func (s *Spec) outputSize() int { return s.OutChannels * s.positions() }

// patchSize is the number of elements of a patch, all groups together.
func (s *Spec) patchSize() int { return s.Channels * s.KernelH * s.KernelW }

// weightSize is the number of weights.
func (s *Spec) weightSize() int { return s.OutChannels * s.groupDepth() }

// groupDepth is the number of weights of an output channel: the elements of a
// patch in one group.
func (s *Spec) groupDepth() int { return s.patchSize() / s.Groups }

// pointwise tells whether the patches are the input itself.
func (s *Spec) pointwise() bool {
	return s.KernelH == 1 && s.KernelW == 1 && s.StrideH == 1 && s.StrideW == 1 &&
		s.PadTop == 0 && s.PadLeft == 0 && s.PadBottom == 0 && s.PadRight == 0
}

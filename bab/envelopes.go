package bab

// Whether joint envelopes of neurons (bounds.Envelope) are worth their time is seen at
// the roots: where they gain little there they are left out of the search, in which they
// would cost as much as all other bounds of a sub-problem.

// envelopes is what joint envelopes (bounds.Envelope) have gained at the roots: as long
// as that is not known they are tried, and then used in sub-problems where it is much.
type envelopes struct {
	gain  float64 // shares of what was missing to proofs, added up
	roots int
}

// envelopesGain is the share of what is missing to a proof that envelopes must gain.
const envelopesGain = 0.1

func (v *envelopes) worth() bool { return v.roots == 0 || v.gain >= envelopesGain*float64(v.roots) }

// String is the choice as the statistics have it.
func (v *envelopes) String() string {
	switch {
	case v.roots == 0:
		return "at roots" // and nowhere else, unless the search goes on
	case v.worth():
		return "on"
	}
	return "off"
}

// add counts a root whose bound was before without envelopes; where they do nothing that
// is the bound after, so that they are not tried at every sub-problem.
func (v *envelopes) add(before, after float64) {
	if before < 0 {
		v.gain += 1 - min(after, 0)/before
		v.roots++
	}
}

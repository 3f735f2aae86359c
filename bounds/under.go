package bounds

// underAt finds what is known to occur of an element of node i, given where it is
// in [domains × size]. It is written to r, clamped to over; nil if there is none,
// or none inside over.
func (s *state) underAt(i, at int, over Range, r *Range) *Range {
	d, k := at/s.m.size[i], at%s.m.size[i]
	under := s.domains[d].Under
	if s.relaxer == nil || i >= len(under) || under[i].Lower == nil {
		return nil
	}
	*r = Range{max(under[i].Lower[k], over.Lower), min(under[i].Upper[k], over.Upper)}
	if !(r.Lower <= r.Upper) { // NaN too
		return nil
	}
	return r
}

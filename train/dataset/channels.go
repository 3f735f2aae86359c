package dataset

// ChannelsFirst is the set with images [channels, height, width], which is what
// networks take. Images stored as [height, width, 1 or 3], as some tools write them,
// are turned round; other sets are returned as they are.
func (s *Set) ChannelsFirst() *Set {
	if len(s.Shape) != 3 || s.Shape[0] <= 4 || (s.Shape[2] != 1 && s.Shape[2] != 3) {
		return s
	}
	places, channels := s.Shape[0]*s.Shape[1], s.Shape[2]
	turned := *s
	turned.Pixels, turned.Shape = make([]uint8, len(s.Pixels)), []int{channels, s.Shape[0], s.Shape[1]}
	for i := range s.Len() {
		from, to := s.Image(i), turned.Image(i)
		for p := range places {
			for c := range channels {
				to[c*places+p] = from[p*channels+c]
			}
		}
	}
	return &turned
}

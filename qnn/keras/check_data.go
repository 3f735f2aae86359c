package keras

// Classes of data types (IV.A.2.d).
const (
	classInteger  = 0
	classFloat    = 1
	classVariable = 9
)

// objectCost is the bytes of an object of a global heap in the reader's memory,
// beside its own.
const objectCost = 64

// value checks an attribute before its value is read: elements of so many bytes, in
// what its message has left for them, and the heaps that texts of any length are in.
func (g *guard) value(name, attribute string, dims []uint64, class uint8, size uint32, data []byte) error {
	n, ok := product(dims...)
	if ok && n == 0 || len(data) == 0 {
		return nil
	}
	width := uint64(size)
	if class == classVariable {
		width = 16 // length, address of the heap, number in it
	}
	total, fits := product(n, width)
	if !ok || !fits || width == 0 || total > uint64(len(data)) {
		return g.refuse(name, "attribute %s has shape %v, %d bytes each, in %d bytes", attribute, dims, width, len(data))
	}
	if err := g.spend(&g.room, name, "an attribute", 0, total+16*n); err != nil {
		return err
	}
	if class != classVariable {
		return nil
	}
	for ; n > 0; n, data = n-1, data[16:] {
		if at := u64(data, 4); at != 0 {
			if err := g.collection(name, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// collection checks a global heap (III.E). The reader reads it anew for each text.
func (g *guard) collection(name string, at uint64) error {
	head, err := g.cut(name, "a global heap", at, 16)
	if err != nil {
		return err
	}
	if string(head[:5]) != "GCOL\x01" {
		return g.refuse(name, "no global heap at offset %d", at)
	}
	size := u64(head, 8)
	heap, err := g.cut(name, "a global heap", at, size)
	if err != nil {
		return err
	}
	if size < 16 {
		return g.refuse(name, "a global heap at offset %d has %d bytes", at, size)
	}
	cost := size
	for p := uint64(16); p+16 <= size; {
		rest := size - p
		if u16(heap[p:], 0) != 0 {
			rest -= 16 // what is free counts its own header
		}
		n := u64(heap[p:], 8)
		if n > rest {
			return g.refuse(name, "an object at offset %d has %d bytes, its global heap ends at %d", at+p, n, at+size)
		}
		p += 16 + (n+7)&^7
		cost += objectCost
	}
	return g.spend(&g.room, name, "a global heap", at, cost)
}

// dataset checks a dataset before it is read: numbers whose data lie in the file.
func (g *guard) dataset(name string, at uint64) error {
	header, err := g.header(name, at)
	if err != nil {
		return err
	}
	var kinds [kindFilters + 1][]byte // the last message of each kind counts
	for _, m := range header {
		if m.kind <= kindFilters {
			kinds[m.kind] = m.data
		}
	}
	width, err := g.numbers(name, at, kinds[kindType])
	if err != nil {
		return err
	}
	dims, err := g.space(name, at, kinds[kindSpace])
	if err != nil {
		return err
	}
	n, ok := product(dims...)
	total, fits := product(n, width)
	if !ok || !fits {
		return g.refuse(name, "shape %v is too large", dims)
	}
	layout := kinds[kindLayout]
	if len(layout) < 4 || layout[0] != 3 && layout[0] != 4 {
		return g.refuse(name, "the layout of the dataset at offset %d is not of version 3 or 4", at)
	}
	have, what := uint64(0), "in its header"
	switch layout[1] {
	case 0:
		have = min(u16(layout, 2), uint64(len(layout)-4))
	case 1:
		if len(layout) < 18 {
			return g.refuse(name, "the layout of the dataset at offset %d is cut short", at)
		}
		if from := u64(layout, 2); from <= uint64(len(g.data)) {
			have = uint64(len(g.data)) - from
		}
		what = "from its data on to the file's end"
	case 2:
		return g.chunked(name, at, &chunks{dims: dims, width: width, total: total}, layout, kinds[kindFilters])
	default:
		return g.refuse(name, "layout %d of the dataset at offset %d is not read", layout[1], at)
	}
	if total > have {
		return g.refuse(name, "shape %v, %d bytes each, but %d bytes %s", dims, width, have, what)
	}
	return g.spend(&g.room, name, "the dataset", at, total+8*n) // read as float64
}

// numbers is the bytes of a number, by a datatype message.
func (g *guard) numbers(name string, at uint64, d []byte) (uint64, error) {
	if len(d) < 8 {
		return 0, g.refuse(name, "no data type in the header at offset %d", at)
	}
	class, size := d[0]&15, u32(d, 4)
	small := size == 1 || size == 2
	if (size == 4 || size == 8 || small && class == classInteger) && class <= classFloat {
		return size, nil
	}
	return 0, g.refuse(name, "data of class %d with %d bytes each are not read as numbers", class, size)
}

// space is the dimensions in a dataspace message (IV.A.2.b). Like the reader it
// takes them to have 32 bits where 64 do not fit.
func (g *guard) space(name string, at uint64, d []byte) ([]uint64, error) {
	if len(d) < 4 || d[0] != 1 && d[0] != 2 {
		return nil, g.refuse(name, "no shape in the header at offset %d", at)
	}
	rank, p := int(d[1]), 4
	if rank == 0 {
		return []uint64{1}, nil
	}
	if d[0] == 1 {
		p = 8
	}
	stored := rank
	if d[2]&1 != 0 {
		stored *= 2 // greatest dimensions
	}
	dims := make([]uint64, rank)
	switch {
	case len(d) >= p+8*stored:
		for i := range dims {
			dims[i] = u64(d, p+8*i)
		}
	case len(d) >= p+4*stored:
		for i := range dims {
			dims[i] = u32(d, p+4*i)
		}
	default:
		return nil, g.refuse(name, "the shape in the header at offset %d is cut short", at)
	}
	return dims, nil
}

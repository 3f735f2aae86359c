package keras

// Messages in object headers that matter here (IV.A.2).
const (
	kindSpace         = 1
	kindLinkInfo      = 2
	kindType          = 3
	kindLink          = 6
	kindLayout        = 8
	kindFilters       = 11
	kindAttributeInfo = 15
	kindContinuation  = 16
	kindSymbolTable   = 17
)

// messageCost is the least that a message takes in the reader's memory.
const messageCost = 4096

// message is one of an object header.
type message struct {
	kind uint64
	at   uint64
	data []byte // not empty
}

// header is the messages of an object header (IV.A.1) and of its continuation
// blocks, in the reader's order.
func (g *guard) header(name string, at uint64) ([]message, error) {
	head, err := g.cut(name, "an object header", at, 16)
	if err != nil {
		return nil, err
	}
	newer := string(head[:4]) == "OHDR"
	var all []message
	switch {
	case newer && head[4] == 2:
		all, err = g.header2(name, at, head[5])
	case !newer && head[0] == 1 && head[1] == 0:
		all, err = g.block1(name, at+16, u32(head, 8), int(u16(head, 2)), nil)
	default:
		return nil, g.refuse(name, "no object header at offset %d", at)
	}
	if err != nil {
		return nil, err
	}
	seen := map[uint64]bool{}
	for i := 0; i < len(all); i++ {
		m := all[i]
		switch m.kind {
		case kindAttributeInfo:
			err = g.attributeInfo(name, m)
		case kindContinuation:
			if len(m.data) < 16 {
				return nil, g.refuse(name, "the continuation at offset %d is cut short", m.at)
			}
			from, n := u64(m.data, 0), u64(m.data, 8)
			if seen[from] {
				return nil, g.refuse(name, "continuations of the header lead in a circle, to offset %d", from)
			}
			seen[from] = true
			if newer {
				all, err = g.continuation2(name, from, n, head[5], all)
			} else {
				all, err = g.block1(name, from, n, 0xffff, all)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// block1 adds at most so many messages of a block of version 1; empty ones are
// skipped, and not counted.
func (g *guard) block1(name string, at, n uint64, most int, all []message) ([]message, error) {
	block, err := g.cut(name, "a block of messages", at, n)
	if err != nil {
		return nil, err
	}
	for p, count := uint64(0), 0; count < most && p+8 <= n; {
		kind, size := u16(block[p:], 0), u16(block[p:], 2)
		if err := g.spend(&g.room, name, "a message", at+p, messageCost+2*size); err != nil {
			return nil, err
		}
		if size > n-p-8 {
			return nil, g.refuse(name, "a message at offset %d has %d bytes, its block ends at %d", at+p, size, at+n)
		}
		if size > 0 {
			all = append(all, message{kind, at + p, block[p+8 : p+8+size]})
			count++
		}
		p += 8 + (size+7)&^7
	}
	return all, nil
}

// header2 is the messages of the first block of a header of version 2.
func (g *guard) header2(name string, at uint64, flags byte) ([]message, error) {
	p := at + 6
	if flags&0x20 != 0 {
		p += 16 // times
	}
	if flags&0x10 != 0 {
		p += 4 // numbers of attributes
	}
	width := uint64(1) << (flags & 3)
	length, err := g.cut(name, "an object header", p, width)
	if err != nil {
		return nil, err
	}
	return g.block2(name, p+width, number(length), flags, nil)
}

// continuation2 adds the messages of a continuation block of version 2.
func (g *guard) continuation2(name string, at, n uint64, flags byte, all []message) ([]message, error) {
	block, err := g.cut(name, "a continuation block", at, n)
	if err != nil {
		return nil, err
	}
	if n < 8 || string(block[:4]) != "OCHK" {
		return nil, g.refuse(name, "no continuation block at offset %d", at)
	}
	return g.block2(name, at+4, n-8, flags, all)
}

// block2 adds the messages of a block of version 2. Like the reader it takes a last
// gap for a message, which may end beyond the block.
func (g *guard) block2(name string, at, n uint64, flags byte, all []message) ([]message, error) {
	if _, err := g.cut(name, "a block of messages", at, n); err != nil {
		return nil, err
	}
	own := uint64(4)
	if flags&4 != 0 {
		own = 6
	}
	for p, end := at, at+n; p < end; {
		head, err := g.cut(name, "a message", p, 6)
		if err != nil {
			return nil, err
		}
		size := u16(head, 1)
		if err := g.spend(&g.room, name, "a message", p, messageCost+2*size); err != nil {
			return nil, err
		}
		data, err := g.cut(name, "a message", p+own, size)
		if err != nil {
			return nil, err
		}
		if size > 0 {
			all = append(all, message{uint64(head[0]), p, data})
		}
		p += own + size
	}
	return all, nil
}

// attributeInfo refuses attributes in a fractal heap (IV.A.2.p). Its addresses are
// where the reader looks for them.
func (g *guard) attributeInfo(name string, m message) error {
	d, p := m.data, 2
	if len(d) >= 2 && d[1]&1 != 0 {
		p += 4
	}
	if len(d) < p+16 {
		return nil // ignored by the reader
	}
	if heap, tree := u64(d, p), u64(d, p+8); heap != 0 && (heap != nowhere || tree != nowhere) {
		return g.refuse(name, "attributes in a fractal heap at offset %d are not read", heap)
	}
	return nil
}

package keras

import "bytes"

const (
	entryCost = 256 // bytes of a link in the reader's memory
	nowhere   = ^uint64(0)
)

// link follows a link message (IV.A.2.g).
func (g *guard) link(name string, m message) error {
	d := m.data
	if len(d) < 2 || d[0] != 1 {
		return g.refuse(name, "the link at offset %d is not of version 1", m.at)
	}
	flags, kind, p, width := d[1], byte(0), 2, 1<<(d[1]&3)
	if flags&8 != 0 && len(d) > p {
		kind = d[p]
		p++
	}
	if flags&4 != 0 {
		p += 8 // order of creation
	}
	if flags&16 != 0 {
		p++ // character set
	}
	if len(d) < p+width {
		return g.refuse(name, "the link at offset %d is cut short", m.at)
	}
	length := number(d[p : p+width])
	p += width
	if length == 0 || length > uint64(len(d)-p) {
		return g.refuse(name, "the link at offset %d has a name of %d bytes", m.at, length)
	}
	child := string(d[p : p+int(length)])
	p += int(length)
	if kind != 0 {
		return nil // soft or external: not followed
	}
	if len(d) < p+8 {
		return g.refuse(name, "the link at offset %d is cut short", m.at)
	}
	return g.object(under(name, child), u64(d, p), table{})
}

func under(group, child string) string {
	if group == "/" {
		return child
	}
	return group + "/" + child
}

// linkInfo refuses links in a fractal heap (IV.A.2.c).
func (g *guard) linkInfo(name string, m message) error {
	d, p := m.data, 2
	if len(d) < p || d[0] != 0 || d[1]&^3 != 0 {
		return g.refuse(name, "the link information at offset %d is not of version 0", m.at)
	}
	if d[1]&1 != 0 {
		p += 8
	}
	if len(d) < p+16 {
		return g.refuse(name, "the link information at offset %d is cut short", m.at)
	}
	if heap, tree := u64(d, p), u64(d, p+8); heap != 0 && heap != nowhere && tree != 0 && tree != nowhere {
		return g.refuse(name, "links in a fractal heap at offset %d are not read", heap)
	}
	return nil
}

// symbols follows the links of a group in the old format: a B-tree (III.A.1) of
// symbol table nodes (III.B), whose entries (III.C) are named in a heap (III.D).
func (g *guard) symbols(name string, t table) error {
	if err := g.enter(name, t.tree); err != nil {
		return err
	}
	defer delete(g.open, t.tree)
	head, err := g.cut(name, "a local heap", t.heap, 32)
	if err != nil {
		return err
	}
	if string(head[:4]) != "HEAP" {
		return g.refuse(name, "no local heap at offset %d", t.heap)
	}
	names, err := g.cut(name, "names of links", u64(head, 24), u64(head, 8))
	if err != nil {
		return err
	}
	if err := g.spend(&g.room, name, "names of links", t.heap, uint64(len(names))); err != nil {
		return err
	}
	head, err = g.cut(name, "a B-tree", t.tree, 24)
	if err != nil {
		return err
	}
	if string(head[:5]) != "TREE\x00" {
		return g.refuse(name, "no B-tree of links at offset %d", t.tree)
	}
	if head[5] != 0 {
		return g.refuse(name, "so many links that their B-tree at offset %d has levels are not read", t.tree)
	}
	n := u16(head, 6)
	nodes, err := g.cut(name, "a B-tree's node", t.tree+24, 16*n+8)
	if err != nil {
		return err
	}
	for i := range int(n) {
		at := u64(nodes, 16*i+8)
		if at == 0 || at == nowhere {
			continue
		}
		if err := g.symbolNode(name, at, names); err != nil {
			return err
		}
	}
	return nil
}

func (g *guard) symbolNode(name string, at uint64, names []byte) error {
	head, err := g.cut(name, "a symbol table node", at, 8)
	if err != nil {
		return err
	}
	if string(head[:5]) != "SNOD\x01" {
		return g.refuse(name, "no symbol table node at offset %d", at)
	}
	n := u16(head, 6)
	entries, err := g.cut(name, "a symbol table node", at+8, 40*n)
	if err != nil {
		return err
	}
	if err := g.spend(&g.room, name, "a symbol table node", at, entryCost*n); err != nil {
		return err
	}
	for ; len(entries) > 0; entries = entries[40:] {
		var links table
		switch u32(entries, 16) {
		case 1:
			links = table{u64(entries, 24), u64(entries, 32)}
			if links.tree == 0 {
				links = table{}
			}
		case 2:
			continue // soft: not followed
		}
		from := u64(entries, 0)
		end := -1
		if from < uint64(len(names)) {
			end = bytes.IndexByte(names[from:], 0)
		}
		if end < 0 {
			return g.refuse(name, "a link of the node at offset %d has no name", at)
		}
		if err := g.object(under(name, string(names[from:from+uint64(end)])), u64(entries, 8), links); err != nil {
			return err
		}
	}
	return nil
}

package keras

// A guard between files and the HDF5 reader.
//
// The reader (github.com/scigolib/hdf5) believes what a file says of itself. It
// allocates a dataset by its dimensions before it looks for the data, descends into
// groups and B-trees wherever their addresses lead, and steps through a heap by
// sizes that may be negative. One byte changed in a file of 1 kB makes it allocate
// more than any machine has, or run until its stack is full; neither is a panic that
// recover could catch. A walk of our own over the same structure therefore comes
// first, and refuses the file where it leads out of itself or in circles, or where
// following it would take memory out of proportion.
//
// What is read, and at which offset, is what the reader reads, also where the format
// allows more: addresses and lengths of 64 bits in little endian, B-trees of groups
// with a single level, no links or attributes in fractal heaps. Where the reader
// skips what it does not understand, the guard may refuse it. Objects are followed
// through headers (check_header.go); datasets and the values of attributes are
// looked at when they are asked for (check_data.go, check_chunks.go).
//
// Format: HDF5 File Format Specification Version 3.0, the sections named below.
// Cost: the file is held in memory once; time and the reader's memory are charged to
// an account of 32 MiB and 64 bytes for each byte of the file (room).

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
)

const (
	maxNested   = 64       // objects and B-trees on the way from the root to any object
	spare       = 32 << 20 // bytes of room that a file of any size has
	roomPerByte = 64       // bytes of room for each byte of the file
	entryCost   = 256      // bytes of a link in the reader's memory
	nowhere     = ^uint64(0)
)

// guard checks one file.
type guard struct {
	path   string
	data   []byte
	room   uint64          // bytes that the reader may still be made to take
	unpack uint64          // bytes that chunks may still have when they are unpacked
	open   map[uint64]bool // objects and B-trees on the way to the one at hand
	root   uint64
	table  table // of the root, as the superblock has it
}

// table is a group's links in a B-tree, with their names in a local heap.
type table struct{ tree, heap uint64 }

// newGuard takes in a file.
//
// Errors: *FileError if it is no regular file, *fs.PathError.
func newGuard(path string) (*guard, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &FileError{Path: path, Detail: "not a regular file"}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	size := uint64(len(data))
	return &guard{
		path:   path,
		data:   data,
		room:   spare + roomPerByte*size,
		unpack: min(maxUnpacked, unpackedPerByte*size),
		open:   map[uint64]bool{},
	}, nil
}

func (g *guard) refuse(object, format string, args ...any) error {
	return &FileError{Path: g.path, Object: object, Detail: fmt.Sprintf(format, args...)}
}

// cut is n bytes of the file.
func (g *guard) cut(object, what string, at, n uint64) ([]byte, error) {
	if size := uint64(len(g.data)); at > size || n > size-at {
		return nil, g.refuse(object, "%s at offset %d has %d bytes, the file ends at %d", what, at, n, size)
	}
	return g.data[at : at+n], nil
}

// spend takes n bytes from an account, room or unpack.
func (g *guard) spend(account *uint64, object, what string, at, n uint64) error {
	if n > *account {
		return g.refuse(object, "%s at offset %d: out of proportion to a file of %d bytes", what, at, len(g.data))
	}
	*account -= n
	return nil
}

func u16(b []byte, at int) uint64 { return uint64(binary.LittleEndian.Uint16(b[at:])) }
func u32(b []byte, at int) uint64 { return uint64(binary.LittleEndian.Uint32(b[at:])) }
func u64(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

// product is false if it has more than 64 bits.
func product(factors ...uint64) (uint64, bool) {
	p := uint64(1)
	for _, f := range factors {
		high, low := bits.Mul64(p, f)
		if high != 0 {
			return 0, false
		}
		p = low
	}
	return p, true
}

// structure walks from the superblock (II.A) to all that links lead to.
func (g *guard) structure() error {
	d := g.data
	if len(d) < 48 || string(d[:8]) != "\x89HDF\r\n\x1a\n" {
		return g.refuse("", "not an HDF5 file, or cut short")
	}
	sizes := d[9:11]
	switch version := d[8]; version {
	case 0:
		if len(d) < 96 {
			return g.refuse("", "the superblock is cut short")
		}
		sizes = d[13:15]
		g.root, g.table = u64(d, 64), table{u64(d, 80), u64(d, 88)}
	case 2, 3:
		g.root = u64(d, 36)
	default:
		return g.refuse("", "superblock version %d, want 0, 2 or 3", version)
	}
	if sizes[0] != 8 || sizes[1] != 8 {
		return g.refuse("", "addresses of %d bytes and lengths of %d, want 8", sizes[0], sizes[1])
	}
	return g.object("/", g.root, table{})
}

// enter keeps objects from holding themselves.
func (g *guard) enter(name string, at uint64) error {
	if g.open[at] {
		return g.refuse(name, "links lead in a circle, to offset %d", at)
	}
	if len(g.open) >= maxNested {
		return g.refuse(name, "more than %d objects within each other, at offset %d", maxNested, at)
	}
	g.open[at] = true
	return nil
}

// object walks an object and what it links to. A table that is not zero is where
// the reader looks for its links, instead of in its header.
func (g *guard) object(name string, at uint64, links table) error {
	if err := g.enter(name, at); err != nil {
		return err
	}
	defer delete(g.open, at)
	// names are joined to paths, a few times over
	if err := g.spend(&g.room, name, "the object", at, entryCost+4*uint64(len(name))); err != nil {
		return err
	}
	header, err := g.header(name, at)
	if err != nil {
		return err
	}
	if links != (table{}) {
		return g.symbols(name, links)
	}
	inHeader := false
	for _, m := range header {
		switch m.kind {
		case kindLink:
			inHeader = true
			err = g.link(name, m)
		case kindLinkInfo:
			err = g.linkInfo(name, m)
		case kindSymbolTable:
			if len(m.data) >= 16 {
				links = table{u64(m.data, 0), u64(m.data, 8)}
			}
		}
		if err != nil {
			return err
		}
	}
	if links == (table{}) && at == g.root && g.table.tree != 0 && g.table.heap != 0 {
		links = g.table
	}
	if inHeader || links == (table{}) {
		return nil
	}
	return g.symbols(name, links)
}

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
	var number [8]byte
	copy(number[:], d[p:p+width])
	length := u64(number[:], 0)
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

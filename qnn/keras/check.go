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
// through headers (check_header.go) and links (check_links.go); datasets and the
// values of attributes are looked at when they are asked for (check_data.go,
// check_chunks.go).
//
// Format: HDF5 File Format Specification Version 3.0, the sections named below.
// Cost: the file is held in memory once. What the reader is made to allocate, and so
// its time, is charged to an account of 32 MiB and 64 bytes for each byte of the file
// (room); it allocates a small multiple of that in turn, as it reads a header up to
// three times. Chunks have an account of their own (unpack).

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
)

const (
	maxNested   = 64       // objects and B-trees on the way from the root to any object
	spare       = 32 << 20 // bytes of room that a file of any size has
	roomPerByte = 64       // bytes of room for each byte of the file
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

// number is of at most 64 bits.
func number(b []byte) uint64 {
	var wide [8]byte
	copy(wide[:], b)
	return u64(wide[:], 0)
}

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

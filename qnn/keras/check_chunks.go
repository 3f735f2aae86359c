package keras

import (
	"bytes"
	"compress/zlib"
	"io"
)

// Chunks, and what they hold when they are unpacked. Deflate makes at most 1032
// bytes of one, once for the dataset and once for its chunks.
const (
	maxUnpacked     = 1 << 30 // bytes
	unpackedPerByte = 2 * 1032
	chunkCost       = 1 << 15 // bytes that unpacking a chunk takes
)

// Filters (IV.A.2.l).
const (
	filterDeflate  = 1
	filterShuffle  = 2
	filterChecksum = 3
	filterLZF      = 32000
)

// chunks is a dataset in chunks.
type chunks struct {
	dims   []uint64 // of the dataset
	width  uint64   // bytes of a number
	total  uint64   // bytes of the dataset
	shape  []uint64 // of a chunk, the last its numbers' bytes
	bytes  uint64   // of a chunk
	packed []filter // in the order of writing
	next   uint64   // number of the chunk that comes next, in row-major order
}

type filter struct {
	id     uint64
	length uint64 // of an LZF filter: bytes of a chunk, or 0
}

// chunked checks a dataset's layout message (IV.A.2.i) of version 3, and its chunks.
func (g *guard) chunked(name string, at uint64, c *chunks, layout, filters []byte) error {
	rank := int(layout[2])
	if layout[0] != 3 || rank != len(c.dims)+1 || len(layout) < 11+4*rank {
		return g.refuse(name, "the layout of the dataset at offset %d is not that of chunks of %d dimensions", at, len(c.dims))
	}
	for i := range rank {
		c.shape = append(c.shape, u32(layout, 11+4*i))
	}
	var ok bool
	c.bytes, ok = product(c.shape...)
	if !ok || c.bytes == 0 || c.shape[rank-1] != c.width {
		return g.refuse(name, "chunks of shape %v, the dataset's numbers have %d bytes", c.shape, c.width)
	}
	if err := g.spend(&g.unpack, name, "the dataset", at, c.total); err != nil {
		return err
	}
	if c.total == 0 {
		return nil // nothing is read
	}
	if filters != nil {
		if err := g.filters(name, at, c, filters); err != nil {
			return err
		}
	}
	if err := g.chunkNode(name, c, u64(layout, 3), -1); err != nil {
		return err
	}
	count := uint64(1) // at most the dataset's numbers
	for i, n := range c.dims {
		count *= (n-1)/c.shape[i] + 1
	}
	if c.next != count {
		return g.refuse(name, "%d chunks of %d are there", c.next, count)
	}
	return nil
}

// filters is the pipeline of a filter message: at most one that packs, after
// shuffling.
func (g *guard) filters(name string, at uint64, c *chunks, d []byte) error {
	cut := g.refuse(name, "the filters in the header at offset %d are cut short", at)
	if len(d) < 2 || d[0] != 1 && d[0] != 2 {
		return g.refuse(name, "no filters in the header at offset %d", at)
	}
	p, seen := 2, map[uint64]bool{}
	if d[0] == 1 {
		p = 8
	}
	for range d[1] {
		if p+8 > len(d) {
			return cut
		}
		f := filter{id: u16(d, p)}
		p += 2
		label := 0
		if d[0] == 1 {
			label = (int(u16(d, p)) + 7) &^ 7
			p += 2
		}
		values := int(u16(d, p+2))
		p += 4 + label
		if p+4*values > len(d) {
			return cut
		}
		if f.id == filterLZF && values > 2 {
			f.length = u32(d, p+8)
		}
		p += 4 * values
		if d[0] == 1 && values%2 != 0 {
			p += 4
		}
		packs := f.id == filterDeflate || f.id == filterLZF
		afterPacking := seen[filterDeflate] || seen[filterLZF]
		known := packs || f.id == filterShuffle || f.id == filterChecksum
		if !known || seen[f.id] || afterPacking && f.id != filterChecksum {
			return g.refuse(name, "filter %d of the dataset at offset %d is not read, or not there", f.id, at)
		}
		seen[f.id] = true
		c.packed = append(c.packed, f)
	}
	return nil
}

// chunkNode walks the B-tree of chunks (III.A.1), whose levels count down to 0.
func (g *guard) chunkNode(name string, c *chunks, at uint64, level int) error {
	head, err := g.cut(name, "a B-tree of chunks", at, 24)
	if err != nil {
		return err
	}
	if string(head[:5]) != "TREE\x01" || level >= 0 && int(head[5]) != level {
		return g.refuse(name, "no B-tree of chunks, or another level of it, at offset %d", at)
	}
	level = int(head[5])
	n, key := u16(head, 6), 8+8*len(c.shape)
	node, err := g.cut(name, "a B-tree of chunks", at+24, n*uint64(key+8)+uint64(key))
	if err != nil {
		return err
	}
	if err := g.spend(&g.room, name, "a B-tree of chunks", at, entryCost+n*entryCost+2*uint64(len(node))); err != nil {
		return err
	}
	for ; n > 0; n, node = n-1, node[key+8:] {
		child := u64(node, key)
		if level > 0 {
			err = g.chunkNode(name, c, child, level-1)
		} else {
			err = g.chunk(name, c, child, node[:key])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// chunk checks that a chunk is the next one of the dataset, lies in the file, and does
// not unpack to more than its size. The reader would leave zeros where one is missing.
func (g *guard) chunk(name string, c *chunks, at uint64, key []byte) error {
	number := uint64(0)
	for i, n := range c.shape {
		offset, end := u64(key, 8+8*i), uint64(1) // bytes of a number are not split
		if i < len(c.dims) {
			end = c.dims[i]
		}
		if offset%n != 0 || offset >= end {
			return g.refuse(name, "the chunk at offset %d is not in the dataset", at)
		}
		number = number*((end-1)/n+1) + offset/n
	}
	if number != c.next {
		return g.refuse(name, "the chunk at offset %d is number %d where %d is next", at, number, c.next)
	}
	c.next++
	data, err := g.cut(name, "a chunk", at, u32(key, 0))
	if err != nil {
		return err
	}
	if err := g.spend(&g.unpack, name, "a chunk", at, c.bytes); err != nil {
		return err
	}
	if err := g.spend(&g.room, name, "a chunk", at, uint64(len(data))); err != nil {
		return err
	}
	most := c.bytes + 4 // with a checksum
	for i := len(c.packed) - 1; i >= 0; i-- {
		f := c.packed[i]
		size := uint64(len(data))
		switch f.id {
		case filterChecksum:
			data = data[:max(len(data)-4, 0)]
			continue
		case filterShuffle:
			continue
		case filterLZF:
			if size != f.length || size == 0 {
				size = max(lzfLength(data), f.length)
			}
		case filterDeflate:
			if err := g.spend(&g.room, name, "a chunk", at, chunkCost); err != nil {
				return err
			}
			if size, err = inflated(data, most); err != nil {
				return &FileError{Path: g.path, Object: name, Detail: "a chunk cannot be inflated", Err: err}
			}
		}
		if size > most {
			return g.refuse(name, "the chunk at offset %d unpacks to more than its %d bytes", at, c.bytes)
		}
		return nil // what was packed first needs no more room
	}
	if uint64(len(data)) > most {
		return g.refuse(name, "the chunk at offset %d has more than its %d bytes", at, c.bytes)
	}
	return nil
}

// inflated is the bytes that data unpack to, or most+1.
func inflated(data []byte, most uint64) (uint64, error) {
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(r, int64(most)+1))
	return uint64(n), err
}

// lzfLength is the bytes that LZF-packed data unpack to: runs of bytes as they are,
// and repetitions.
func lzfLength(data []byte) uint64 {
	n := uint64(0)
	for p := 0; p < len(data); {
		run := uint64(data[p] >> 5)
		switch {
		case run == 0:
			n += uint64(data[p]) + 1
			p += int(data[p]) + 2
		case run < 7:
			n += run + 2
			p += 2
		default:
			if p+2 < len(data) {
				n += uint64(data[p+2])
			}
			n += 9
			p += 3
		}
	}
	return n
}

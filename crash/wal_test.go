package crash

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// walFile is a log of the engine, read here by hand, so that the tests know which
// bytes hold what was acknowledged. Its form, from the manual of Pebble: blocks of
// 32 KiB, and in them chunks
//
//	checksum 4 | length 2 | kind 1 | log number 4 | payload
//
// of the kinds 5 to 8, or, in a log that is not the first of its store, of the kinds
// 9 to 12 with 8 bytes more before the payload. They are a whole record, or the
// first, middle and last part of one. A chunk does not cross the end of a block.
type walFile struct {
	path    string
	data    []byte
	records []walRecord
	end     int // of the last record that is whole
}

type walRecord struct {
	start, end int
	payload    []byte
}

const (
	walBlock      = 32 << 10
	walHeader     = 11
	walLongHeader = 19
)

// newestLog reads the log with the highest number, the one that was being written.
func newestLog(t *testing.T, data string) *walFile {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(data, "store", "*.log"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("found the logs %v, %v", paths, err)
	}
	w := &walFile{path: slices.Max(paths)} // the numbers have leading zeros
	if w.data, err = os.ReadFile(w.path); err != nil {
		t.Fatal(err)
	}
	var number uint32
	if _, err := fmt.Sscanf(filepath.Base(w.path), "%d.log", &number); err != nil {
		t.Fatal(err)
	}
	w.parse(number)
	if len(w.records) == 0 && len(bytes.Trim(w.data, "\x00")) > 0 {
		t.Fatalf("found no record in the %d bytes of %s", len(w.data), w.path)
	}
	return w
}

func (w *walFile) parse(number uint32) {
	var open walRecord
	for at := 0; ; {
		kind, payload, length := chunkAt(w.data, at, number)
		if rest := walBlock - at%walBlock; length == 0 && rest < walLongHeader {
			at += rest // too short for a chunk
			kind, payload, length = chunkAt(w.data, at, number)
		}
		if length == 0 {
			return
		}
		if kind == whole || kind == first {
			open = walRecord{start: at}
		}
		at += length
		open.payload = append(open.payload, payload...)
		if kind == whole || kind == last {
			open.end, w.end = at, at
			w.records = append(w.records, open)
		}
	}
}

// chunkKind is the part of a record that a chunk is.
type chunkKind byte

const (
	whole chunkKind = iota
	first
	middle
	last
)

// chunkAt returns the chunk that begins at an offset; its length is 0 if there is no
// valid one.
func chunkAt(data []byte, at int, number uint32) (kind chunkKind, payload []byte, length int) {
	if at+walHeader > len(data) {
		return 0, nil, 0
	}
	h, header := data[at:], walHeader
	if h[6] >= 9 {
		header = walLongHeader
	}
	length = header + int(binary.LittleEndian.Uint16(h[4:]))
	if h[6] < 5 || h[6] > 12 || binary.LittleEndian.Uint32(h[7:]) != number || length > len(h) {
		return 0, nil, 0
	}
	sum := crc32.Checksum(h[6:length], crc32.MakeTable(crc32.Castagnoli))
	if binary.LittleEndian.Uint32(h) != (sum>>15|sum<<17)+0xa282ead8 {
		return 0, nil, 0
	}
	return chunkKind(h[6]-1) % 4, h[header:length], length
}

// holds reports whether a record names any of names.
func (r *walRecord) holds(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return bytes.Contains(r.payload, []byte(name)) })
}

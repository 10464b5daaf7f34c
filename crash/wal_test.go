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
//	checksum 4 | length 2 | type 1 | log number 4 | synced offset 8 | payload
//
// of which the types 9 to 12 are a whole record, and the first, middle and last part
// of one. A chunk does not cross the end of a block.
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
	walBlock  = 32 << 10
	walHeader = 19

	walWhole, walFirst, walLast = 9, 10, 12
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
		if walBlock-at%walBlock < walHeader {
			at += walBlock - at%walBlock
		}
		kind, payload, ok := chunkAt(w.data, at, number)
		if !ok {
			return
		}
		if kind == walWhole || kind == walFirst {
			open = walRecord{start: at}
		}
		at += walHeader + len(payload)
		open.payload = append(open.payload, payload...)
		if kind == walWhole || kind == walLast {
			open.end, w.end = at, at
			w.records = append(w.records, open)
		}
	}
}

// chunkAt returns the chunk that begins at an offset, if there is a valid one.
func chunkAt(data []byte, at int, number uint32) (kind byte, payload []byte, ok bool) {
	if at+walHeader > len(data) {
		return 0, nil, false
	}
	h := data[at:]
	end := at + walHeader + int(binary.LittleEndian.Uint16(h[4:]))
	if kind = h[6]; kind < walWhole || kind > walLast || binary.LittleEndian.Uint32(h[7:]) != number || end > len(data) {
		return 0, nil, false
	}
	sum := crc32.Checksum(data[at+6:end], crc32.MakeTable(crc32.Castagnoli))
	if binary.LittleEndian.Uint32(h) != (sum>>15|sum<<17)+0xa282ead8 {
		return 0, nil, false
	}
	return kind, data[at+walHeader : end], true
}

// holds reports whether a record names any of names.
func (r *walRecord) holds(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return bytes.Contains(r.payload, []byte(name)) })
}

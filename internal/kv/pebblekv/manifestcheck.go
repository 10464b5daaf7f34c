package pebblekv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	iofs "io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The form of a MANIFEST: blocks and records as in a log, with shorter headers.
//
//	checksum 4 | length 2 | kind 1 | payload
//
// A record is one chunk of kind 1 or several, of which the first has kind 2. Each is
// on the disk before the next one is begun.
const (
	editHeader = 7
	editWhole  = 1
	editFirst  = 2
	editLast   = 4

	// sector is what a disk writes as a whole.
	sector = 512
)

// checkManifest looks for damage in the MANIFEST, the list of the tables that are the
// store. Pebble 2.1.7 takes the first chunk that is not valid for the end of the list
// (cockroachdb/pebble#4560), and then deletes the tables that it has not read of: one
// bit can cost everything, in silence. Only a record that was torn by a crash may be
// taken for the end, and that shows: it is cut short, or zero from the end of a sector
// on, and nothing follows.
func checkManifest(fs vfs.FS, dir string) error {
	known, err := pebble.Peek(dir, fs)
	if errors.Is(err, iofs.ErrNotExist) || err == nil && !known.Exists {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for the manifest: %w", err)
	}
	file, err := fs.Open(known.ManifestFilename)
	if err != nil {
		return fmt.Errorf("checking the manifest: %w", err)
	}
	list, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("checking the manifest: %w", err)
	}
	if at := damagedEdit(list); at >= 0 {
		return fmt.Errorf("%w: %s was changed at byte %d; restore a backup", ErrDamaged, fs.PathBase(known.ManifestFilename), at)
	}
	return nil
}

// damagedEdit returns where a manifest is damaged, negative where it is not.
func damagedEdit(list []byte) int {
	bad := invalidEdit(list)
	if bad < 0 || tornEdit(list, bad) && !editFollows(list, bad) {
		return -1
	}
	return bad
}

// invalidEdit returns where the first chunk begins that is not valid.
func invalidEdit(list []byte) int {
	for at := 0; at < len(list); {
		rest := logBlock - at%logBlock
		n := edit(list[at:min(len(list), at+rest)])
		switch {
		case n > 0:
			at += n
		case rest < editHeader:
			at += rest // what is left of a block is not used
		default:
			return at
		}
	}
	return -1
}

// tornEdit reports whether what begins at an offset can be a record that was not
// written to its end.
func tornEdit(list []byte, at int) bool {
	rest := list[at:]
	zeros := len(list) - len(bytes.TrimRight(rest, "\x00")) - at // the last bytes of the file
	if zeros == len(rest) {
		return true
	}
	if n := editLength(rest); n == 0 || n > len(rest) {
		return len(rest) < editHeader || !editSumFits(rest) // else it is the length that was changed
	}
	begin := len(list) - zeros // of the zeros
	return (begin+sector-1)/sector*sector < len(list)
}

// editFollows reports whether a valid record begins somewhere after an offset.
func editFollows(list []byte, at int) bool {
	for at++; at+editHeader <= len(list); at++ {
		kind := list[at+logKind]
		if (kind == editWhole || kind == editFirst) && edit(list[at:min(len(list), at+logBlock-at%logBlock)]) > 0 {
			return true
		}
	}
	return false
}

// edit returns the length of the valid chunk at the start of b, 0 if there is none.
func edit(b []byte) int {
	n := editLength(b)
	if n == 0 || n > len(b) || b[logKind] < editWhole || b[logKind] > editLast || !editSumFits(b[:n]) {
		return 0
	}
	return n
}

// editLength returns how long the chunk at the start of b says that it is, 0 if it
// does not say.
func editLength(b []byte) int {
	if len(b) < editHeader {
		return 0
	}
	return editHeader + int(binary.LittleEndian.Uint16(b[4:]))
}

// editSumFits reports whether b is a chunk with the checksum of all that it holds.
func editSumFits(b []byte) bool {
	sum := crc32.Checksum(b[logKind:], crc32.MakeTable(crc32.Castagnoli))
	return binary.LittleEndian.Uint32(b) == (sum>>15|sum<<17)+0xa282ead8
}

package pebblekv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	iofs "io/fs"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ErrDamaged wraps the error of Open if a file was changed that holds something that
// was committed. Going on without it would be a loss in silence.
var ErrDamaged = errors.New("pebblekv: the store is damaged")

// The form of a log: blocks of 32 KiB, and in them chunks, none of which crosses the
// end of a block.
//
//	checksum 4 | length 2 | kind 1 | log number 4 | for kinds from 9 on 8 more | payload
//
// A record is one chunk (kinds 5 and 9) or several, of which the first has kind 6 or
// 10. A log that was closed ends with a header without checksum and length and with
// the number of the next log.
const (
	logBlock  = 32 << 10
	logKind   = 6  // offset in a header
	logNumber = 7  // offset in a header
	logHeader = 11 // length of a header, up to kind 8
	logLonger = 19 // length of a header, from kind 9 on

	kindWhole       = 5
	kindFirst       = 6
	kindWholeLonger = 9
	kindFirstLonger = 10
	kindLastLonger  = 12
)

// checkLog looks for damage in the newest log. Pebble replays that up to the first
// chunk that is not valid, because a crash may have torn a write there that nobody was
// told of. In doubt it drops the rest in silence, and in 2.1.7 it is in doubt more
// often than not. But the committer begins a record only when the one before is on
// the disk: so a valid record that begins after the damage proves that it was no torn
// write, and so does the end of a log that was closed. Only for damage to the very
// last record before a crash there is no proof.
//
// Older logs are not looked at: Pebble demands of them that they end well.
func checkLog(fs vfs.FS, dir string) error {
	name, number, err := newestLog(fs, dir)
	if name == "" || err != nil {
		return err
	}
	file, err := fs.Open(fs.PathJoin(dir, name))
	if err != nil {
		return fmt.Errorf("checking the log: %w", err)
	}
	c := logChecker{number: number, table: crc32.MakeTable(crc32.Castagnoli), bad: -1}
	if err := errors.Join(c.read(file), file.Close()); err != nil {
		return fmt.Errorf("checking the log: %w", err)
	}
	if c.proven {
		return fmt.Errorf("%w: %s was changed at byte %d, and what follows proves that it was whole; restore a backup", ErrDamaged, name, c.bad)
	}
	return nil
}

// newestLog returns the log with the highest number and the low half of that, which
// its chunks repeat; "" if there is none.
func newestLog(fs vfs.FS, dir string) (name string, number uint32, err error) {
	names, err := fs.List(dir)
	if errors.Is(err, iofs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("looking for the log: %w", err)
	}
	var newest uint64
	for _, candidate := range names {
		digits, isLog := strings.CutSuffix(candidate, ".log")
		n, err := strconv.ParseUint(digits, 10, 64)
		if isLog && err == nil && n >= newest {
			name, newest = candidate, n
		}
	}
	return name, uint32(newest), nil
}

// logChecker is one pass over a log.
type logChecker struct {
	number uint32
	table  *crc32.Table
	bad    int64 // where the first chunk is not valid; negative while all are
	proven bool  // it was valid once
	closed bool  // the log ends as it should
}

func (c *logChecker) read(r io.Reader) error {
	block := make([]byte, logBlock)
	for base := int64(0); !c.proven && !c.closed; base += logBlock {
		n, err := io.ReadFull(r, block)
		c.block(block[:n], base)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// block walks from chunk to chunk up to one that is not valid. From there on it looks
// at every byte for one that proves something.
func (c *logChecker) block(b []byte, base int64) {
	at := 0
	for c.bad < 0 && at+logHeader <= len(b) {
		if c.closed = c.isEnd(b[at:]); c.closed {
			return
		}
		n := c.chunk(b[at:])
		if n == 0 && at+logLonger > logBlock {
			return // what is left of a block is not used
		}
		if n == 0 {
			c.bad = base + int64(at)
		}
		at += n
	}
	for ; c.bad >= 0 && at+logHeader <= len(b) && !c.proven; at++ {
		c.proven = c.isEnd(b[at:]) || c.begins(b[at:])
	}
}

// isEnd reports whether the log was closed where b begins.
func (c *logChecker) isEnd(b []byte) bool {
	return b[logKind] == kindWhole && binary.LittleEndian.Uint32(b[logNumber:]) == c.number+1 && binary.LittleEndian.Uint32(b) == 0
}

// begins reports whether a valid record begins with b.
func (c *logChecker) begins(b []byte) bool {
	switch b[logKind] {
	case kindWhole, kindFirst, kindWholeLonger, kindFirstLonger:
		return c.chunk(b) > 0
	default:
		return false
	}
}

// chunk returns the length of the valid chunk of this log at the start of b, 0 if
// there is none.
func (c *logChecker) chunk(b []byte) int {
	kind, header := b[logKind], logHeader
	if kind >= kindWholeLonger {
		header = logLonger
	}
	n := header + int(binary.LittleEndian.Uint16(b[4:]))
	if kind < kindWhole || kind > kindLastLonger || n > len(b) || binary.LittleEndian.Uint32(b[logNumber:]) != c.number {
		return 0
	}
	sum := crc32.Checksum(b[logKind:n], c.table)
	if binary.LittleEndian.Uint32(b) != (sum>>15|sum<<17)+0xa282ead8 {
		return 0
	}
	return n
}

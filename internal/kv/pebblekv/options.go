package pebblekv

import (
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options are the choices of Open. The zero Options are the defaults.
type Options struct {
	// CacheBytes bounds the cache of data blocks. 0 means 64 MiB. Memory is taken
	// as blocks are read, not at once.
	CacheBytes int64

	// MemTableBytes is how much is written before it is sorted into a table. 0
	// means 16 MiB. The first table in memory is 256 KiB and they double up to this
	// size, so an idle store stays small. Up to four can exist at once under load.
	MemTableBytes int64

	// MinFreeBytes is the free space below which Update is refused with ErrNoSpace,
	// because running out of space in the middle of a write costs the whole store.
	// 0 means 64 MiB, a negative number means no such check.
	MinFreeBytes int64

	// Logger gets what an operator must know: background errors, corruption, write
	// stalls. nil drops it.
	Logger *slog.Logger

	// FS replaces the file system of the process, for tests.
	FS vfs.FS
}

func (o Options) withDefaults() Options {
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = 16 << 20
	}
	if o.MinFreeBytes == 0 {
		o.MinFreeBytes = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	return o
}

// pebble returns the settings of the database. The log is synced as soon as it is
// asked for (no WALMinSyncInterval: the committer groups commits itself) and its
// files are recycled, because overwriting a file syncs faster than growing one.
func (o Options) pebble(fs vfs.FS) *pebble.Options {
	p := &pebble.Options{
		FS:        fs,
		CacheSize: o.CacheBytes,
		// Naming the format, instead of taking the newest, makes an upgrade of the
		// files on disk a decision: an older binary cannot read them afterwards.
		FormatMajorVersion:          pebble.FormatValueSeparation,
		MemTableSize:                uint64(o.MemTableBytes),
		MemTableStopWritesThreshold: 4,
		Logger:                      newPebbleLogger(o.Logger),
		EventListener:               newListener(o.Logger),
	}
	// Values are ciphertext and do not compress.
	p.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return p
}

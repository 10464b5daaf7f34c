package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"coffer/internal/kv"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// verifyCache is small: what Verify reads must come from the disk.
const verifyCache = 1 << 20

// scratchDir is where Verify puts its checkpoint. Pebble ignores the name.
func scratchDir(fs vfs.FS, dir string) string {
	return fs.PathJoin(dir, "verify")
}

// Verify reads the whole store from disk and returns an error that names the first
// damage: every block of every table against its checksum, the log, the order of keys
// within and between the levels, and every item against the limits of the port.
// It works on a checkpoint, so reads and writes go on and the block cache cannot
// hide what has become of the files. It needs no space but that of the log. ctx is
// looked at between tables and while items are read; Close waits.
func (s *Store) Verify(ctx context.Context) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	s.verifying.Lock()
	defer s.verifying.Unlock()
	if err := checkManifest(s.fs, s.dir); err != nil {
		return err
	}
	dir := scratchDir(s.fs, s.dir)
	if err := s.fs.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing an old scratch checkpoint: %w", err)
	}
	if err := s.checkpoint(dir); err != nil {
		return fmt.Errorf("writing a scratch checkpoint: %w", err)
	}
	err := verifyDir(ctx, s.fs, dir)
	if removing := s.fs.RemoveAll(dir); removing != nil {
		removing = fmt.Errorf("removing the scratch checkpoint: %w", removing)
		return errors.Join(err, removing)
	}
	return err
}

// verifyDir checks a store that nobody has open.
func verifyDir(ctx context.Context, fs vfs.FS, dir string) (err error) {
	opts := Options{CacheBytes: verifyCache, Logger: slog.New(slog.DiscardHandler)}.withDefaults().pebble(fs)
	opts.ReadOnly = true
	opts.EnsureDefaults() // the readers of tables need the filters and the schema
	if err := verifyTables(ctx, fs, dir, opts); err != nil {
		return err
	}
	if err := checkLog(fs, dir); err != nil {
		return err
	}
	db, err := pebble.Open(dir, opts)
	if err != nil {
		return fmt.Errorf("opening the checkpoint: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.CheckLevels(nil); err != nil {
		return fmt.Errorf("checking the order of levels: %w", err)
	}
	return verifyItems(ctx, db)
}

// verifyTables reads every block of every table.
func verifyTables(ctx context.Context, fs vfs.FS, dir string, opts *pebble.Options) error {
	names, err := fs.List(dir)
	if err != nil {
		return fmt.Errorf("listing the checkpoint: %w", err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".sst") {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := verifyTable(ctx, fs, fs.PathJoin(dir, name), opts); err != nil {
			return fmt.Errorf("checking table %s: %w", name, err)
		}
	}
	return nil
}

func verifyTable(ctx context.Context, fs vfs.FS, path string, opts *pebble.Options) error {
	file, err := fs.Open(path)
	if err != nil {
		return err
	}
	readable, err := sstable.NewSimpleReadable(file)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	r, err := sstable.NewReader(ctx, readable, opts.MakeReaderOptions())
	if err != nil {
		return errors.Join(err, readable.Close())
	}
	return errors.Join(r.ValidateBlockChecksums(), r.Close())
}

// verifyItems reads every item as a reader of the store would see it.
func verifyItems(ctx context.Context, db *pebble.DB) (err error) {
	items, err := db.NewIter(nil)
	if err != nil {
		return fmt.Errorf("reading the items: %w", err)
	}
	defer func() { err = errors.Join(err, items.Close()) }()
	seen := 0
	for ok := items.First(); ok; ok = items.Next() {
		if seen++; seen%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := kv.CheckPut(items.Key(), items.Value()); err != nil {
			return fmt.Errorf("item %d: %w", seen, err)
		}
	}
	return nil
}

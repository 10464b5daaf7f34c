package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"coffer/internal/kv/pebblekv"
	"coffer/internal/store"
)

// Offline is the store of a stopped server, for checks and repairs. It needs no root
// key, because it opens no value.
type Offline struct {
	db    *pebblekv.Store
	store *store.Store
}

// OpenOffline opens the store in the data directory dir, which must exist and not be
// in use.
func OpenOffline(ctx context.Context, dir string) (*Offline, error) {
	path := storeDir(dir)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the store: %s is no data directory of a Coffer server: %w", dir, err)
	}
	db, err := pebblekv.Open(path, pebblekv.Options{})
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, db, store.Options{})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Offline{db: db, store: st}, nil
}

// storeDir is the folder of the engine in a data directory.
func storeDir(data string) string { return filepath.Join(data, "store") }

// Verify checks the blocks of the engine, then the records and what is derived from
// them, and returns what is wrong.
func (o *Offline) Verify(ctx context.Context) ([]string, error) {
	if err := o.db.Verify(ctx); err != nil {
		return nil, fmt.Errorf("checking the engine: %w", err)
	}
	findings, err := o.store.Verify(ctx)
	lines := make([]string, 0, len(findings))
	for _, f := range findings {
		lines = append(lines, fmt.Sprint(f))
	}
	return lines, err
}

// Reindex makes index rows and counters anew, and returns how many were mended.
func (o *Offline) Reindex(ctx context.Context) (int, error) { return o.store.Reindex(ctx) }

// Dump prints every record as a line of JSON.
func (o *Offline) Dump(ctx context.Context, w io.Writer) error { return o.store.Dump(ctx, w) }

// Checkpoint copies the store into dir, which must not exist.
func (o *Offline) Checkpoint(dir string) error { return o.db.Checkpoint(dir) }

// Close releases the store.
func (o *Offline) Close() error { return o.db.Close() }

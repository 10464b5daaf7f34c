package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"coffer/internal/kv/pebblekv"
	"coffer/internal/service/identity"
	"coffer/internal/store"
)

// Offline is the store of a stopped server, for checks and repairs. It needs no root
// key but for ResetOwner, because it opens no value.
type Offline struct {
	config Config
	db     *pebblekv.Store
	store  *store.Store
}

// OpenOffline opens the store in the data directory of c, which must exist and not
// be in use.
func OpenOffline(ctx context.Context, c Config) (*Offline, error) {
	path := storeDir(c.Data)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the store: %s is no data directory of a Coffer server: %w", c.Data, err)
	}
	db, err := pebblekv.Open(path, pebblekv.Options{})
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, db, store.Options{})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Offline{config: c, db: db, store: st}, nil
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

// Checkpoint copies the store into the new directory dir, which becomes a data
// directory without a root key.
func (o *Offline) Checkpoint(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of the copy: %w", err)
	}
	if err := o.db.Checkpoint(storeDir(dir)); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	return nil
}

// Close releases the store.
func (o *Offline) Close() error { return o.db.Close() }

// Owner is the account owner with new credentials.
type Owner struct {
	User      string `json:"user"`
	Password  string `json:"password"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// String keeps the credentials out of whatever prints the owner.
func (o Owner) String() string { return "account owner " + o.User }

// ResetOwner gives the account owner a new password and a new access key, and voids
// the old ones with his tokens. It takes the root key, from where the configuration
// says.
func (o *Offline) ResetOwner(ctx context.Context) (Owner, error) {
	now := (&Clock{}).Now
	kms, err := o.config.openKMS(ctx, o.store, now)
	if err != nil {
		return Owner{}, err
	}
	ids := identity.New(o.store, kms.IdentityBox(), identity.Options{Now: now, Rand: rand.Reader, Region: o.config.Region})
	b, err := ids.ResetOwner(ctx, o.config.Domain)
	if err != nil {
		return Owner{}, fmt.Errorf("resetting the account owner: %w", err)
	}
	return Owner{User: b.UserName, Password: b.Password, AccessKey: b.AccessKey, SecretKey: b.SecretKey}, nil
}

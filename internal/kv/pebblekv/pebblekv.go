// Package pebblekv is the embedded engine of the storage port: Pebble, a log
// structured merge tree, behind one committer.
//
// The rule that keeps it honest: nobody learns of a write before it is durable,
// and whoever is told "committed" finds it after a crash.
//
//	Update: run fn on the published snapshot, note which keys it read
//	   |                                       (many goroutines at once)
//	   v
//	committer: validate in order -> one Pebble batch -> one sync -> publish -> answer
//	   |            |                  (one goroutine, a batch at a time)
//	   |            conflict: fn runs again, now with nobody beside it
//	   v
//	View: reads the published snapshot
//
// A transaction is validated by the numbers of the commits that last touched what
// it read (see stamps), so validation costs a few array reads whatever the size
// of the store. One that fails is run again inside its batch, where nothing can
// overtake it: fn runs twice at most and nobody starves.
//
// Pebble shows a batch to its readers before the log is synced. All readers here
// therefore read a Pebble snapshot which the committer takes after the sync and
// publishes by swapping a pointer (see published). What fails, fails as a whole:
// after a failed sync the store takes no more writes until it is opened again.
package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"coffer/internal/kv"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Errors of this engine. All of them mean that nothing was written.
var (
	// ErrInUse wraps the error of Open if another process, or another Store of this
	// one, has the directory open.
	ErrInUse = errors.New("pebblekv: directory is in use")

	// ErrFailed wraps the error of every Update after a write to the log has
	// failed. Reads go on; writes need the store to be opened again.
	ErrFailed = errors.New("pebblekv: the store has failed and takes no more writes")

	// ErrNoSpace wraps the error of an Update while the disk has less than
	// Options.MinFreeBytes left.
	ErrNoSpace = errors.New("pebblekv: the disk is almost full")

	errDead = errors.New("pebblekv: used after its function returned")
)

// Store is a kv.Store in one directory. It is safe for concurrent use.
type Store struct {
	dir       string
	fs        vfs.FS
	log       *slog.Logger
	db        *pebble.DB
	gate      kv.Gate
	published *published
	committer *committer
	verifying sync.Mutex // held while the scratch checkpoint of Verify exists
}

// Open opens the store in dir and creates it, with mode 0700 and synced parents,
// if there is none. It replays the log of a store that was not closed. An error
// that wraps ErrInUse means that dir is open elsewhere, one that wraps ErrDamaged
// that a part of the log is lost.
func Open(dir string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	fs := guardedFS{opts.FS}
	if err := errors.Join(checkManifest(fs, dir), checkLog(fs, dir)); err != nil {
		return nil, fmt.Errorf("opening %s: %w", dir, err)
	}
	db, err := pebble.Open(dir, opts.pebble(fs))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", dir, err)
	}
	if err := fs.RemoveAll(scratchDir(fs, dir)); err != nil {
		return nil, errors.Join(fmt.Errorf("removing what an interrupted Verify left in %s: %w", dir, err), db.Close())
	}
	warnIfOpenToOthers(fs, dir, opts.Logger)
	pub := publish(db)
	s := &Store{
		dir: dir, fs: fs, log: opts.Logger, db: db,
		published: pub,
		committer: newCommitter(db, pub, opts.Logger, newSpace(fs, dir, opts.MinFreeBytes)),
	}
	go s.committer.run()
	return s, nil
}

// View implements kv.Store. It takes no lock that a writer holds.
func (s *Store) View(ctx context.Context, fn func(kv.Reader) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	snap := s.published.acquire()
	defer snap.release()
	r := &reader{ctx: ctx, snap: snap}
	defer func() { r.snap = nil }()
	return fn(r)
}

// Update implements kv.Store. fn runs in the goroutine of the caller, twice at
// most. A transaction that writes nothing is serialized where its snapshot was
// taken, so it neither waits for the committer nor fails.
func (s *Store) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	t, err := s.attempt(fn)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.writes.empty() {
		return nil
	}
	return s.committer.submit(ctx, newCall(fn, t))
}

// attempt runs fn on the newest published snapshot.
func (s *Store) attempt(fn func(kv.Txn) error) (*txn, error) {
	snap := s.published.acquire()
	defer snap.release()
	t := &txn{base: snap, stamps: s.committer.stamps, start: snap.number}
	err := t.run(fn)
	return t, err
}

// Close implements kv.Store.
func (s *Store) Close() error {
	if !s.gate.Shut() {
		return nil
	}
	s.committer.stop()
	s.published.stop()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", s.dir, err)
	}
	return nil
}

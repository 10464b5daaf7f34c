// Package memkv is the memory engine of the storage port: for tests and for
// "coffer dev". Nothing it holds survives the process.
//
// The rule that keeps it honest: a published tree is never written to again. A
// transaction works on a copy-on-write copy of the newest tree and publishes it
// by swapping one pointer, so readers take no lock and a transaction that fails
// leaves no trace.
package memkv

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"coffer/internal/kv"

	"github.com/tidwall/btree"
)

// errDead is what a Reader or a Txn answers after its function has returned.
var errDead = errors.New("memkv: used after its function returned")

// tree is ordered by the bytes of the keys. The slices in it are never written
// to and never handed out.
type tree = btree.BTreeG[kv.Item]

// Store is a kv.Store in memory. It is safe for concurrent use.
type Store struct {
	gate    kv.Gate
	current atomic.Pointer[tree]
	writing sync.Mutex // held by the one transaction that runs
}

// New returns an empty store.
func New() *Store {
	s := &Store{}
	s.current.Store(newTree())
	return s
}

func newTree() *tree {
	less := func(a, b kv.Item) bool { return bytes.Compare(a.Key, b.Key) < 0 }
	// The tree's own locks would guard nothing: one goroutine builds it, and
	// after that it is only read.
	return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})
}

// View implements kv.Store.
func (s *Store) View(ctx context.Context, fn func(kv.Reader) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &reader{ctx: ctx, tree: s.current.Load()}
	defer func() { r.tree = nil }()
	return fn(r)
}

// Update implements kv.Store. Transactions run one after the other, and fn runs
// once.
func (s *Store) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &txn{tree: s.current.Load().Copy()}
	next := t.tree
	defer func() { t.tree = nil }()
	if err := fn(t); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.current.Store(next)
	return nil
}

// Reset removes everything, as one transaction: a View that runs keeps its
// snapshot. It returns kv.ErrClosed after Close.
func (s *Store) Reset() error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	s.writing.Lock()
	defer s.writing.Unlock()
	s.current.Store(newTree())
	return nil
}

// Close implements kv.Store. The contents are gone afterwards.
func (s *Store) Close() error {
	if s.gate.Shut() {
		s.current.Store(nil)
	}
	return nil
}

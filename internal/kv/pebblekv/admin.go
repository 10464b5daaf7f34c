package pebblekv

import (
	"bytes"
	"context"
	"fmt"

	"coffer/internal/kv"
)

// Checkpoint writes a copy of the store to dir, which must not exist, while reads
// and writes go on. The copy holds everything that was acknowledged before the
// call and whole transactions only; Open opens it. Tables are hard links if dir is
// on the same file system, so the copy costs little until the store changes.
func (s *Store) Checkpoint(dir string) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := s.checkpoint(dir); err != nil {
		return fmt.Errorf("writing a checkpoint to %s: %w", dir, err)
	}
	return nil
}

// Compact rewrites the store in its final order, which frees the space of deleted
// items and makes reads cheap again after an import. It returns early, with the
// work partly done, when ctx ends. Reads and writes go on.
func (s *Store) Compact(ctx context.Context) error {
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	if err := s.committer.failed(); err != nil {
		return err
	}
	last := bytes.Repeat([]byte{0xff}, kv.MaxKey+1)
	if err := s.db.Compact(ctx, []byte{0}, last, false); err != nil {
		return fmt.Errorf("compacting: %w", err)
	}
	return nil
}

// Metrics are numbers for the operator. Counts start at zero with Open.
type Metrics struct {
	DiskBytes  uint64 // of all files of the store
	LogBytes   uint64 // of the log: what the next Open after a crash would replay
	CacheBytes int64  // blocks in the cache
	CacheHits  int64
	CacheMiss  int64

	Transactions int64 // committed, with at least one write
	Batches      int64 // syncs of the log; Transactions/Batches is the gain of grouping
	LargestBatch int64 // transactions in one batch
	Reruns       int64 // functions that ran a second time because of a conflict

	Failed bool // writes are refused with ErrFailed
}

// Metrics returns the numbers of now, or zeros once Close has been called.
func (s *Store) Metrics() Metrics {
	if s.gate.Enter() != nil {
		return Metrics{}
	}
	defer s.gate.Leave()
	m, c := s.db.Metrics(), &s.committer.counts
	return Metrics{
		DiskBytes:    m.DiskSpaceUsage(),
		LogBytes:     m.WAL.Size,
		CacheBytes:   m.BlockCache.Size,
		CacheHits:    m.BlockCache.Hits,
		CacheMiss:    m.BlockCache.Misses,
		Transactions: c.transactions.Load(),
		Batches:      c.batches.Load(),
		LargestBatch: c.largest.Load(),
		Reruns:       c.reruns.Load(),
		Failed:       s.committer.failed() != nil,
	}
}

package pebblekv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"coffer/internal/kv"

	"github.com/cockroachdb/pebble/v2"
)

// published holds the newest snapshot of which every byte is durable. The
// committer advances it after each sync; readers take it without a lock.
//
// A Pebble snapshot keeps compactions from dropping the versions it sees, so each
// is counted and closed with its last reader: without readers exactly one is open,
// that of the newest commit, and it holds nothing back.
type published struct {
	db      *pebble.DB
	current atomic.Pointer[snapshot]
	open    sync.WaitGroup // snapshots that are not closed
}

// snapshot is the state after the commit with the given number.
type snapshot struct {
	view   *pebble.Snapshot
	number uint64
	refs   atomic.Int64 // one per reader, and one for being current
	closed func()
}

// publish starts with what is on disk as commit 1.
func publish(db *pebble.DB) *published {
	p := &published{db: db}
	p.advance(1)
	return p
}

// advance makes everything written to the database visible as commit number. The
// caller knows that it is durable, and that nobody writes meanwhile.
func (p *published) advance(number uint64) {
	p.open.Add(1)
	next := &snapshot{view: p.db.NewSnapshot(), number: number, closed: p.open.Done}
	next.refs.Store(1)
	if old := p.current.Swap(next); old != nil {
		old.release()
	}
}

// acquire returns the newest snapshot; the caller releases it. It must not be
// called after stop.
func (p *published) acquire() *snapshot {
	for {
		// The snapshot may lose its last reader between the load and the retain:
		// then a newer one is current.
		if s := p.current.Load(); s.retain() {
			return s
		}
	}
}

// stop gives the last snapshot up and waits for all to be closed.
func (p *published) stop() {
	p.current.Swap(nil).release()
	p.open.Wait()
}

func (s *snapshot) retain() bool {
	for {
		n := s.refs.Load()
		if n == 0 {
			return false
		}
		if s.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *snapshot) release() {
	if s.refs.Add(-1) > 0 {
		return
	}
	// Close has no error to give: it takes the snapshot out of a list.
	_ = s.view.Close()
	s.closed()
}

// get returns a copy of the value of key, or kv.ErrNotFound.
func (s *snapshot) get(key []byte) ([]byte, error) {
	value, closer, err := s.view.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, kv.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	own := make([]byte, len(value))
	copy(own, value)
	if err := closer.Close(); err != nil {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	return own, nil
}

// cancelEvery is how many items a scan yields between two looks at its ctx.
const cancelEvery = 256

// reader implements kv.Reader.
type reader struct {
	ctx  context.Context //nolint:containedctx // a reader lives inside the call that has ctx
	snap *snapshot       // nil once the function of the View has returned
}

func (r *reader) Get(key []byte) ([]byte, error) {
	if r.snap == nil {
		return nil, errDead
	}
	if err := kv.CheckKey(key); err != nil {
		return nil, err
	}
	return r.snap.get(key)
}

func (r *reader) Scan(rng kv.Range) iter.Seq2[kv.Item, error] {
	return func(yield func(kv.Item, error) bool) {
		if err := r.scan(rng, yield); err != nil {
			yield(kv.Item{}, err)
		}
	}
}

// scan returns an error only if yield may be called once more.
func (r *reader) scan(rng kv.Range, yield func(kv.Item, error) bool) (err error) {
	if r.snap == nil {
		return errDead
	}
	if err := rng.Check(); err != nil {
		return err
	}
	// An iterator takes an empty bound for none, and seeks by it wrongly: start at
	// the smallest key there can be.
	from := rng.From
	if len(from) == 0 {
		from = []byte{0}
	}
	if bytes.Compare(from, rng.To) >= 0 {
		return nil
	}
	items, err := r.snap.view.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: rng.To})
	if err != nil {
		return fmt.Errorf("opening a scan: %w", err)
	}
	left := false
	defer func() {
		if closing := items.Close(); closing != nil && !left && err == nil {
			err = fmt.Errorf("scanning: %w", closing)
		}
	}()
	// The value that Pebble gives is a piece of its block cache: a caller who wrote
	// to it would change what others read.
	var scratch []byte
	seen := 0
	for ok := items.First(); ok; ok = items.Next() {
		if seen++; seen%cancelEvery == 0 {
			if err := r.ctx.Err(); err != nil {
				return err
			}
		}
		n := len(items.Key())
		scratch = append(append(scratch[:0], items.Key()...), items.Value()...)
		if !yield(kv.Item{Key: scratch[:n:n], Value: scratch[n:len(scratch):len(scratch)]}, nil) {
			left = true
			return nil
		}
	}
	return nil
}

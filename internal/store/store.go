package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"coffer/internal/kv"
)

// ErrNotFound is the answer to a look-up of a record, a value or a blob that is not
// there. A secret that is not there is a csms.Error instead.
var ErrNotFound = errors.New("store: not found")

// ErrTaken wraps the refusal of a record whose unique name, alias or id belongs to
// another record.
var ErrTaken = errors.New("store: taken by another record")

// Options of Open. The zero value works.
type Options struct {
	// CacheBytes bounds the cache of decoded records: 0 means 32 MiB, a negative
	// number no cache. Where several processes share one engine there must be none,
	// because nothing tells a process what another one writes.
	CacheBytes int64
}

const defaultCacheBytes = 32 << 20

// Store is the typed store. It is safe for concurrent use.
type Store struct {
	db    kv.Store
	codec codec
	cache *cache
}

// Open returns a Store over db, which belongs to it from then on. An empty db gets
// the schema number of this release; one with another number, or with contents and
// no number, is refused.
func Open(ctx context.Context, db kv.Store, o Options) (*Store, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	s := &Store{db: db, codec: c, cache: newCache(o.CacheBytes)}
	if err := s.checkSchema(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Close closes the engine and forgets every record. It is idempotent.
func (s *Store) Close() error {
	s.cache.clear(true)
	return s.db.Close()
}

// Refresh looks at the engine anew, as Open does, after it was changed by other
// means than Update: emptied in dev mode, or restored from a backup.
func (s *Store) Refresh(ctx context.Context) error {
	s.cache.clear(false)
	return s.checkSchema(ctx)
}

// checkSchema makes sure that the engine holds what this release understands.
func (s *Store) checkSchema(ctx context.Context) error {
	found, err := s.schema(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema number: %w", err)
	}
	if found == schemaNumber {
		return nil
	}
	if found != 0 {
		return fmt.Errorf("store: the data has schema %d and this release knows schema %d: use the release that wrote it, or a newer one", found, schemaNumber)
	}
	return s.initialize(ctx)
}

// schema returns the schema number, or 0 for an empty engine.
func (s *Store) schema(ctx context.Context) (found uint32, err error) {
	err = s.db.View(ctx, func(r kv.Reader) error {
		raw, err := r.Get(start(nil, tableSchema))
		if errors.Is(err, kv.ErrNotFound) {
			return checkEmpty(r)
		}
		if err != nil {
			return err
		}
		found, err = parseSchema(raw)
		return err
	})
	return found, err
}

func parseSchema(raw []byte) (uint32, error) {
	if len(raw) != 4 || binary.BigEndian.Uint32(raw) == 0 {
		return 0, errors.New("it is damaged")
	}
	return binary.BigEndian.Uint32(raw), nil
}

func checkEmpty(r kv.Reader) error {
	for _, err := range r.Scan(kv.Range{To: []byte{0xff}}) {
		if err != nil {
			return err
		}
		return errors.New("there is none, and the engine is not empty: the data is not of Coffer, or damaged")
	}
	return nil
}

// initialize writes the schema number, unless another process was faster.
func (s *Store) initialize(ctx context.Context) error {
	k := start(nil, tableSchema)
	err := s.db.Update(ctx, func(txn kv.Txn) error {
		raw, err := txn.Get(k)
		switch {
		case errors.Is(err, kv.ErrNotFound):
			return txn.Put(k, binary.BigEndian.AppendUint32(nil, schemaNumber))
		case err != nil:
			return err
		}
		if found, err := parseSchema(raw); err != nil || found != schemaNumber {
			return errors.New("another process wrote another number")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing the schema number: %w", err)
	}
	return nil
}

// Update runs fn in a serializable transaction and commits it when fn returns nil.
// An error of fn comes back as it is, and nothing is written. fn may run more than
// once and must hold only tx and pure code. An error under kv.ErrAmbiguous means
// that the outcome is unknown.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	var marked []string
	err := s.db.Update(ctx, func(txn kv.Txn) error {
		tx := newTx(txn, s.codec)
		if err := fn(tx); err != nil {
			return err
		}
		s.cache.begin(tx.written)
		marked = append(marked, tx.written...)
		return nil
	})
	// After a panic, and where the commit may still become visible, the marks stay:
	// the keys are not cached any more, and that is all.
	if !errors.Is(err, kv.ErrAmbiguous) {
		s.cache.end(marked)
	}
	return err
}

// View runs fn over one snapshot. The View is dead once fn has returned, the
// records it yielded are not.
func (s *Store) View(ctx context.Context, fn func(*View) error) error {
	return s.db.View(ctx, func(r kv.Reader) error { return fn(&View{r: r, codec: s.codec}) })
}

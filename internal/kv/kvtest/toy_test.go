package kvtest

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"coffer/internal/kv"
)

// toy is the smallest engine that passes the suite, and can be told to break one
// promise. It is optimistic, so that the faults of optimistic engines fit in.
type toy struct {
	fault string
	gate  kv.Gate
	mu    sync.Mutex
	data  map[string][]byte // replaced, never written to, unless a fault says so
	older map[string][]byte // what data was before the last commit
}

func newToy(fault string) *toy {
	return &toy{fault: fault, data: map[string][]byte{}, older: map[string][]byte{}}
}

func (s *toy) snapshot() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

func (s *toy) View(ctx context.Context, fn func(kv.Reader) error) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	if err := ctx.Err(); err != nil && s.fault != "ignores a cancelled ctx" {
		return err
	}
	r := &toyReader{store: s, ctx: ctx, data: s.snapshot()}
	if s.fault == "views are stale" {
		s.mu.Lock()
		r.data = s.older
		s.mu.Unlock()
	}
	defer func() { r.dead = s.fault != "handles live on" }()
	return fn(r)
}

func (s *toy) enter() (leave func(), err error) {
	err = s.gate.Enter()
	switch {
	case err == nil && s.fault == "close does not wait":
		s.gate.Leave()
		return func() {}, nil
	case err != nil && s.fault == "works when closed":
		return func() {}, nil
	}
	return s.gate.Leave, err
}

func (s *toy) Update(ctx context.Context, fn func(kv.Txn) error) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	if s.fault == "swallows panics" {
		defer func() { _ = recover() }()
	}
	for {
		if err := ctx.Err(); err != nil && s.fault != "ignores a cancelled ctx" {
			return err
		}
		t := &toyTxn{store: s, base: s.snapshot(), writes: map[string][]byte{}, reads: map[string]bool{}}
		err := fn(t)
		t.dead = s.fault != "handles live on"
		if err != nil && s.fault != "commits in spite of an error" {
			return err
		}
		runtime.Gosched()
		if s.commit(ctx, t) {
			if s.fault == "reports a cancellation after the commit" && ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
	}
}

func (s *toy) commit(ctx context.Context, t *toyTxn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil && !strings.Contains(s.fault, "cancel") {
		return false
	}
	for key := range t.reads {
		if s.conflict(t, key) {
			return false
		}
	}
	s.older = s.data
	if s.fault != "snapshots change" {
		s.data = maps.Clone(s.data)
	}
	for key, value := range t.writes {
		if value == nil || (s.fault == "an empty value is absent" && len(value) == 0) {
			delete(s.data, key)
		} else {
			s.data[key] = value
		}
	}
	return true
}

func (s *toy) conflict(t *toyTxn, key string) bool {
	was, present := t.base[key]
	_, written := t.writes[key]
	switch {
	case s.fault == "validates nothing",
		s.fault == "validates only what it writes" && !written,
		s.fault == "does not validate absence" && !present:
		return false
	}
	is, still := s.data[key]
	return present != still || !bytes.Equal(was, is)
}

func (s *toy) Close() error {
	s.gate.Shut()
	if s.fault == "forgets the last commit" {
		s.data = s.older
	}
	return nil
}

type toyReader struct {
	store *toy
	ctx   context.Context
	data  map[string][]byte
	dead  bool
}

var errDeadToy = errors.New("toy: dead")

func (r *toyReader) Get(key []byte) ([]byte, error) {
	if r.dead {
		return nil, errDeadToy
	}
	return r.store.get(r.data, key)
}

func (s *toy) get(data map[string][]byte, key []byte) ([]byte, error) {
	if err := s.checkKey(key); err != nil {
		return nil, err
	}
	if s.fault == "snapshots change" {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	value, ok := data[string(key)]
	if !ok {
		return nil, kv.ErrNotFound
	}
	if s.fault == "get gives out its memory" {
		return value, nil
	}
	return bytes.Clone(value), nil
}

func (s *toy) checkKey(key []byte) error {
	if s.fault == "takes any key" {
		return nil
	}
	return kv.CheckKey(key)
}

func (r *toyReader) Scan(rng kv.Range) iter.Seq2[kv.Item, error] {
	return func(yield func(kv.Item, error) bool) {
		if err := r.check(rng); err != nil {
			yield(kv.Item{}, err)
			return
		}
		for i, key := range r.keys(rng) {
			item := kv.Item{Key: []byte(key), Value: r.data[key]}
			if r.store.fault != "scan gives out its memory" {
				item.Value = bytes.Clone(item.Value)
			}
			if r.store.fault == "scans stop at 1000" && i == 1000 ||
				r.store.fault == "a cancelled scan looks complete" && r.ctx.Err() != nil {
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (r *toyReader) check(rng kv.Range) error {
	if r.dead {
		return errDeadToy
	}
	if r.store.fault == "takes an open range" {
		return nil
	}
	return rng.Check()
}

func (r *toyReader) keys(rng kv.Range) []string {
	s := r.store
	if s.fault == "snapshots change" {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	var keys []string
	for key := range r.data {
		below := key < string(rng.To) || s.fault == "a range holds its end" && key == string(rng.To)
		if key >= string(rng.From) && below {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		if s.fault == "orders like a dictionary" {
			return strings.Compare(strings.ToLower(a), strings.ToLower(b))
		}
		return strings.Compare(a, b)
	})
	return keys
}

type toyTxn struct {
	store  *toy
	base   map[string][]byte
	writes map[string][]byte // nil is a deletion
	reads  map[string]bool
	dead   bool
}

func (t *toyTxn) Get(key []byte) ([]byte, error) {
	if t.dead {
		return nil, errDeadToy
	}
	if value, ok := t.writes[string(key)]; ok && t.store.fault != "does not see its own writes" {
		if value == nil {
			return nil, kv.ErrNotFound
		}
		return bytes.Clone(value), nil
	}
	t.reads[string(key)] = true
	return t.store.get(t.base, key)
}

func (t *toyTxn) Put(key, value []byte) error {
	if t.dead {
		return errDeadToy
	}
	if err := t.store.checkKey(key); err != nil {
		return err
	}
	if err := kv.CheckPut([]byte("k"), value); err != nil && t.store.fault != "takes any value" {
		return err
	}
	if t.store.fault != "put keeps the slice" || value == nil {
		value = append([]byte{}, value...)
	}
	t.writes[string(key)] = value
	return nil
}

func (t *toyTxn) Delete(key []byte) error {
	if t.dead {
		return errDeadToy
	}
	if err := t.store.checkKey(key); err != nil {
		return err
	}
	if t.store.fault == "forgets to delete short values" && len(t.base[string(key)]) == 1 {
		return nil
	}
	t.writes[string(key)] = nil
	return nil
}

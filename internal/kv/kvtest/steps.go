package kvtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"coffer/internal/kv"

	"github.com/google/go-cmp/cmp"
)

// pair is an item whose parts are strings, so that it can be kept and compared.
type pair struct{ Key, Value string }

// absent is what find gives for a key that holds no value.
const absent = "<absent>"

// update runs fn and stops the test if it does not commit.
func update(t *testing.T, s kv.Store, fn func(tx kv.Txn) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// view runs fn over a snapshot and stops the test if it fails.
func view(t *testing.T, s kv.Store, fn func(r kv.Reader) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatalf("View: %v", err)
	}
}

// write stores pairs in transactions that every engine takes.
func write(t *testing.T, s kv.Store, pairs ...pair) {
	t.Helper()
	for chunk := range slices.Chunk(pairs, 100) {
		update(t, s, func(tx kv.Txn) error {
			for _, p := range chunk {
				if err := tx.Put([]byte(p.Key), []byte(p.Value)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

type getter interface {
	Get(key []byte) ([]byte, error)
}

// find returns the value of key, or absent. It fits both Reader and Txn.
func find(g getter, key string) (string, error) {
	v, err := g.Get([]byte(key))
	if errors.Is(err, kv.ErrNotFound) {
		return absent, nil
	}
	return string(v), err
}

// wantValue demands that key holds value (or absent) in a new snapshot.
func wantValue(t *testing.T, s kv.Store, key, value string) {
	t.Helper()
	view(t, s, func(r kv.Reader) error {
		got, err := find(r, key)
		if err == nil && got != value {
			t.Errorf("value of %q is %s, want %s", key, brief(got), brief(value))
		}
		return err
	})
}

// wantScan demands that r yields exactly want.
func wantScan(t *testing.T, s kv.Store, rng kv.Range, want []pair) {
	t.Helper()
	view(t, s, func(r kv.Reader) error {
		got, err := collect(r, rng)
		if diff := cmp.Diff(got, want); err == nil && diff != "" {
			t.Errorf("scan of [%q, %q) (-got +want):\n%s", rng.From, rng.To, diff)
		}
		return err
	})
}

// collect reads a whole range.
func collect(r kv.Reader, rng kv.Range) ([]pair, error) {
	var got []pair
	for item, err := range r.Scan(rng) {
		if err != nil {
			return got, err
		}
		got = append(got, pair{string(item.Key), string(item.Value)})
	}
	return got, nil
}

func span(from, to string) kv.Range {
	return kv.Range{From: []byte(from), To: []byte(to)}
}

// together runs n functions at once and returns when all have ended.
func together(n int, fn func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			fn(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// increment adds one to the decimal number under key and returns the new number.
func increment(ctx context.Context, s kv.Store, key string) (int, error) {
	var n int
	err := s.Update(ctx, func(tx kv.Txn) error {
		var err error
		if n, err = number(tx, key); err != nil {
			return err
		}
		n++
		return tx.Put([]byte(key), fmt.Append(nil, n))
	})
	return n, err
}

// number reads the decimal number under key; an absent key counts as 0.
func number(g getter, key string) (n int, err error) {
	text, err := find(g, key)
	if err != nil || text == absent {
		return 0, err
	}
	_, err = fmt.Sscan(text, &n)
	return n, err
}

func closeStore(t *testing.T, s kv.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// brief quotes a value without flooding the terminal.
func brief(s string) string {
	if len(s) > 40 {
		return fmt.Sprintf("%q... (%d bytes)", s[:40], len(s))
	}
	return fmt.Sprintf("%q", s)
}

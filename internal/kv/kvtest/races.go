package kvtest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"
)

var raceCases = []testCase{
	{"no_lost_update", noLostUpdate},
	{"heavy_conflict_starves_nobody", noStarvation},
	{"a_key_is_created_once", createOnce},
	{"a_key_is_taken_once", takeOnce},
	{"independent_writers_all_commit", independentWriters},
}

func noLostUpdate(t *testing.T, s kv.Store) {
	countTogether(t, s, 8, 16)
}

func noStarvation(t *testing.T, s kv.Store) {
	countTogether(t, s, 64, 4)
}

// countTogether demands that every increment counts and gives a number of its
// own, and that every goroutine ends.
func countTogether(t *testing.T, s kv.Store, goroutines, times int) {
	given := make([]atomic.Int64, goroutines*times+1)
	together(goroutines, func(int) {
		for range times {
			n, err := increment(t.Context(), s, "n")
			if err != nil {
				t.Errorf("incrementing: %v", err)
				continue
			}
			if n < 1 || n >= len(given) || given[n].Add(1) != 1 {
				t.Errorf("number %d was given twice or is out of range", n)
			}
		}
	})
	wantValue(t, s, "n", fmt.Sprint(goroutines*times))
}

func createOnce(t *testing.T, s kv.Store) {
	for round := range 10 {
		key := fmt.Sprint("name/", round)
		var winners atomic.Int64
		var winner atomic.Int64
		together(16, func(i int) {
			err := s.Update(t.Context(), func(tx kv.Txn) error {
				got, err := find(tx, key)
				if err != nil {
					return err
				}
				if got != absent {
					return errStop
				}
				return tx.Put([]byte(key), fmt.Append(nil, i))
			})
			switch {
			case err == nil:
				winners.Add(1)
				winner.Store(int64(i))
			case !errors.Is(err, errStop):
				t.Errorf("creating: %v", err)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Errorf("round %d: %d goroutines created the key, want 1", round, n)
		}
		wantValue(t, s, key, fmt.Sprint(winner.Load()))
	}
}

// takeOnce is createOnce for a key that goes away: a deleted key must conflict
// like a changed one, though it leaves nothing behind to compare.
func takeOnce(t *testing.T, s kv.Store) {
	for round := range 10 {
		key := fmt.Sprint("ticket/", round)
		write(t, s, pair{key, "here"})
		var takers atomic.Int64
		together(16, func(int) {
			err := s.Update(t.Context(), func(tx kv.Txn) error {
				got, err := find(tx, key)
				if err != nil {
					return err
				}
				if got == absent {
					return errStop
				}
				return tx.Delete([]byte(key))
			})
			switch {
			case err == nil:
				takers.Add(1)
			case !errors.Is(err, errStop):
				t.Errorf("taking: %v", err)
			}
		})
		if n := takers.Load(); n != 1 {
			t.Errorf("round %d: %d goroutines took the key, want 1", round, n)
		}
		wantValue(t, s, key, absent)
	}
}

func independentWriters(t *testing.T, s kv.Store) {
	const writers, each = 16, 10
	together(writers, func(i int) {
		for j := range each {
			key := fmt.Sprintf("w/%02d/%02d", i, j)
			err := s.Update(t.Context(), func(tx kv.Txn) error {
				if got, err := find(tx, key); err != nil || got != absent {
					return fmt.Errorf("found %s before it was written: %w", got, err)
				}
				return tx.Put([]byte(key), []byte(key))
			})
			if err != nil {
				t.Errorf("writing %s: %v", key, err)
			}
		}
	})
	var want []pair
	for i := range writers {
		for j := range each {
			key := fmt.Sprintf("w/%02d/%02d", i, j)
			want = append(want, pair{key, key})
		}
	}
	wantScan(t, s, kv.Prefix([]byte("w/")), want)
}

package kvtest

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"
)

var durableCases = []durableCase{
	{"commits_survive_and_rollbacks_do_not", commitsSurvive},
	{"many_and_large_items_survive", manySurvive},
	{"a_counter_goes_on_where_it_stopped", counterGoesOn},
	{"closing_under_load_loses_nothing", closeUnderLoad},
}

func commitsSurvive(t *testing.T, reopen func() kv.Store) {
	s := reopen()
	write(t, s, pair{"a", "1"}, pair{"b", "1"}, pair{"empty", ""}, pair{"gone", "1"})
	update(t, s, func(tx kv.Txn) error {
		return errors.Join(tx.Put([]byte("b"), []byte("2")), tx.Delete([]byte("gone")))
	})
	err := s.Update(t.Context(), func(tx kv.Txn) error {
		return errors.Join(tx.Put([]byte("a"), []byte("lost")), errStop)
	})
	if !errors.Is(err, errStop) {
		t.Errorf("Update returned %v, want the error of its function", err)
	}
	for range 2 {
		closeStore(t, s)
		s = reopen()
		wantScan(t, s, span("", "z"), []pair{{"a", "1"}, {"b", "2"}, {"empty", ""}})
	}
	closeStore(t, s)
}

func manySurvive(t *testing.T, reopen func() kv.Store) {
	all := append(numbered(1500), pair{"large/1", pattern(1 << 16)}, pair{"large/2", pattern(kv.MaxValue)})
	s := reopen()
	write(t, s, all...)
	closeStore(t, s)
	s = reopen()
	wantScan(t, s, kv.Prefix([]byte("key/")), all[:1500])
	wantValue(t, s, "large/1", all[1500].Value)
	wantValue(t, s, "large/2", all[1501].Value)
	closeStore(t, s)
}

func counterGoesOn(t *testing.T, reopen func() kv.Store) {
	for round := range 5 {
		s := reopen()
		for i := range 10 {
			n, err := increment(t.Context(), s, "n")
			if want := 10*round + i + 1; err != nil || n != want {
				t.Errorf("the counter gives %d and %v, want %d", n, err, want)
			}
		}
		closeStore(t, s)
	}
}

// closeUnderLoad closes the store while writers run: each number that was given
// out must be in the log after the next start, and the log without a hole.
func closeUnderLoad(t *testing.T, reopen func() kv.Store) {
	var given atomic.Int64
	for round := range int64(3) {
		s := reopen()
		together(9, func(i int) {
			if i == 8 {
				for given.Load() < 20*(round+1) && !t.Failed() {
					runtime.Gosched()
				}
				closeStore(t, s)
				return
			}
			for {
				err := appendLog(t, s)
				if err == nil {
					given.Add(1)
					continue
				}
				if !errors.Is(err, kv.ErrClosed) || errors.Is(err, kv.ErrAmbiguous) {
					t.Errorf("writing during Close returned %v, want kv.ErrClosed", err)
				}
				return
			}
		})
		s = reopen()
		view(t, s, func(r kv.Reader) error {
			last, err := number(r, "last")
			if err != nil {
				return err
			}
			if int64(last) != given.Load() {
				t.Errorf("the log ends at %d, but %d entries were acknowledged", last, given.Load())
			}
			entries, err := collect(r, kv.Prefix([]byte("log/")))
			if err == nil && len(entries) != last {
				t.Errorf("the log holds %d entries, want %d", len(entries), last)
			}
			return err
		})
		closeStore(t, s)
	}
}

// appendLog takes the next number and writes an entry under it.
func appendLog(t *testing.T, s kv.Store) error {
	return s.Update(t.Context(), func(tx kv.Txn) error {
		n, err := number(tx, "last")
		if err != nil {
			return err
		}
		if err := tx.Put([]byte("last"), fmt.Append(nil, n+1)); err != nil {
			return err
		}
		return tx.Put(fmt.Appendf(nil, "log/%08d", n+1), nil)
	})
}

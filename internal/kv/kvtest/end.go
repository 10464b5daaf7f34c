package kvtest

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"
)

var endCases = []testCase{
	{"a_closed_store_answers_ErrClosed", closedStore},
	{"close_waits_for_running_calls", closeWaits},
	{"close_lets_running_updates_end_whole", closeDuringUpdates},
}

func closedStore(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "1"})
	closeStore(t, s)
	for range 2 {
		if err := s.View(t.Context(), func(kv.Reader) error { return nil }); !errors.Is(err, kv.ErrClosed) {
			t.Errorf("View returned %v, want kv.ErrClosed", err)
		}
		err := s.Update(t.Context(), func(tx kv.Txn) error { return tx.Put([]byte("a"), []byte("2")) })
		if !errors.Is(err, kv.ErrClosed) || errors.Is(err, kv.ErrAmbiguous) {
			t.Errorf("Update returned %v, want kv.ErrClosed", err)
		}
		closeStore(t, s)
	}
}

// closeWaits holds a View open until Close has begun, which shows in the answers
// to others, and then goes on reading.
func closeWaits(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "1"})
	var closed atomic.Bool
	ended := make(chan struct{})
	view(t, s, func(r kv.Reader) error {
		go func() {
			defer close(ended)
			closeStore(t, s)
			closed.Store(true)
		}()
		for {
			err := s.View(t.Context(), func(kv.Reader) error { return nil })
			if errors.Is(err, kv.ErrClosed) {
				break
			}
			if err != nil {
				t.Errorf("View during Close returned %v", err)
			}
			runtime.Gosched()
		}
		got, err := find(r, "a")
		if got != "1" || closed.Load() {
			t.Errorf("inside a View that runs, Close has returned (%t) and the value is %q", closed.Load(), got)
		}
		return err
	})
	<-ended
}

func closeDuringUpdates(t *testing.T, s kv.Store) {
	together(9, func(i int) {
		if i == 8 {
			closeStore(t, s)
			return
		}
		for {
			_, err := increment(t.Context(), s, "n")
			if errors.Is(err, kv.ErrClosed) && !errors.Is(err, kv.ErrAmbiguous) {
				return
			}
			if err != nil {
				t.Errorf("Update during Close returned %v, want nil or kv.ErrClosed", err)
				return
			}
		}
	})
}

package kvtest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"coffer/internal/kv"
)

var cancelCases = []testCase{
	{"a_cancelled_call_does_nothing", cancelledBefore},
	{"a_call_cancelled_before_its_commit_writes_nothing", cancelledInside},
	{"a_call_cancelled_at_any_moment_is_whole_or_absent", cancelledAnywhere},
	{"a_scan_that_is_cut_short_says_so", cancelledScan},
}

func cancelledBefore(t *testing.T, s kv.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Update(ctx, func(tx kv.Txn) error { return tx.Put([]byte("a"), []byte("1")) })
	wantCancelled(t, "Update", err)
	err = s.View(ctx, func(r kv.Reader) error {
		_, err := find(r, "a")
		return err
	})
	wantCancelled(t, "View", err)
	wantScan(t, s, span("", "z"), nil)
}

func wantCancelled(t *testing.T, call string, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) || errors.Is(err, kv.ErrAmbiguous) {
		t.Errorf("%s returned %v, want context.Canceled", call, err)
	}
}

func cancelledInside(t *testing.T, s kv.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := s.Update(ctx, func(tx kv.Txn) error {
		if err := tx.Put([]byte("a"), []byte("1")); err != nil {
			return err
		}
		cancel()
		return nil
	})
	wantCancelled(t, "Update", err)
	wantScan(t, s, span("", "z"), nil)
}

// cancelledAnywhere cancels while the calls commit. What Update returned must
// agree with what is there, and no transaction may be there by half.
func cancelledAnywhere(t *testing.T, s kv.Store) {
	const calls = 96
	outcome := make([]error, calls)
	together(calls, func(i int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		outcome[i] = s.Update(ctx, func(tx kv.Txn) error {
			defer func() { go cancel() }()
			if err := tx.Put(fmt.Append(nil, "a/", i), nil); err != nil {
				return err
			}
			return tx.Put(fmt.Append(nil, "b/", i), nil)
		})
	})
	for i, err := range outcome {
		n := countKeys(t, s, fmt.Sprint("a/", i), fmt.Sprint("b/", i))
		switch {
		case n == 1:
			t.Errorf("call %d returned %v and wrote one of two keys", i, err)
		case err == nil && n != 2:
			t.Errorf("call %d returned nil and wrote nothing", i)
		case err != nil && !errors.Is(err, kv.ErrAmbiguous) && n != 0:
			t.Errorf("call %d returned %v, which is not ErrAmbiguous, and wrote", i, err)
		case err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, kv.ErrAmbiguous):
			t.Errorf("call %d returned %v, want nil, context.Canceled or kv.ErrAmbiguous", i, err)
		}
	}
}

func countKeys(t *testing.T, s kv.Store, keys ...string) (n int) {
	view(t, s, func(r kv.Reader) error {
		for _, key := range keys {
			value, err := find(r, key)
			if err != nil {
				return err
			}
			if value != absent {
				n++
			}
		}
		return nil
	})
	return n
}

// cancelledScan allows a scan to run to its end after the cancellation, but not
// to look complete when it is not.
func cancelledScan(t *testing.T, s kv.Store) {
	write(t, s, numbered(1500)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen int
	err := s.View(ctx, func(r kv.Reader) error {
		for _, err := range r.Scan(kv.Prefix([]byte("key/"))) {
			if err != nil {
				return err
			}
			if seen++; seen == 10 {
				cancel()
			}
		}
		return nil
	})
	if err == nil && seen != 1500 {
		t.Errorf("the scan ended without an error after %d of 1500 items", seen)
	}
	if err != nil {
		wantCancelled(t, "View", err)
	}
}

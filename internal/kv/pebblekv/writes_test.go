package pebblekv

import (
	"errors"
	"fmt"
	"testing"

	"coffer/internal/kv"

	"pgregory.net/rapid"
)

// TestWriteSetEqualsAMap takes histories on both sides of the limit at which the
// set gets an index.
func TestWriteSetEqualsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var set writeSet
		want := map[string]string{} // "-" is a deletion
		keys := rapid.IntRange(1, 3*walkLimit).Draw(t, "keys")
		for i := range rapid.IntRange(0, 6*walkLimit).Draw(t, "writes") {
			key := fmt.Sprint("key", rapid.IntRange(0, keys).Draw(t, "key"))
			if rapid.Bool().Draw(t, "delete") {
				set.remove([]byte(key), 0)
				want[key] = "-"
			} else {
				set.put([]byte(key), fmt.Append(nil, i), 0)
				want[key] = fmt.Sprint(i)
			}
		}
		if len(set.list) != len(want) || set.empty() != (len(want) == 0) {
			t.Errorf("the set holds %d keys, want %d", len(set.list), len(want))
		}
		for k := range keys + 2 {
			key := fmt.Sprint("key", k)
			got := "none"
			if w := set.find([]byte(key)); w != nil {
				value, err := w.read()
				if got = string(value); errors.Is(err, kv.ErrNotFound) {
					got = "-"
				}
			}
			expected, ok := want[key]
			if !ok {
				expected = "none"
			}
			if got != expected {
				t.Errorf("%s is %q, want %q", key, got, expected)
			}
		}
	})
}

func TestStamps(t *testing.T) {
	s := newStamps()
	a, b := s.slot([]byte("a")), s.slot([]byte("b"))
	if a != s.slot([]byte("a")) {
		t.Error("one key falls into two slots")
	}
	s.last[a] = 7
	for _, c := range []struct {
		name    string
		read    []uint16
		start   uint64
		changed bool
	}{
		{"nothing read", nil, 0, false},
		{"written after the start", []uint16{b + 1, a}, 6, true},
		{"written by the commit it started from", []uint16{a}, 7, false},
		{"written before", []uint16{a}, 8, false},
		{"never written", []uint16{a + 1}, 0, false},
	} {
		if got := s.changedSince(c.read, c.start); got != c.changed {
			t.Errorf("%s: changed is %t, want %t", c.name, got, c.changed)
		}
	}
}

// TestFalseConflict makes two keys share a slot: the second transaction runs again
// and comes to the same result.
func TestFalseConflict(t *testing.T) {
	s, w, _, release := heldStore(t)
	twin := ""
	for i := 0; twin == ""; i++ {
		if key := fmt.Sprint("twin", i); s.committer.stamps.slot([]byte(key)) == s.committer.stamps.slot([]byte("w")) {
			twin = key
		}
	}
	runs := 0
	done := start(t.Context(), s, func(tx kv.Txn) error {
		runs++
		if _, err := tx.Get([]byte(twin)); !errors.Is(err, kv.ErrNotFound) {
			return fmt.Errorf("found %s: %w", twin, err)
		}
		return tx.Put([]byte(twin), []byte("1"))
	})
	awaitQueue(t, s, 1)
	release(nil)
	wantError(t, "Update", <-w, nil)
	wantError(t, "Update", <-done, nil)
	wantValue(t, s, twin, "1")
	if runs != 2 {
		t.Errorf("the function ran %d times, want 2", runs)
	}
}

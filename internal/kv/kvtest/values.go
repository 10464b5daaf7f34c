package kvtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"coffer/internal/kv"
)

var valueCases = []testCase{
	{"an_empty_value_is_not_an_absent_one", emptyIsNotAbsent},
	{"the_caller_owns_what_get_returns", getIsOwned},
	{"put_copies_key_and_value", putCopies},
	{"an_item_is_not_the_memory_of_the_engine", itemsAreCopies},
	{"a_value_is_any_bytes", anyBytes},
}

var limitCases = []testCase{
	{"large_values", largeValues},
	{"a_value_above_the_limit_is_refused", valueTooLong},
	{"the_longest_key", longestKey},
	{"empty_and_overlong_keys_are_refused", badKeys},
	{"a_refused_put_changes_nothing", refusedPut},
}

func emptyIsNotAbsent(t *testing.T, s kv.Store) {
	update(t, s, func(tx kv.Txn) error {
		if err := tx.Put([]byte("nil"), nil); err != nil {
			return err
		}
		if err := tx.Put([]byte("empty"), []byte{}); err != nil {
			return err
		}
		_, err := tx.Get([]byte("nil"))
		return err
	})
	wantValue(t, s, "empty", "")
	wantValue(t, s, "nil", "")
	wantValue(t, s, "other", absent)
	wantScan(t, s, span("", "z"), []pair{{"empty", ""}, {"nil", ""}})
	update(t, s, func(tx kv.Txn) error {
		_, err := tx.Get([]byte("empty"))
		return err
	})
}

func getIsOwned(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "stored"})
	spoil := func(g getter) error {
		v, err := g.Get([]byte("a"))
		if err != nil {
			return err
		}
		clear(v)
		again, err := find(g, "a")
		if err == nil && again != "stored" {
			t.Errorf("after the caller wrote to its slice, Get returns %q", again)
		}
		return err
	}
	view(t, s, func(r kv.Reader) error { return spoil(r) })
	update(t, s, func(tx kv.Txn) error { return spoil(tx) })
	update(t, s, func(tx kv.Txn) error {
		if err := tx.Put([]byte("a"), []byte("stored")); err != nil {
			return err
		}
		return spoil(tx)
	})
	wantValue(t, s, "a", "stored")
}

func putCopies(t *testing.T, s kv.Store) {
	key, value := []byte("key"), []byte("value")
	update(t, s, func(tx kv.Txn) error {
		if err := tx.Put(key, value); err != nil {
			return err
		}
		copy(key, "xxx")
		copy(value, "xxxxx")
		got, err := find(tx, "key")
		if err == nil && got != "value" {
			t.Errorf("inside the transaction the value is %q, want %q", got, "value")
		}
		return err
	})
	wantScan(t, s, span("", "zz"), []pair{{"key", "value"}})
	copy(key, "key")
	update(t, s, func(tx kv.Txn) error {
		err := tx.Delete(key)
		copy(key, "xxx")
		return err
	})
	wantScan(t, s, span("", "zz"), nil)
}

func itemsAreCopies(t *testing.T, s kv.Store) {
	want := []pair{{"a", "1"}, {"b", "2"}, {"c", "3"}}
	write(t, s, want...)
	view(t, s, func(r kv.Reader) error {
		for item, err := range r.Scan(span("", "z")) {
			if err != nil {
				return err
			}
			clear(item.Key)
			clear(item.Value)
		}
		return nil
	})
	wantScan(t, s, span("", "z"), want)
	wantValue(t, s, "b", "2")
}

func anyBytes(t *testing.T, s kv.Store) {
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
	}
	write(t, s, pair{"all", string(all)}, pair{string(all[1:]), "key"}, pair{"\x00", "\x00"}, pair{"text", "\xff\xfe"})
	wantValue(t, s, "all", string(all))
	wantValue(t, s, string(all[1:]), "key")
	wantValue(t, s, "\x00", "\x00")
	wantValue(t, s, "text", "\xff\xfe")
}

// pattern is a value of n bytes that no shorter or shifted value equals.
func pattern(n int) string {
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "%d,", b.Len())
	}
	return b.String()[:n]
}

func largeValues(t *testing.T, s kv.Store) {
	sizes := []int{1 << 16, 1<<16 + 1, 1 << 18, kv.MaxValue - 1, kv.MaxValue}
	for _, n := range sizes {
		write(t, s, pair{fmt.Sprint("size/", n), pattern(n)})
	}
	for _, n := range sizes {
		wantValue(t, s, fmt.Sprint("size/", n), pattern(n))
	}
	view(t, s, func(r kv.Reader) error {
		items, err := collect(r, kv.Prefix([]byte("size/")))
		for _, p := range items {
			if p.Value != pattern(len(p.Value)) || p.Key != fmt.Sprint("size/", len(p.Value)) {
				t.Errorf("scan gives %q a wrong value of %d bytes", p.Key, len(p.Value))
			}
		}
		if err == nil && len(items) != len(sizes) {
			t.Errorf("scan gives %d items, want %d", len(items), len(sizes))
		}
		return err
	})
}

func valueTooLong(t *testing.T, s kv.Store) {
	err := s.Update(t.Context(), func(tx kv.Txn) error {
		if err := tx.Put([]byte("a"), []byte("1")); err != nil {
			return err
		}
		return tx.Put([]byte("b"), make([]byte, kv.MaxValue+1))
	})
	if !errors.Is(err, kv.ErrLimit) || errors.Is(err, kv.ErrAmbiguous) {
		t.Errorf("Update returned %v, want kv.ErrLimit", err)
	}
	wantScan(t, s, span("", "z"), nil)
}

func longestKey(t *testing.T, s kv.Store) {
	key := strings.Repeat("k", kv.MaxKey)
	write(t, s, pair{key, "longest"}, pair{key[1:], "shorter"})
	wantValue(t, s, key, "longest")
	wantScan(t, s, span("k", "l"), []pair{{key[1:], "shorter"}, {key, "longest"}})
	update(t, s, func(tx kv.Txn) error { return tx.Delete([]byte(key)) })
	wantValue(t, s, key, absent)
}

func badKeys(t *testing.T, s kv.Store) {
	for name, key := range map[string][]byte{
		"nil": nil, "empty": {}, "overlong": make([]byte, kv.MaxKey+1),
	} {
		view(t, s, func(r kv.Reader) error {
			if _, err := r.Get(key); !errors.Is(err, kv.ErrLimit) {
				t.Errorf("reader: Get of the %s key returned %v, want kv.ErrLimit", name, err)
			}
			return nil
		})
		update(t, s, func(tx kv.Txn) error {
			_, err := tx.Get(key)
			for call, err := range map[string]error{
				"Get": err, "Put": tx.Put(key, []byte("v")), "Delete": tx.Delete(key),
			} {
				if !errors.Is(err, kv.ErrLimit) {
					t.Errorf("%s of the %s key returned %v, want kv.ErrLimit", call, name, err)
				}
			}
			return nil
		})
	}
	wantScan(t, s, span("", "\xff"), nil)
}

// refusedPut swallows the refusal: what was there stays, and the rest commits.
func refusedPut(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "old"})
	update(t, s, func(tx kv.Txn) error {
		if err := tx.Put([]byte("a"), make([]byte, kv.MaxValue+1)); err == nil {
			t.Error("Put took a value above the limit")
		}
		return tx.Put([]byte("b"), []byte("new"))
	})
	wantScan(t, s, span("", "z"), []pair{{"a", "old"}, {"b", "new"}})
}

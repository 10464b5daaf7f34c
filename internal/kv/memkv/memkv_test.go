package memkv_test

import (
	"errors"
	"testing"

	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
	"coffer/internal/kv/memkv"
)

func TestStore(t *testing.T) {
	kvtest.Run(t, func(*testing.T) kv.Store { return memkv.New() })
}

func TestReset(t *testing.T) {
	s := memkv.New()
	put := func(key string) {
		t.Helper()
		err := s.Update(t.Context(), func(tx kv.Txn) error { return tx.Put([]byte(key), nil) })
		if err != nil {
			t.Fatalf("Update: %v", err)
		}
	}
	has := func(g interface{ Get([]byte) ([]byte, error) }, key string) bool {
		_, err := g.Get([]byte(key))
		return err == nil
	}
	put("before")
	err := s.View(t.Context(), func(r kv.Reader) error {
		if err := s.Reset(); err != nil {
			return err
		}
		if !has(r, "before") {
			t.Error("Reset changed a snapshot that was open")
		}
		return nil
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	put("after")
	err = s.View(t.Context(), func(r kv.Reader) error {
		if has(r, "before") || !has(r, "after") {
			t.Errorf("before: %t, after: %t; want only what was written after Reset", has(r, "before"), has(r, "after"))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := s.Reset(); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Reset of a closed store returned %v, want kv.ErrClosed", err)
	}
}

package store

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
)

func TestOpen(t *testing.T) {
	put := func(k string, v []byte) func(kv.Txn) error {
		return func(tx kv.Txn) error { return tx.Put([]byte(k), v) }
	}
	number := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	cases := []struct {
		name string
		with func(kv.Txn) error // contents of the engine
		want string             // part of the error; "" for none
	}{
		{"writes_the_schema_number_into_an_empty_engine", nil, ""},
		{"takes_its_own_schema", put("schema", number(schemaNumber)), ""},
		{"refuses_a_newer_schema", put("schema", number(schemaNumber+1)), "the data has schema 2 and this release knows schema 1"},
		{"refuses_a_damaged_number", put("schema", []byte{1}), "it is damaged"},
		{"refuses_number_zero", put("schema", number(0)), "it is damaged"},
		{"refuses_contents_without_a_number", put("something", nil), "the engine is not empty"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			db := memkv.New()
			if tc.with != nil {
				edit(t, db, tc.with)
			}
			before := contents(t, db)
			s, err := Open(t.Context(), db, Options{})
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("Open: %v, want an error with %q", err, tc.want)
				}
				if after := contents(t, db); len(after) != len(before) {
					t.Errorf("a refused engine was changed: %q", after)
				}
				return
			}
			if err != nil {
				t.Fatalf("Open: %v", err)
			}
			if got := contents(t, db)["schema"]; got != string(number(schemaNumber)) {
				t.Errorf("schema number %x", got)
			}
			if err := s.Refresh(t.Context()); err != nil {
				t.Errorf("Refresh: %v", err)
			}
		})
	}
}

// Two processes may open the same empty engine at the same time.
func TestOpenTwiceAtTheSameTime(t *testing.T) {
	db := memkv.New()
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := Open(t.Context(), db, Options{})
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Errorf("Open: %v", err)
		}
	}
}

func TestClosedStoreServesNothing(t *testing.T) {
	s, _ := open(t, Options{})
	update(t, s, func(tx *Tx) error { return putNew(tx, newSecret("id1", "a")) })
	if _, err := s.Secret(t.Context(), "p1", "a"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Secret(t.Context(), "p1", "a"); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Secret after Close: %v", err)
	}
}

// Dev mode empties the engine below the store.
func TestRefreshForgetsWhatTheEngineHasLost(t *testing.T) {
	s, db := open(t, Options{})
	update(t, s, func(tx *Tx) error { return putNew(tx, newSecret("id1", "a")) })
	if _, err := s.Secret(t.Context(), "p1", "a"); err != nil {
		t.Fatal(err)
	}
	if err := db.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	if _, err := s.Secret(t.Context(), "p1", "a"); err == nil {
		t.Error("the secret outlived the engine")
	}
	if got := contents(t, db); len(got) != 1 {
		t.Errorf("engine holds %q, want the schema number", got)
	}
}

func TestErrorOfTheClosureComesBackAndNothingIsWritten(t *testing.T) {
	s, db := open(t, Options{})
	before := contents(t, db)
	stop := errors.New("stop")
	err := s.Update(t.Context(), func(tx *Tx) error {
		return errors.Join(putNew(tx, newSecret("id1", "a")), stop)
	})
	if !errors.Is(err, stop) {
		t.Errorf("Update: %v", err)
	}
	if after := contents(t, db); len(after) != len(before) {
		t.Errorf("engine holds %q", after)
	}
}

func TestMeta(t *testing.T) {
	s, _ := open(t, Options{})
	if _, err := s.Meta(t.Context(), MetaRootCheck); !errors.Is(err, ErrNotFound) {
		t.Errorf("Meta of nothing: %v", err)
	}
	update(t, s, func(tx *Tx) error { return tx.PutMeta(MetaRootCheck, []byte("check")) })
	got, err := s.Meta(context.Background(), MetaRootCheck)
	if err != nil || string(got) != "check" {
		t.Errorf("Meta: %q, %v", got, err)
	}
	update(t, s, func(tx *Tx) error {
		if got, err := tx.Meta(MetaRootCheck); err != nil || string(got) != "check" {
			t.Errorf("Meta in a transaction: %q, %v", got, err)
		}
		return nil
	})
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutMeta("", nil) }); err == nil {
		t.Error("a blob without a name was taken")
	}
}

package store

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
)

// open returns a store over an empty memory engine, and the engine.
func open(t testing.TB, o Options) (*Store, *memkv.Store) {
	t.Helper()
	db := memkv.New()
	s, err := Open(context.Background(), db, o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s, db
}

// update runs fn in a transaction that must succeed.
func update(t testing.TB, s *Store, fn func(tx *Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// view runs fn over a snapshot.
func view(t testing.TB, s *Store, fn func(v *View) error) {
	t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		t.Fatalf("View: %v", err)
	}
}

// edit changes keys of the engine behind the back of the store.
func edit(t testing.TB, db kv.Store, fn func(tx kv.Txn) error) {
	t.Helper()
	if err := db.Update(context.Background(), fn); err != nil {
		t.Fatalf("editing the engine: %v", err)
	}
}

// contents returns everything in the engine, keys in the form of show.
func contents(t testing.TB, db kv.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := db.View(context.Background(), func(r kv.Reader) error {
		for item, err := range r.Scan(kv.Range{To: []byte{0xff}}) {
			if err != nil {
				return err
			}
			all[show(item.Key)] = string(item.Value)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("reading the engine: %v", err)
	}
	return all
}

// findings returns what Verify says, as lines.
func findings(t testing.TB, s *Store) []string {
	t.Helper()
	found, err := s.Verify(context.Background())
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	var lines []string
	for _, f := range found {
		lines = append(lines, f.String())
	}
	return lines
}

// newSecret returns a secret with v1 in project p1.
func newSecret(id, name string) *csms.Secret {
	return csms.New(csms.Creation{ID: id, DomainID: "d1", ProjectID: "p1", Name: name, Kind: csms.Text, KMSKeyID: "k1"}, 1000)
}

// putNew writes a new secret with the value of its v1.
func putNew(tx *Tx, s *csms.Secret) error {
	if err := tx.PutValue(s.ID, 1, []byte("sealed "+s.ID)); err != nil {
		return err
	}
	return tx.PutSecret(s)
}

// fill sets every field below v, whatever it is, to a value that differs from zero
// and from the others.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n%255 + 1))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	default:
		panic("a record holds a " + v.Kind().String() + ": teach fill about it")
	}
}

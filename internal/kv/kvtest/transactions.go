package kvtest

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"coffer/internal/kv"
)

var transactionCases = []testCase{
	{"a_transaction_sees_its_own_writes", ownWrites},
	{"a_commit_is_whole", commitIsWhole},
	{"an_error_rolls_back_and_comes_back_as_it_is", errorRollsBack},
	{"a_panic_reaches_the_caller_and_rolls_back", panicRollsBack},
	{"a_goroutine_that_ends_inside_rolls_back", goexitRollsBack},
	{"reader_and_transaction_die_with_their_function", deadHandles},
	{"a_reader_cannot_write", readerCannotWrite},
	{"deleting_an_absent_key_is_no_error", deleteAbsent},
}

var errStop = errors.New("kvtest: stop")

func ownWrites(t *testing.T, s kv.Store) {
	write(t, s, pair{"old", "1"}, pair{"kept", "1"})
	update(t, s, func(tx kv.Txn) error {
		steps := []struct {
			do   func() error
			key  string
			want string
		}{
			{func() error { return nil }, "new", absent},
			{func() error { return tx.Put([]byte("new"), []byte("a")) }, "new", "a"},
			{func() error { return tx.Put([]byte("new"), []byte("b")) }, "new", "b"},
			{func() error { return tx.Delete([]byte("new")) }, "new", absent},
			{func() error { return tx.Put([]byte("new"), []byte("c")) }, "new", "c"},
			{func() error { return nil }, "old", "1"},
			{func() error { return tx.Delete([]byte("old")) }, "old", absent},
			{func() error { return nil }, "kept", "1"},
		}
		for i, step := range steps {
			if err := step.do(); err != nil {
				return err
			}
			got, err := find(tx, step.key)
			if err != nil {
				return err
			}
			if got != step.want {
				t.Errorf("step %d: %q is %q inside the transaction, want %q", i, step.key, got, step.want)
			}
		}
		return nil
	})
	wantScan(t, s, span("", "z"), []pair{{"kept", "1"}, {"new", "c"}})
}

// commitIsWhole writes more keys than an engine keeps in a short list.
func commitIsWhole(t *testing.T, s kv.Store) {
	want := numbered(100)
	update(t, s, func(tx kv.Txn) error {
		for _, p := range want {
			if err := tx.Put([]byte(p.Key), []byte("first")); err != nil {
				return err
			}
		}
		for _, p := range want {
			if err := tx.Put([]byte(p.Key), []byte(p.Value)); err != nil {
				return err
			}
		}
		for _, p := range want {
			got, err := find(tx, p.Key)
			if err != nil {
				return err
			}
			if got != p.Value {
				t.Errorf("own write of %q reads %q, want %q", p.Key, got, p.Value)
			}
		}
		return nil
	})
	wantScan(t, s, span("", "z"), want)
}

func errorRollsBack(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "1"}, pair{"b", "1"})
	err := s.Update(t.Context(), func(tx kv.Txn) error {
		return errors.Join(tx.Put([]byte("a"), []byte("2")), tx.Delete([]byte("b")),
			tx.Put([]byte("c"), []byte("2")), errStop)
	})
	if !errors.Is(err, errStop) || errors.Is(err, kv.ErrAmbiguous) {
		t.Errorf("Update returned %v, want the error of its function", err)
	}
	if err := s.Update(t.Context(), func(kv.Txn) error { return errStop }); err != errStop {
		t.Errorf("Update returned %v, want the very error of its function", err)
	}
	if err := s.View(t.Context(), func(kv.Reader) error { return errStop }); err != errStop {
		t.Errorf("View returned %v, want the very error of its function", err)
	}
	wantScan(t, s, span("", "z"), []pair{{"a", "1"}, {"b", "1"}})
}

func panicRollsBack(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "1"})
	fell := recovered(func() {
		_ = s.Update(t.Context(), func(tx kv.Txn) error {
			if err := tx.Put([]byte("a"), []byte("2")); err != nil {
				return err
			}
			panic(errStop)
		})
	})
	if fell != errStop {
		t.Errorf("Update let %v through, want the panic of its function", fell)
	}
	fell = recovered(func() {
		_ = s.View(t.Context(), func(kv.Reader) error { panic(errStop) })
	})
	if fell != errStop {
		t.Errorf("View let %v through, want the panic of its function", fell)
	}
	wantValue(t, s, "a", "1")
	write(t, s, pair{"a", "3"})
	wantValue(t, s, "a", "3")
}

func recovered(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

// goexitRollsBack is what t.FailNow inside a function does to the engine.
func goexitRollsBack(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "1"})
	var ended sync.WaitGroup
	ended.Go(func() {
		_ = s.Update(t.Context(), func(tx kv.Txn) error {
			if err := tx.Put([]byte("a"), []byte("2")); err != nil {
				return err
			}
			runtime.Goexit()
			return nil
		})
	})
	ended.Go(func() {
		_ = s.View(t.Context(), func(kv.Reader) error {
			runtime.Goexit()
			return nil
		})
	})
	ended.Wait()
	wantValue(t, s, "a", "1")
	write(t, s, pair{"a", "3"})
	wantValue(t, s, "a", "3")
}

func deadHandles(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "1"})
	var reader kv.Reader
	view(t, s, func(r kv.Reader) error {
		reader = r
		return nil
	})
	if _, err := reader.Get([]byte("a")); err == nil || errors.Is(err, kv.ErrNotFound) {
		t.Errorf("Get of a dead reader returned %v, want an error", err)
	}
	if _, err := collect(reader, span("", "z")); err == nil {
		t.Error("Scan of a dead reader returned no error")
	}
	var dead kv.Txn
	update(t, s, func(tx kv.Txn) error {
		dead = tx
		return tx.Put([]byte("a"), []byte("2"))
	})
	if _, err := dead.Get([]byte("a")); err == nil || errors.Is(err, kv.ErrNotFound) {
		t.Errorf("Get of a dead transaction returned %v, want an error", err)
	}
	if dead.Put([]byte("a"), []byte("3")) == nil || dead.Delete([]byte("a")) == nil {
		t.Error("a dead transaction took a write")
	}
	wantValue(t, s, "a", "2")
}

func readerCannotWrite(t *testing.T, s kv.Store) {
	view(t, s, func(r kv.Reader) error {
		if _, ok := r.(interface{ Put(key, value []byte) error }); ok {
			t.Error("the reader has a Put")
		}
		if _, ok := r.(interface{ Delete(key []byte) error }); ok {
			t.Error("the reader has a Delete")
		}
		return nil
	})
}

func deleteAbsent(t *testing.T, s kv.Store) {
	write(t, s, pair{"b", "1"})
	update(t, s, func(tx kv.Txn) error {
		return errors.Join(tx.Delete([]byte("a")), tx.Delete([]byte("b")), tx.Delete([]byte("b")))
	})
	wantScan(t, s, span("", "z"), nil)
}

package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"
)

var errExists = errors.New("exists")

func put(key, value string) func(kv.Txn) error {
	return func(tx kv.Txn) error { return tx.Put([]byte(key), []byte(value)) }
}

// create fails with errExists if key is there. It counts its runs.
func create(key, value string, runs *atomic.Int64) func(kv.Txn) error {
	return func(tx kv.Txn) error {
		runs.Add(1)
		_, err := tx.Get([]byte(key))
		if err == nil {
			return errExists
		}
		if !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		return tx.Put([]byte(key), []byte(value))
	}
}

// start runs an Update in a goroutine of its own.
func start(ctx context.Context, s *Store, fn func(kv.Txn) error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.Update(ctx, fn) }()
	return done
}

func mustUpdate(t testing.TB, s *Store, fn func(kv.Txn) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// value reads key in a View; an absent key is "<absent>".
func value(t testing.TB, s *Store, key string) string {
	t.Helper()
	var got []byte
	err := s.View(t.Context(), func(r kv.Reader) (err error) {
		got, err = r.Get([]byte(key))
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		return "<absent>"
	}
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	return string(got)
}

func wantValue(t testing.TB, s *Store, key, want string) {
	t.Helper()
	if got := value(t, s, key); got != want {
		t.Errorf("value of %q is %q, want %q", key, got, want)
	}
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s returned %v, want %v", what, got, want)
	}
}

// heldStore returns a store whose committer is in the middle of the sync of
// transaction W, which has set "w" to "1".
func heldStore(t *testing.T) (s *Store, w <-chan error, fs *faultFS, release func(error)) {
	fs = newFaultFS()
	s = openStore(t, "store", Options{FS: fs})
	entered, release := fs.hold()
	w = start(t.Context(), s, put("w", "1"))
	<-entered
	return s, w, fs, release
}

func TestUpdate(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"a_write_is_invisible_until_it_is_durable":                   invisibleUntilDurable,
		"an_error_that_tells_of_a_write_waits_for_its_sync":          errorWaitsForSync,
		"waiting_transactions_share_one_sync":                        sharedSync,
		"a_conflict_runs_the_function_once_more":                     conflictRunsTwice,
		"a_second_run_sees_what_comes_before_it_in_the_batch":        secondRunSeesBatch,
		"a_second_run_that_panics_hits_its_caller_alone":             secondRunPanics,
		"a_second_run_that_ends_its_goroutine_hits_its_caller_alone": secondRunExits,
		"a_second_run_that_is_cancelled_writes_nothing":              secondRunCancelled,
		"cancelled_while_queued_writes_nothing":                      cancelledInQueue,
		"cancelled_while_queued_and_in_conflict_writes_nothing":      cancelledInConflict,
		"cancelled_during_the_sync_is_ambiguous":                     cancelledInSync,
		"reading_only_does_not_wait_for_the_committer":               readOnlyPasses,
	} {
		t.Run(name, test)
	}
}

func invisibleUntilDurable(t *testing.T) {
	s, w, _, release := heldStore(t)
	wantValue(t, s, "w", "<absent>")
	err := s.Update(t.Context(), func(tx kv.Txn) error {
		_, err := tx.Get([]byte("w"))
		return err
	})
	wantError(t, "reading in an Update", err, kv.ErrNotFound)
	release(nil)
	wantError(t, "Update", <-w, nil)
	wantValue(t, s, "w", "1")
}

// errorWaitsForSync has two transactions create the same key in one batch. The
// loser's error says that the key exists, which a crash could still take back.
func errorWaitsForSync(t *testing.T) {
	s, w, fs, release := heldStore(t)
	var runs atomic.Int64
	winner := start(t.Context(), s, create("k", "winner", &runs))
	awaitQueue(t, s, 1)
	loser := start(t.Context(), s, create("k", "loser", &runs))
	awaitQueue(t, s, 2)
	entered, release := fs.holdNext(release)
	wantError(t, "Update", <-w, nil)
	<-entered
	if n := runs.Load(); n != 3 {
		t.Errorf("the functions ran %d times, want 3: the loser twice", n)
	}
	for range 1000 {
		runtime.Gosched()
		select {
		case err := <-loser:
			t.Fatalf("the loser was answered %v before the winner was durable", err)
		default:
		}
	}
	release(nil)
	wantError(t, "the winner", <-winner, nil)
	wantError(t, "the loser", <-loser, errExists)
	wantValue(t, s, "k", "winner")
}

func sharedSync(t *testing.T) {
	s, w, _, release := heldStore(t)
	var waiting []<-chan error
	for i := range 20 {
		waiting = append(waiting, start(t.Context(), s, put(fmt.Sprint("k", i), "v")))
	}
	awaitQueue(t, s, 20)
	release(nil)
	wantError(t, "Update", <-w, nil)
	for _, done := range waiting {
		wantError(t, "Update", <-done, nil)
	}
	m := s.Metrics()
	if m.Batches != 2 || m.Transactions != 21 || m.LargestBatch != 20 || m.Reruns != 0 {
		t.Errorf("metrics are %+v, want 21 transactions in 2 batches, 20 in the largest", m)
	}
}

func conflictRunsTwice(t *testing.T) {
	s, w, _, release := heldStore(t)
	runs := 0
	done := start(t.Context(), s, func(tx kv.Txn) error {
		runs++
		old, err := tx.Get([]byte("w"))
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		return tx.Put([]byte("copy"), append([]byte("saw "), old...))
	})
	awaitQueue(t, s, 1)
	release(nil)
	wantError(t, "Update", <-w, nil)
	wantError(t, "Update", <-done, nil)
	wantValue(t, s, "copy", "saw 1")
	if runs != 2 || s.Metrics().Reruns != 1 {
		t.Errorf("the function ran %d times, metrics say %d reruns; want 2 and 1", runs, s.Metrics().Reruns)
	}
}

func secondRunSeesBatch(t *testing.T) {
	fs := newFaultFS()
	s := openStore(t, "store", Options{FS: fs})
	mustUpdate(t, s, put("gone", "1"))
	mustUpdate(t, s, put("kept", "1"))
	entered, release := fs.hold()
	w := start(t.Context(), s, put("w", "1"))
	<-entered
	steps := []func(kv.Txn) error{
		func(tx kv.Txn) error { return tx.Delete([]byte("gone")) },
		put("new", "1"),
		put("new", "2"),
	}
	var waiting []<-chan error
	for i, fn := range steps {
		waiting = append(waiting, start(t.Context(), s, fn))
		awaitQueue(t, s, i+1)
	}
	waiting = append(waiting, start(t.Context(), s, func(tx kv.Txn) error {
		seen := ""
		for _, key := range []string{"w", "gone", "kept", "new", "other"} {
			v, err := tx.Get([]byte(key))
			if err != nil && !errors.Is(err, kv.ErrNotFound) {
				return err
			}
			seen += fmt.Sprintf("%s=%s ", key, v)
		}
		return tx.Put([]byte("seen"), []byte(seen))
	}))
	awaitQueue(t, s, 4)
	release(nil)
	for _, done := range append(waiting, w) {
		wantError(t, "Update", <-done, nil)
	}
	wantValue(t, s, "seen", "w=1 gone= kept=1 new=2 other= ")
}

// inConflict queues fn behind a write to the key it reads, and a bystander behind
// it. second is what fn does in its second run. done gives what Update returned or
// the error it panicked with, and is closed without one if the goroutine ended.
func inConflict(ctx context.Context, t *testing.T, second func()) (s *Store, done, bystander <-chan error, release func()) {
	s, w, _, unblock := heldStore(t)
	runs := 0
	ended := make(chan error, 1)
	go func() {
		defer close(ended) // also when the goroutine ends in fn
		defer func() {
			if fell := recover(); fell != nil {
				ended <- fell.(error)
			}
		}()
		ended <- s.Update(ctx, func(tx kv.Txn) error {
			if _, err := tx.Get([]byte("w")); err != nil && !errors.Is(err, kv.ErrNotFound) {
				return err
			}
			if err := tx.Put([]byte("mine"), []byte("1")); err != nil {
				return err
			}
			if runs++; runs == 2 {
				second()
			}
			return nil
		})
	}()
	awaitQueue(t, s, 1)
	bystander = start(t.Context(), s, put("bystander", "1"))
	awaitQueue(t, s, 2)
	return s, ended, bystander, func() {
		unblock(nil)
		wantError(t, "Update", <-w, nil)
	}
}

func secondRunPanics(t *testing.T) {
	s, done, bystander, release := inConflict(t.Context(), t, func() { panic(errExists) })
	release()
	wantError(t, "the recovered panic", <-done, errExists)
	wantError(t, "the bystander", <-bystander, nil)
	wantValue(t, s, "mine", "<absent>")
	wantValue(t, s, "bystander", "1")
}

func secondRunExits(t *testing.T) {
	s, done, bystander, release := inConflict(t.Context(), t, runtime.Goexit)
	release()
	if err, answered := <-done; answered {
		t.Errorf("Update returned %v in a goroutine that has ended", err)
	}
	wantError(t, "the bystander", <-bystander, nil)
	wantValue(t, s, "mine", "<absent>")
	wantValue(t, s, "bystander", "1")
}

func secondRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, done, bystander, release := inConflict(ctx, t, cancel)
	release()
	wantError(t, "the bystander", <-bystander, nil)
	err := <-done
	// Cancelled while its batch is synced, the caller may leave before it hears
	// that its second run has written nothing.
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update returned %v, want context.Canceled", err)
	}
	wantValue(t, s, "mine", "<absent>")
}

func cancelledInQueue(t *testing.T) {
	s, w, _, release := heldStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := start(ctx, s, put("k", "1"))
	awaitQueue(t, s, 1)
	cancel()
	err := <-done
	if !errors.Is(err, context.Canceled) || errors.Is(err, kv.ErrAmbiguous) {
		t.Errorf("Update returned %v, want context.Canceled", err)
	}
	release(nil)
	wantError(t, "Update", <-w, nil)
	mustUpdate(t, s, put("later", "1")) // by now the committer has met the call
	wantValue(t, s, "k", "<absent>")
}

func cancelledInConflict(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, done, bystander, release := inConflict(ctx, t, func() { t.Error("the function ran again") })
	cancel()
	err := <-done
	if !errors.Is(err, context.Canceled) || errors.Is(err, kv.ErrAmbiguous) {
		t.Errorf("Update returned %v, want context.Canceled", err)
	}
	release()
	wantError(t, "the bystander", <-bystander, nil)
	wantValue(t, s, "mine", "<absent>")
}

func cancelledInSync(t *testing.T) {
	fs := newFaultFS()
	s := openStore(t, "store", Options{FS: fs})
	entered, release := fs.hold()
	ctx, cancel := context.WithCancel(t.Context())
	done := start(ctx, s, put("k", "1"))
	<-entered
	cancel()
	err := <-done
	wantError(t, "Update", err, kv.ErrAmbiguous)
	wantError(t, "Update", err, context.Canceled)
	wantValue(t, s, "k", "<absent>")
	release(nil)
	mustUpdate(t, s, put("later", "1"))
	wantValue(t, s, "k", "1")
}

func readOnlyPasses(t *testing.T) {
	s, w, _, release := heldStore(t)
	ran := false
	mustUpdate(t, s, func(kv.Txn) error {
		ran = true
		return nil
	})
	if !ran {
		t.Error("the function did not run")
	}
	release(nil)
	wantError(t, "Update", <-w, nil)
}

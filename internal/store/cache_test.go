package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
)

// staged is an engine that stops at the points where a slow one may be slow. A nil
// hook does nothing.
type staged struct {
	kv.Store
	afterRead    func() // the snapshot was read, View has not returned
	beforeCommit func() // the closure has returned, nothing is visible
	afterCommit  func() // the commit is visible, Update has not returned
}

func call(hook func()) {
	if hook != nil {
		hook()
	}
}

func (s *staged) View(ctx context.Context, fn func(kv.Reader) error) error {
	err := s.Store.View(ctx, fn)
	call(s.afterRead)
	return err
}

func (s *staged) Update(ctx context.Context, fn func(kv.Txn) error) error {
	err := s.Store.Update(ctx, func(tx kv.Txn) error {
		err := fn(tx)
		call(s.beforeCommit)
		return err
	})
	call(s.afterCommit)
	return err
}

// openOver returns a store over db with the domain d1 of name "1".
func openOver(t testing.TB, db kv.Store, o Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	setName(t, s, "1")
	return s
}

func setName(t testing.TB, s *Store, name string) {
	t.Helper()
	update(t, s, func(tx *Tx) error { return tx.PutDomain(&Domain{ID: "d1", Name: name}) })
}

func nameOf(t testing.TB, s *Store) string {
	t.Helper()
	d, err := s.Domain(context.Background(), "d1")
	if err != nil {
		t.Fatalf("Domain: %v", err)
	}
	return d.Name
}

func TestCachedRecordIsOnePointerUntilItChanges(t *testing.T) {
	s := openOver(t, memkv.New(), Options{})
	get := func() *Domain {
		d, err := s.Domain(t.Context(), "d1")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := get()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := get(); got != first {
				t.Error("another pointer for an unchanged record")
			}
		})
	}
	all.Wait()
	setName(t, s, "2")
	if get() == first {
		t.Error("the same pointer for a changed record")
	}
	// Also where two readers decode it at the same time.
	setName(t, s, "3")
	got := make(chan *Domain)
	for range 8 {
		go func() { got <- get() }()
	}
	want := <-got
	for range 7 {
		if <-got != want {
			t.Error("two pointers for one record")
		}
	}
}

func TestReaderThatBeganBeforeAWriteLeavesNothingBehind(t *testing.T) {
	db := &staged{Store: memkv.New()}
	s := openOver(t, db, Options{})
	read, goOn := make(chan bool), make(chan bool)
	db.afterRead = func() { read <- true; <-goOn }
	slow := make(chan string)
	go func() { slow <- nameOf(t, s) }()
	<-read
	db.afterRead = nil

	setName(t, s, "2")
	goOn <- true
	if got := <-slow; got != "1" {
		t.Errorf("slow reader got %s", got)
	}
	if got := nameOf(t, s); got != "2" {
		t.Errorf("reader after the write got %s", got)
	}
}

func TestReadersDuringACommitSeeOldThenNew(t *testing.T) {
	db := &staged{Store: memkv.New()}
	s := openOver(t, db, Options{})
	if nameOf(t, s) != "1" { // now it is cached
		t.Fatal("wrong start")
	}
	db.beforeCommit = func() {
		if got := nameOf(t, s); got != "1" {
			t.Errorf("before the commit: %s", got)
		}
	}
	db.afterCommit = func() {
		for range 2 {
			if got := nameOf(t, s); got != "2" {
				t.Errorf("after the commit, before the end of Update: %s", got)
			}
		}
	}
	setName(t, s, "2")
	if got := nameOf(t, s); got != "2" {
		t.Errorf("after Update: %s", got)
	}
}

// A reader who reads the old record while a commit is on its way leaves nothing
// behind, even if he returns after the end of the Update.
func TestReaderDuringACommitLeavesNothingBehind(t *testing.T) {
	db := &staged{Store: memkv.New()}
	s := openOver(t, db, Options{})
	read, goOn, slow := make(chan bool), make(chan bool), make(chan string)
	db.beforeCommit = func() {
		db.beforeCommit = nil
		db.afterRead = func() { read <- true; <-goOn }
		go func() { slow <- nameOf(t, s) }()
		<-read
		db.afterRead = nil
	}
	setName(t, s, "2")
	goOn <- true
	if got := <-slow; got != "1" {
		t.Errorf("slow reader got %s", got)
	}
	if got := nameOf(t, s); got != "2" {
		t.Errorf("reader after the write got %s", got)
	}
}

// twice runs every closure once in vain, as an engine does after a conflict.
type twice struct{ kv.Store }

func (s *twice) Update(ctx context.Context, fn func(kv.Txn) error) error {
	conflict := errors.New("conflict")
	err := s.Store.Update(ctx, func(tx kv.Txn) error { return errors.Join(fn(tx), conflict) })
	if !errors.Is(err, conflict) {
		return err
	}
	return s.Store.Update(ctx, fn)
}

func TestMarksAreTakenBack(t *testing.T) {
	stop := errors.New("stop")
	plain := memkv.New()
	cases := map[string]struct {
		db  kv.Store
		try func(s *Store) error
	}{
		"when_the_closure_runs_twice": {&twice{memkv.New()}, func(s *Store) error {
			n := 0
			return s.Update(context.Background(), func(tx *Tx) error {
				n++ // the second run writes other keys than the first
				return tx.PutDomain(&Domain{ID: fmt.Sprint("d", n), Name: fmt.Sprint("run", n)})
			})
		}},
		"when_the_closure_fails": {memkv.New(), func(s *Store) error {
			err := s.Update(context.Background(), func(tx *Tx) error {
				return errors.Join(tx.PutDomain(&Domain{ID: "d1", Name: "x"}), stop)
			})
			if !errors.Is(err, stop) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		}},
		"when_the_commit_fails": {plain, func(s *Store) error {
			ctx, cancel := context.WithCancel(context.Background())
			err := s.Update(ctx, func(tx *Tx) error {
				cancel()
				return tx.PutDomain(&Domain{ID: "d1", Name: "x"})
			})
			if !errors.Is(err, context.Canceled) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := openOver(t, tc.db, Options{})
			if err := tc.try(s); err != nil {
				t.Fatal(err)
			}
			for i := range s.cache.shards {
				if n := len(s.cache.shards[i].inFlight); n != 0 {
					t.Errorf("%d marks are left", n)
				}
			}
			a, _ := s.Domain(t.Context(), "d1")
			b, _ := s.Domain(t.Context(), "d1")
			if a == nil || a != b {
				t.Error("the record is not cached any more")
			}
		})
	}
}

// late loses the answer of a transaction once it is armed: its writes become visible
// only with arrive.
type late struct {
	kv.Store
	armed  bool
	writes []func(kv.Txn) error
}

// lateTxn writes down what is put.
type lateTxn struct {
	kv.Txn
	s *late
}

func (t lateTxn) Put(k, v []byte) error {
	k, v = slices.Clone(k), slices.Clone(v)
	t.s.writes = append(t.s.writes, func(tx kv.Txn) error { return tx.Put(k, v) })
	return nil
}

func (s *late) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if !s.armed {
		return s.Store.Update(ctx, fn)
	}
	if err := s.Store.Update(ctx, func(tx kv.Txn) error { return fn(lateTxn{tx, s}) }); err != nil {
		return err
	}
	return fmt.Errorf("no answer: %w", kv.ErrAmbiguous)
}

func (s *late) arrive() error {
	return s.Store.Update(context.Background(), func(tx kv.Txn) error {
		for _, write := range s.writes {
			if err := write(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestWriteThatBecomesVisibleAfterAnAmbiguousErrorIsSeen(t *testing.T) {
	db := &late{Store: memkv.New()}
	s := openOver(t, db, Options{})
	db.armed = true
	err := s.Update(t.Context(), func(tx *Tx) error {
		d, err := tx.Domain("d1")
		if err != nil {
			return err
		}
		d.OwnerID = "late"
		return tx.PutDomain(d)
	})
	if !errors.Is(err, kv.ErrAmbiguous) {
		t.Fatalf("Update: %v", err)
	}
	owner := func() string {
		d, err := s.Domain(t.Context(), "d1")
		if err != nil {
			t.Fatal(err)
		}
		return d.OwnerID
	}
	if got := owner(); got != "" {
		t.Errorf("before it arrives: %q", got)
	}
	if err := db.arrive(); err != nil {
		t.Fatal(err)
	}
	if got := owner(); got != "late" {
		t.Errorf("after it has arrived: %q", got)
	}
}

func TestPanicInAClosureLeavesTheStoreUsable(t *testing.T) {
	s := openOver(t, memkv.New(), Options{})
	func() {
		defer func() { _ = recover() }()
		update(t, s, func(tx *Tx) error { panic("bug") })
	}()
	setName(t, s, "2")
	if got := nameOf(t, s); got != "2" {
		t.Errorf("got %s", got)
	}
}

func TestCacheStaysWithinItsBytes(t *testing.T) {
	const limit = 1 << 20
	s, _ := open(t, Options{CacheBytes: limit})
	update(t, s, func(tx *Tx) error {
		for i := range 4000 {
			if err := tx.PutDomain(&Domain{ID: fmt.Sprint("d", i), Name: fmt.Sprint("n", i), OwnerID: strings.Repeat("x", i%2000)}); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range 4000 {
		if _, err := s.Domain(t.Context(), fmt.Sprint("d", i)); err != nil {
			t.Fatal(err)
		}
	}
	var bytes, entries int64
	for i := range s.cache.shards {
		sh := &s.cache.shards[i]
		var sum int64
		for k, e := range sh.entries {
			if sh.ring[e.place] != e || e.key != k {
				t.Fatal("ring and entries differ")
			}
			sum += e.bytes
		}
		if sum != sh.bytes || len(sh.ring) != len(sh.entries) || sum > sh.budget {
			t.Errorf("shard holds %d bytes in %d entries; says %d in %d, budget %d", sum, len(sh.entries), sh.bytes, len(sh.ring), sh.budget)
		}
		bytes, entries = bytes+sum, entries+int64(len(sh.entries))
	}
	if bytes > limit || bytes < limit/2 || entries == 0 {
		t.Errorf("the cache holds %d bytes in %d entries, limit %d", bytes, entries, limit)
	}
}

func TestWhatIsReadOftenStays(t *testing.T) {
	s, _ := open(t, Options{CacheBytes: 64 << 10})
	update(t, s, func(tx *Tx) error {
		for i := range 2000 {
			if err := tx.PutDomain(&Domain{ID: fmt.Sprint("d", i), Name: fmt.Sprint("n", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	hot, err := s.Domain(t.Context(), "d0")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		for _, id := range []string{fmt.Sprint("d", i), "d0"} {
			got, err := s.Domain(t.Context(), id)
			if err != nil || id == "d0" && got != hot {
				t.Fatalf("after %d others the hot record was evicted (%v)", i, err)
			}
		}
	}
}

func TestStoreWithoutACacheReadsTheEngine(t *testing.T) {
	db := memkv.New()
	s := openOver(t, db, Options{CacheBytes: -1})
	other := openOver(t, db, Options{CacheBytes: -1})
	for _, name := range []string{"2", "3"} {
		setName(t, other, name)
		if got := nameOf(t, s); got != name {
			t.Errorf("got %s, want %s", got, name)
		}
	}
}

func TestHitAllocatesNothing(t *testing.T) {
	s, hash := warm(t)
	reads := map[string]func() error{
		"Secret":     func() error { _, err := s.Secret(context.Background(), "p1", "a"); return err },
		"SecretByID": func() error { _, err := s.SecretByID(context.Background(), "id1"); return err },
		"Value":      func() error { _, err := s.Value(context.Background(), "id1", 1); return err },
		"Token":      func() error { _, err := s.Token(context.Background(), hash); return err },
		"User":       func() error { _, err := s.User(context.Background(), "u1"); return err },
		"AccessKey":  func() error { _, err := s.AccessKey(context.Background(), "AK"); return err },
		"Key":        func() error { _, err := s.Key(context.Background(), "p1", "k1"); return err },
		"KeyByAlias": func() error { _, err := s.KeyByAlias(context.Background(), "p1", "csms/default"); return err },
	}
	for name, read := range reads {
		if n := testing.AllocsPerRun(100, func() {
			if err := read(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func warm(t testing.TB) (*Store, [32]byte) {
	t.Helper()
	s, _ := populated(t)
	return s, [32]byte{1}
}

// The counters of this test only grow. A read that begins after a write has ended,
// or after another read has ended, must not find less than these did: that is
// linearizability of a counter.
func TestCachedReadsAreLinearizable(t *testing.T) {
	for name, cacheBytes := range map[string]int64{"roomy": 0, "always_evicting": 8 << 10} {
		t.Run(name, func(t *testing.T) {
			db := &staged{Store: memkv.New(), afterRead: runtime.Gosched, beforeCommit: runtime.Gosched, afterCommit: runtime.Gosched}
			s, err := Open(t.Context(), db, Options{CacheBytes: cacheBytes})
			if err != nil {
				t.Fatal(err)
			}
			counters := make([]*counter, 5)
			for i := range counters {
				counters[i] = &counter{store: s, ak: fmt.Sprint("AK", i), user: strings.Repeat("u", 100*i)}
				counters[i].add(t)
			}
			var writers, readers sync.WaitGroup
			var stop atomic.Bool
			for w := range 3 {
				writers.Go(func() {
					for i := range 400 {
						counters[(i+w)%len(counters)].add(t)
					}
				})
				readers.Go(func() {
					for i := w; !stop.Load(); i++ {
						counters[i%len(counters)].read(t)
					}
				})
			}
			writers.Wait()
			stop.Store(true)
			readers.Wait()
			for _, c := range counters {
				c.read(t)
			}
		})
	}
}

// counter is a number in an access key record, with what is known about it.
type counter struct {
	store    *Store
	ak, user string
	begun    atomic.Int64 // highest number a write may have made
	floor    atomic.Int64 // highest number that an ended write made or an ended read saw
}

func (c *counter) add(t *testing.T) {
	c.begun.Add(1)
	var n int64
	update(t, c.store, func(tx *Tx) error {
		k, err := tx.AccessKey(c.ak)
		if errors.Is(err, ErrNotFound) {
			k, err = &AccessKey{AccessKey: c.ak, UserID: "u" + c.user}, nil
		}
		if err != nil {
			return err
		}
		k.CreateTime++
		n = int64(k.CreateTime)
		return tx.PutAccessKey(k)
	})
	c.raise(n)
}

func (c *counter) read(t *testing.T) {
	floor := c.floor.Load()
	k, err := c.store.AccessKey(context.Background(), c.ak)
	if err != nil {
		t.Errorf("AccessKey: %v", err)
		return
	}
	if n := int64(k.CreateTime); n < floor || n > c.begun.Load() {
		t.Errorf("%s is %d, and was %d before", c.ak, n, floor)
	}
	c.raise(int64(k.CreateTime))
}

func (c *counter) raise(n int64) {
	for {
		old := c.floor.Load()
		if n <= old || c.floor.CompareAndSwap(old, n) {
			return
		}
	}
}

// A name that moves from one record to another in one transaction is never missing,
// although row and record are cached one by one.
func TestNameThatMovesIsNeverMissing(t *testing.T) {
	db := &staged{Store: memkv.New(), afterRead: runtime.Gosched, afterCommit: runtime.Gosched}
	s, err := Open(t.Context(), db, Options{})
	if err != nil {
		t.Fatal(err)
	}
	move := func(i int) {
		update(t, s, func(tx *Tx) error {
			from, to := fmt.Sprint("u", i%2), fmt.Sprint("u", (i+1)%2)
			return errors.Join(
				tx.PutUser(&User{ID: from, DomainID: "d1", Name: "other"}),
				tx.PutUser(&User{ID: to, DomainID: "d1", Name: "name"}))
		})
	}
	update(t, s, func(tx *Tx) error { return tx.PutUser(&User{ID: "u0", DomainID: "d1", Name: "name"}) })
	update(t, s, func(tx *Tx) error { return tx.PutUser(&User{ID: "u1", DomainID: "d1", Name: "other"}) })
	var stop atomic.Bool
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for !stop.Load() {
				if u, err := s.UserByName(context.Background(), "d1", "name"); err != nil || u.Name != "name" {
					t.Errorf("UserByName: %+v, %v", u, err)
					return
				}
			}
		})
	}
	for i := range 500 {
		// Two steps, because a name is free only once its holder has another.
		update(t, s, func(tx *Tx) error {
			return tx.PutUser(&User{ID: fmt.Sprint("u", (i+1)%2), DomainID: "d1", Name: "between"})
		})
		move(i)
	}
	stop.Store(true)
	readers.Wait()
}

func BenchmarkRead(b *testing.B) {
	for _, tc := range []struct {
		name string
		read func(*Store, [32]byte) error
	}{
		{"Secret", func(s *Store, _ [32]byte) error { _, err := s.Secret(context.Background(), "p1", "a"); return err }},
		{"SecretByID", func(s *Store, _ [32]byte) error { _, err := s.SecretByID(context.Background(), "id1"); return err }},
		{"Value", func(s *Store, _ [32]byte) error { _, err := s.Value(context.Background(), "id1", 1); return err }},
		{"Token", func(s *Store, h [32]byte) error { _, err := s.Token(context.Background(), h); return err }},
	} {
		b.Run(tc.name+"/hit", func(b *testing.B) {
			s, hash := warm(b)
			b.ReportAllocs()
			for b.Loop() {
				if err := tc.read(s, hash); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(tc.name+"/miss", func(b *testing.B) {
			s, hash := warm(b)
			s.cache.clear(true)
			b.ReportAllocs()
			for b.Loop() {
				if err := tc.read(s, hash); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(tc.name+"/hit_parallel", func(b *testing.B) {
			s, hash := warm(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := tc.read(s, hash); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"
)

// appendEntry takes the next number of the log in "last" and writes an entry under
// it: the entries of a whole store are dense, whatever the order of its writers.
func appendEntry(ctx context.Context, s *Store, value []byte) (n int, err error) {
	err = s.Update(ctx, func(tx kv.Txn) error {
		var err error
		if n, err = last(tx); err != nil {
			return err
		}
		n++
		if err := tx.Put([]byte("last"), fmt.Append(nil, n)); err != nil {
			return err
		}
		return tx.Put(fmt.Appendf(nil, "entry/%08d", n), value)
	})
	return n, err
}

func last(g interface{ Get([]byte) ([]byte, error) }) (n int, err error) {
	text, err := g.Get([]byte("last"))
	if errors.Is(err, kv.ErrNotFound) {
		return 0, nil
	}
	if err == nil {
		_, err = fmt.Sscan(string(text), &n)
	}
	return n, err
}

// wantDense demands a log without holes that holds at least least entries, and
// returns how many it holds.
func wantDense(t *testing.T, s *Store, least int) (n int) {
	t.Helper()
	err := s.View(t.Context(), func(r kv.Reader) (err error) {
		if n, err = last(r); err != nil {
			return err
		}
		next := 1
		for item, err := range r.Scan(kv.Prefix([]byte("entry/"))) {
			if err != nil {
				return err
			}
			if want := fmt.Sprintf("entry/%08d", next); string(item.Key) != want {
				t.Errorf("entry %d of the log is %q, want %q", next, item.Key, want)
			}
			next++
		}
		if next != n+1 {
			t.Errorf("the log holds %d entries and counts %d", next-1, n)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	if n < least {
		t.Errorf("the log holds %d entries, but %d were acknowledged", n, least)
	}
	return n
}

// busy lets writers append to the log until the returned stop is called.
// acknowledged is the highest number that a writer was told.
func busy(t *testing.T, s *Store, writers int) (acknowledged *atomic.Int64, stop func()) {
	acknowledged = new(atomic.Int64)
	var stopped atomic.Bool
	var done sync.WaitGroup
	for w := range writers {
		done.Go(func() {
			chance := rand.New(rand.NewPCG(uint64(w), 7))
			for !stopped.Load() {
				n, err := appendEntry(t.Context(), s, make([]byte, chance.IntN(2000)))
				if err != nil {
					t.Errorf("writing: %v", err)
					return
				}
				raise(acknowledged, int64(n))
			}
		})
	}
	return acknowledged, func() {
		stopped.Store(true)
		done.Wait()
	}
}

func raise(highest *atomic.Int64, n int64) {
	for {
		old := highest.Load()
		if n <= old || highest.CompareAndSwap(old, n) {
			return
		}
	}
}

func awaitCount(t *testing.T, n *atomic.Int64, least int64) {
	t.Helper()
	for n.Load() < least && !t.Failed() {
		runtime.Gosched()
	}
}

func TestCheckpoint(t *testing.T) {
	root := t.TempDir()
	s := openStore(t, filepath.Join(root, "data"), Options{MemTableBytes: 256 << 10})
	acknowledged, stop := busy(t, s, 4)
	for i := range 3 {
		awaitCount(t, acknowledged, int64(300*(i+1)))
		least := int(acknowledged.Load())
		dir := filepath.Join(root, fmt.Sprint("copy", i))
		if err := s.Checkpoint(dir); err != nil {
			t.Fatalf("Checkpoint: %v", err)
		}
		wantDense(t, openStore(t, dir, Options{}), least)
	}
	stop()
	wantDense(t, s, int(acknowledged.Load()))
	if err := s.Checkpoint(filepath.Join(root, "copy0")); !errors.Is(err, os.ErrExist) {
		t.Errorf("a checkpoint over another returned %v, want os.ErrExist", err)
	}
}

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{MemTableBytes: 256 << 10})
	acknowledged, stop := busy(t, s, 2)
	awaitCount(t, acknowledged, 500)
	if err := s.Verify(t.Context()); err != nil {
		t.Errorf("Verify of a store that is written to: %v", err)
	}
	stop()
	if _, err := os.Stat(filepath.Join(dir, "verify")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Verify left its scratch directory: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, "a cancelled Verify", s.Verify(ctx), context.Canceled)
}

// TestVerifyFindsAFlippedByte damages a table in one byte at a time, while the
// block cache of the open store still holds what was there.
func TestVerifyFindsAFlippedByte(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	for range 200 {
		if _, err := appendEntry(t.Context(), s, make([]byte, 500)); err != nil {
			t.Fatalf("writing: %v", err)
		}
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatalf("Compact: %v", err)
	}
	n := wantDense(t, s, 200)
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) != 1 {
		t.Fatalf("found tables %v (%v), want one", tables, err)
	}
	whole, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	chance := rand.New(rand.NewPCG(1, 1))
	for _, at := range slices.Concat([]int{0, len(whole) - 1}, chance.Perm(len(whole))[:60]) {
		flip(t, tables[0], at)
		if err := s.Verify(t.Context()); err == nil {
			t.Errorf("Verify does not notice that byte %d of %d is changed", at, len(whole))
		}
		flip(t, tables[0], at)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Errorf("Verify of the repaired table: %v", err)
	}
	wantDense(t, s, n)
}

func flip(t *testing.T, path string, at int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	var b [1]byte
	if _, err := f.ReadAt(b[:], int64(at)); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b[:], int64(at)); err != nil {
		t.Fatal(err)
	}
}

// TestDamageIsReportedNotServed reads a damaged item: the reader gets an error,
// the log tells of it, and the process and the other items live on.
func TestDamageIsReportedNotServed(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	for i := range 100 {
		mustUpdate(t, s, put(fmt.Sprintf("k%02d", i), strings.Repeat(fmt.Sprintf("<%02d>", i), 500)))
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatalf("Compact: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	if len(tables) != 1 {
		t.Fatalf("found tables %v, want one", tables)
	}
	whole, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	flip(t, tables[0], strings.Index(string(whole), "<50><50>"))

	var logged logBuffer
	s = openStore(t, dir, Options{Logger: logged.logger()})
	err = s.View(t.Context(), func(r kv.Reader) error {
		_, err := r.Get([]byte("k50"))
		return err
	})
	if err == nil || errors.Is(err, kv.ErrNotFound) {
		t.Errorf("reading a damaged item returned %v, want an error", err)
	}
	err = s.View(t.Context(), func(r kv.Reader) error {
		for _, err := range r.Scan(kv.Prefix([]byte("k"))) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		t.Error("scanning over a damaged item returned no error")
	}
	wantValue(t, s, "k00", strings.Repeat("<00>", 500))
	if !strings.Contains(logged.String(), "data corruption") {
		t.Errorf("the log does not tell of the damage:\n%s", logged.String())
	}
}

// TestCompact frees the space of deleted items.
func TestCompact(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{MemTableBytes: 1 << 20})
	chance := rand.NewChaCha8([32]byte{1})
	for i := range 64 {
		noise := make([]byte, 64<<10)
		_, _ = chance.Read(noise)
		mustUpdate(t, s, put(fmt.Sprint("k", i), string(noise)))
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatalf("Compact: %v", err)
	}
	if got := s.Metrics().DiskBytes; got < 4<<20 {
		t.Errorf("4 MiB of values take %d bytes on disk", got)
	}
	mustUpdate(t, s, func(tx kv.Txn) error {
		for i := range 64 {
			if err := tx.Delete(fmt.Append(nil, "k", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.Compact(t.Context()); err != nil {
		t.Fatalf("Compact: %v", err)
	}
	for i := 0; tableBytes(t, s) > 64<<10; i++ { // files are removed in the background
		runtime.Gosched()
	}
}

func tableBytes(t *testing.T, s *Store) (sum int64) {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(s.dir, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if info, err := os.Stat(table); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// TestSnapshotsAreReleased: an open snapshot must not outlive its readers, because
// it keeps old versions on disk.
func TestSnapshotsAreReleased(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	acknowledged, stop := busy(t, s, 4)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for acknowledged.Load() < 300 && !t.Failed() {
				value(t, s, "last")
			}
		})
	}
	readers.Wait()
	stop()
	if n := s.db.Metrics().Snapshots.Count; n != 1 {
		t.Errorf("%d snapshots are open without a reader, want 1", n)
	}
}

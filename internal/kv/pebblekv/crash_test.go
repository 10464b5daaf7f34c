package pebblekv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestCrash cuts the power again and again while writers, readers, flushes and
// compactions run, and opens what was synced, with a part of what was not. What a
// writer was told or a reader has seen must be there, and every transaction whole.
func TestCrash(t *testing.T) {
	for _, unsynced := range []int{0, 30, 100} {
		t.Run(fmt.Sprintf("%d_percent_of_unsynced_data_survive", unsynced), func(t *testing.T) {
			chance := rand.New(rand.NewPCG(uint64(unsynced), 42))
			fs, known := vfs.NewCrashableMem(), 0
			for range 6 {
				fs, known = crashOnce(t, fs, known, unsynced, chance)
			}
		})
	}
}

// crashOnce opens the store, checks that nothing of known is lost, lets it work
// for a while, and returns its disk after a crash and what was known before it.
func crashOnce(t *testing.T, fs *vfs.MemFS, known, unsynced int, chance *rand.Rand) (*vfs.MemFS, int) {
	s := openStore(t, "data", Options{FS: fs, MemTableBytes: 64 << 10})
	known = wantWhole(t, s, known)
	acknowledged, seen := new(atomic.Int64), new(atomic.Int64)
	ctx, cancel := context.WithCancel(t.Context())
	var working sync.WaitGroup
	for w := range 6 {
		working.Go(func() { crashWriter(ctx, t, s, w, acknowledged) })
	}
	for range 2 {
		working.Go(func() { crashReader(ctx, t, s, seen) })
	}
	working.Go(func() {
		for more := int64(known); ctx.Err() == nil; more += 60 {
			for acknowledged.Load() < more && ctx.Err() == nil {
				runtime.Gosched()
			}
			if err := s.Compact(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("Compact: %v", err)
			}
		}
	})
	awaitCount(t, acknowledged, int64(known+50+chance.IntN(300)))
	told := int(max(acknowledged.Load(), seen.Load()))
	crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: chance})
	cancel()
	working.Wait()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return crashed, told
}

// crashWriter appends entries, some of them large, with a mirror at the other end
// of the key space. Some calls are cancelled while they commit.
func crashWriter(ctx context.Context, t *testing.T, s *Store, seed int, acknowledged *atomic.Int64) {
	chance := rand.New(rand.NewPCG(uint64(seed), 3))
	for ctx.Err() == nil {
		size := chance.IntN(600)
		if chance.IntN(100) == 0 {
			size = 40 << 10 // more than fits in half a table in memory
		}
		one, cancel := context.WithCancel(ctx)
		impatient := chance.IntN(10) == 0
		var n int
		err := s.Update(one, func(tx kv.Txn) error {
			if impatient {
				defer func() { go cancel() }()
			}
			var err error
			if n, err = last(tx); err != nil {
				return err
			}
			n++
			return errors.Join(
				tx.Put([]byte("last"), fmt.Append(nil, n)),
				tx.Put(fmt.Appendf(nil, "entry/%08d", n), make([]byte, size)),
				tx.Put(fmt.Appendf(nil, "mirror/%08d", n), fmt.Append(nil, size)),
				tx.Delete(fmt.Appendf(nil, "mirror/%08d", n-100)),
			)
		})
		cancel()
		switch {
		case err == nil:
			raise(acknowledged, int64(n))
		case !errors.Is(err, context.Canceled):
			t.Errorf("writing: %v", err)
			return
		}
	}
}

func crashReader(ctx context.Context, t *testing.T, s *Store, seen *atomic.Int64) {
	for ctx.Err() == nil {
		err := s.View(ctx, func(r kv.Reader) error {
			n, err := last(r)
			raise(seen, int64(n))
			return err
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("reading: %v", err)
			return
		}
	}
}

// wantWhole is wantDense, and demands of the last hundred entries that their
// mirrors came with them, and of the rest that theirs have gone.
func wantWhole(t *testing.T, s *Store, least int) int {
	t.Helper()
	n := wantDense(t, s, least)
	err := s.View(t.Context(), func(r kv.Reader) error {
		next := max(1, n-99)
		for item, err := range r.Scan(kv.Prefix([]byte("mirror/"))) {
			if err != nil {
				return err
			}
			entry, err := r.Get(fmt.Appendf(nil, "entry/%08d", next))
			if err != nil {
				return err
			}
			if string(item.Key) != fmt.Sprintf("mirror/%08d", next) || string(item.Value) != fmt.Sprint(len(entry)) {
				t.Errorf("mirror %q says %s, want that of entry %d, %d bytes", item.Key, item.Value, next, len(entry))
			}
			next++
		}
		if next != n+1 {
			t.Errorf("the mirrors end before %d, the entries at %d", next, n)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	return n
}

// TestKill writes in a child process, kills it in the middle, and looks for all
// that the child has reported as committed.
func TestKill(t *testing.T) {
	const variable = "COFFER_PEBBLEKV_BURST"
	if dir := os.Getenv(variable); dir != "" {
		burst(t, openStore(t, dir, Options{MemTableBytes: 256 << 10}))
		return
	}
	dir, known := t.TempDir(), 0
	for range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
		child.Env = append(os.Environ(), variable+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for more := 400; more > 0 && lines.Scan(); more-- {
			known = max(known, reported(t, lines.Text()))
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			known = max(known, reported(t, lines.Text()))
		}
		_ = child.Wait() // it was killed
		s := openStore(t, dir, Options{})
		known = wantDense(t, s, max(known, 400))
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
}

func reported(t *testing.T, line string) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(line, "committed %d", &n); err != nil {
		t.Errorf("the child says %q", line)
	}
	return n
}

// burst never ends by itself.
func burst(t *testing.T, s *Store) {
	var working sync.WaitGroup
	for range 6 {
		working.Go(func() {
			for {
				n, err := appendEntry(t.Context(), s, make([]byte, 1000))
				if err != nil {
					fmt.Println("failed:", err)
					return
				}
				fmt.Printf("committed %d\n", n)
			}
		})
	}
	working.Wait()
}

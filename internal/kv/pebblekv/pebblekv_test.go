package pebblekv

import (
	"testing"

	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func openStore(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Store { return openStore(t, t.TempDir(), Options{}) })
}

// TestStoreWhileFlushing runs the suite with a table in memory so small that most
// of what is read has been flushed and compacted meanwhile.
func TestStoreWhileFlushing(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Store {
		return openStore(t, "store", Options{FS: vfs.NewMem(), MemTableBytes: 32 << 10, CacheBytes: 64 << 10})
	})
}

func TestStoreReopened(t *testing.T) {
	kvtest.RunDurable(t, func(t *testing.T, dir string) kv.Store { return openStore(t, dir, Options{}) })
}

package pebblekv

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestCheckpointAfterACrashDuringOpen takes away the log that Open makes last, which
// is how a crash in the middle of Open leaves a store: nothing is to be replayed, and
// a checkpoint must open all the same.
func TestCheckpointAfterACrashDuringOpen(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "data")
	for range 2 { // the second Open flushes what the first has left in the log
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		if value(t, s, "k") != "v" {
			mustUpdate(t, s, put("k", "v"))
		}
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("found the logs %v, %v", logs, err)
	}
	if err := os.Remove(slices.Max(logs)); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir, Options{})
	if err := s.Verify(t.Context()); err != nil {
		t.Errorf("Verify: %v", err)
	}
	copied := filepath.Join(root, "copy")
	if err := s.Checkpoint(copied); err != nil {
		t.Fatalf("Checkpoint: %v", err)
	}
	wantValue(t, openStore(t, copied, Options{}), "k", "v")
	wantValue(t, s, "k", "v")
}

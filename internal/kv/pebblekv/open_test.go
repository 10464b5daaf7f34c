package pebblekv

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/kv"
)

func TestOpenIsExclusive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openStore(t, dir, Options{})
	_, err := Open(dir, Options{})
	wantError(t, "a second Open", err, ErrInUse)
	if err != nil && !strings.Contains(err.Error(), dir) {
		t.Errorf("the error %q does not name the directory", err)
	}
	mustUpdate(t, s, put("a", "1"))
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	wantValue(t, openStore(t, dir, Options{}), "a", "1")
}

// TestOpenIsExclusiveAmongProcesses has a child process try to open the store.
func TestOpenIsExclusiveAmongProcesses(t *testing.T) {
	const variable = "COFFER_PEBBLEKV_DIR"
	if dir := os.Getenv(variable); dir != "" {
		_, err := Open(dir, Options{})
		wantError(t, "Open in the child", err, ErrInUse)
		return
	}
	dir := t.TempDir()
	openStore(t, dir, Options{})
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOpenIsExclusiveAmongProcesses$")
	child.Env = append(os.Environ(), variable+"="+dir)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("the child: %v\n%s", err, out)
	}
}

func TestDirectoriesAreClosedToOthers(t *testing.T) {
	root := t.TempDir()
	dir, copied := filepath.Join(root, "a", "data"), filepath.Join(root, "b", "copy")
	s := openStore(t, dir, Options{})
	mustUpdate(t, s, put("a", "1"))
	if err := s.Checkpoint(copied); err != nil {
		t.Fatalf("Checkpoint: %v", err)
	}
	for _, dir := range []string{filepath.Dir(dir), dir, filepath.Dir(copied), copied} {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o700 {
			t.Errorf("%s has mode %v, want 0700", dir, mode)
		}
	}
}

func TestOpenWarnsOfAnOpenDirectory(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		mode os.FileMode
		warn bool
	}{{0o700, false}, {0o755, true}, {0o710, true}} {
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		var logged logBuffer
		s, err := Open(dir, Options{Logger: logged.logger()})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if warned := strings.Contains(logged.String(), "open to other users"); warned != c.warn {
			t.Errorf("mode %v: warned is %t, want %t", c.mode, warned, c.warn)
		}
	}
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(file, Options{})
	if err == nil || errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), file) {
		t.Errorf("opening a file as a directory returned %v", err)
	}
}

// TestClosed asks a closed store for everything but what kvtest asks.
func TestClosed(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	wantError(t, "Checkpoint", s.Checkpoint(filepath.Join(t.TempDir(), "copy")), kv.ErrClosed)
	wantError(t, "Compact", s.Compact(t.Context()), kv.ErrClosed)
	wantError(t, "Verify", s.Verify(t.Context()), kv.ErrClosed)
	if m := s.Metrics(); m != (Metrics{}) {
		t.Errorf("Metrics returned %+v, want zeros", m)
	}
}

package rootkey_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/seal/rootkey"
)

// names lists a directory: a Generate leaves its file behind and nothing else.
func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestGenerate_writes_a_file_that_loads(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "root.key")
	made, err := rootkey.Generate(rand.Reader, path)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := rootkey.FromFile(path).Load()
	if err != nil || !bytes.Equal(made.Bytes(), loaded.Bytes()) {
		t.Errorf("Load after Generate: %v, same key %v", err, bytes.Equal(made.Bytes(), loaded.Bytes()))
	}
	if text, err := os.ReadFile(path); err != nil || len(text) != 65 || text[64] != '\n' {
		t.Errorf("file has %d bytes, %v, want 64 digits and a newline", len(text), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("file has mode %v, %v, want 0600", info.Mode(), err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("directory holds %v", got)
	}
}

func TestGenerate_replaces_nothing(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "root.key", "in use", 0o600)
	dangling := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), dangling); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, dangling, dir} {
		k, err := rootkey.Generate(rand.Reader, path)
		if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) || k.Bytes() != nil {
			t.Errorf("Generate at %s: error %v, want %v", path, err, fs.ErrExist)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "in use" {
		t.Errorf("file now holds %q, %v", text, err)
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("directory holds %v", got)
	}
}

func TestGenerate_has_one_winner(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "root.key")
	var won atomic.Pointer[rootkey.Key]
	var wins, others atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			k, err := rootkey.Generate(rand.Reader, path)
			switch {
			case err == nil:
				wins.Add(1)
				won.Store(&k)
			case errors.Is(err, fs.ErrExist):
				others.Add(1)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 || others.Load() != 7 {
		t.Fatalf("%d won and %d found a file, want 1 and 7", wins.Load(), others.Load())
	}
	if k, err := rootkey.FromFile(path).Load(); err != nil || !bytes.Equal(k.Bytes(), won.Load().Bytes()) {
		t.Errorf("file does not hold the key of the winner: %v", err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("directory holds %v", got)
	}
}

func TestGenerate_reports_what_it_could_not_do(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "missing", "root.key")
	if _, err := rootkey.Generate(rand.Reader, path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Dir(path)) {
		t.Errorf("Generate in a missing directory: error %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := rootkey.Generate(strings.NewReader("short"), filepath.Join(dir, "root.key")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Generate without randomness: error %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("directory holds %v", got)
	}
}

package pebblekv

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestDamageToTheLog flips one bit at a time. A store that opens must hold all that
// was committed. After a crash that does not count for the last record, which cannot
// be told from a torn write: it may be missing, and nothing else.
func TestDamageToTheLog(t *testing.T) {
	for _, tc := range []struct {
		name   string
		end    func(t *testing.T, s *Store, fs *vfs.MemFS) *vfs.MemFS
		mayGo  int // entries at the end
		reopen bool
	}{
		{name: "after_a_crash", end: crashed, mayGo: 1},
		{name: "after_a_close", end: closed},
		{name: "after_a_second_crash", end: crashed, mayGo: 1, reopen: true},
		{name: "after_a_second_close", end: closed, reopen: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fs := vfs.NewCrashableMem()
			if tc.reopen {
				fs = tc.end(t, writeEntries(t, fs, 10), fs)
			}
			fs = tc.end(t, writeEntries(t, fs, 60), fs)
			damageLog(t, fs, tc.mayGo)
		})
	}
}

func crashed(t *testing.T, s *Store, fs *vfs.MemFS) *vfs.MemFS {
	t.Helper()
	clone := fs.CrashClone(vfs.CrashCloneCfg{})
	closed(t, s, fs)
	return clone
}

func closed(t *testing.T, s *Store, fs *vfs.MemFS) *vfs.MemFS {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	return fs
}

// writeEntries adds n entries, the fifth of which fill two blocks of the log.
func writeEntries(t *testing.T, fs vfs.FS, n int) *Store {
	t.Helper()
	s, err := Open("data", Options{FS: fs})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		size := chance.IntN(600)
		if i == 5 {
			size = 50 << 10
		}
		if _, err := appendEntry(t.Context(), s, make([]byte, size)); err != nil {
			t.Fatalf("writing: %v", err)
		}
	}
	return s
}

func damageLog(t *testing.T, fs *vfs.MemFS, mayGo int) {
	t.Helper()
	name, _, err := newestLog(fs, "data")
	if err != nil {
		t.Fatal(err)
	}
	whole, n := readFile(t, fs, filepath.Join("data", name)), entries(t, clone(t, fs))
	chance := rand.New(rand.NewPCG(3, 4))
	noticed := 0
	for at := 0; at < len(whole); at += 1 + chance.IntN(300) {
		damaged := clone(t, fs)
		flipped := append([]byte(nil), whole...)
		flipped[at] ^= 1 << chance.IntN(8)
		writeFile(t, damaged, filepath.Join("data", name), flipped)
		s, err := Open("data", Options{FS: damaged})
		if err != nil {
			noticed++
			if !errors.Is(err, ErrDamaged) && !pebble.IsCorruptionError(err) {
				t.Errorf("byte %d of %d: Open: %v", at, len(whole), err)
			}
			continue
		}
		if got := wantDense(t, s, n-mayGo); got < n && at < len(whole)-2000 {
			t.Errorf("byte %d of %d: %d of %d entries are left", at, len(whole), got, n)
		}
		closed(t, s, nil)
	}
	if noticed < 50 {
		t.Errorf("%d changes were noticed", noticed)
	}
}

func entries(t *testing.T, fs vfs.FS) int {
	t.Helper()
	return wantDense(t, openStore(t, "data", Options{FS: fs}), 1)
}

func clone(t *testing.T, fs vfs.FS) *vfs.MemFS {
	t.Helper()
	to := vfs.NewMem()
	if ok, err := vfs.Clone(fs, to, "data", "data"); !ok || err != nil {
		t.Fatalf("copying the store: %t, %v", ok, err)
	}
	return to
}

func readFile(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t *testing.T, fs vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestVerifyFindsDamageToTheLog damages the log of an open store.
func TestVerifyFindsDamageToTheLog(t *testing.T) {
	fs := vfs.NewMem()
	s := writeEntries(t, fs, 20)
	defer closed(t, s, nil)
	if err := s.Verify(t.Context()); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	name, _, err := newestLog(fs, "data")
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprint("data/", name)
	b := readFile(t, fs, path)
	b[len(b)/2] ^= 1
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(b[len(b)/2:len(b)/2+1], int64(len(b)/2))
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context()); !errors.Is(err, ErrDamaged) && !pebble.IsCorruptionError(err) {
		t.Errorf("Verify returned %v, want a report of damage", err)
	}
}

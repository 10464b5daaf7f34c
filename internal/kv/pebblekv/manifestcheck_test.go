package pebblekv

import (
	"errors"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// newManifest returns a store with some versions in its manifest, where that is, and
// how many entries the store holds.
func newManifest(t *testing.T) (fs *vfs.MemFS, path string, n int) {
	t.Helper()
	fs = vfs.NewMem()
	for range 3 {
		s := writeEntries(t, fs, 20)
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
		closed(t, s, nil)
	}
	return fs, manifestOf(t, fs), entries(t, clone(t, fs))
}

func manifestOf(t *testing.T, fs vfs.FS) string {
	t.Helper()
	known, err := pebble.Peek("data", fs)
	if err != nil {
		t.Fatal(err)
	}
	return known.ManifestFilename
}

// TestDamageToTheManifest flips every byte of the manifest: the store does not open,
// or holds all that it held. Without the check it opens empty.
func TestDamageToTheManifest(t *testing.T) {
	fs, path, n := newManifest(t)
	whole := readFile(t, fs, path)
	for at := range whole {
		damaged := clone(t, fs)
		flipped := slices.Clone(whole)
		flipped[at] ^= 1 << (at % 8)
		writeFile(t, damaged, path, flipped)
		s, err := Open("data", Options{FS: damaged})
		if err == nil {
			t.Errorf("byte %d of %d: Open notices nothing", at, len(whole))
			wantDense(t, s, n)
			closed(t, s, nil)
		} else if !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d of %d: Open: %v", at, len(whole), err)
		}
	}
}

// TestTornManifest leaves a part of a next record behind, as a crash does: the store
// opens as it was.
func TestTornManifest(t *testing.T) {
	fs, path, n := newManifest(t)
	whole := readFile(t, fs, path)
	next := append(slices.Clone(whole[:40]), make([]byte, sector)...)
	next[4], next[5] = 0x20, 2 // longer than what there is
	for name, tail := range map[string][]byte{
		"a byte": {7}, "a piece of a header": next[:5], "a header": next[:7], "a piece of a payload": next[:30],
		"zeros": make([]byte, 100), "many zeros": make([]byte, 3*logBlock),
		"a payload without its end": append(slices.Clone(next[:40]), make([]byte, 2*sector)...),
	} {
		t.Run(name, func(t *testing.T) {
			torn := clone(t, fs)
			writeFile(t, torn, path, append(slices.Clone(whole), tail...))
			wantDense(t, openStore(t, "data", Options{FS: torn}), n)
		})
	}
	t.Run("something else", func(t *testing.T) {
		damaged := clone(t, fs)
		writeFile(t, damaged, path, append(slices.Clone(whole), slices.Repeat([]byte{1}, 1000)...))
		if _, err := Open("data", Options{FS: damaged}); !errors.Is(err, ErrDamaged) {
			t.Errorf("Open returned %v, want ErrDamaged", err)
		}
	})
}

// TestVerifyFindsDamageToTheManifest damages the manifest of an open store.
func TestVerifyFindsDamageToTheManifest(t *testing.T) {
	fs, _, _ := newManifest(t)
	s := openStore(t, "data", Options{FS: fs})
	if err := s.Verify(t.Context()); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	path := manifestOf(t, fs)
	list := readFile(t, fs, path)
	list[len(list)/2] ^= 1
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(list, 0)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("Verify returned %v, want ErrDamaged", err)
	}
}

package seal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/seal"
)

func newKey(t testing.TB) []byte {
	t.Helper()
	key := make([]byte, seal.KeySize)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	return key
}

func newBox(t testing.TB, key []byte, purpose seal.Purpose, version uint32) *seal.Box {
	t.Helper()
	box, err := seal.NewBox(rand.Reader, key, purpose, version)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func boxUp(t testing.TB, box *seal.Box, plaintext, aad string) []byte {
	t.Helper()
	blob, err := box.Seal(nil, []byte(plaintext), []byte(aad))
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func TestBox_returns_what_it_sealed(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		version := rapid.Uint32().Draw(r, "version")
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(r, "plaintext")
		aad := rapid.SliceOf(rapid.Byte()).Draw(r, "aad")
		prefix := rapid.SliceOf(rapid.Byte()).Draw(r, "prefix")
		box := newBox(t, newKey(t), seal.PurposeDataKey, version)

		blob, err := box.Seal(slices.Clone(prefix), plaintext, aad)
		if err != nil {
			r.Fatal(err)
		}
		blob, ok := bytes.CutPrefix(blob, prefix)
		if !ok || len(blob) != len(plaintext)+seal.BoxOverhead {
			r.Fatalf("Seal appended %d bytes to its prefix, want %d", len(blob), len(plaintext)+seal.BoxOverhead)
		}
		if got, err := seal.BoxVersion(blob); err != nil || got != version || box.Version() != version {
			r.Fatalf("BoxVersion = %d, %v, want %d", got, err, version)
		}
		got, err := box.Open(slices.Clone(prefix), blob, aad)
		if err != nil || !bytes.Equal(got, append(slices.Clone(prefix), plaintext...)) {
			r.Fatalf("Open = %d bytes, %v", len(got), err)
		}
	})
}

func TestBox_opens_only_for_its_key_purpose_version_and_context(t *testing.T) {
	key := newKey(t)
	box := newBox(t, key, seal.PurposeDataKey, 1)
	blob := boxUp(t, box, "material", "context")
	renamed := slices.Clone(blob)
	renamed[4] = 2 // claims version 2

	for _, c := range []struct {
		name string
		box  *seal.Box
		blob []byte
		aad  string
	}{
		{"another key", newBox(t, newKey(t), seal.PurposeDataKey, 1), blob, "context"},
		{"another purpose", newBox(t, key, seal.PurposeProjectKey, 1), blob, "context"},
		{"another version", newBox(t, key, seal.PurposeDataKey, 2), blob, "context"},
		{"another version that the blob claims", newBox(t, key, seal.PurposeDataKey, 2), renamed, "context"},
		{"another context", box, blob, "contexT"},
		{"no context", box, blob, ""},
	} {
		if got, err := c.box.Open(nil, c.blob, []byte(c.aad)); !errors.Is(err, seal.ErrTampered) || got != nil {
			t.Errorf("%s: Open = %d bytes, %v, want %v", c.name, len(got), err, seal.ErrTampered)
		}
	}
	if got, err := newBox(t, key, seal.PurposeDataKey, 1).Open(nil, blob, []byte("context")); err != nil || string(got) != "material" {
		t.Errorf("Open with the same key, purpose, version and context: %v", err)
	}
}

func TestBox_refuses_every_changed_bit_and_length(t *testing.T) {
	box := newBox(t, newKey(t), seal.PurposeAccessKey, 0)
	blob := boxUp(t, box, "secret of an access key", "AKID")
	refuse := func(what string, blob []byte) {
		if got, err := box.Open(nil, blob, []byte("AKID")); !errors.Is(err, seal.ErrTampered) || got != nil {
			t.Errorf("%s: Open = %d bytes, %v, want %v", what, len(got), err, seal.ErrTampered)
		}
	}
	for i := range len(blob) * 8 {
		blob[i/8] ^= 1 << (i % 8)
		refuse(fmt.Sprintf("bit %d", i), blob)
		blob[i/8] ^= 1 << (i % 8)
	}
	for n := range blob {
		refuse(fmt.Sprintf("first %d bytes", n), blob[:n])
	}
	refuse("one byte more", append(slices.Clone(blob), 0))
}

func TestBox_never_repeats_a_nonce(t *testing.T) {
	box := newBox(t, newKey(t), seal.PurposeDataKey, 0)
	seen := make(map[string]bool)
	for range 1000 {
		nonce := string(boxUp(t, box, "", "")[5:17])
		if seen[nonce] {
			t.Fatal("nonce repeated")
		}
		seen[nonce] = true
	}
}

func TestBox_keeps_nothing_of_the_key_slice(t *testing.T) {
	key := newKey(t)
	box, again := newBox(t, key, seal.PurposeDataKey, 0), slices.Clone(key)
	clear(key)
	blob := boxUp(t, box, "x", "")
	if _, err := newBox(t, again, seal.PurposeDataKey, 0).Open(nil, blob, nil); err != nil {
		t.Errorf("Open after the key slice was cleared: %v", err)
	}
}

func TestNewBox_refuses_bad_input(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33, 64} {
		if _, err := seal.NewBox(rand.Reader, make([]byte, n), seal.PurposeDataKey, 0); err == nil {
			t.Errorf("NewBox took a key of %d bytes", n)
		}
	}
	if _, err := seal.NewBox(rand.Reader, newKey(t), "", 0); err == nil {
		t.Error("NewBox took an empty purpose")
	}
}

func TestBox_reports_short_randomness_and_seals_nothing(t *testing.T) {
	box, err := seal.NewBox(strings.NewReader("elevenbytes"), newKey(t), seal.PurposeDataKey, 0)
	if err != nil {
		t.Fatal(err)
	}
	if blob, err := box.Seal(nil, []byte("x"), nil); !errors.Is(err, io.ErrUnexpectedEOF) || blob != nil {
		t.Errorf("Seal = %d bytes, %v, want %v", len(blob), err, io.ErrUnexpectedEOF)
	}
}

func TestBoxVersion_refuses_what_is_no_blob(t *testing.T) {
	blob := boxUp(t, newBox(t, newKey(t), seal.PurposeDataKey, 7), "", "")
	other := slices.Clone(blob)
	other[0]++
	for _, b := range [][]byte{nil, {}, blob[:len(blob)-1], other} {
		if _, err := seal.BoxVersion(b); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("BoxVersion of %d bytes: error %v, want %v", len(b), err, seal.ErrTampered)
		}
	}
}

func TestAppendField_gives_different_lists_different_bytes(t *testing.T) {
	encode := func(fields []string) (dst []byte) {
		for _, f := range fields {
			dst = seal.AppendField(dst, f)
		}
		return dst
	}
	rapid.Check(t, func(r *rapid.T) {
		// Few letters and zero bytes, so that boundaries collide if they can.
		list := rapid.SliceOfN(rapid.StringMatching(`[a\x00\x01]{0,4}`), 0, 4)
		a, b := list.Draw(r, "a"), list.Draw(r, "b")
		if same := bytes.Equal(encode(a), encode(b)); same != slices.Equal(a, b) {
			r.Fatalf("%q and %q: same bytes %v", a, b, same)
		}
	})
}

func FuzzBoxOpen(f *testing.F) {
	box := newBox(f, newKey(f), seal.PurposeDataKey, 3)
	f.Add(boxUp(f, box, "", ""), []byte("other"))
	f.Add([]byte{}, []byte{})
	f.Add([]byte{1, 0, 0, 0, 3}, []byte{})
	f.Fuzz(func(t *testing.T, blob, aad []byte) {
		if got, err := box.Open(nil, blob, aad); !errors.Is(err, seal.ErrTampered) || got != nil {
			t.Errorf("Open = %d bytes, %v, want %v", len(got), err, seal.ErrTampered)
		}
		if _, err := seal.BoxVersion(blob); err != nil && !errors.Is(err, seal.ErrTampered) {
			t.Errorf("BoxVersion: error %v, want %v", err, seal.ErrTampered)
		}
	})
}

// TestBox_prints_no_key_schedule: go vet does not see every verb, and package fmt
// follows pointers where the verb does not fit.
func TestBox_prints_no_key_schedule(t *testing.T) {
	words := regexp.MustCompile(`(\d{5,} ){8}`)
	block, err := aes.NewCipher(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	format := "%s" // not a constant, for vet
	if !words.MatchString(fmt.Sprintf(format, struct{ b cipher.Block }{block})) {
		t.Fatal("this test would not see a key schedule that is printed")
	}
	box := newBox(t, newKey(t), seal.PurposeDataKey, 1)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		for _, v := range []any{box, *box, struct{ b *seal.Box }{box}, []any{box}} {
			if got := fmt.Sprintf(format, v); words.MatchString(got) {
				t.Errorf("%s of %T prints %s", format, v, got)
			}
		}
	}
}

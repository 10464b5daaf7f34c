package seal_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/seal"
	"coffer/internal/seal/sealtest"
)

var place = seal.Binding{Domain: "d", Project: "p", SecretID: "s", Version: 1, Field: "secret_string"}

func newSealer() (*seal.Sealer, *sealtest.MemoryKMS) {
	kms := sealtest.NewMemoryKMS(rand.Reader, "d")
	return seal.NewSealer(kms, rand.Reader), kms
}

func mustSeal(t testing.TB, s *seal.Sealer, b seal.Binding, plaintext []byte) []byte {
	t.Helper()
	sealed, _, err := s.Seal(context.Background(), "", b, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealer_opens_any_value_in_any_place(t *testing.T) {
	s, _ := newSealer()
	rapid.Check(t, func(r *rapid.T) {
		part := rapid.StringN(1, 8, 64)
		b := seal.Binding{
			Domain: part.Draw(r, "domain"), Project: part.Draw(r, "project"), SecretID: part.Draw(r, "secret"),
			Version: rapid.Uint32().Draw(r, "version"), Field: part.Draw(r, "field"),
		}
		plaintext := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(r, "plaintext")
		before := bytes.Clone(plaintext)
		sealed := mustSeal(t, s, b, plaintext)
		if !bytes.Equal(plaintext, before) {
			r.Fatal("Seal changed the plain text")
		}
		got, err := s.Open(context.Background(), b, sealed)
		if err != nil || got == nil || !bytes.Equal(got, before) {
			r.Fatalf("Open = %d bytes (nil: %v), %v, want %d", len(got), got == nil, err, len(before))
		}
	})
}

func TestSealer_opens_a_large_value(t *testing.T) {
	s, _ := newSealer()
	want := bytes.Repeat([]byte("coffer"), 1<<20)
	got, err := s.Open(context.Background(), place, mustSeal(t, s, place, want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("Open = %d bytes, %v, want %d", len(got), err, len(want))
	}
}

func TestSealer_gives_equal_values_different_forms(t *testing.T) {
	s, _ := newSealer()
	a, b := mustSeal(t, s, place, []byte("same")), mustSeal(t, s, place, []byte("same"))
	ea, _ := seal.ParseEnvelope(a)
	eb, _ := seal.ParseEnvelope(b)
	if bytes.Equal(ea.Wrapped, eb.Wrapped) || bytes.Equal(ea.Body, eb.Body) {
		t.Error("two seals share a wrapped data key or a body")
	}
}

// TestSealer_mixes_no_parts builds values from the parts of two real ones.
func TestSealer_mixes_no_parts(t *testing.T) {
	s, _ := newSealer()
	next := place
	next.Version++
	a, b := mustSeal(t, s, place, []byte("first value")), mustSeal(t, s, next, []byte("other value"))
	cut := len(a) - len("first value") - 28
	for _, at := range []seal.Binding{place, next} {
		for name, mixed := range map[string][]byte{
			"header of the first": append(bytes.Clone(a[:cut]), b[cut:]...),
			"header of the other": append(bytes.Clone(b[:cut]), a[cut:]...),
		} {
			if got, err := s.Open(context.Background(), at, mixed); !errors.Is(err, seal.ErrTampered) || got != nil {
				t.Errorf("%s: Open = %d bytes, %v, want %v", name, len(got), err, seal.ErrTampered)
			}
		}
	}
}

func TestSealer_refuses_a_binding_with_a_hole(t *testing.T) {
	s, kms := newSealer()
	sealed := mustSeal(t, s, place, []byte("x"))
	key, err := kms.CreateKey("p", "k")
	if err != nil {
		t.Fatal(err)
	}
	for name, hole := range map[string]func(*seal.Binding){
		"domain":  func(b *seal.Binding) { b.Domain = "" },
		"project": func(b *seal.Binding) { b.Project = "" },
		"secret":  func(b *seal.Binding) { b.SecretID = "" },
		"field":   func(b *seal.Binding) { b.Field = "" },
	} {
		b := place
		hole(&b)
		if _, _, err := s.Seal(context.Background(), "", b, nil); err == nil {
			t.Errorf("Seal took a binding without %s", name)
		}
		if _, err := s.Prepare(context.Background(), key, b); err == nil {
			t.Errorf("Prepare took a binding without %s", name)
		}
		if _, err := s.Open(context.Background(), b, sealed); err == nil {
			t.Errorf("Open took a binding without %s", name)
		}
	}
}

func TestSealer_key_is_the_one_asked_for_if_usable(t *testing.T) {
	ctx := context.Background()
	s, kms := newSealer()
	made, err := kms.CreateKey("p", "k")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Key(ctx, "p", made.ID); err != nil || got != made {
		t.Errorf("Key = %+v, %v, want %+v", got, err, made)
	}
	if got, err := s.Key(ctx, "p", ""); err != nil || got.Alias != seal.DefaultAlias {
		t.Errorf("Key without an id = %+v, %v, want the default key (N11)", got, err)
	}
	if err := kms.Change(made.ID, func(k *seal.Key) { k.State = seal.StateDisabled }); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Key(ctx, "p", made.ID); !errors.Is(err, seal.ErrKeyDisabled) || got != (seal.Key{}) {
		t.Errorf("Key of a disabled key = %+v, %v, want %v (N12)", got, err, seal.ErrKeyDisabled)
	}
	if got, err := s.Describe(ctx, "p", made.ID); err != nil || got.State != seal.StateDisabled {
		t.Errorf("Describe of a disabled key = %+v, %v", got, err)
	}
	if _, err := s.Describe(ctx, "q", made.ID); !errors.Is(err, seal.ErrKeyNotFound) {
		t.Errorf("Describe in another project: error %v, want %v", err, seal.ErrKeyNotFound)
	}
}

func TestSealer_reseal_keeps_the_place(t *testing.T) {
	s, _ := newSealer()
	sealed := mustSeal(t, s, place, []byte("x"))
	moved := place
	moved.SecretID = "other"
	if _, err := s.Reseal(context.Background(), moved, sealed); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("Reseal for another place: error %v, want %v", err, seal.ErrTampered)
	}
	if _, err := s.Reseal(context.Background(), place, sealed[:9]); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("Reseal of a value cut short: error %v, want %v", err, seal.ErrTampered)
	}
}

func TestSealer_reports_short_randomness(t *testing.T) {
	kms := sealtest.NewMemoryKMS(rand.Reader, "d")
	s := seal.NewSealer(kms, strings.NewReader("elevenbytes"))
	if sealed, _, err := s.Seal(context.Background(), "", place, []byte("x")); !errors.Is(err, io.ErrUnexpectedEOF) || sealed != nil {
		t.Errorf("Seal = %d bytes, %v, want %v", len(sealed), err, io.ErrUnexpectedEOF)
	}
}

// brokenKMS breaks what a real engine answered: the engine of an external service
// is not ours.
type brokenKMS struct {
	*sealtest.MemoryKMS
	dataKey func([]byte) []byte
	wrapped func([]byte) []byte
	err     error
}

func (k brokenKMS) NewDataKey(ctx context.Context, key seal.Key, aad []byte) ([]byte, []byte, error) {
	plain, wrapped, err := k.MemoryKMS.NewDataKey(ctx, key, aad)
	return k.dataKey(plain), k.wrapped(wrapped), errors.Join(err, k.err)
}

func (k brokenKMS) OpenDataKey(ctx context.Context, project, keyID string, wrapped, aad []byte) ([]byte, error) {
	plain, err := k.MemoryKMS.OpenDataKey(ctx, project, keyID, wrapped, aad)
	return k.dataKey(plain), errors.Join(err, k.err)
}

func TestSealer_uses_no_answer_of_a_broken_engine(t *testing.T) {
	same := func(b []byte) []byte { return b }
	none := func([]byte) []byte { return nil }
	_, kms := newSealer()
	sealed := mustSeal(t, seal.NewSealer(kms, rand.Reader), place, []byte("x"))
	for name, c := range map[string]struct {
		kms   brokenKMS
		want  error // nil: any
		opens bool
	}{
		"unavailable":        {brokenKMS{kms, none, none, seal.ErrUnavailable}, seal.ErrUnavailable, false},
		"no data key":        {brokenKMS{kms, none, same, nil}, nil, false},
		"AES-128 data key":   {brokenKMS{kms, func(b []byte) []byte { return b[:16] }, same, nil}, nil, false},
		"no wrapped key":     {brokenKMS{kms, same, none, nil}, nil, true},
		"endless wrapped":    {brokenKMS{kms, same, func([]byte) []byte { return make([]byte, 1<<16) }, nil}, nil, true},
		"cancelled by waits": {brokenKMS{kms, none, none, context.DeadlineExceeded}, context.DeadlineExceeded, false},
	} {
		s := seal.NewSealer(c.kms, rand.Reader)
		if out, _, err := s.Seal(context.Background(), "", place, []byte("x")); err == nil || out != nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: Seal = %d bytes, %v, want error %v", name, len(out), err, c.want)
		}
		out, err := s.Open(context.Background(), place, sealed)
		if (err == nil) != c.opens || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: Open = %d bytes, %v, want error %v", name, len(out), err, c.want)
		}
	}
}

// spyKMS keeps the slices it handed out, to see what becomes of them.
type spyKMS struct {
	*sealtest.MemoryKMS
	handed [][]byte
	aad    []int
}

func (k *spyKMS) NewDataKey(ctx context.Context, key seal.Key, aad []byte) ([]byte, []byte, error) {
	plain, wrapped, err := k.MemoryKMS.NewDataKey(ctx, key, aad)
	k.handed, k.aad = append(k.handed, plain), append(k.aad, len(aad))
	return plain, wrapped, err
}

func (k *spyKMS) OpenDataKey(ctx context.Context, project, keyID string, wrapped, aad []byte) ([]byte, error) {
	plain, err := k.MemoryKMS.OpenDataKey(ctx, project, keyID, wrapped, aad)
	k.handed, k.aad = append(k.handed, plain), append(k.aad, len(aad))
	return plain, err
}

func TestSealer_clears_data_keys_and_keeps_to_MaxAAD(t *testing.T) {
	_, kms := newSealer()
	spy := &spyKMS{MemoryKMS: kms}
	s := seal.NewSealer(spy, rand.Reader)
	long := place
	long.SecretID = strings.Repeat("s", 1000)
	sealed := mustSeal(t, s, long, []byte("x"))
	if _, err := s.Open(context.Background(), long, sealed); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(context.Background(), long, append(sealed, 0)); err == nil {
		t.Fatal("Open took a longer value")
	}
	if len(spy.handed) != 3 {
		t.Fatalf("engine was asked %d times, want 3", len(spy.handed))
	}
	for i, dataKey := range spy.handed {
		if !bytes.Equal(dataKey, make([]byte, seal.KeySize)) {
			t.Errorf("call %d: data key of %d bytes was not cleared", i, len(dataKey))
		}
		if spy.aad[i] > seal.MaxAAD {
			t.Errorf("call %d: additional data of %d bytes, want %d at most", i, spy.aad[i], seal.MaxAAD)
		}
	}
}

func TestSealer_errors_hold_no_secret(t *testing.T) {
	s, kms := newSealer()
	const plaintext = "canary-4fd1"
	sealed := mustSeal(t, s, place, []byte(plaintext))
	moved := place
	moved.Field = "secret_binary"
	_, err := s.Open(context.Background(), moved, sealed)
	broken := seal.NewSealer(kms, strings.NewReader(""))
	_, _, errSeal := broken.Seal(context.Background(), "", place, []byte(plaintext))
	for _, err := range []error{err, errSeal} {
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); err == nil || strings.Contains(text, plaintext) {
			t.Errorf("error %q, want one without the plain text", text)
		}
	}
}

func FuzzSealerOpen(f *testing.F) {
	s, _ := newSealer()
	sealed := mustSeal(f, s, place, []byte("value"))
	f.Add(append(bytes.Clone(sealed), 0))
	f.Add(sealed[:60])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := s.Open(context.Background(), place, b)
		if got != nil || !errors.Is(err, seal.ErrTampered) && !errors.Is(err, seal.ErrKeyNotFound) {
			t.Errorf("Open = %d bytes, %v, want %v or %v", len(got), err, seal.ErrTampered, seal.ErrKeyNotFound)
		}
	})
}

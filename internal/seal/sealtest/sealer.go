package sealtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"coffer/internal/seal"
)

const value = "correct horse battery staple"

// place is where the cases about Sealer put their value.
func (h Harness) place() seal.Binding {
	return seal.Binding{Domain: h.Domain, Project: h.Project, SecretID: "a9b8", Version: 3, Field: "secret_string"}
}

// sealed is a value sealed for h.place() under a fresh key.
func sealed(t *testing.T, h Harness) (*seal.Sealer, seal.Key, []byte) {
	t.Helper()
	s, key := seal.NewSealer(h.KMS, h.Rand), h.CreateKey(t, h.Project)
	return s, key, sealUnder(t, s, key.ID, h.place())
}

func sealUnder(t *testing.T, s *seal.Sealer, keyID string, b seal.Binding) []byte {
	t.Helper()
	out, used, err := s.Seal(context.Background(), keyID, b, []byte(value))
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	if named, err := seal.KeyID(out); err != nil || named != used || (keyID != "" && used != keyID) {
		t.Fatalf("Seal under key %q reports %q, the value names %q (%v)", keyID, used, named, err)
	}
	if bytes.Contains(out, []byte(value)) {
		t.Fatal("sealed value holds the plain text")
	}
	return out
}

func expectValue(t *testing.T, s *seal.Sealer, b seal.Binding, sealed []byte) {
	t.Helper()
	got, err := s.Open(context.Background(), b, sealed)
	if err != nil {
		t.Errorf("Open: %v", err)
		return
	}
	if string(got) != value {
		t.Error("Open returned another value than was sealed")
	}
}

// expectShut asks for one of the errors and for no plain text.
func expectShut(t *testing.T, s *seal.Sealer, b seal.Binding, sealed []byte, what string, want ...error) {
	t.Helper()
	got, err := s.Open(context.Background(), b, sealed)
	if !slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }) {
		t.Errorf("Open, %s: error %v, want one of %v", what, err, want)
	}
	if len(got) != 0 {
		t.Errorf("Open, %s: returned %d bytes with its error", what, len(got))
	}
}

func sealerBindings(t *testing.T, h Harness) {
	s, _, out := sealed(t, h)
	moves := []struct {
		name string
		move func(*seal.Binding)
		want error
	}{
		{"domain", func(b *seal.Binding) { b.Domain += "x" }, seal.ErrTampered},
		{"project", func(b *seal.Binding) { b.Project = h.Other }, seal.ErrKeyNotFound},
		{"secret", func(b *seal.Binding) { b.SecretID = "a9b9" }, seal.ErrTampered},
		{"next version", func(b *seal.Binding) { b.Version++ }, seal.ErrTampered},
		{"previous version", func(b *seal.Binding) { b.Version-- }, seal.ErrTampered},
		{"field", func(b *seal.Binding) { b.Field = "secret_binary" }, seal.ErrTampered},
		{"boundary", func(b *seal.Binding) { b.SecretID, b.Field = b.SecretID+"s", b.Field[1:] }, seal.ErrTampered},
	}
	for _, m := range moves {
		b := h.place()
		m.move(&b)
		expectShut(t, s, b, out, m.name, m.want)
	}
	expectValue(t, s, h.place(), out)
}

func sealerFlips(t *testing.T, h Harness) {
	s, _, out := sealed(t, h)
	for i := range out {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			out[i] ^= mask
			expectShut(t, s, h.place(), out, "changed byte", seal.ErrTampered, seal.ErrKeyNotFound)
			out[i] ^= mask
		}
	}
	for n := range out {
		expectShut(t, s, h.place(), out[:n], "cut short", seal.ErrTampered)
	}
	expectValue(t, s, h.place(), out)
}

func sealerDefault(t *testing.T, h Harness) {
	s := seal.NewSealer(h.KMS, h.Rand)
	out := sealUnder(t, s, "", h.place())
	if named, _ := seal.KeyID(out); named != defaultKey(t, h, h.Project).ID {
		t.Errorf("value is sealed under %q, want the default key (N11)", named)
	}
	expectValue(t, s, h.place(), out)
	if _, _, err := s.Seal(context.Background(), absentKey, h.place(), nil); !errors.Is(err, seal.ErrKeyNotFound) {
		t.Errorf("Seal under an unknown key: error %v, want %v (N12)", err, seal.ErrKeyNotFound)
	}
}

func sealerOldKey(t *testing.T, h Harness) {
	s, old, first := sealed(t, h)
	b := h.place()
	b.Version++
	second := sealUnder(t, s, h.CreateKey(t, h.Project).ID, b)
	expectValue(t, s, h.place(), first)
	expectValue(t, s, b, second)
	h.SetState(t, old, seal.StateDisabled)
	expectShut(t, s, h.place(), first, "old key disabled (N13)", seal.ErrKeyDisabled)
	expectValue(t, s, b, second)
}

func sealerStates(t *testing.T, h Harness) {
	s, key, out := sealed(t, h)
	for state, want := range map[seal.State]error{
		seal.StateDisabled:        seal.ErrKeyDisabled,
		seal.StatePendingDeletion: seal.ErrKeyPendingDeletion,
	} {
		h.SetState(t, key, state)
		expectShut(t, s, h.place(), out, state.String(), want)
		_, _, err := s.Seal(context.Background(), key.ID, h.place(), []byte(value))
		expectErr(t, "Seal", err, want)
		expectErr(t, "Seal", err, seal.ErrKey)
	}
	h.SetState(t, key, seal.StateEnabled)
	expectValue(t, s, h.place(), out)
}

func sealerReseal(t *testing.T, h Harness) {
	s, key, out := sealed(t, h)
	h.Rotate(t, key)
	again, err := s.Reseal(context.Background(), h.place(), out)
	if err != nil {
		t.Fatalf("Reseal: %v", err)
	}
	if bytes.Equal(again, out) {
		t.Error("Reseal returned the same bytes")
	}
	if named, err := seal.KeyID(again); err != nil || named != key.ID {
		t.Errorf("Reseal moved the value to key %q (%v), want %q", named, err, key.ID)
	}
	expectValue(t, s, h.place(), again)
	expectValue(t, s, h.place(), out)
}

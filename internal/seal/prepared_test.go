package seal_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"coffer/internal/seal"
	"coffer/internal/seal/sealtest"
)

func prepare(t *testing.T) (*seal.Sealer, *seal.Prepared) {
	t.Helper()
	s, _ := newSealer()
	key, err := s.Key(context.Background(), place.Project, "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Prepare(context.Background(), key, place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Wipe)
	return s, p
}

// TestPrepared_seals_again_when_a_transaction_runs_again protects the one thing
// that would break GCM: a nonce used twice with one key.
func TestPrepared_seals_again_when_a_transaction_runs_again(t *testing.T) {
	s, p := prepare(t)
	nonces := make(map[string]bool)
	for version := uint32(1); version <= 300; version++ {
		sealed, err := p.Seal(version, []byte("value"))
		if err != nil {
			t.Fatal(err)
		}
		e, err := seal.ParseEnvelope(sealed)
		if err != nil || e.KeyID != p.KeyID() {
			t.Fatalf("value names key %q, %v, want %q", e.KeyID, err, p.KeyID())
		}
		if nonces[string(e.Body[:12])] {
			t.Fatalf("seal %d repeats a nonce", version)
		}
		nonces[string(e.Body[:12])] = true

		at := place
		at.Version = version
		if got, err := s.Open(context.Background(), at, sealed); err != nil || string(got) != "value" {
			t.Errorf("Open of version %d: %v", version, err)
		}
		at.Version++
		if _, err := s.Open(context.Background(), at, sealed); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("Open of version %d as %d: error %v, want %v", version, at.Version, err, seal.ErrTampered)
		}
	}
}

// TestPrepared_versions_exchange_no_bodies: the versions of one Prepared share a
// data key, so the version in the additional data alone keeps them apart.
func TestPrepared_versions_exchange_no_bodies(t *testing.T) {
	s, p := prepare(t)
	first, err1 := p.Seal(1, []byte("first"))
	second, err2 := p.Seal(2, []byte("other"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for version, sealed := range map[uint32][]byte{2: first, 1: second} {
		at := place
		at.Version = version
		if _, err := s.Open(context.Background(), at, sealed); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("Open as version %d: error %v, want %v", version, err, seal.ErrTampered)
		}
	}
}

func TestPrepared_seals_nothing_after_Wipe(t *testing.T) {
	_, p := prepare(t)
	p.Wipe()
	p.Wipe()
	if sealed, err := p.Seal(1, []byte("value")); err == nil || sealed != nil {
		t.Errorf("Seal after Wipe = %d bytes, %v, want an error", len(sealed), err)
	}
}

func TestPrepare_refuses_a_key_of_another_project(t *testing.T) {
	kms := sealtest.NewMemoryKMS(rand.Reader, "d")
	key, err := kms.CreateKey("q", "k")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.NewSealer(kms, rand.Reader).Prepare(context.Background(), key, place); !errors.Is(err, seal.ErrKeyNotFound) {
		t.Errorf("Prepare: error %v, want %v", err, seal.ErrKeyNotFound)
	}
}

package seal_test

import (
	"context"
	"crypto/rand"
	"testing"

	"coffer/internal/seal"
)

// constantKMS hands out one data key at no cost, so that a benchmark shows what
// Sealer adds to its engine.
type constantKMS struct {
	seal.KMS
	key [seal.KeySize]byte
	out [seal.KeySize]byte
}

func (k *constantKMS) OpenDataKey(context.Context, string, string, []byte, []byte) ([]byte, error) {
	k.out = k.key
	return k.out[:], nil
}

func (k *constantKMS) NewDataKey(context.Context, seal.Key, []byte) (plain, wrapped []byte, err error) {
	k.out = k.key
	return k.out[:], make([]byte, 65), nil
}

func BenchmarkSealer(b *testing.B) {
	ctx := context.Background()
	at := seal.Binding{
		Domain: "c0ffeec0ffeec0ffeec0ffeec0ffee01", Project: "c0ffeec0ffeec0ffeec0ffeec0ffee00",
		SecretID: "0d0466b0-e727-4d9c-b35d-f84bb474a37f", Version: 1, Field: "secret_string",
	}
	key := seal.Key{ID: "9f0b6a2e-6a4e-4d1c-9a39-1f4c1b2f7a10", Project: at.Project}
	value := make([]byte, 1024)
	s := seal.NewSealer(&constantKMS{}, rand.Reader)
	p, err := s.Prepare(ctx, key, at)
	if err != nil {
		b.Fatal(err)
	}
	sealed, err := p.Seal(1, value)
	if err != nil {
		b.Fatal(err)
	}

	b.Run("Open/1KiB", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Open(ctx, at, sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("PrepareSeal/1KiB", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := s.Prepare(ctx, key, at)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := p.Seal(1, value); err != nil {
				b.Fatal(err)
			}
			p.Wipe()
		}
	})
}

func BenchmarkBox(b *testing.B) {
	key := newKey(b)
	box := newBox(b, key, seal.PurposeDataKey, 1)
	aad := make([]byte, 32)
	blob, err := box.Seal(nil, key, aad)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Open/32B", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := box.Open(nil, blob, aad); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Seal/32B", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := box.Seal(nil, key, aad); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("New", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			newBox(b, key, seal.PurposeDataKey, 1)
		}
	})
}

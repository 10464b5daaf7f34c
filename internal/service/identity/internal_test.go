package identity

import (
	"bytes"
	"crypto/rand"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/kv/memkv"
	"coffer/internal/seal"
	"coffer/internal/store"
)

func serviceOverMemory(t testing.TB) (*Service, *store.Store) {
	t.Helper()
	st, err := store.Open(t.Context(), memkv.New(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	box, err := seal.NewBox(rand.Reader, bytes.Repeat([]byte{7}, seal.KeySize), seal.PurposeAccessKey, 0)
	if err != nil {
		t.Fatal(err)
	}
	return New(st, box, Options{
		Now: func() csms.Millis { return 1000 }, Rand: rand.Reader, Region: "self-1", PasswordParams: DevPasswordParams(),
	}), st
}

func TestLooksLikeRegion(t *testing.T) {
	for name, want := range map[string]bool{
		"cn-north-4": true, "ap-southeast-1": true, "self-1": true, "la-north-2": true, "my-kualalumpur-1": true, "eu-west-101": true,
		"": false, "-": false, "cn": false, "4": false, "cn-north": false, "cn-north-4_sub": false, "CN-North-4": false, "cn--4": false, "-4": false,
		"cn-north-": false, "4-4": false, "unknown": false, "my project-1": false, "cn-north-4444": false, "demo-secret": false,
	} {
		if got := looksLikeRegion(name); got != want {
			t.Errorf("looksLikeRegion(%q) = %v", name, got)
		}
	}
}

// Start-up of dev mode must stay below 50 ms; the account is a part of it.
func BenchmarkBootstrap(b *testing.B) {
	for b.Loop() {
		s, _ := serviceOverMemory(b)
		_, err := s.Bootstrap(b.Context(), BootstrapInput{DomainName: "d", Region: "self-1", UserName: "dev", Password: "dev-Passw0rd"})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyPassword(b *testing.B) {
	for name, params := range map[string]PasswordParams{"default": DefaultPasswordParams(), "dev": DevPasswordParams()} {
		p := newPasswords(params, rand.Reader, 1)
		stored, err := p.hash(b.Context(), "dev-Passw0rd")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if ok, err := p.verify(b.Context(), stored, "dev-Passw0rd"); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

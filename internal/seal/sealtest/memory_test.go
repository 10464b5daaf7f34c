package sealtest_test

import (
	"crypto/rand"
	"testing"

	"coffer/internal/seal"
	"coffer/internal/seal/sealtest"
)

// TestMemoryKMS runs the suite over the engine of this package, so that the suite
// itself is seen to pass over real cryptography.
func TestMemoryKMS(t *testing.T) {
	sealtest.Run(t, func(t *testing.T) sealtest.Harness {
		kms := sealtest.NewMemoryKMS(rand.Reader, "domain-1")
		must := func(t *testing.T, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		create := func(t *testing.T, project string) seal.Key {
			key, err := kms.CreateKey(project, "test/key")
			must(t, err)
			return key
		}
		return sealtest.Harness{
			KMS: kms, Domain: "domain-1", Project: "project-1", Other: "project-2",
			Rand:      rand.Reader,
			CreateKey: create,
			SetState: func(t *testing.T, key seal.Key, to seal.State) {
				must(t, kms.Change(key.ID, func(k *seal.Key) { k.State = to }))
			},
			Rotate: func(t *testing.T, key seal.Key) { must(t, kms.Rotate(key.ID)) },
			CreateAsymmetric: func(t *testing.T, project string) seal.Key {
				key := create(t, project)
				must(t, kms.Change(key.ID, func(k *seal.Key) { k.Spec = "RSA_2048" }))
				key.Spec = "RSA_2048"
				return key
			},
		}
	})
}

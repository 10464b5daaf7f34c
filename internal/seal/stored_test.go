package seal_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"

	"coffer/internal/seal"
)

// The values below are of format 1 under this key, made from the documented forms by
// another implementation (Python, package cryptography). Every release must read
// them: a change that breaks one of these tests makes stores unreadable.
const (
	storedKey   = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	storedBox   = "0100000007a0a1a2a3a4a5a6a7a8a9aaab369813df60e8309849e3f27fb46945cad45aa0e77e9285c902f720660f6220"
	storedCheck = "01505152535455565758595a5b5c5d5e5fc2b99d0d5d7cc820029bd28ca8af41088748cec37523d41571c11a5629ce2397"
	storedValue = "01036b6579000777726170706564a0a1a2a3a4a5a6a7a8a9aaab9079105820eb6dd94203e8a16a1bb4fe414137f35bdbb97ed3db8be88f8278784c"
	storedPlace = "8bad8dff676375d519e3ae494182c8965c76d29b26fe40350525d65d8fe826a2" // what the KMS got as additional data
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStored_box_opens(t *testing.T) {
	box := newBox(t, unhex(t, storedKey), seal.PurposeProjectKey, 7)
	got, err := box.Open(nil, unhex(t, storedBox), []byte("context"))
	if err != nil || string(got) != "box of format 1" {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestStored_check_value_verifies(t *testing.T) {
	if err := seal.VerifyCheck(unhex(t, storedKey), unhex(t, storedCheck)); err != nil {
		t.Errorf("VerifyCheck: %v", err)
	}
}

// storedKMS is the engine of the stored value: its one wrapped key is known.
type storedKMS struct {
	seal.KMS
	t *testing.T
}

func (k storedKMS) OpenDataKey(_ context.Context, project, keyID string, wrapped, aad []byte) ([]byte, error) {
	if project != "project" || keyID != "key" || string(wrapped) != "wrapped" || !bytes.Equal(aad, unhex(k.t, storedPlace)) {
		k.t.Errorf("OpenDataKey(%q, %q, %q, %x), want the arguments of format 1", project, keyID, wrapped, aad)
	}
	return unhex(k.t, storedKey), nil
}

func TestStored_value_opens(t *testing.T) {
	b := seal.Binding{Domain: "domain", Project: "project", SecretID: "secret", Version: 9, Field: "secret_string"}
	s := seal.NewSealer(storedKMS{t: t}, nil)
	got, err := s.Open(context.Background(), b, unhex(t, storedValue))
	if err != nil || string(got) != "value of format 1" {
		t.Errorf("Open = %q, %v", got, err)
	}
}

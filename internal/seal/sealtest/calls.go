package sealtest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"coffer/internal/seal"
)

func defaultKey(t *testing.T, h Harness, project string) seal.Key {
	t.Helper()
	key, err := h.KMS.DefaultKey(context.Background(), project)
	if err != nil {
		t.Fatalf("DefaultKey: %v", err)
	}
	return key
}

func describe(t *testing.T, h Harness, project, keyID string) seal.Key {
	t.Helper()
	key, err := h.KMS.Describe(context.Background(), project, keyID)
	if err != nil {
		t.Fatalf("Describe: %v", err)
	}
	return key
}

func newDataKey(t *testing.T, h Harness, key seal.Key, aad []byte) (plain, wrapped []byte) {
	t.Helper()
	plain, wrapped, err := h.KMS.NewDataKey(context.Background(), key, aad)
	if err != nil {
		t.Fatalf("NewDataKey: %v", err)
	}
	if len(plain) != seal.KeySize {
		t.Fatalf("NewDataKey made a data key of %d bytes, want %d", len(plain), seal.KeySize)
	}
	if len(wrapped) == 0 || len(wrapped) > seal.MaxWrapped {
		t.Fatalf("NewDataKey made a wrapped key of %d bytes, want 1 to %d", len(wrapped), seal.MaxWrapped)
	}
	return plain, wrapped
}

// makeDataKey is NewDataKey for its error alone.
func makeDataKey(h Harness, key seal.Key) error {
	_, _, err := h.KMS.NewDataKey(context.Background(), key, nil)
	return err
}

// openDataKey is OpenDataKey without additional data, for its error alone.
func openDataKey(h Harness, project, keyID string, wrapped []byte) error {
	_, err := h.KMS.OpenDataKey(context.Background(), project, keyID, wrapped, nil)
	return err
}

func expectErr(t *testing.T, call string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", call, got, want)
	}
}

func expectNoKey(t *testing.T, h Harness, project, keyID string, wrapped []byte) {
	t.Helper()
	_, err := h.KMS.Describe(context.Background(), project, keyID)
	expectErr(t, "Describe", err, seal.ErrKeyNotFound)
	expectErr(t, "NewDataKey", makeDataKey(h, seal.Key{ID: keyID, Project: project}), seal.ErrKeyNotFound)
	expectErr(t, "OpenDataKey", openDataKey(h, project, keyID, wrapped), seal.ErrKeyNotFound)
}

func expectOpen(t *testing.T, h Harness, key seal.Key, wrapped, aad, want []byte) {
	t.Helper()
	got, err := h.KMS.OpenDataKey(context.Background(), key.Project, key.ID, wrapped, aad)
	if err != nil {
		t.Errorf("OpenDataKey: %v", err)
		return
	}
	if !bytes.Equal(got, want) {
		t.Error("OpenDataKey returned another data key than was wrapped")
	}
}

// expectTampered asks that wrapped does not open and that nothing comes back.
func expectTampered(t *testing.T, h Harness, key seal.Key, what string, wrapped, aad []byte) {
	t.Helper()
	got, err := h.KMS.OpenDataKey(context.Background(), key.Project, key.ID, wrapped, aad)
	if !errors.Is(err, seal.ErrTampered) {
		t.Errorf("OpenDataKey, %s: error %v, want %v", what, err, seal.ErrTampered)
	}
	if len(got) != 0 {
		t.Errorf("OpenDataKey, %s: returned %d bytes with its error", what, len(got))
	}
}

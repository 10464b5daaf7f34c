package seal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"

	"coffer/internal/seal"
)

func TestVerifyCheck_knows_the_root_key(t *testing.T) {
	key, other := newKey(t), newKey(t)
	check, err := seal.MakeCheck(rand.Reader, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.VerifyCheck(key, check); err != nil {
		t.Errorf("VerifyCheck with the same key: %v", err)
	}
	if err := seal.VerifyCheck(other, check); !errors.Is(err, seal.ErrWrongRoot) {
		t.Errorf("VerifyCheck with another key: error %v, want %v", err, seal.ErrWrongRoot)
	}
	for i := range len(key) * 8 {
		key[i/8] ^= 1 << (i % 8)
		if err := seal.VerifyCheck(key, check); !errors.Is(err, seal.ErrWrongRoot) {
			t.Errorf("VerifyCheck with bit %d of the key changed: error %v, want %v", i, err, seal.ErrWrongRoot)
		}
		key[i/8] ^= 1 << (i % 8)
	}
	again, err := seal.MakeCheck(rand.Reader, key)
	if err != nil || bytes.Equal(check, again) {
		t.Errorf("MakeCheck gave the same value twice (%v)", err)
	}
	if bytes.Contains(check, key[:8]) {
		t.Error("check value holds part of the key")
	}
}

func TestVerifyCheck_refuses_damage(t *testing.T) {
	key := newKey(t)
	check, err := seal.MakeCheck(rand.Reader, key)
	if err != nil {
		t.Fatal(err)
	}
	for n := range check {
		if err := seal.VerifyCheck(key, check[:n]); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("VerifyCheck of %d bytes: error %v, want %v", n, err, seal.ErrTampered)
		}
	}
	for i := range check {
		check[i] ^= 0x10
		if err := seal.VerifyCheck(key, check); err == nil {
			t.Errorf("VerifyCheck took a value with byte %d changed", i)
		}
		check[i] ^= 0x10
	}
}

func TestCheck_refuses_bad_input(t *testing.T) {
	if _, err := seal.MakeCheck(rand.Reader, make([]byte, 16)); err == nil {
		t.Error("MakeCheck took a key of 16 bytes")
	}
	if _, err := seal.MakeCheck(strings.NewReader("short"), newKey(t)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("MakeCheck without randomness: error %v, want %v", err, io.ErrUnexpectedEOF)
	}
	check, err := seal.MakeCheck(rand.Reader, newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.VerifyCheck(nil, check); err == nil || errors.Is(err, seal.ErrWrongRoot) {
		t.Errorf("VerifyCheck without a key: error %v, want one about its length", err)
	}
}

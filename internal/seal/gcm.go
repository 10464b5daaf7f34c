package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/fips140"
	"fmt"
	"io"
)

const (
	nonceSize = 12
	tagSize   = 16
	overhead  = nonceSize + tagSize
)

// gcm is AES-256-GCM with a random 96-bit nonce in front of the ciphertext.
//
// With random nonces one key must seal at most 2^32 messages (SP 800-38D, 8.3).
type gcm struct {
	// A function, because package fmt follows interfaces and pointers under verbs
	// like %s, down to the key schedule, and functions never.
	aead func() cipher.AEAD
}

func newGCM(key []byte) (gcm, error) {
	if err := validKey(key); err != nil {
		return gcm{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return gcm{}, fmt.Errorf("keying AES: %w", err)
	}
	build := cipher.NewGCM
	if fips140.Enforced() {
		// fips140=only admits no nonce from outside the module. This AEAD draws its
		// own; the bytes it writes and reads have the same layout.
		build = cipher.NewGCMWithRandomNonce
	}
	aead, err := build(block)
	if err != nil {
		return gcm{}, fmt.Errorf("keying GCM: %w", err)
	}
	return gcm{func() cipher.AEAD { return aead }}, nil
}

// seal appends a nonce from rand, the ciphertext and the tag to dst.
func (g gcm) seal(rand io.Reader, dst, plaintext, aad []byte) ([]byte, error) {
	var nonce [nonceSize]byte
	if _, err := io.ReadFull(rand, nonce[:]); err != nil {
		return nil, fmt.Errorf("drawing nonce: %w", err)
	}
	return g.sealWith(nonce, dst, plaintext, aad), nil
}

// sealWith is seal with a nonce that was never used with this key.
func (g gcm) sealWith(nonce [nonceSize]byte, dst, plaintext, aad []byte) []byte {
	aead := g.aead()
	if aead.NonceSize() == 0 {
		return aead.Seal(dst, nil, plaintext, aad)
	}
	start := len(dst)
	dst = append(dst, nonce[:]...)
	return aead.Seal(dst, dst[start:], plaintext, aad)
}

// open appends the plain text of what seal wrote to dst.
func (g gcm) open(dst, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < overhead {
		return nil, ErrTampered
	}
	aead := g.aead()
	n := aead.NonceSize()
	plaintext, err := aead.Open(dst, sealed[:n], sealed[n:], aad)
	if err != nil {
		return nil, ErrTampered
	}
	return plaintext, nil
}

func validKey(key []byte) error {
	if len(key) != KeySize {
		return fmt.Errorf("seal: key of %d bytes, want %d", len(key), KeySize)
	}
	return nil
}

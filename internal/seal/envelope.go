package seal

import (
	"encoding/binary"
	"fmt"
)

const (
	envelopeFormat   = 1
	envelopeOverhead = 1 + 1 + 2 + overhead // without key id, wrapped key and plain text

	// MaxKeyID is the longest key id, in bytes, that a sealed value can name.
	MaxKeyID = 255
	// MaxWrapped is the longest wrapped data key, in bytes, that a sealed value holds.
	MaxWrapped = 4096
)

// Envelope is a sealed value taken apart. Everything in it is stored in the clear
// and proven only by Sealer.Open. One value has exactly one binary form:
//
//	offset  size  content
//	0       1     format, 1
//	1       1     k, length of the key id, 1 to 255
//	2       k     key id
//	2+k     2     w, length of the wrapped data key, big endian, 1 to 4096
//	4+k     w     wrapped data key, as the KMS made it
//	4+k+w   12    nonce
//	16+k+w  n+16  AES-256-GCM ciphertext and tag under the data key
type Envelope struct {
	KeyID   string // project key that wraps the data key
	Wrapped []byte // wrapped data key
	Body    []byte // nonce, ciphertext and tag
}

// ParseEnvelope takes a sealed value apart. The slices of the answer point into
// sealed. A value of another form is ErrTampered.
func ParseEnvelope(sealed []byte) (Envelope, error) {
	if len(sealed) == 0 {
		return Envelope{}, malformed("empty")
	}
	if sealed[0] != envelopeFormat {
		return Envelope{}, malformed("unknown format: damaged, or written by a newer release")
	}
	if len(sealed) < 2 {
		return Envelope{}, malformed("cut short")
	}
	keyID, rest, ok := cut(sealed[2:], int(sealed[1]))
	if !ok || len(keyID) == 0 {
		return Envelope{}, malformed("length of key id")
	}
	if len(rest) < 2 {
		return Envelope{}, malformed("cut short")
	}
	wrapped, body, ok := cut(rest[2:], int(binary.BigEndian.Uint16(rest)))
	if !ok || len(wrapped) == 0 || len(wrapped) > MaxWrapped {
		return Envelope{}, malformed("length of wrapped data key")
	}
	if len(body) < overhead {
		return Envelope{}, malformed("cut short")
	}
	return Envelope{KeyID: string(keyID), Wrapped: wrapped, Body: body}, nil
}

// KeyID returns the id of the project key a value is sealed under, without opening
// it (N13: a version shows the key it was made with).
func KeyID(sealed []byte) (string, error) {
	e, err := ParseEnvelope(sealed)
	return e.KeyID, err
}

// appendHeader appends all that stands before the nonce.
func appendHeader(dst []byte, keyID string, wrapped []byte) ([]byte, error) {
	if len(keyID) == 0 || len(keyID) > MaxKeyID {
		return nil, fmt.Errorf("seal: key id of %d bytes, want 1 to %d", len(keyID), MaxKeyID)
	}
	if len(wrapped) == 0 || len(wrapped) > MaxWrapped {
		return nil, fmt.Errorf("seal: wrapped data key of %d bytes, want 1 to %d", len(wrapped), MaxWrapped)
	}
	dst = append(dst, envelopeFormat, byte(len(keyID)))
	dst = append(dst, keyID...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(wrapped)))
	return append(dst, wrapped...), nil
}

func cut(b []byte, n int) (head, tail []byte, ok bool) {
	if len(b) < n {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}

func malformed(what string) error {
	return fmt.Errorf("parsing sealed value: %s: %w", what, ErrTampered)
}

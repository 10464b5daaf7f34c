// Package rootkey obtains the root key: 32 bytes that wrap the project keys, from a
// file, an environment variable, a systemd credential or a passphrase.
//
// The rule that keeps it honest: a key never prints. Errors name the place and what
// to do about it, never the content; Key and Source show no key under any verb,
// encoder or logger. The package reads neither environment nor clock; randomness is
// an argument.
//
// The text form of a key, in files, credentials and variables, is 64 hexadecimal
// digits or the base64 of the 32 bytes (standard or URL alphabet, with or without
// padding), with white space around it ignored.
package rootkey

import (
	"fmt"
	"io"
	"log/slog"
)

// Size is the length of a root key in bytes.
const Size = 32

const redacted = "[redacted]"

// Key is a root key. Copies share the bytes, so that Wipe reaches them all. The zero
// Key holds none.
type Key struct {
	// A function, because package fmt calls no methods on a field that its owner does
	// not export, and then follows slices and, under verbs like %s, pointers.
	material func() *[Size]byte
}

// hold returns a Key of the bytes at b, which it takes over.
func hold(b *[Size]byte) Key { return Key{func() *[Size]byte { return b }} }

// New draws a root key from rand, which must be fit for cryptography. The key is
// nowhere but in memory.
func New(rand io.Reader) (Key, error) {
	b := new([Size]byte)
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return Key{}, fmt.Errorf("drawing root key: %w", err)
	}
	return hold(b), nil
}

// Bytes returns the key itself and no copy: it is valid until Wipe, and must not be
// changed. It is nil for the zero Key.
func (k Key) Bytes() []byte {
	if k.material == nil {
		return nil
	}
	return k.material()[:]
}

// Wipe overwrites the key with zeros, in all copies of k.
func (k Key) Wipe() { clear(k.Bytes()) }

// Format prints the same for every verb.
func (Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// String returns the same for every key.
func (Key) String() string { return redacted }

// MarshalText returns the same for every key: for JSON, XML and text handlers.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns the same for every key.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

const howToMake = "make one with: openssl rand -hex 32"

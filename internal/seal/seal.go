// Package seal encrypts values in envelopes: every value has a data key of its
// own, and a key management service wraps the data key.
//
// The rule that keeps it honest: a sealed value opens only in the place it was
// sealed for. Domain, project, secret, version, field, key id and format are
// authenticated with every value, so a value that was moved to another row, or
// changed by one bit, gives ErrTampered and no plain text.
//
//	root key ──► project key, versioned ──► data key, one a value ──► value
//	   Box             Box, inside a KMS          Sealer
//
// KMS is the port; its engines stand in folders of their own and pass the suite
// in package sealtest. Sealer is what the service calls. Box and the check value
// are the primitives under both.
//
// All cryptography is the standard library's AES-256-GCM, HKDF and SHA-256, so
// that a FIPS 140-3 build runs the same code. Slices that held a data key are
// cleared after use; the key schedule inside a cipher.AEAD cannot be, and lives
// until it is collected.
package seal

// KeySize is the length in bytes of every key in this package.
const KeySize = 32

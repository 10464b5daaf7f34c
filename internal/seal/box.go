package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Purpose says what a Box seals. Two uses of one key never share a purpose.
type Purpose string

// Purposes in use. A new use gets a new line here, so that none is taken twice.
const (
	PurposeProjectKey Purpose = "project-key" // root key seals project keys
	PurposeDataKey    Purpose = "data-key"    // project key wraps data keys
	PurposeAccessKey  Purpose = "access-key"  // root key seals secrets of access keys
	PurposeBlobKey    Purpose = "blob-key"    // root key seals the blob key
	PurposeBlob       Purpose = "blob/"       // blob key seals backups; the id of the domain follows
)

// BoxOverhead is how many bytes longer than its plain text a boxed blob is.
const BoxOverhead = boxHeaderSize + overhead

const (
	boxFormat     = 1
	boxHeaderSize = 1 + 4
)

// Box seals small blobs under one version of one key for one purpose. It is keyed
// once and safe for concurrent use.
//
// The AES key is derived from the given key, the purpose, the key version and the
// format (HKDF-SHA256), so a blob opens under no other purpose or version, and
// each of them has its own budget of 2^32 blobs. Nothing counts them: a project
// key that makes 100 versions a second for a year is still below it.
//
//	offset  size  content
//	0       1     format, 1
//	1       4     key version, big endian
//	5       12    nonce
//	17      n+16  AES-256-GCM ciphertext and tag
type Box struct {
	gcm    gcm
	rand   io.Reader
	header [boxHeaderSize]byte
}

// NewBox keys a Box. The key has KeySize bytes, is not kept, and may be cleared at
// once. A key that is never rotated has version 0. Nonces are read from rand,
// which must be safe for concurrent use and fit for cryptography.
func NewBox(rand io.Reader, key []byte, purpose Purpose, version uint32) (*Box, error) {
	if purpose == "" {
		return nil, errors.New("seal: box without a purpose")
	}
	if err := validKey(key); err != nil {
		return nil, err
	}
	b := &Box{rand: rand}
	b.header[0] = boxFormat
	binary.BigEndian.PutUint32(b.header[1:], version)

	derived, err := hkdf.Key(sha256.New, key, nil, "coffer/box/"+string(b.header[:])+string(purpose), KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving box key: %w", err)
	}
	defer clear(derived)
	if b.gcm, err = newGCM(derived); err != nil {
		return nil, err
	}
	return b, nil
}

// Version returns the key version the box was made with.
func (b *Box) Version() uint32 { return binary.BigEndian.Uint32(b.header[1:]) }

// Seal appends the sealed plaintext to dst, which must not overlap it. The blob
// opens only with the same aad; use AppendField to put several things into it.
func (b *Box) Seal(dst, plaintext, aad []byte) ([]byte, error) {
	dst = slices.Grow(dst, BoxOverhead+len(plaintext))
	return b.gcm.seal(b.rand, append(dst, b.header[:]...), plaintext, aad)
}

// Open appends the plain text of a blob to dst, which must not overlap it. Every
// blob that this box did not seal with this aad is ErrTampered, one of another
// key version included: ask BoxVersion first where there are several.
func (b *Box) Open(dst, sealed, aad []byte) ([]byte, error) {
	body, ok := bytes.CutPrefix(sealed, b.header[:])
	if !ok {
		return nil, ErrTampered
	}
	return b.gcm.open(dst, body, aad)
}

// BoxVersion returns the key version that a blob claims, without opening it. Only
// Open proves the claim. What is not a blob is ErrTampered.
func BoxVersion(sealed []byte) (uint32, error) {
	if len(sealed) < BoxOverhead || sealed[0] != boxFormat {
		return 0, ErrTampered
	}
	return binary.BigEndian.Uint32(sealed[1:boxHeaderSize]), nil
}

// AppendField appends field to additional data, its length in front as four bytes,
// so that no two different lists of fields give the same bytes.
func AppendField[T string | []byte](dst []byte, field T) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(field)))
	return append(dst, field...)
}

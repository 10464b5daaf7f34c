package seal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Prepared seals one value without the KMS, without randomness and without waiting,
// for use inside a store transaction: that is where the number of the version is
// known, and what may run twice. Its data key is fresh and used by no one else.
// It is not safe for concurrent use.
type Prepared struct {
	key     Key
	gcm     gcm
	wrapped []byte
	place   []byte
	base    [nonceSize]byte
	seals   uint32 // calls of Seal so far; each has a nonce of its own
}

// Prepare makes the data key for a value at the place b, whatever b.Version says.
// A key of another project than b's is ErrKeyNotFound. The caller must Wipe the
// answer.
func (s *Sealer) Prepare(ctx context.Context, key Key, b Binding) (*Prepared, error) {
	if err := b.valid(); err != nil {
		return nil, err
	}
	if key.Project != b.Project {
		return nil, fmt.Errorf("making data key: %w", ErrKeyNotFound)
	}
	p := &Prepared{key: key, place: b.place(key.ID)}
	if _, err := io.ReadFull(s.rand, p.base[:]); err != nil {
		return nil, fmt.Errorf("drawing nonce: %w", err)
	}
	digest := sha256.Sum256(p.place) // the KMS takes MaxAAD bytes
	dataKey, wrapped, err := s.kms.NewDataKey(ctx, key, digest[:])
	if err != nil {
		return nil, fmt.Errorf("making data key: %w", err)
	}
	defer clear(dataKey)
	if p.gcm, err = newGCM(dataKey); err != nil {
		return nil, fmt.Errorf("making data key: %w", err)
	}
	p.wrapped = wrapped
	return p, nil
}

// KeyID returns the id of the project key in use.
func (p *Prepared) KeyID() string { return p.key.ID }

// Seal encrypts plaintext as that version. A transaction that runs again calls it
// again, with the number it then finds: every answer has a nonce of its own.
func (p *Prepared) Seal(version uint32, plaintext []byte) ([]byte, error) {
	if p.gcm.aead == nil {
		return nil, errors.New("seal: sealing after Wipe")
	}
	sealed := make([]byte, 0, envelopeOverhead+len(p.key.ID)+len(p.wrapped)+len(plaintext))
	sealed, err := appendHeader(sealed, p.key.ID, p.wrapped)
	if err != nil {
		return nil, err
	}
	nonce := p.base
	low := nonce[nonceSize-4:]
	binary.BigEndian.PutUint32(low, binary.BigEndian.Uint32(low)+p.seals)
	p.seals++
	return p.gcm.sealWith(nonce, sealed, plaintext, withVersion(p.place, version)), nil
}

// Wipe gives up the data key. It may be called more than once.
func (p *Prepared) Wipe() { p.gcm = gcm{} }

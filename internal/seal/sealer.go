package seal

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
)

// Sealer seals and opens values with the keys of a KMS. It is safe for concurrent
// use. It calls the KMS, so it is called outside of store transactions.
type Sealer struct {
	kms  KMS
	rand io.Reader
}

// NewSealer returns a Sealer over kms that draws nonces from rand, which must be
// safe for concurrent use and fit for cryptography.
func NewSealer(kms KMS, rand io.Reader) *Sealer {
	return &Sealer{kms: kms, rand: rand}
}

// Key returns the key of that id, or the default key of the project for "" (N11),
// if it can seal; else an error under ErrKey (N12) or ErrUnavailable.
func (s *Sealer) Key(ctx context.Context, project, keyID string) (Key, error) {
	key, err := s.lookUp(ctx, project, keyID)
	if err != nil {
		return Key{}, fmt.Errorf("looking up key: %w", err)
	}
	if err := key.Usable(); err != nil {
		return Key{}, fmt.Errorf("looking up key: %w", err)
	}
	return key, nil
}

func (s *Sealer) lookUp(ctx context.Context, project, keyID string) (Key, error) {
	if keyID == "" {
		return s.kms.DefaultKey(ctx, project)
	}
	return s.kms.Describe(ctx, project, keyID)
}

// Describe returns the key of that id in whatever state it is.
func (s *Sealer) Describe(ctx context.Context, project, keyID string) (Key, error) {
	key, err := s.kms.Describe(ctx, project, keyID)
	if err != nil {
		return Key{}, fmt.Errorf("describing key: %w", err)
	}
	return key, nil
}

// Seal encrypts plaintext for the place b under a fresh data key, which the key
// keyID wraps, or the default key of the project for "". It returns the sealed
// value and the id of the key in use. The plaintext remains the caller's to clear.
func (s *Sealer) Seal(ctx context.Context, keyID string, b Binding, plaintext []byte) (sealed []byte, usedKeyID string, err error) {
	if err := b.valid(); err != nil {
		return nil, "", err // before a default key is made for it
	}
	key, err := s.Key(ctx, b.Project, keyID)
	if err != nil {
		return nil, "", err
	}
	p, err := s.Prepare(ctx, key, b)
	if err != nil {
		return nil, "", err
	}
	defer p.Wipe()
	if sealed, err = p.Seal(b.Version, plaintext); err != nil {
		return nil, "", err
	}
	return sealed, key.ID, nil
}

// Open decrypts a value that was sealed for the place b, with the key it names: a
// secret may have another key by now (N13). A value of another place, or one that
// was changed, is ErrTampered; a change in the key id may also show as an error
// under ErrKey. The plain text is never nil and is the caller's to clear.
func (s *Sealer) Open(ctx context.Context, b Binding, sealed []byte) ([]byte, error) {
	if err := b.valid(); err != nil {
		return nil, err
	}
	e, err := ParseEnvelope(sealed)
	if err != nil {
		return nil, err
	}
	place := b.place(e.KeyID)
	digest := sha256.Sum256(place)
	dataKey, err := s.kms.OpenDataKey(ctx, b.Project, e.KeyID, e.Wrapped, digest[:])
	if err != nil {
		return nil, fmt.Errorf("opening data key: %w", err)
	}
	defer clear(dataKey)
	g, err := newGCM(dataKey)
	if err != nil {
		return nil, fmt.Errorf("opening data key: %w", err)
	}
	plaintext, err := g.open(make([]byte, 0, len(e.Body)-overhead), e.Body, withVersion(place, b.Version))
	if err != nil {
		return nil, fmt.Errorf("opening value: %w", err)
	}
	return plaintext, nil
}

// Reseal seals a value anew for the same place under the current version of the
// same key; the plain text stays inside. It is the step of the job that follows
// the rotation of a project key.
func (s *Sealer) Reseal(ctx context.Context, b Binding, sealed []byte) ([]byte, error) {
	keyID, err := KeyID(sealed)
	if err != nil {
		return nil, err
	}
	plaintext, err := s.Open(ctx, b, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(plaintext)
	again, _, err := s.Seal(ctx, keyID, b, plaintext)
	return again, err
}

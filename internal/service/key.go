package service

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
)

// key returns the usable key of that id, or the default key for "". A key that is
// named needs the caller's right to make data keys with it; the default key needs
// none (auth.md 7.4).
func (s *Service) key(ctx context.Context, who *iam.Caller, r iam.Request, keyID string) (seal.Key, error) {
	key, err := s.sealer.Key(ctx, who.ProjectID, keyID)
	if err != nil {
		return seal.Key{}, keyError(err, keyID)
	}
	return key, who.AuthorizeKey(iam.CreateDataKey, &r, named(key))
}

// named returns the id of a key that needs a right of its own, "" for the default
// key.
func named(key seal.Key) string {
	if key.Alias == seal.DefaultAlias {
		return ""
	}
	return key.ID
}

// authorizeRead asks for the right to open data keys of the key keyID.
func (s *Service) authorizeRead(ctx context.Context, who *iam.Caller, r iam.Request, keyID string) error {
	key, err := s.sealer.Describe(ctx, who.ProjectID, keyID)
	if err != nil {
		return keyError(err, keyID)
	}
	return who.AuthorizeKey(iam.DecryptDataKey, &r, named(key))
}

// prepare readies the sealing of a value before the transaction that will know its
// version.
func (s *Service) prepare(ctx context.Context, who *iam.Caller, r iam.Request, b seal.Binding, keyID string) (*seal.Prepared, error) {
	key, err := s.key(ctx, who, r, keyID)
	if err != nil {
		return nil, err
	}
	p, err := s.sealer.Prepare(ctx, key, b)
	if err != nil {
		return nil, keyError(err, key.ID)
	}
	return p, nil
}

// keyError turns a failure of a key into CSMS.0401; one of the KMS itself, and a
// value that was tampered with, stay internal (neighbours.md 1.2).
func keyError(err error, keyID string) error {
	if !errors.Is(err, seal.ErrKey) {
		return internalf(err, "using KMS key %s", keyID)
	}
	return &csms.Error{
		Code: csms.CodeKey, Err: err,
		Msg: "Can not use the KMS key " + keyID + ": it is unknown, disabled or scheduled for deletion.",
	}
}

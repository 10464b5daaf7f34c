package service

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// key returns the usable key of that id, or the default key for "". A key that is
// named needs the caller's right to make data keys with it; the default key needs
// none (auth.md 7.4).
func (s *Service) key(ctx context.Context, who *iam.Caller, r iam.Request, keyID string) (seal.Key, error) {
	key, err := s.sealer.Key(ctx, who.ProjectID, keyID)
	if err != nil {
		return seal.Key{}, keyError(err, keyID)
	}
	return key, s.authorizeKey(ctx, who, iam.CreateDataKey, r, key)
}

// authorizeKey asks for the right to use a key for r. Grants on the key are looked at
// only after the policies of the caller have not allowed it, so whoever they allow pays
// nothing for them; a deny in a policy stands, for r is decided anew. Only keys of the
// embedded service have grants.
func (s *Service) authorizeKey(ctx context.Context, who *iam.Caller, op iam.Op, r iam.Request, key seal.Key) error {
	id := named(key)
	denied := who.AuthorizeKey(op, &r, id)
	if denied == nil {
		return nil
	}
	rec, err := s.store.Key(ctx, who.ProjectID, id)
	if errors.Is(err, store.ErrNotFound) {
		return denied
	}
	if err != nil {
		return internalf(err, "reading the grants on key %s", id)
	}
	if !rec.Gives(store.Principal{UserID: who.GrantUser(), DomainID: who.GrantDomain()}, op.Operation().KeyGrant) {
		return denied
	}
	r.KeyGranted = true
	return who.AuthorizeKey(op, &r, id)
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
	return s.authorizeKey(ctx, who, iam.DecryptDataKey, r, key)
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

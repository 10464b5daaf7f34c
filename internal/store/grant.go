package store

import (
	"context"
	"errors"

	"coffer/internal/csms"
)

// grantsRecord is csms.Grants as it stands on disk, kept apart like secretRecord.
type grantsRecord struct {
	SecretID string        `cbor:"1,keyasint"`
	Grants   []grantRecord `cbor:"2,keyasint"`
}

type grantRecord struct {
	ID           string           `cbor:"1,keyasint"`
	GranteeType  csms.GranteeType `cbor:"2,keyasint"`
	GranteeID    string           `cbor:"3,keyasint"`
	CreateTime   csms.Millis      `cbor:"4,keyasint"`
	UpdateTime   csms.Millis      `cbor:"5,keyasint"`
	ValidityTime csms.Millis      `cbor:"6,keyasint,omitempty"` // zero for no end
}

func grantsToRecord(gs *csms.Grants) *grantsRecord {
	r := &grantsRecord{SecretID: gs.SecretID, Grants: make([]grantRecord, 0, len(gs.List))}
	for _, g := range gs.List {
		r.Grants = append(r.Grants, grantRecord{
			ID: g.ID, GranteeType: g.Type, GranteeID: g.Grantee.ID,
			CreateTime: g.CreateTime, UpdateTime: g.UpdateTime, ValidityTime: g.ValidityTime,
		})
	}
	return r
}

func (r *grantsRecord) grants() *csms.Grants {
	gs := &csms.Grants{SecretID: r.SecretID, List: make([]csms.Grant, 0, len(r.Grants))}
	for _, g := range r.Grants {
		gs.List = append(gs.List, csms.Grant{
			ID: g.ID, Grantee: csms.Grantee{Type: g.GranteeType, ID: g.GranteeID},
			CreateTime: g.CreateTime, UpdateTime: g.UpdateTime, ValidityTime: g.ValidityTime,
		})
	}
	return gs
}

// Grants returns the grants on the secret of that id, or ErrNotFound for none. They
// are shared and must not be changed.
func (s *Store) Grants(ctx context.Context, secretID string) (*csms.Grants, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, idKey(buf[:0], tableGrant, secretID), grantsKind.decode)
}

// Grants returns the grants on the secret of that id, or ErrNotFound for none.
func (t *Tx) Grants(secretID string) (*csms.Grants, error) {
	return load(t, &grantsKind, idKey(nil, tableGrant, secretID))
}

// PutGrants writes the grants on a secret, which must exist when the transaction
// ends; they go with it.
func (t *Tx) PutGrants(gs *csms.Grants) error { return write(t, &grantsKind, gs) }

// DeleteGrants removes all grants on a secret, or returns ErrNotFound.
func (t *Tx) DeleteGrants(gs *csms.Grants) error { return erase(t, &grantsKind, grantsKind.key(gs)) }

// dropGrants removes what grants there are on the secret of that id.
func (t *Tx) dropGrants(secretID string) error {
	err := erase(t, &grantsKind, idKey(nil, tableGrant, secretID))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

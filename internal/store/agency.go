package store

import (
	"context"
	"iter"

	"coffer/internal/csms"
)

// Agency is a delegation: who of the trusted account may, acts in the account of the
// agency with the rights of the agency (auth.md section 2).
type Agency struct {
	ID          string `cbor:"1,keyasint"`
	DomainID    string `cbor:"2,keyasint"`
	Name        string `cbor:"3,keyasint"` // unique in the domain
	Description string `cbor:"4,keyasint,omitempty"`

	// TrustDomainID is the trusted account; "" for a service of the cloud, which is
	// known by name alone and which nobody here can be.
	TrustDomainID   string `cbor:"5,keyasint,omitempty"`
	TrustDomainName string `cbor:"6,keyasint"`

	Days       int         `cbor:"7,keyasint,omitempty"` // how long the agency lives; 0 is for ever
	ExpireTime csms.Millis `cbor:"8,keyasint,omitempty"` // zero is never
	CreateTime csms.Millis `cbor:"9,keyasint"`

	Assignments []Assignment   `cbor:"10,keyasint,omitempty"` // in the order in which they were made
	Inline      []InlinePolicy `cbor:"11,keyasint,omitempty"` // count in every project
}

// Assumed says in a token or a temporary access key that it is of an agency. The user
// of the token or key is then who assumed it.
type Assumed struct {
	AgencyID string `cbor:"1,keyasint"`
	DomainID string `cbor:"2,keyasint"` // of the agency
	Session  string `cbor:"3,keyasint"` // name of the session, never empty
}

// Expired reports whether the life of the agency is over at now.
func (a *Agency) Expired(now csms.Millis) bool { return a.ExpireTime != 0 && a.ExpireTime <= now }

// Trusts reports whether a user of that account may assume the agency.
func (a *Agency) Trusts(domainID string) bool { return domainID != "" && a.TrustDomainID == domainID }

var agencyKind = plain(tableAgency,
	func(a *Agency) key { return idKey(nil, tableAgency, a.ID) },
	func(a *Agency) []row { return []row{unique(nameKey(nil, tableAgencyName, a.DomainID, a.Name))} })

// Agency returns the agency of that id, or ErrNotFound. It is shared and must not be
// changed.
func (s *Store) Agency(ctx context.Context, id string) (*Agency, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, idKey(buf[:0], tableAgency, id), agencyKind.decode)
}

// AgencyByName returns the agency of a domain that has that name, or ErrNotFound.
func (s *Store) AgencyByName(ctx context.Context, domain, name string) (*Agency, error) {
	var buf [keyBuffer]byte
	return cachedByRow(ctx, s, nameKey(buf[:0], tableAgencyName, domain, name), &agencyKind,
		func(a *Agency) bool { return a.DomainID == domain && a.Name == name })
}

// Agency returns the agency of that id.
func (t *Tx) Agency(id string) (*Agency, error) {
	return load(t, &agencyKind, idKey(nil, tableAgency, id))
}

// AgencyByName returns the agency of a domain that has that name.
func (t *Tx) AgencyByName(domain, name string) (*Agency, error) {
	return loadByRow(t, &agencyKind, nameKey(nil, tableAgencyName, domain, name))
}

// PutAgency writes an agency.
func (t *Tx) PutAgency(a *Agency) error { return write(t, &agencyKind, a) }

// DeleteAgency removes an agency, and not the tokens and keys it was assumed with.
func (t *Tx) DeleteAgency(a *Agency) error { return erase(t, &agencyKind, agencyKind.key(a)) }

// Agencies yields the agencies of a domain by name.
func (v *View) Agencies(domain string) iter.Seq2[*Agency, error] {
	return owners(v, &agencyKind, start(nil, tableAgencyName).text(domain).under())
}

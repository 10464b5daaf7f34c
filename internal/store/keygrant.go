package store

import (
	"slices"

	"coffer/internal/csms"
)

// PrincipalType is the kind of whom a KeyGrant names, with the words of the KMS API.
type PrincipalType string

// Kinds of principals.
const (
	PrincipalUser   PrincipalType = "user"
	PrincipalDomain PrincipalType = "domain"
)

// KeyGrant gives somebody some operations on the Key that holds it. Users are named by
// ids, which are never given twice.
type KeyGrant struct {
	ID          string        `cbor:"1,keyasint"` // 64 hexadecimal digits
	Name        string        `cbor:"2,keyasint,omitempty"`
	GranteeType PrincipalType `cbor:"3,keyasint"`
	GranteeID   string        `cbor:"4,keyasint"`
	RetiringID  string        `cbor:"5,keyasint,omitempty"` // a user who may retire it; "" for none
	IssuingID   string        `cbor:"6,keyasint,omitempty"` // the user who made it; "" for an agency
	Operations  []string      `cbor:"7,keyasint"`           // words of the KMS API, in the order of the request
	CreateTime  csms.Millis   `cbor:"8,keyasint"`
}

// KeyAlias is one name of a Key beside its own alias.
type KeyAlias struct {
	Alias      string      `cbor:"1,keyasint"`
	CreateTime csms.Millis `cbor:"2,keyasint"`
	UpdateTime csms.Millis `cbor:"3,keyasint"` // when it came to this key
}

// Principal is who calls, as a grant on a key can name him. An empty id is named by
// no grant.
type Principal struct {
	UserID   string
	DomainID string
}

// Names reports whether who is the grantee of g.
func (g *KeyGrant) Names(who Principal) bool {
	id := who.UserID
	if g.GranteeType == PrincipalDomain {
		id = who.DomainID
	}
	return id != "" && id == g.GranteeID
}

// Gives reports whether g gives an operation to who.
func (g *KeyGrant) Gives(who Principal, operation string) bool {
	return operation != "" && g.Names(who) && slices.Contains(g.Operations, operation)
}

// Gives reports whether a grant on the key gives an operation to who.
func (k *Key) Gives(who Principal, operation string) bool {
	return slices.ContainsFunc(k.Grants, func(g KeyGrant) bool { return g.Gives(who, operation) })
}

// Goes reports whether the key has that name: its own alias, or one of Aliases.
func (k *Key) Goes(alias string) bool {
	return k.Alias == alias || slices.ContainsFunc(k.Aliases, func(a KeyAlias) bool { return a.Alias == alias })
}

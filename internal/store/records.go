package store

import (
	"encoding/json"

	"coffer/internal/csms"
)

// The numbers in the tags are the names of the fields on disk: they are given once
// and never again. A record holds nothing that must not be on disk in this form;
// secrets of any kind are sealed or hashed before they come here.

// Domain is an account.
type Domain struct {
	ID         string      `cbor:"1,keyasint"`
	Name       string      `cbor:"2,keyasint"` // unique in the store
	OwnerID    string      `cbor:"3,keyasint,omitempty"`
	Enabled    bool        `cbor:"4,keyasint"`
	CreateTime csms.Millis `cbor:"5,keyasint"`
}

// Project is a place for resources in a domain.
type Project struct {
	ID          string      `cbor:"1,keyasint"`
	DomainID    string      `cbor:"2,keyasint"`
	ParentID    string      `cbor:"3,keyasint,omitempty"`
	Name        string      `cbor:"4,keyasint"` // unique in the domain
	Description string      `cbor:"5,keyasint,omitempty"`
	Enabled     bool        `cbor:"6,keyasint"`
	CreateTime  csms.Millis `cbor:"7,keyasint"`
}

// User is a user of a domain.
type User struct {
	ID           string      `cbor:"1,keyasint"`
	DomainID     string      `cbor:"2,keyasint"`
	Name         string      `cbor:"3,keyasint"` // unique in the domain
	Description  string      `cbor:"4,keyasint,omitempty"`
	Enabled      bool        `cbor:"5,keyasint"`
	PasswordHash string      `cbor:"6,keyasint,omitempty" json:"-"` // PHC text; "" for no password
	PasswordTime csms.Millis `cbor:"7,keyasint,omitempty"`          // when the password was set

	// NotBefore makes every token of the user void that was issued before it.
	NotBefore csms.Millis `cbor:"8,keyasint,omitempty"`

	PolicyIDs  []string       `cbor:"9,keyasint,omitempty"`
	Inline     []InlinePolicy `cbor:"10,keyasint,omitempty"`
	CreateTime csms.Millis    `cbor:"11,keyasint"`

	GroupIDs []string `cbor:"12,keyasint,omitempty"` // in the order in which he joined
	Contact  *Contact `cbor:"13,keyasint,omitempty"` // nil for none
	// AccessMode is what the IAM shows as access_mode; "" stands for default. It limits
	// nothing.
	AccessMode string `cbor:"14,keyasint,omitempty"`
	// ChangePassword asks for a new password at the next login to a console.
	ChangePassword bool `cbor:"15,keyasint,omitempty"`

	// Assignments are policies in enterprise projects; PolicyIDs count everywhere.
	Assignments []Assignment `cbor:"16,keyasint,omitempty"`
}

// Contact is where a user can be reached and who he is elsewhere. It is shown, and
// nothing else is done with it.
type Contact struct {
	Email        string `cbor:"1,keyasint,omitempty"`
	AreaCode     string `cbor:"2,keyasint,omitempty"`
	Phone        string `cbor:"3,keyasint,omitempty"`
	ExternalID   string `cbor:"4,keyasint,omitempty"` // xuser_id
	ExternalType string `cbor:"5,keyasint,omitempty"` // xuser_type
}

// InlinePolicy is a policy that belongs to one user.
type InlinePolicy struct {
	Name     string   `cbor:"1,keyasint"`
	Document Document `cbor:"2,keyasint"`
}

// Policy is a policy of a domain that users and groups refer to by id.
type Policy struct {
	ID          string      `cbor:"1,keyasint"`
	DomainID    string      `cbor:"2,keyasint"`
	Name        string      `cbor:"3,keyasint"` // unique in the domain
	Description string      `cbor:"4,keyasint,omitempty"`
	Document    Document    `cbor:"5,keyasint"`
	CreateTime  csms.Millis `cbor:"6,keyasint"`
	UpdateTime  csms.Millis `cbor:"7,keyasint"`

	// Type is AX or XA: made for services without regions, or for those in projects. It
	// is shown and limits nothing. "" stands for XA.
	Type          string `cbor:"8,keyasint,omitempty"`
	DescriptionCN string `cbor:"9,keyasint,omitempty"`
}

// AccessKey is a pair of access key and secret key, permanent or temporary.
type AccessKey struct {
	AccessKey    string      `cbor:"1,keyasint"`
	UserID       string      `cbor:"2,keyasint"`
	DomainID     string      `cbor:"3,keyasint"`
	SealedSecret Sealed      `cbor:"4,keyasint"` // the secret key, under the identity key
	Active       bool        `cbor:"5,keyasint"`
	Description  string      `cbor:"6,keyasint,omitempty"`
	CreateTime   csms.Millis `cbor:"7,keyasint"`
	Temporary    *Temporary  `cbor:"8,keyasint,omitempty"` // nil for a permanent pair
}

// Temporary is what a temporary access key has beyond a permanent one.
type Temporary struct {
	TokenHash     [32]byte    `cbor:"1,keyasint" json:"-"` // SHA-256 of the security token
	ExpiresAt     csms.Millis `cbor:"2,keyasint"`
	SessionPolicy Document    `cbor:"3,keyasint,omitempty"` // nil for none
	Assumed       *Assumed    `cbor:"4,keyasint,omitempty"` // nil unless the key is of an agency
	TaskID        string      `cbor:"5,keyasint,omitempty"` // "" unless the key is of a rotation task, and of no user
}

// Token is an issued token. The token itself is not kept.
type Token struct {
	Hash        [32]byte    `cbor:"1,keyasint" json:"-"` // SHA-256 of the token
	UserID      string      `cbor:"2,keyasint"`
	DomainID    string      `cbor:"3,keyasint"`
	ProjectID   string      `cbor:"4,keyasint,omitempty"` // "" where the scope is no project
	DomainScope bool        `cbor:"5,keyasint,omitempty"`
	Methods     []string    `cbor:"6,keyasint,omitempty"`
	IssuedAt    csms.Millis `cbor:"7,keyasint"`
	ExpiresAt   csms.Millis `cbor:"8,keyasint"`
	AuditID     string      `cbor:"9,keyasint,omitempty"`
	Assumed     *Assumed    `cbor:"10,keyasint,omitempty"` // nil unless the token is of an agency
}

// KeyState is the state of a Key, with the numbers of key_state of the KMS API
// (neighbours.md 1.5).
type KeyState uint8

// States of a key.
const (
	KeyEnabled         KeyState = 2
	KeyDisabled        KeyState = 3
	KeyPendingDeletion KeyState = 4
)

// Key is a project key of the embedded KMS.
type Key struct {
	ID           string       `cbor:"1,keyasint"` // UUID
	ProjectID    string       `cbor:"2,keyasint"`
	DomainID     string       `cbor:"3,keyasint"`
	Alias        string       `cbor:"4,keyasint,omitempty"` // unique in the project; "" for none
	Description  string       `cbor:"5,keyasint,omitempty"`
	State        KeyState     `cbor:"6,keyasint"`
	Default      bool         `cbor:"7,keyasint,omitempty"` // the key csms/default (N11)
	CreateTime   csms.Millis  `cbor:"8,keyasint"`
	DeletionTime csms.Millis  `cbor:"9,keyasint,omitempty"` // zero unless KeyPendingDeletion
	Versions     []KeyVersion `cbor:"10,keyasint"`          // ascending by number; the last one is current

	RotationInterval int         `cbor:"11,keyasint,omitempty"` // days; zero if it was never set
	NextRotation     csms.Millis `cbor:"12,keyasint,omitempty"` // zero while the key is not rotated by itself
	Tags             []KeyTag    `cbor:"13,keyasint,omitempty"` // ascending by key

	EnterpriseProjectID string `cbor:"14,keyasint,omitempty"` // "" for the default one; see InEnterpriseProject

	Grants  []KeyGrant `cbor:"15,keyasint,omitempty"` // in the order in which they were made
	Aliases []KeyAlias `cbor:"16,keyasint,omitempty"` // ascending; beside Alias, and unique with those
}

// KeyTag is one tag of a Key.
type KeyTag struct {
	Key   string `cbor:"1,keyasint"`
	Value string `cbor:"2,keyasint,omitempty"`
}

// KeyVersion is one version of the material of a Key.
type KeyVersion struct {
	Number     int         `cbor:"1,keyasint"`
	Wrapped    Sealed      `cbor:"2,keyasint"` // the material, under the root key
	CreateTime csms.Millis `cbor:"3,keyasint"`
}

// SecretsConfig is the configuration of the checker for one project of a domain
// (K2). A project that has none has the zero configuration.
type SecretsConfig struct {
	DomainID               string `cbor:"1,keyasint"`
	ProjectID              string `cbor:"2,keyasint"`
	CheckingSecretStrength bool   `cbor:"3,keyasint,omitempty"`
}

// Sealed is a ciphertext. As JSON it shows its length only.
type Sealed []byte

// MarshalJSON returns {"sealed_bytes":n}.
func (s Sealed) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]int{"sealed_bytes": len(s)})
}

// Document is the text of a policy.
type Document []byte

// MarshalJSON returns the document itself, or its text in quotes if it is no JSON.
func (d Document) MarshalJSON() ([]byte, error) {
	if json.Valid(d) {
		return d, nil
	}
	return json.Marshal(string(d))
}

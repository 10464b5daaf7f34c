package seal

import "context"

// DefaultAlias is the alias of the key that a project has without asking (N11).
// Such a key cannot be disabled, deleted or renamed.
const DefaultAlias = "csms/default"

// MaxAAD is the longest additional data, in bytes, that a caller hands to a KMS:
// the limit of create-datakey of Huawei KMS. Sealer hands over a 32-byte digest.
const MaxAAD = 128

// KMS is the port to a key management service. It is safe for concurrent use.
//
// Engines keep to this:
//   - Every call that uses key material judges the state of the key as it is then,
//     not as a Key says it was. A key that is not enabled neither wraps nor opens.
//   - A key of another project does not exist: ErrKeyNotFound.
//   - Wrapped bytes that were cut, changed, or made by another key or with other
//     additional data give ErrTampered.
//   - Rotation never takes a wrapped key away: what an old version of the key
//     wrapped still opens.
//   - Returned slices belong to the caller, who clears them: an engine with a cache
//     hands out copies. Arguments are neither kept nor changed.
type KMS interface {
	// DefaultKey returns the key of the project with DefaultAlias and creates it on
	// first use, once, however many ask at the same time.
	DefaultKey(ctx context.Context, project string) (Key, error)

	// Describe returns the key in whatever state it is; only Key.Usable or a call
	// that uses the key judges it. An unknown id is ErrKeyNotFound.
	Describe(ctx context.Context, project, keyID string) (Key, error)

	// NewDataKey makes a data key of KeySize bytes and wraps it under the current
	// version of key, of which only Project and ID are read. The same aad must be
	// given to OpenDataKey.
	NewDataKey(ctx context.Context, key Key, aad []byte) (plain, wrapped []byte, err error)

	// OpenDataKey returns the data key that NewDataKey wrapped under that key.
	OpenDataKey(ctx context.Context, project, keyID string, wrapped, aad []byte) ([]byte, error)
}

// Key describes a project key: a KMS key in the terms of the KMS API. It holds no
// key material.
type Key struct {
	ID      string // a UUID where the embedded engine made it
	Project string
	Domain  string // owner
	Alias   string
	Spec    Spec
	Usage   Usage
	State   State
}

// Usable returns nil if the key can make and open data keys, else the ErrKey class
// that says why not.
func (k Key) Usable() error {
	if !k.Spec.symmetric() || k.Usage != UsageEncryptDecrypt {
		return ErrKeyUsage
	}
	switch k.State {
	case StateEnabled:
		return nil
	case StatePendingDeletion:
		return ErrKeyPendingDeletion
	default:
		return ErrKeyDisabled
	}
}

// Spec is the key_spec of the KMS API.
type Spec string

// The specs that make data keys. The embedded engine makes AES_256 only; SM4 is
// what a key of an external service may be.
const (
	SpecAES256 Spec = "AES_256"
	SpecSM4    Spec = "SM4"
)

func (s Spec) symmetric() bool { return s == SpecAES256 || s == SpecSM4 }

// Usage is the key_usage of the KMS API.
type Usage string

// UsageEncryptDecrypt is the only usage that makes data keys.
const UsageEncryptDecrypt Usage = "ENCRYPT_DECRYPT"

// State is the key_state of the KMS API; the numbers are those of the wire
// (neighbours.md 1.5). The zero value is no state, and not usable.
type State uint8

// States of a key. Only StateEnabled makes and opens data keys.
const (
	StateWaiting         State = 1
	StateEnabled         State = 2
	StateDisabled        State = 3
	StatePendingDeletion State = 4
	StatePendingImport   State = 5
	StateFrozen          State = 7
)

// String returns a word for logs and test names; the wire has the number.
func (s State) String() string {
	switch s {
	case StateWaiting:
		return "waiting"
	case StateEnabled:
		return "enabled"
	case StateDisabled:
		return "disabled"
	case StatePendingDeletion:
		return "pending deletion"
	case StatePendingImport:
		return "pending import"
	case StateFrozen:
		return "frozen"
	default:
		return "unknown"
	}
}

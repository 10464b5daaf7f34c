package wire

import (
	"strconv"

	"coffer/internal/csms"
)

// The shapes of the KMS API (neighbours.md 1.5). Dates and most numbers are text.

// Digits is a number in a request, which clients send as text or as a JSON number. ""
// is one that was not given.
type Digits string

// UnmarshalJSON takes a text, a number, or null for none.
func (n *Digits) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	switch c := b[0]; {
	case c == '"':
		text, err := unquote(b[1 : len(b)-1])
		*n = Digits(text)
		return err
	case c == '-' || '0' <= c && c <= '9':
		*n = Digits(b)
		return nil
	default:
		return csms.Invalidf("A number has the wrong JSON type; it takes digits in a string.")
	}
}

// Or returns the number, other if none was given, and -1 for what is not made of up
// to nine digits.
func (n Digits) Or(other int) int {
	if n == "" {
		return other
	}
	v, err := strconv.ParseUint(string(n), 10, 31)
	if err != nil || len(n) > 9 {
		return -1
	}
	return int(v)
}

// TextMillis is an instant as text: epoch milliseconds, "" for zero.
type TextMillis csms.Millis

// MarshalText writes the digits.
func (m TextMillis) MarshalText() ([]byte, error) {
	if m == 0 {
		return nil, nil
	}
	return strconv.AppendInt(nil, int64(m), 10), nil
}

// TextBool is "true" or "false".
type TextBool bool

// MarshalText writes the word.
func (t TextBool) MarshalText() ([]byte, error) { return strconv.AppendBool(nil, bool(t)), nil }

// KeyRef is the body of operations that need nothing but a key.
type KeyRef struct {
	KeyID string `json:"key_id"`
}

// CreateKeyRequest is the body of CreateKey.
type CreateKeyRequest struct {
	KeyAlias            string `json:"key_alias"`
	KeySpec             string `json:"key_spec"`
	KeyUsage            string `json:"key_usage"`
	KeyDescription      string `json:"key_description"`
	Origin              string `json:"origin"`
	EnterpriseProjectID string `json:"enterprise_project_id"`
	KeystoreID          Digits `json:"keystore_id"`
}

// ListKeysRequest is the body of ListKeys.
type ListKeysRequest struct {
	Limit               Digits `json:"limit"`
	Marker              Digits `json:"marker"`
	KeyState            Digits `json:"key_state"`
	KeySpec             string `json:"key_spec"`
	EnterpriseProjectID string `json:"enterprise_project_id"`
}

// ScheduleKeyDeletionRequest is the body of ScheduleKeyDeletion.
type ScheduleKeyDeletionRequest struct {
	KeyRef
	PendingDays Digits `json:"pending_days"`
}

// UpdateKeyAliasRequest is the body of UpdateKeyAlias.
type UpdateKeyAliasRequest struct {
	KeyRef
	KeyAlias string `json:"key_alias"`
}

// UpdateKeyDescriptionRequest is the body of UpdateKeyDescription.
type UpdateKeyDescriptionRequest struct {
	KeyRef
	KeyDescription *string `json:"key_description"`
}

// UpdateKeyRotationIntervalRequest is the body of UpdateKeyRotationInterval.
type UpdateKeyRotationIntervalRequest struct {
	KeyRef
	RotationInterval Digits `json:"rotation_interval"`
}

// TagsActionRequest is the body of BatchCreateKeyTags.
type TagsActionRequest struct {
	Action string   `json:"action"`
	Tags   []KeyTag `json:"tags"`
}

// KeyTag is a tag of a key.
type KeyTag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// KeyDetails is a key as DescribeKey and ListKeys show it.
type KeyDetails struct {
	KeyID                  string     `json:"key_id"`
	DomainID               string     `json:"domain_id"`
	KeyAlias               string     `json:"key_alias"`
	Realm                  string     `json:"realm"`
	KeySpec                string     `json:"key_spec"`
	KeyUsage               string     `json:"key_usage"`
	KeyDescription         string     `json:"key_description"`
	CreationDate           TextMillis `json:"creation_date"`
	ScheduledDeletionDate  TextMillis `json:"scheduled_deletion_date"`
	KeyState               string     `json:"key_state"`
	DefaultKeyFlag         string     `json:"default_key_flag"` // "1" or "0"
	KeyType                string     `json:"key_type"`
	ExpirationTime         string     `json:"expiration_time"` // of imported material: always ""
	Origin                 string     `json:"origin"`
	KeyRotationEnabled     TextBool   `json:"key_rotation_enabled"`
	SysEnterpriseProjectID string     `json:"sys_enterprise_project_id"`
	KeystoreID             string     `json:"keystore_id"`
}

// KeyInfo is {"key_info": ...}, whatever is told of the key.
type KeyInfo struct {
	Key any `json:"key_info"`
}

// NewKey is what CreateKey tells of a key.
type NewKey struct {
	KeyID    string `json:"key_id"`
	DomainID string `json:"domain_id"`
}

// KeyState is a key and its state.
type KeyState struct {
	KeyID    string `json:"key_id"`
	KeyState string `json:"key_state"`
}

// KeyAlias is a key and its alias.
type KeyAlias struct {
	KeyID    string `json:"key_id"`
	KeyAlias string `json:"key_alias"`
}

// KeyDescription is a key and its description.
type KeyDescription struct {
	KeyID          string `json:"key_id"`
	KeyDescription string `json:"key_description"`
}

// KeyList is the answer of ListKeys. The total is a number, as the SDK has it.
type KeyList struct {
	Keys       []string     `json:"keys"`
	KeyDetails []KeyDetails `json:"key_details"`
	NextMarker string       `json:"next_marker"`
	Truncated  TextBool     `json:"truncated"`
	Total      int          `json:"total"`
}

// KeyRotation is the answer of operations on the rotation of a key. Only the time is
// text: the SDK and Terraform decode the others as JSON boolean and numbers.
type KeyRotation struct {
	KeyRotationEnabled bool       `json:"key_rotation_enabled"`
	RotationInterval   int        `json:"rotation_interval"` // days
	LastRotationTime   TextMillis `json:"last_rotation_time"`
	NumberOfRotations  int        `json:"number_of_rotations"`
}

// KeyTags is the answer of ListKeyTags.
type KeyTags struct {
	Tags         []KeyTag `json:"tags"`
	ExistTagsNum int      `json:"existTagsNum"`
}

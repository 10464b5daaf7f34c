package seal

import (
	"encoding/binary"
	"errors"
)

// Binding is the place a value belongs to. A sealed value opens only with the
// binding it was sealed with.
type Binding struct {
	Domain   string
	Project  string
	SecretID string
	Version  uint32 // number of the version; 0 for what belongs to no version
	Field    string // what the value is, e.g. the name of the wire field
}

// valid refuses a binding with a hole: it would be shared by several places.
func (b Binding) valid() error {
	if b.Domain == "" || b.Project == "" || b.SecretID == "" || b.Field == "" {
		return errors.New("seal: binding without domain, project, secret or field")
	}
	return nil
}

// place returns the binding without its version, with the key id and the format, as
// additional data: each part length-prefixed, so that no two places give the same
// bytes. The data key is wrapped for the place; the value is sealed for the place
// and the version, which withVersion adds.
func (b Binding) place(keyID string) []byte {
	const fixed = len(valueContext) + 1 + 6*4 + versionSize
	dst := make([]byte, 0, fixed+len(b.Domain)+len(b.Project)+len(b.SecretID)+len(b.Field)+len(keyID))
	dst = AppendField(dst, valueContext)
	dst = append(dst, envelopeFormat)
	dst = AppendField(dst, b.Domain)
	dst = AppendField(dst, b.Project)
	dst = AppendField(dst, b.SecretID)
	dst = AppendField(dst, b.Field)
	return AppendField(dst, keyID)
}

func withVersion(place []byte, version uint32) []byte {
	return binary.BigEndian.AppendUint32(place, version)
}

const (
	versionSize = 4

	// valueContext keeps the additional data of values apart from all others.
	valueContext = "coffer/value"
)

package store

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"coffer/internal/kv"
)

// recordFormat is the first byte of every record. A field may be added to a record
// under the same format, with a key number of its own: an older release then
// refuses the record, for it must not write it back without the field. The format
// changes when the meaning of what is there changes.
const recordFormat = 1

// Bounds of what a record may claim to hold when it is decoded.
const (
	maxDepth    = 8
	maxElements = 1 << 16
	maxPairs    = 256
)

// The type of a CBOR item stands in the top three bits of its first byte (RFC 8949,
// section 3.1).
const (
	majorTypeShift = 5
	majorTypeMap   = 5
)

// codec encodes records: the format byte, then deterministic CBOR with numbers for
// names of fields, so that equal records are equal bytes.
type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCodec() (codec, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return codec{}, fmt.Errorf("setting up the record encoder: %w", err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		// What was written must be readable, also a text that is no UTF-8.
		UTF8:             cbor.UTF8DecodeInvalid,
		MaxNestedLevels:  maxDepth,
		MaxArrayElements: maxElements,
		MaxMapPairs:      maxPairs,
	}.DecMode()
	if err != nil {
		return codec{}, fmt.Errorf("setting up the record decoder: %w", err)
	}
	return codec{enc, dec}, nil
}

// encode returns the bytes of a record of table t.
func (c codec) encode(t table, r any) ([]byte, error) {
	body, err := c.enc.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding %s record: %w", t, err)
	}
	if len(body) >= kv.MaxValue {
		return nil, fmt.Errorf("encoding %s record: %d bytes are too many: %w", t, len(body), kv.ErrLimit)
	}
	return append([]byte{recordFormat}, body...), nil
}

// decode reads the bytes of a record of table t into r. Its errors name the table
// and never what the record holds.
func (c codec) decode(t table, raw []byte, r any) error {
	if len(raw) == 0 {
		return fmt.Errorf("decoding %s record: it is empty", t)
	}
	if raw[0] != recordFormat {
		return fmt.Errorf("decoding %s record: format %d is unknown; this release reads format %d: the record is damaged or of a newer release", t, raw[0], recordFormat)
	}
	if err := c.dec.Unmarshal(raw[1:], r); err != nil {
		return fmt.Errorf("decoding %s record: %w", t, err)
	}
	// Null would leave r empty, which is a record without an owner.
	if raw[1]>>majorTypeShift != majorTypeMap {
		return fmt.Errorf("decoding %s record: it is not a map", t)
	}
	return nil
}

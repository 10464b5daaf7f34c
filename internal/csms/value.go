package csms

import (
	"bytes"
	"encoding/base64"
)

// Value is the content of a version: the text of whichever of the two fields it
// was written with. Binary stays base64 text, because it is returned byte for byte
// as it came (N7).
type Value struct {
	Kind Kind
	Data Plaintext
}

// NewValue returns the one value that is given as secret_string or secret_binary.
// Both or none is CSMS.0002, and an empty text counts as none (N5); so is a text of
// more than limit bytes (N6) and one that is not padded standard base64 (N7). The
// value shares the memory of its argument.
func NewValue(text, binary Plaintext, limit int) (Value, error) {
	v := Value{Text, text}
	switch {
	case len(text) > 0 && len(binary) > 0:
		return Value{}, Invalidf("secret_string and secret_binary are both given; give exactly one.")
	case len(text) == 0 && len(binary) == 0:
		return Value{}, Invalidf("Neither secret_string nor secret_binary is given; give exactly one.")
	case len(binary) > 0:
		v = Value{Binary, binary}
	}
	if err := v.check(limit); err != nil {
		return Value{}, err
	}
	return v, nil
}

func (v Value) check(limit int) error {
	if n := len(v.Data); n > limit {
		return Invalidf("secret_%s has %d bytes; it takes at most %d.", v.Kind, n, limit)
	}
	if v.Kind == Binary {
		return checkBase64(v.Data)
	}
	return nil
}

// checkBase64 decodes p and forgets the result. The decoder skips line breaks,
// which standard base64 does not have.
func checkBase64(p Plaintext) error {
	decoded := make([]byte, base64.StdEncoding.DecodedLen(len(p)))
	defer clear(decoded)
	if _, err := base64.StdEncoding.Strict().Decode(decoded, p); err != nil || bytes.ContainsAny(p, "\r\n") {
		return Invalidf("secret_binary is not standard base64 with padding.")
	}
	return nil
}

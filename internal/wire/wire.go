// Package wire holds the JSON shapes of requests and answers, as the API document
// has them.
//
// The rule that keeps it honest: a shape says exactly what stands on the wire:
// which members are always there, which are null, and in which unit. It knows
// nothing of how a request is carried out.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"coffer/internal/csms"
)

// Millis is an instant on the wire: an integer, epoch milliseconds (TS1). Zero is
// null.
type Millis csms.Millis

// MarshalJSON writes the integer, or null for zero.
func (m Millis) MarshalJSON() ([]byte, error) {
	if m == 0 {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(m), 10), nil
}

// OrNull is a text that is null when empty.
type OrNull string

// MarshalJSON writes the text, or null for an empty one.
func (t OrNull) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return Marshal(string(t))
}

// Marshal encodes v without escaping <, > and &, which the cloud service does not
// escape either.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Decode reads one JSON object from body into v. Members it does not know are
// ignored (W4). A body that is no UTF-8, no JSON, or has something after the object
// is CSMS.0004; a member of the wrong JSON type is CSMS.0002.
func Decode(body []byte, v any) error {
	if !utf8.Valid(body) {
		return csms.Errorf(csms.CodeBadBody, "The request body is not UTF-8.")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return csms.Errorf(csms.CodeBadBody, "The request body is empty; a JSON object is expected.")
	}
	err := json.Unmarshal(body, v)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return typeError(wrong)
	}
	if e := (*csms.Error)(nil); errors.As(err, &e) {
		return e
	}
	if err != nil {
		return csms.Errorf(csms.CodeBadBody, "The request body is not one JSON object.")
	}
	if bytes.TrimSpace(body)[0] != '{' {
		return csms.Invalidf("The request body must be a JSON object.")
	}
	return nil
}

// typeError names the member and the type it takes; never what was sent.
func typeError(e *json.UnmarshalTypeError) error {
	if e.Field == "" {
		return csms.Invalidf("The request body must be a JSON object.")
	}
	return csms.Invalidf("%s has the wrong JSON type; it takes %s.", e.Field, jsonType(e))
}

func jsonType(e *json.UnmarshalTypeError) string {
	switch kind := e.Type.Kind().String(); kind {
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "slice":
		return "an array"
	case "int", "int32", "int64":
		return "an integer"
	default:
		return "an object"
	}
}

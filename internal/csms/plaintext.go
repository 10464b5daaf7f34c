package csms

import (
	"errors"
	"fmt"
	"log/slog"
)

// Plaintext is the value of a secret in the clear. It prints as [redacted] under
// every verb that takes a value and in every log, and refuses to become JSON or
// text: only code that asks for the bytes by converting to []byte gets them. Seen by
// service, seal and wire alone.
//
// What package fmt does not ask, no type can answer: it reads past these methods in
// an unexported field of a struct, and after a misused %p or %w. So a struct that
// holds a Plaintext does so in an exported field, or has a Format of its own.
type Plaintext []byte

const redacted = "[redacted]"

// errPlaintext refuses an encoding that would spread the value.
var errPlaintext = errors.New("csms: a plaintext value does not encode itself")

// String returns "[redacted]".
func (Plaintext) String() string { return redacted }

// Format writes "[redacted]" whatever the verb.
func (Plaintext) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue makes slog print "[redacted]".
func (Plaintext) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON always fails.
func (Plaintext) MarshalJSON() ([]byte, error) { return nil, errPlaintext }

// MarshalText always fails.
func (Plaintext) MarshalText() ([]byte, error) { return nil, errPlaintext }

// Wipe overwrites the value. The memory may have been copied by the runtime
// before; it shortens the life of the value, it does not end it for certain.
func (p Plaintext) Wipe() { clear(p) }

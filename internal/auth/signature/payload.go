package signature

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
)

// UnsignedPayload says when a request may send X-Sdk-Content-Sha256 with the value
// UNSIGNED-PAYLOAD, which leaves its body outside the signature. SDKs send it with
// content types other than JSON; no operation of CSMS, KMS or IAM needs it.
type UnsignedPayload int

// The policies for unsigned payloads. The zero value refuses all.
const (
	RefuseUnsigned UnsignedPayload = iota
	// LimitUnsigned refuses where an unsigned body could do harm: if Content-Type is
	// JSON, BSON, absent or repeated, and for every method but GET, HEAD and OPTIONS
	// on a path with a segment "v1", where CSMS lives.
	LimitUnsigned
	// AcceptUnsigned refuses nothing.
	AcceptUnsigned
)

const unsignedLiteral = "UNSIGNED-PAYLOAD"

// contentHash returns the literal value of X-Sdk-Content-Sha256, empty if the
// header is absent. It counts whether the header is signed or not (step 5): the
// value is the last line of the canonical request, so nobody can add it unseen.
func (m *Message) contentHash() (string, error) {
	values := m.Header[ContentHashHeader]
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", about(ErrHeaderRepeated, "x-sdk-content-sha256")
	}
	value := strings.TrimSpace(values[0])
	if value == unsignedLiteral {
		return value, nil
	}
	var hash [32]byte
	if len(value) != 2*len(hash) {
		return "", ErrContentHash
	}
	if _, err := hex.Decode(hash[:], []byte(value)); err != nil || hash != m.BodyHash {
		return "", ErrContentHash
	}
	return value, nil
}

// checkUnsigned applies a policy to a message whose body is not signed.
func (m *Message) checkUnsigned(policy UnsignedPayload) error {
	switch {
	case policy == AcceptUnsigned:
		return nil
	case policy == LimitUnsigned && !m.structured() && !m.changesSecrets():
		return nil
	}
	return ErrUnsignedPayload
}

// structured reports whether the body is one that clients do sign: JSON, BSON, or
// nothing that is declared.
func (m *Message) structured() bool {
	values := m.Header["Content-Type"]
	if len(values) != 1 {
		return true
	}
	media, _, _ := strings.Cut(values[0], ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "" || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "bson")
}

// changesSecrets reports whether the message may change what CSMS holds. Slashes
// doubled or percent-encoded, and dot segments, do not hide a path from it.
func (m *Message) changesSecrets() bool {
	switch m.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	path, err := url.PathUnescape(m.RawPath)
	return err != nil || strings.Contains("/"+path+"/", "/v1/")
}

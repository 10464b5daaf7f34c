// Package signature canonicalises, signs and verifies requests signed with an
// access key: SDK-HMAC-SHA256, and the derived form V11-HMAC-SHA256.
//
// The rule that keeps it honest: the package judges bytes. It sees the request
// as it stood on the wire, never a cleaned path or a parsed query; it knows no
// clock, no store and no policy; and it imports the standard library only. The
// caller looks up the key, judges the date (CheckDate) and the owner. The
// canonical form is lossy (/a%2Fb and /a/b sign alike), so the caller routes and
// authorises on the raw path, after verification.
//
// One verification goes
//
//	ParseHeader -> Message.Date -> CheckDate -> look up the Key
//	            -> read the body, BodyHash -> Key.Verify
//
// The contract is section 5 of the authentication contract (auth.md); the step
// numbers in comments are those of its section 5.2.
package signature

import (
	"errors"
	"fmt"
)

// Names of the headers that take part in a signature beyond being signed, in the
// form under which http.Header stores them.
const (
	AuthorizationHeader = "Authorization"
	DateHeader          = "X-Sdk-Date"
	ContentHashHeader   = "X-Sdk-Content-Sha256"
)

// Algorithm is the name that opens an Authorization value.
type Algorithm string

// The algorithms this package verifies. SM3, ECDSA and SM2 variants of the SDKs
// are refused with ErrAlgorithm.
const (
	HMAC    Algorithm = "SDK-HMAC-SHA256"
	Derived Algorithm = "V11-HMAC-SHA256"
)

// The reasons for which a signature is refused. Errors of this package wrap one
// of them, or are an *ExpiredError. Their text holds no secret and no text of the
// request but names of headers and algorithms, so it may be shown to the caller:
// ErrMismatch as the whole tail of an APIGW.0301 message, every other one after
// "calc aksk signature fail:" (auth.md section 8).
var (
	// ErrAlgorithm: the value opens with a name other than an Algorithm. Values of
	// other schemes, such as Bearer, are answered so too.
	ErrAlgorithm = errors.New("signature algorithm is not supported")
	// ErrSyntax: the Authorization value is not of the form of auth.md 5.1, or is
	// longer than MaxHeader.
	ErrSyntax = errors.New("authorization header is malformed")
	// ErrSignedHeaders: the list SignedHeaders holds a name twice, a name that is
	// not in lower case, more than MaxSignedHeaders names, or no x-sdk-date.
	ErrSignedHeaders = errors.New("signed headers are invalid")
	// ErrHeaderAbsent: a signed header is not in the request.
	ErrHeaderAbsent = errors.New("signed header is absent")
	// ErrHeaderRepeated: a header that takes part in the signature stands in the
	// request more than once.
	ErrHeaderRepeated = errors.New("signed header is repeated")
	// ErrHeaderValue: a part of the request that is signed without escaping (a
	// header value, the method) holds a line feed, which would make two requests
	// share one canonical form. HTTP parsers let no such request through.
	ErrHeaderValue = errors.New("signed value holds a line feed")
	// ErrDate: X-Sdk-Date is absent, repeated or not of the form 20060102T150405Z.
	ErrDate = errors.New("X-Sdk-Date is absent or malformed")
	// ErrScope: the scope of a V11-HMAC-SHA256 signature is of another day than
	// X-Sdk-Date.
	ErrScope = errors.New("credential scope is of another day")
	// ErrContentHash: X-Sdk-Content-Sha256 is not the hash of the body.
	ErrContentHash = errors.New("X-Sdk-Content-Sha256 does not match the body")
	// ErrUnsignedPayload: X-Sdk-Content-Sha256 is UNSIGNED-PAYLOAD and the
	// UnsignedPayload policy does not accept it here.
	ErrUnsignedPayload = errors.New("UNSIGNED-PAYLOAD is not accepted for this request")
	// ErrMismatch: the signature is not that of this request under this key.
	ErrMismatch = errors.New("verify aksk signature fail")
	// ErrKey: NewKey was given an access key or a secret it cannot use.
	ErrKey = errors.New("access key or secret is unusable")
)

// about adds the name of a header or an algorithm to a reason.
func about(reason error, name string) error {
	return fmt.Errorf("%w: %.64q", reason, name)
}

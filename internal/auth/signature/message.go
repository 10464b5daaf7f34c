package signature

import (
	"crypto/sha256"
	"net/http"
	"strings"
)

// emptyHash is the SHA-256 of no bytes, the body of nearly every read.
var emptyHash = [32]byte{
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
	0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
}

// BodyHash returns the hash of a complete body, after transfer decoding and
// before content decoding (auth.md 5.4). GET and DELETE may carry a body too, and
// it is signed like any other (N10).
func BodyHash(body []byte) [32]byte {
	if len(body) == 0 {
		return emptyHash
	}
	return sha256.Sum256(body)
}

// Message is what is signed of a request, as it stands on the wire.
type Message struct {
	Method string
	// RawPath is the request line's path before the "?", never decoded nor cleaned.
	RawPath string
	// RawQuery is what follows the first "?".
	RawQuery string
	// Host is the Host or :authority, with the port if the client sent one.
	Host string
	// Header holds the other headers under canonical names, as net/http does. It is
	// read, and written by Sign only.
	Header http.Header
	// BodyHash is what BodyHash returns for the body. The zero value matches no body.
	BodyHash [32]byte
}

// NewMessage describes a request that a server received or a client is about to
// send. The Header is shared with the request.
func NewMessage(r *http.Request, bodyHash [32]byte) Message {
	target, host := r.RequestURI, r.Host
	if target == "" {
		target = r.URL.RequestURI()
	}
	if host == "" {
		host = r.URL.Host
	}
	path, query := SplitTarget(target)
	return Message{
		Method: r.Method, RawPath: path, RawQuery: query, Host: host,
		Header: r.Header, BodyHash: bodyHash,
	}
}

// SplitTarget splits the target of a request line (http.Request.RequestURI) into
// raw path and raw query. Of the absolute form, which proxies send, scheme and
// authority are dropped.
func SplitTarget(target string) (rawPath, rawQuery string) {
	rawPath, rawQuery, _ = strings.Cut(target, "?")
	if strings.HasPrefix(rawPath, "/") {
		return rawPath, rawQuery
	}
	_, rest, absolute := strings.Cut(rawPath, "://")
	if !absolute {
		return rawPath, rawQuery
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:], rawQuery
	}
	return "", rawQuery
}

// Date returns the X-Sdk-Date of the request for CheckDate; ErrDate if there is
// none, or more than one.
func (m *Message) Date() (string, error) {
	return dateOf(m.Header)
}

// values returns all values of the header with the given lower-case name. It does
// what http.Header.Values does, without the allocation of the canonical name.
func (m *Message) values(name string) []string {
	var key [MaxHeaderName]byte
	if len(name) > len(key) {
		return nil
	}
	upper := true
	for i := range len(name) {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		key[i], upper = c, c == '-'
	}
	return m.Header[string(key[:len(name)])]
}

// signed returns the value of a signed header (step 8): trimmed at both ends of what
// strings.TrimSpace takes for white space, as the SDKs do; otherwise the bytes as
// received.
func (m *Message) signed(name string) (string, error) {
	value := m.Host
	if name != "host" {
		values := m.values(name)
		if len(values) > 1 {
			return "", about(ErrHeaderRepeated, name)
		}
		if len(values) == 0 {
			return "", about(ErrHeaderAbsent, name)
		}
		value = values[0]
	} else if value == "" {
		return "", about(ErrHeaderAbsent, name)
	}
	value = strings.TrimSpace(value)
	if strings.IndexByte(value, '\n') >= 0 {
		return "", about(ErrHeaderValue, name)
	}
	return value, nil
}

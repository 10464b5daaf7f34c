package signature

import (
	"slices"
	"strings"
	"time"
)

// Sign signs a message with SDK-HMAC-SHA256 and returns the Authorization value.
// It sets X-Sdk-Date in m.Header, which must not be nil, to the date in UTC.
//
// The list signed holds the lower-case names of the headers to sign, in the order
// to write them, x-sdk-date among them. A nil list signs as the Go SDK does: all
// headers of m, sorted, but those that begin with content-type or hold an
// underscore, and Authorization; the host is not signed.
func (k *Key) Sign(m *Message, signed []string, date time.Time) (string, error) {
	return k.authorization(&Header{Algorithm: HMAC, AccessKey: k.accessKey}, m, signed, date)
}

// SignDerived is Sign with V11-HMAC-SHA256, whose key is derived for one day, one
// region and one service. A name that cannot stand in the header is ErrSyntax.
func (k *Key) SignDerived(m *Message, signed []string, date time.Time, region, service string) (string, error) {
	scope := date.UTC().Format("20060102") + "/" + region + "/" + service
	if !validScope(scope) {
		return "", ErrSyntax
	}
	return k.authorization(&Header{Algorithm: Derived, AccessKey: k.accessKey, Scope: scope}, m, signed, date)
}

func (k *Key) authorization(h *Header, m *Message, signed []string, date time.Time) (string, error) {
	m.Header.Set(DateHeader, date.UTC().Format(DateLayout))
	if signed == nil {
		signed = allSigned(m)
	}
	h.SignedHeaders = strings.Join(signed, ";")
	if err := checkSignedHeaders(h.SignedHeaders); err != nil {
		return "", err
	}
	s := k.acquire()
	defer k.release(s)
	if err := s.sign(k, h, m, decoded); err != nil {
		return "", err
	}
	h.Signature = s.sum
	return h.Value(), nil
}

// allSigned returns the names that the Go SDK signs (behaviour.md A6).
func allSigned(m *Message) []string {
	var names []string
	for name := range m.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "content-type") || strings.Contains(name, "_") || name == "authorization" {
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

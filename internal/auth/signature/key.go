package signature

import (
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
)

// minEnforced is the length in bytes of the shortest HMAC key that a FIPS-only
// build uses.
const minEnforced = 14

// maxKept is the size in bytes of the largest buffer kept for the next request.
const maxKept = 16 << 10

// Key signs and verifies with one access key. It is safe for concurrent use, and
// made to be kept and shared: it holds HMAC states with the secret worked in and
// buffers from earlier requests, so that verifying allocates nothing. Printed, it
// shows the access key only.
type Key struct {
	accessKey string
	secret    []byte
	free      sync.Pool // of *scratch
}

// NewKey returns the key of an access key and its secret, as text; there is no
// further derivation. The secret is copied, so the caller may wipe his. An empty
// one, or an access key that cannot stand in an Authorization value, is ErrKey; so
// is, where GODEBUG=fips140=only holds, a secret shorter than 14 bytes.
func NewKey(accessKey string, secret []byte) (*Key, error) {
	if !validAccessKey(accessKey) || len(secret) == 0 {
		return nil, ErrKey
	}
	if fips140.Enforced() && len(secret) < minEnforced {
		return nil, ErrKey
	}
	return &Key{accessKey: accessKey, secret: slices.Clone(secret)}, nil
}

// AccessKey returns the public half of the key.
func (k *Key) AccessKey() string { return k.accessKey }

// Format keeps the secret out of whatever prints a key, under every verb.
func (k *Key) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "signature.Key(%s)", k.accessKey)
}

// Verify reports whether h is a signature of m under this key: nil, or one of the
// errors of this package, ErrMismatch if all was well but the signature. It does
// not judge the date; see CheckDate.
//
// A key of another access key than h names answers ErrMismatch after the same
// work, so a caller can spend that work on an access key it does not know.
func (k *Key) Verify(h *Header, m *Message, unsigned UnsignedPayload) error {
	literal, err := m.contentHash()
	if err != nil {
		return err
	}
	if literal == unsignedLiteral {
		if err := m.checkUnsigned(unsigned); err != nil {
			return err
		}
	}
	s := k.acquire()
	defer k.release(s)
	ok, err := s.matches(k, h, m, decoded)
	if err == nil && !ok && strings.IndexByte(m.RawPath, '%') >= 0 {
		ok, err = s.matches(k, h, m, asSent)
	}
	if err != nil {
		return err
	}
	if !ok || h.AccessKey != k.accessKey {
		return ErrMismatch
	}
	return nil
}

// scratch is what one signature needs, kept for the next one: the HMAC keyed with
// the secret, and buffers.
type scratch struct {
	mac        hash.Hash
	text       []byte // canonical request, then string to sign
	parameters []parameter
	sum        [sha256.Size]byte
}

func (k *Key) acquire() *scratch {
	if s, ok := k.free.Get().(*scratch); ok {
		return s
	}
	return &scratch{mac: hmac.New(sha256.New, k.secret), text: make([]byte, 0, 1024)}
}

// release wipes what the buffers hold of the request, tokens among it.
func (k *Key) release(s *scratch) {
	if cap(s.text) > maxKept || cap(s.parameters) > maxKept/32 {
		return
	}
	clear(s.text[:cap(s.text)])
	clear(s.parameters[:cap(s.parameters)])
	clear(s.sum[:])
	k.free.Put(s)
}

// matches compares in constant time (step 11).
func (s *scratch) matches(k *Key, h *Header, m *Message, decode bool) (bool, error) {
	if err := s.sign(k, h, m, decode); err != nil {
		return false, err
	}
	return hmac.Equal(s.sum[:], h.Signature[:]), nil
}

// sign writes the signature of a message into s.sum (steps 9 and 10).
func (s *scratch) sign(k *Key, h *Header, m *Message, decode bool) error {
	date, err := dateOf(m.Header)
	if err != nil {
		return err
	}
	if err := s.canonical(h, m, decode); err != nil {
		return err
	}
	digest := sha256.Sum256(s.text)
	mac := s.mac
	if h.Algorithm == Derived {
		if mac, err = k.derive(h.Scope, date); err != nil {
			return err
		}
	}
	s.text = appendStringToSign(s.text[:0], h, date, digest[:])
	mac.Reset()
	mac.Write(s.text)
	mac.Sum(s.sum[:0])
	return nil
}

func appendStringToSign(b []byte, h *Header, date string, digest []byte) []byte {
	b = append(b, h.Algorithm...)
	b = append(b, '\n')
	b = append(b, date...)
	b = append(b, '\n')
	if h.Algorithm == Derived {
		b = append(b, h.Scope...)
		b = append(b, '\n')
	}
	return hex.AppendEncode(b, digest)
}

// derive returns the HMAC of a scope (auth.md 5.6). The scope must be of the day
// of the request; without that, a key derived for one day would sign for all.
func (k *Key) derive(scope, date string) (hash.Hash, error) {
	if day, _, _ := strings.Cut(scope, "/"); !strings.HasPrefix(date, day+"T") {
		return nil, ErrScope
	}
	key, err := hkdf.Key(sha256.New, k.secret, []byte(k.accessKey), scope, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving signing key: %w", err)
	}
	return hmac.New(sha256.New, hex.AppendEncode(nil, key)), nil
}

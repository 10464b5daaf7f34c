package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestBodyHash(t *testing.T) {
	for _, body := range [][]byte{nil, {}, []byte("{}")} {
		if got, want := BodyHash(body), sha256.Sum256(body); got != want {
			t.Errorf("%q: got %x, want %x", body, got, want)
		}
	}
}

// The rules of auth.md 5.2 step 5: the literal value counts, and it must be true.
func TestContentHashHeader(t *testing.T) {
	const body = `{"name":"demo-secret"}`
	sum := sha256.Sum256([]byte(body))
	good := hex.EncodeToString(sum[:])
	for name, c := range map[string]struct {
		values []string
		want   error
	}{
		"absent":                      {nil, nil},
		"hash of the body":            {[]string{good}, nil},
		"hash in upper case":          {[]string{strings.ToUpper(good)}, nil},
		"N12 hash of something else":  {[]string{emptyHexSum}, ErrContentHash},
		"N12 empty":                   {[]string{""}, ErrContentHash},
		"N12 no hash":                 {[]string{strings.Repeat("g", 64)}, ErrContentHash},
		"N12 short":                   {[]string{good[:63]}, ErrContentHash},
		"N12 another word":            {[]string{"STREAMING-PAYLOAD"}, ErrContentHash},
		"N12 word in lower case":      {[]string{"unsigned-payload"}, ErrContentHash},
		"twice":                       {[]string{good, good}, ErrHeaderRepeated},
		"UNSIGNED-PAYLOAD by default": {[]string{"UNSIGNED-PAYLOAD"}, ErrUnsignedPayload},
	} {
		for _, signed := range []string{"x-sdk-date", "x-sdk-content-sha256;x-sdk-date"} {
			if c.values == nil && signed != "x-sdk-date" {
				continue
			}
			t.Run(name+" "+signed, func(t *testing.T) {
				m := Message{Method: "POST", RawPath: "/v1/p/secrets", Header: bareHeader(), BodyHash: sum}
				if c.values != nil {
					m.Header[ContentHashHeader] = c.values
				}
				value, ok := refAuthorization(m, strings.Split(signed, ";"), vectorAccess, vectorSecret, true)
				if c.want == nil && !ok {
					t.Fatal("the reference refuses the message")
				}
				h := Header{Algorithm: HMAC, AccessKey: vectorAccess, SignedHeaders: signed}
				if ok {
					var err error
					if h, err = ParseHeader(value); err != nil {
						t.Fatal(err)
					}
				}
				if err := vectorKey(t).Verify(&h, &m, RefuseUnsigned); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			})
		}
	}
}

// A header that arrives after signing cannot take the body out of the signature.
func TestUnsignedPayloadCannotBeAdded(t *testing.T) {
	v := vectors()[1]
	h, err := ParseHeader(v.authorization())
	if err != nil {
		t.Fatal(err)
	}
	m := v.message()
	m.Header.Set(ContentHashHeader, "UNSIGNED-PAYLOAD")
	m.BodyHash = BodyHash([]byte("forged"))
	if err := vectorKey(t).Verify(&h, &m, AcceptUnsigned); !errors.Is(err, ErrMismatch) {
		t.Errorf("got %v, want ErrMismatch", err)
	}
}

// The refusals of auth.md 5.4.
func TestUnsignedPayloadPolicy(t *testing.T) {
	const octets = "application/octet-stream"
	for name, c := range map[string]struct {
		method, path string
		types        []string
		limited      bool // accepted by LimitUnsigned
	}{
		"read":                       {"GET", "/v1/p/secrets", []string{octets}, true},
		"head":                       {"HEAD", "/v1/p/secrets", []string{octets}, true},
		"other service":              {"POST", "/v1.0/p/kms/encrypt-data", []string{octets}, true},
		"identity":                   {"POST", "/v3/auth/tokens", []string{"text/plain"}, true},
		"JSON":                       {"GET", "/v1/p/secrets", []string{"application/json"}, false},
		"JSON with charset":          {"GET", "/v1/p/secrets", []string{" Application/JSON ;charset=utf8"}, false},
		"JSON suffix":                {"GET", "/v1/p/secrets", []string{"application/problem+json"}, false},
		"BSON":                       {"GET", "/v1/p/secrets", []string{"application/bson"}, false},
		"no content type":            {"GET", "/v1/p/secrets", nil, false},
		"empty content type":         {"GET", "/v1/p/secrets", []string{""}, false},
		"two content types":          {"GET", "/v1/p/secrets", []string{octets, octets}, false},
		"V8 create":                  {"POST", "/v1/p/secrets/import", []string{octets}, false},
		"update":                     {"PUT", "/v1/p/secrets/s", []string{octets}, false},
		"delete":                     {"DELETE", "/v1/p/secrets/s", []string{octets}, false},
		"unknown method":             {"get", "/v1/p/secrets/s", []string{octets}, false},
		"doubled slashes":            {"POST", "//v1//p/secrets", []string{octets}, false},
		"encoded path":               {"POST", "/%761/p/secrets", []string{octets}, false},
		"encoded slash":              {"POST", "/x/..%2fv1/p/secrets", []string{octets}, false},
		"path that does not decode":  {"POST", "/v3/%zz", []string{octets}, false},
		"path without leading slash": {"POST", "v1/p/secrets", []string{octets}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for policy, accepted := range map[UnsignedPayload]bool{
				RefuseUnsigned: false, LimitUnsigned: c.limited, AcceptUnsigned: true, AcceptUnsigned + 1: false,
			} {
				m := Message{Method: c.method, RawPath: c.path, Header: bareHeader("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")}
				if c.types != nil {
					m.Header["Content-Type"] = c.types
				}
				value, err := vectorKey(t).Sign(&m, []string{"x-sdk-date"}, vectorTime())
				if err != nil {
					t.Fatal(err)
				}
				h, err := ParseHeader(value)
				if err != nil {
					t.Fatal(err)
				}
				err = vectorKey(t).Verify(&h, &m, policy)
				if accepted && err != nil || !accepted && !errors.Is(err, ErrUnsignedPayload) {
					t.Errorf("policy %d: got %v, want accepted %v", policy, err, accepted)
				}
			}
		})
	}
}

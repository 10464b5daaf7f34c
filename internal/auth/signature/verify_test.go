package signature

import (
	"crypto/fips140"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// signedGet is a request as the Go SDK sends it, with a header that another client
// would sign, and its parsed signature.
func signedGet(t testing.TB) (Header, Message) {
	t.Helper()
	m := Message{
		Method: "GET", RawPath: vectorV1 + "/secrets/demo%20secret/versions/latest", RawQuery: "limit=10&marker=a%2Fb",
		Host: vectorHost, Header: goHeader("Content-Type", "application/json"), BodyHash: BodyHash([]byte("{}")),
	}
	value, err := vectorKey(t).Sign(&m, strings.Split("content-type;host;"+goSigned, ";"), vectorTime())
	if err != nil {
		t.Fatal(err)
	}
	h, err := ParseHeader(value)
	if err != nil {
		t.Fatal(err)
	}
	return h, m
}

// The negative tests of auth.md 5.8 that a signature alone decides. N2, N12, N14
// and N15 stand in the tests of dates, payloads and headers.
func TestVerifyNegative(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Header, *Message)
		want   error
	}{
		"nothing":                  {func(*Header, *Message) {}, nil},
		"N1 body":                  {func(_ *Header, m *Message) { m.BodyHash = BodyHash([]byte("{]")) }, ErrMismatch},
		"N1 query":                 {func(_ *Header, m *Message) { m.RawQuery = "limit=11&marker=a%2Fb" }, ErrMismatch},
		"N1 query dropped":         {func(_ *Header, m *Message) { m.RawQuery = "limit=10" }, ErrMismatch},
		"N1 path segment":          {func(_ *Header, m *Message) { m.RawPath = vectorV1 + "/secrets/demo%20secreT/versions/latest" }, ErrMismatch},
		"N1 signed header":         {func(_ *Header, m *Message) { m.Header.Set("User-Agent", goAgent+"x") }, ErrMismatch},
		"N1 inner white space":     {func(_ *Header, m *Message) { m.Header.Set("User-Agent", "huaweicloud- usdk-go/3.0") }, ErrMismatch},
		"N1 method":                {func(_ *Header, m *Message) { m.Method = "PUT" }, ErrMismatch},
		"N1 host without port":     {func(_ *Header, m *Message) { m.Host = "secrets.example.test" }, ErrMismatch},
		"N1 date":                  {func(_ *Header, m *Message) { m.Header.Set(DateHeader, "20261121T080001Z") }, ErrMismatch},
		"N1 signature":             {func(h *Header, _ *Message) { h.Signature[31] ^= 1 }, ErrMismatch},
		"N1 list of names":         {func(h *Header, _ *Message) { h.SignedHeaders = goSigned }, ErrMismatch},
		"N1 access key":            {func(h *Header, _ *Message) { h.AccessKey = "AKTESTEXAMPLE0000002" }, ErrMismatch},
		"N3 date absent":           {func(_ *Header, m *Message) { m.Header.Del(DateHeader) }, ErrDate},
		"N3 date repeated":         {func(_ *Header, m *Message) { m.Header.Add(DateHeader, vectorDate) }, ErrDate},
		"N4 header absent":         {func(_ *Header, m *Message) { m.Header.Del("User-Agent") }, ErrHeaderAbsent},
		"N4 host absent":           {func(_ *Header, m *Message) { m.Host = "" }, ErrHeaderAbsent},
		"N4 overlong name":         {func(h *Header, _ *Message) { h.SignedHeaders += ";" + strings.Repeat("z", 4000) }, ErrHeaderAbsent},
		"N10 body stripped":        {func(_ *Header, m *Message) { m.BodyHash = BodyHash(nil) }, ErrMismatch},
		"N10 body not hashed":      {func(_ *Header, m *Message) { m.BodyHash = [32]byte{} }, ErrMismatch},
		"repeated signed header":   {func(_ *Header, m *Message) { m.Header.Add("User-Agent", goAgent) }, ErrHeaderRepeated},
		"repeated unsigned header": {func(_ *Header, m *Message) { m.Header["Accept"] = []string{"a", "b"} }, nil},
		"line feed in a header":    {func(_ *Header, m *Message) { m.Header.Set("User-Agent", "a\nb:c") }, ErrHeaderValue},
		"line feed in the host":    {func(_ *Header, m *Message) { m.Host = "a\nb" }, ErrHeaderValue},
		"line feed in the method":  {func(_ *Header, m *Message) { m.Method = "GET\n/" }, ErrHeaderValue},
		"header without values":    {func(_ *Header, m *Message) { m.Header["User-Agent"] = []string{} }, ErrHeaderAbsent},
		"unsigned header changed":  {func(_ *Header, m *Message) { m.Header.Set("X-Language", "en-us") }, nil},
		"white space around":       {func(_ *Header, m *Message) { m.Header.Set("User-Agent", " \t"+goAgent+" ") }, nil},
		"query in another order":   {func(_ *Header, m *Message) { m.RawQuery = "marker=a/b&limit=10&" }, nil},
		"slash at the end":         {func(_ *Header, m *Message) { m.RawPath += "/" }, nil},
		"algorithm changed":        {func(h *Header, _ *Message) { h.Algorithm, h.Scope = Derived, "20261121/self-1/csms" }, ErrMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			h, m := signedGet(t)
			c.change(&h, &m)
			if err := vectorKey(t).Verify(&h, &m, RefuseUnsigned); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestMismatchHasTheTextOfTheGateway(t *testing.T) {
	if got := ErrMismatch.Error(); got != "verify aksk signature fail" {
		t.Errorf("got %q", got)
	}
}

// N9: Terraform sends the same signed request twice within a second.
func TestVerifyAgainSucceeds(t *testing.T) {
	h, m := signedGet(t)
	key := vectorKey(t)
	for range 2 {
		if err := key.Verify(&h, &m, RefuseUnsigned); err != nil {
			t.Error(err)
		}
	}
}

// Header values with bytes beyond ASCII are compared as received.
func TestVerifyRawBytes(t *testing.T) {
	m := Message{Method: "GET", RawPath: "/v1/p", Header: bareHeader("X-Name", "caf\xe9 中"), BodyHash: BodyHash(nil)}
	value, ok := refAuthorization(m, []string{"x-name", "x-sdk-date"}, vectorAccess, vectorSecret, true)
	h, err := ParseHeader(value)
	if err != nil || !ok {
		t.Fatal(err, ok)
	}
	if err := vectorKey(t).Verify(&h, &m, RefuseUnsigned); err != nil {
		t.Error(err)
	}
	m.Header.Set("X-Name", "café 中")
	if err := vectorKey(t).Verify(&h, &m, RefuseUnsigned); !errors.Is(err, ErrMismatch) {
		t.Errorf("got %v, want ErrMismatch", err)
	}
}

// Candidate 2 of auth.md 5.2 step 6: a Node caller that encodes the path himself.
func TestVerifyEncodedPath(t *testing.T) {
	m := Message{Method: "GET", RawPath: "/v1/p/csms/s/tags/env%2Fprod%3A1", Header: bareHeader(), BodyHash: BodyHash(nil)}
	value, ok := refAuthorization(m, []string{"x-sdk-date"}, vectorAccess, vectorSecret, false)
	h, err := ParseHeader(value)
	if err != nil || !ok {
		t.Fatal(err, ok)
	}
	if err := vectorKey(t).Verify(&h, &m, RefuseUnsigned); err != nil {
		t.Error(err)
	}
}

// A caller that does not know the access key spends the same work on another key.
func TestVerifyWithDecoyKey(t *testing.T) {
	h, m := signedGet(t)
	decoy, err := NewKey("DECOY", []byte(vectorSecret))
	if err != nil {
		t.Fatal(err)
	}
	if err := decoy.Verify(&h, &m, RefuseUnsigned); !errors.Is(err, ErrMismatch) {
		t.Errorf("got %v, want ErrMismatch: the secret is right, the access key is not", err)
	}
}

func TestSign(t *testing.T) {
	t.Run("nil signs what the Go SDK signs", func(t *testing.T) {
		m := Message{Method: "GET", RawPath: "/v1/p", Host: vectorHost, Header: goHeader(
			"Content-Type", "application/json", "Content-Type-Options", "x", "X_Custom", "x", "Authorization", "old",
		), BodyHash: BodyHash(nil)}
		m.Header.Del(DateHeader)
		beijing := vectorTime().In(time.FixedZone("CST", 8*3600))
		value, err := vectorKey(t).Sign(&m, nil, beijing)
		if err != nil {
			t.Fatal(err)
		}
		h, err := ParseHeader(value)
		if err != nil || h.SignedHeaders != goSigned || h.AccessKey != vectorAccess {
			t.Errorf("got %q, %v", value, err)
		}
		if got := m.Header.Get(DateHeader); got != vectorDate {
			t.Errorf("date %q", got)
		}
		if err := vectorKey(t).Verify(&h, &m, RefuseUnsigned); err != nil {
			t.Error(err)
		}
	})
	for name, c := range map[string]struct {
		signed []string
		want   error
	}{
		"date not listed":   {[]string{"user-agent"}, ErrSignedHeaders},
		"upper-case name":   {[]string{"User-Agent", "x-sdk-date"}, ErrSignedHeaders},
		"duplicate name":    {[]string{"x-sdk-date", "x-sdk-date"}, ErrSignedHeaders},
		"empty list":        {[]string{}, ErrSignedHeaders},
		"header not there":  {[]string{"x-absent", "x-sdk-date"}, ErrHeaderAbsent},
		"header not single": {[]string{"accept", "x-sdk-date"}, ErrHeaderRepeated},
	} {
		t.Run(name, func(t *testing.T) {
			m := Message{Method: "GET", RawPath: "/", Header: goHeader()}
			m.Header["Accept"] = []string{"a", "b"}
			if _, err := vectorKey(t).Sign(&m, c.signed, vectorTime()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestNewKey(t *testing.T) {
	t.Run("refuses what cannot sign", func(t *testing.T) {
		for _, c := range [][2]string{{"", "secret"}, {"AK", ""}, {"A K", "secret"}, {"A,K", "secret"}, {"A/K", "secret"}} {
			if _, err := NewKey(c[0], []byte(c[1])); !errors.Is(err, ErrKey) {
				t.Errorf("%q: got %v, want ErrKey", c, err)
			}
		}
	})
	t.Run("names its public half", func(t *testing.T) {
		if got := vectorKey(t).AccessKey(); got != vectorAccess {
			t.Errorf("got %q", got)
		}
	})
	t.Run("refuses a short secret in a FIPS-only build, where HMAC would panic", func(t *testing.T) {
		_, err := NewKey(vectorAccess, []byte("13 characters"))
		if errors.Is(err, ErrKey) != fips140.Enforced() {
			t.Errorf("got %v", err)
		}
		if _, err := NewKey(vectorAccess, []byte("fourteen chars")); err != nil {
			t.Error(err)
		}
	})
	t.Run("copies the secret", func(t *testing.T) {
		secret := []byte(vectorSecret)
		key, err := NewKey(vectorAccess, secret)
		if err != nil {
			t.Fatal(err)
		}
		clear(secret)
		h, m := signedGet(t)
		if err := key.Verify(&h, &m, RefuseUnsigned); err != nil {
			t.Error(err)
		}
	})
	t.Run("never prints the secret", func(t *testing.T) {
		key := vectorKey(t)
		out, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		text := string(out)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text += fmt.Sprintf(verb, key)
		}
		if strings.Contains(text, vectorSecret) || strings.Contains(text, fmt.Sprintf("%x", vectorSecret)) ||
			strings.Contains(text, fmt.Sprint([]byte(vectorSecret))) || !strings.Contains(text, vectorAccess) {
			t.Error(text)
		}
	})
}

// A key is shared by all requests of its owner.
func TestKeyIsConcurrent(t *testing.T) {
	key := vectorKey(t)
	var wait sync.WaitGroup
	for _, v := range vectors() {
		wait.Go(func() {
			m := v.message()
			h, err := ParseHeader(v.authorization())
			if err != nil {
				t.Error(err)
			}
			for range 200 {
				if err := key.Verify(&h, &m, v.unsigned); err != nil {
					t.Errorf("%s: %v", v.id, err)
				}
			}
		})
	}
	wait.Wait()
}

// A large request leaves no large buffer behind, and does not disturb the next one.
func TestReleaseDropsLargeBuffers(t *testing.T) {
	key := vectorKey(t)
	for name, query := range map[string]string{
		"text":       "a=" + strings.Repeat("x", 2*maxKept),
		"parameters": strings.Repeat("a&", maxKept),
	} {
		t.Run(name, func(t *testing.T) {
			s := key.acquire()
			s.appendQuery(query)
			key.release(s)
			h, m := signedGet(t)
			if err := key.Verify(&h, &m, RefuseUnsigned); err != nil {
				t.Error(err)
			}
			for range 8 {
				if next := key.acquire(); cap(next.text) > maxKept || cap(next.parameters) > maxKept/32 {
					t.Errorf("kept %d bytes and %d parameters", cap(next.text), cap(next.parameters))
				}
			}
		})
	}
}

// What is kept between requests holds nothing of them.
func TestReleaseWipes(t *testing.T) {
	key := vectorKey(t)
	_, m := signedGet(t)
	s := key.acquire()
	if err := s.sign(key, &Header{Algorithm: HMAC, SignedHeaders: goSigned}, &m, decoded); err != nil {
		t.Fatal(err)
	}
	text, parameters := s.text[:cap(s.text)], s.parameters[:cap(s.parameters)]
	key.release(s)
	for _, b := range text {
		if b != 0 {
			t.Fatalf("text is left: %q", text)
		}
	}
	for _, p := range parameters {
		if p != (parameter{}) {
			t.Fatalf("query is left: %q", parameters)
		}
	}
}

// performance.md 1.3: the read path has no allocation to spare. The pool is left
// out of the count, because the race detector makes it forget at random.
func TestVerifyDoesNotAllocate(t *testing.T) {
	_, m := signedGet(t)
	key := vectorKey(t)
	value, err := key.Sign(&m, nil, vectorTime())
	if err != nil {
		t.Fatal(err)
	}
	s := key.acquire()
	defer key.release(s)
	allocs := testing.AllocsPerRun(100, func() {
		h, err := ParseHeader(value)
		if err != nil {
			t.Fatal(err)
		}
		date, err := m.Date()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := CheckDate(date, vectorTime(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if ok, err := s.matches(key, &h, &m, decoded); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations per request", allocs)
	}
}

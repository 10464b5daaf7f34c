package signature

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// wireText draws text as it may stand in a path or a query: plain, encoded with
// and without need, in both cases, and broken.
func wireText(alphabet string) *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 0, 8, -1),
		rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("%%%02X", rapid.Byte().Draw(t, "byte")) }),
		rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("%%%02x", rapid.Byte().Draw(t, "byte")) }),
		rapid.SampledFrom([]string{"%", "%4", "%zz", "%%", "中", "\xff", "+", "//", "~"}),
	)
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "")
	})
}

const (
	pathText  = "abcABC019-_.~/:@!$&'()*+,;= "
	queryText = "abcABC019-_.~/:@!$'()*+,;&&&&==== ?"
	valueText = "abcABC019-_.~/:@!$&'()*+,;= \té中"
)

// drawMessage draws a message and the list of its signed headers.
func drawMessage(t *rapid.T) (Message, []string) {
	m := Message{
		Method:   rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE"}).Draw(t, "method"),
		RawPath:  "/" + wireText(pathText).Draw(t, "path"),
		RawQuery: wireText(queryText).Draw(t, "query"),
		Host:     rapid.StringMatching(`[a-z]{1,8}(\.[a-z]{1,8})?(:[0-9]{1,5})?`).Draw(t, "host"),
		Header:   bareHeader(),
		BodyHash: BodyHash(rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "body")),
	}
	signed := []string{"x-sdk-date"}
	if rapid.Bool().Draw(t, "host signed") {
		signed = append(signed, "host")
	}
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,4}){0,2}`), 0, 4, rapid.ID[string])
	for _, name := range names.Draw(t, "names") {
		if name == "host" || name == "x-sdk-date" || name == "x-sdk-content-sha256" {
			continue
		}
		value := rapid.StringOfN(rapid.RuneFrom([]rune(valueText)), 0, 20, -1).Draw(t, "value")
		m.Header.Set(name, value)
		signed = append(signed, name)
	}
	if rapid.Bool().Draw(t, "sorted") {
		slices.Sort(signed)
	}
	return m, signed
}

func drawKey(t *rapid.T) (*Key, string) {
	shortest := 1
	if fips140.Enforced() {
		shortest = minEnforced
	}
	secret := rapid.StringN(shortest, 80, 100).Draw(t, "secret")
	key, err := NewKey(vectorAccess, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return key, secret
}

func TestSignThenVerify(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, signed := drawMessage(t)
		key, secret := drawKey(t)
		value, err := key.Sign(&m, signed, vectorTime())
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := refAuthorization(m, signed, vectorAccess, secret, true); value != want {
			t.Fatalf("got %s, want %s", value, want)
		}
		second, _ := refAuthorization(m, signed, vectorAccess, secret, false)
		derived, err := key.SignDerived(&m, signed, vectorTime(), "self-1", "csms")
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{value, second, derived} {
			h, err := ParseHeader(value)
			if err != nil {
				t.Fatal(err)
			}
			if err := key.Verify(&h, &m, RefuseUnsigned); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// replaceOne replaces one letter or digit of a text by one that is not the same
// in the other case. The canonical form must change: what it blurs is the case of
// hex digits, encoding, order, white space and slashes at the end only.
func replaceOne(t *rapid.T, text string) (string, bool) {
	var places []int
	for i := range len(text) {
		if c := text[i]; c < 0x80 && strings.IndexByte("abcABC019defDEF", c) >= 0 {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return text, false
	}
	i := rapid.SampledFrom(places).Draw(t, "place")
	c := rapid.SampledFrom([]byte("xyzabcdef0123")).Filter(func(c byte) bool {
		return !strings.EqualFold(string(c), text[i:i+1])
	}).Draw(t, "replacement")
	return text[:i] + string(c) + text[i+1:], true
}

func TestOneChangedByteFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, signed := drawMessage(t)
		key, _ := drawKey(t)
		value, err := key.Sign(&m, signed, vectorTime())
		if err != nil {
			t.Fatal(err)
		}
		changed := true
		switch place := rapid.SampledFrom([]string{"method", "path", "query", "header", "date", "body", "value"}).Draw(t, "changed"); place {
		case "method":
			m.Method = m.Method[:1] + "x" + m.Method[2:]
		case "path":
			m.RawPath, changed = replaceOne(t, m.RawPath)
		case "query":
			m.RawQuery, changed = replaceOne(t, m.RawQuery)
		case "header":
			name := rapid.SampledFrom(signed).Draw(t, "name")
			if name == "host" {
				m.Host += "x"
				break
			}
			var text string
			text, changed = replaceOne(t, m.Header.Get(name))
			m.Header.Set(name, text)
		case "date":
			m.Header.Set(DateHeader, "20261121T080001Z")
		case "body":
			m.BodyHash[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case "value":
			// Any byte of the signature, or of the list of names.
			at := strings.Index(value, "SignedHeaders=") + len("SignedHeaders=")
			var tail string
			tail, changed = replaceOne(t, value[at:])
			value = value[:at] + tail
		}
		if !changed {
			return
		}
		h, err := ParseHeader(value)
		if err != nil {
			return
		}
		if err := key.Verify(&h, &m, RefuseUnsigned); err == nil {
			t.Fatal("the changed request verifies")
		}
	})
}

// Whatever is changed, the package and the reference agree.
func TestVerifyAgreesWithReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, signed := drawMessage(t)
		value, _ := refAuthorization(m, signed, vectorAccess, vectorSecret, rapid.Bool().Draw(t, "decode"))
		if rapid.Bool().Draw(t, "path changes") {
			m.RawPath = rapid.SampledFrom([]string{m.RawPath + "/", strings.ToLower(m.RawPath), refDecode(m.RawPath), refURI(m.RawPath, true)}).Draw(t, "path")
		}
		if rapid.Bool().Draw(t, "query changes") {
			m.RawQuery = rapid.SampledFrom([]string{"&" + m.RawQuery, m.RawQuery + "=", strings.ToUpper(m.RawQuery), refQuery(m.RawQuery)}).Draw(t, "query")
		}
		h, err := ParseHeader(value)
		if err != nil {
			t.Fatal(err)
		}
		key, err := NewKey(vectorAccess, []byte(vectorSecret))
		if err != nil {
			t.Fatal(err)
		}
		err = key.Verify(&h, &m, RefuseUnsigned)
		if want := refVerify(value, m, vectorSecret); (err == nil) != want || err != nil && !errors.Is(err, ErrMismatch) {
			t.Fatalf("got %v, the reference says %v", err, want)
		}
	})
}

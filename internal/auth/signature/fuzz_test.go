package signature

import (
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The grammar of auth.md 5.1 with the tolerance of ParseHeader, as expressions. A
// visible byte is one of ! to ~; an access key holds no comma, slash or semicolon,
// a scope no comma.
var (
	refHeader     = regexp.MustCompile(`(?s)^[ \t]*(SDK-HMAC-SHA256|V11-HMAC-SHA256)[ \t](.*)$`)
	refAccess     = regexp.MustCompile(`^Access=([!-+.0-:<-~-]{1,128})$`)
	refOld        = regexp.MustCompile(`(?s)^Credential=([!-+.0-:<-~-]{1,128})(/.*)?$`)
	refCredential = regexp.MustCompile(`^Credential=([!-+.0-:<-~-]{1,128})/([0-9]{8}/[!-+.0-~-]+/[!-+.0-~-]+)$`)
	refSigned     = regexp.MustCompile("^SignedHeaders=([a-z0-9_!#$%&'*+.^`|~;-]+)$")
	refHex        = regexp.MustCompile(`^Signature=([0-9a-f]{64})$`)
)

func refParse(value string) (Header, bool) {
	parts := refHeader.FindStringSubmatch(value)
	if parts == nil || len(value) > 4096 {
		return Header{}, false
	}
	h := Header{Algorithm: Algorithm(parts[1])}
	count := map[string]int{}
	for _, parameter := range strings.Split(parts[2], ",") {
		parameter = strings.Trim(parameter, " \t")
		if found := refAccess.FindStringSubmatch(parameter); found != nil && h.Algorithm == HMAC {
			h.AccessKey = found[1]
			count["access"]++
		} else if found := refOld.FindStringSubmatch(parameter); found != nil && h.Algorithm == HMAC {
			h.AccessKey = found[1]
			count["access"]++
		} else if found := refCredential.FindStringSubmatch(parameter); found != nil && h.Algorithm == Derived {
			h.AccessKey, h.Scope = found[1], found[2]
			count["access"]++
		} else if found := refSigned.FindStringSubmatch(parameter); found != nil {
			h.SignedHeaders = found[1]
			count["signed"]++
		} else if found := refHex.FindStringSubmatch(parameter); found != nil {
			hex.Decode(h.Signature[:], []byte(found[1]))
			count["signature"]++
		} else {
			return Header{}, false
		}
	}
	if count["access"] != 1 || count["signed"] != 1 || count["signature"] != 1 {
		return Header{}, false
	}
	names := strings.Split(h.SignedHeaders, ";")
	slices.Sort(names)
	good := len(names) <= 64 && slices.Contains(names, "x-sdk-date")
	for i, name := range names {
		good = good && 0 < len(name) && len(name) <= 128 && (i == 0 || name != names[i-1])
	}
	if !good {
		return Header{}, false
	}
	return h, true
}

func FuzzParseHeader(f *testing.F) {
	for _, v := range vectors() {
		f.Add(v.authorization())
	}
	tail := "SignedHeaders=b;a;x-sdk-date,Signature=" + headerSignature
	for _, value := range []string{
		derivedVector, "", "SDK-HMAC-SHA256", "SDK-HMAC-SHA256 ,,,", "V11-HMAC-SHA256\tCredential=A/20261121/r/s, " + tail,
		"SDK-HMAC-SHA256 Access=A=B, " + tail, "SDK-HMAC-SHA256 Credential=A/x/ÿ\n, " + tail,
		"SDK-HMAC-SHA256 Access=A, SignedHeaders=a;a;x-sdk-date, Signature=" + strings.ToUpper(headerSignature),
		"SDK-HMAC-SHA256 Access=A, SignedHeaders=" + manyNames(70) + ";x-sdk-date, Signature=" + headerSignature,
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := ParseHeader(value)
		want, ok := refParse(value)
		if (err == nil) != ok || got != want {
			t.Fatalf("%q: got %+v, %v; the reference says %+v, %v", value, got, err, want, ok)
		}
		if err != nil {
			return
		}
		if again, err := ParseHeader(got.Value()); again != got || err != nil {
			t.Fatalf("%q: read again %+v, %v", got.Value(), again, err)
		}
	})
}

// fuzzMessage builds a message from fuzzed parts; the content hash header is left
// out if empty.
func fuzzMessage(method, path, query, host, agent, contentHash string, body []byte) Message {
	h := http.Header{"User-Agent": {agent}, DateHeader: {vectorDate}}
	if contentHash != "" {
		h.Set(ContentHashHeader, contentHash)
	}
	return Message{Method: method, RawPath: path, RawQuery: query, Host: host, Header: h, BodyHash: BodyHash(body)}
}

func fuzzSeeds(add func(method, path, query, host, agent, contentHash string, body []byte)) {
	for _, v := range vectors() {
		m := v.message()
		add(m.Method, m.RawPath, m.RawQuery, m.Host, m.Header.Get("User-Agent"), m.Header.Get(ContentHashHeader), []byte(v.body))
	}
	add("GET", "/%", "%&%4&%zz=%41&;=+", "h:1", " \t a b \u00a0", emptyHexSum, nil)
	add("G\nET", "//%2f%2F/", "b&a&%61=&==&A=%7e&a=~", "a\nb", "a\nb", "UNSIGNED-PAYLOAD", []byte("{}"))
}

func FuzzCanonical(f *testing.F) {
	fuzzSeeds(func(method, path, query, host, agent, contentHash string, body []byte) {
		f.Add(method, path, query, host, agent, contentHash, body)
	})
	list := []string{"host", "user-agent", "x-sdk-date"}
	h := Header{SignedHeaders: strings.Join(list, ";")}
	f.Fuzz(func(t *testing.T, method, path, query, host, agent, contentHash string, body []byte) {
		m := fuzzMessage(method, path, query, host, agent, contentHash, body)
		for _, decode := range []bool{true, false} {
			var s scratch
			err := s.canonical(&h, &m, decode)
			want, ok := refCanonical(m, list, decode)
			if (err == nil) != ok || ok && string(s.text) != want {
				t.Fatalf("got %q, %v\nthe reference says %q, %v", s.text, err, want, ok)
			}
		}
		masked, err := MaskedRequest(&h, &m)
		if err == nil && strings.Contains(masked, "\n") {
			t.Fatalf("more than one line: %q", masked)
		}
	})
}

// FuzzVerify signs one request by the reference and verifies another one. Both
// verifiers must agree; if the second request is the first, it must pass.
func FuzzVerify(f *testing.F) {
	fuzzSeeds(func(method, path, query, host, agent, contentHash string, body []byte) {
		f.Add(method, path, query, host, agent, contentHash, body, path, query, agent, true)
		f.Add(method, path, query, host, agent, contentHash, body, path+"/", query+"&", " "+agent, false)
	})
	list := []string{"host", "user-agent", "x-sdk-date"}
	f.Fuzz(func(t *testing.T, method, path, query, host, agent, contentHash string, body []byte, path2, query2, agent2 string, decode bool) {
		signed := fuzzMessage(method, path, query, host, agent, contentHash, body)
		value, ok := refAuthorization(signed, list, vectorAccess, vectorSecret, decode)
		if !ok {
			return
		}
		h, err := ParseHeader(value)
		if err != nil {
			t.Fatal(err)
		}
		key := vectorKey(t)
		if err := key.Verify(&h, &signed, AcceptUnsigned); err != nil {
			t.Fatalf("the signed request fails: %v", err)
		}
		other := fuzzMessage(method, path2, query2, host, agent2, contentHash, body)
		err = key.Verify(&h, &other, AcceptUnsigned)
		if want := refVerify(value, other, vectorSecret); (err == nil) != want {
			t.Fatalf("got %v, the reference says %v", err, want)
		}
	})
}

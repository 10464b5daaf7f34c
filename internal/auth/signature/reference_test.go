package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// The reference is auth.md 5.2 written down step by step with the means of the
// standard library, for reading rather than for speed. Tests compare the package
// with it; benchmarks take it as the plain implementation.

// refDecode decodes percent sequences; invalid ones stand for themselves.
func refDecode(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if i+3 <= len(text) {
			if plain, err := url.PathUnescape(text[i : i+3]); err == nil && text[i] == '%' {
				b.WriteString(plain)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// refEscape is QueryEscape, which keeps the unreserved characters only, but for
// the blank.
func refEscape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func refURI(rawPath string, decode bool) string {
	path := rawPath
	if decode {
		path = refDecode(path)
	}
	var pieces []string
	for piece := range strings.SplitSeq(path, "/") {
		pieces = append(pieces, refEscape(piece))
	}
	uri := strings.Join(pieces, "/")
	if !strings.HasSuffix(uri, "/") {
		uri += "/"
	}
	return uri
}

func refQuery(rawQuery string) string {
	type pair struct{ key, value string }
	var pairs []pair
	for _, piece := range strings.Split(rawQuery, "&") {
		if piece == "" {
			continue
		}
		key, value, _ := strings.Cut(piece, "=")
		pairs = append(pairs, pair{refDecode(key), refDecode(value)})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if a.key != b.key {
			return strings.Compare(a.key, b.key)
		}
		return strings.Compare(a.value, b.value)
	})
	var out []string
	for _, p := range pairs {
		out = append(out, refEscape(p.key)+"="+refEscape(p.value))
	}
	return strings.Join(out, "&")
}

// refCanonical returns false for a message that cannot be canonicalised.
func refCanonical(m Message, signed []string, decode bool) (string, bool) {
	var headers strings.Builder
	for _, name := range signed {
		values := m.Header.Values(name)
		if name == "host" {
			values = nil
			if m.Host != "" {
				values = []string{m.Host}
			}
		}
		if len(values) != 1 || strings.Contains(strings.TrimSpace(values[0]), "\n") {
			return "", false
		}
		headers.WriteString(name + ":" + strings.TrimSpace(values[0]) + "\n")
	}
	payload := hex.EncodeToString(m.BodyHash[:])
	switch literals := m.Header.Values("X-Sdk-Content-Sha256"); {
	case len(literals) > 1:
		return "", false
	case len(literals) == 1:
		literal := strings.TrimSpace(literals[0])
		if literal != "UNSIGNED-PAYLOAD" && strings.ToLower(literal) != payload {
			return "", false
		}
		payload = literal
	}
	if strings.Contains(m.Method, "\n") {
		return "", false
	}
	return strings.Join([]string{
		m.Method, refURI(m.RawPath, decode), refQuery(m.RawQuery), headers.String(), strings.Join(signed, ";"), payload,
	}, "\n"), true
}

func refSignature(m Message, signed []string, secret string, decode bool) (string, bool) {
	text, ok := refCanonical(m, signed, decode)
	if !ok {
		return "", false
	}
	sum := sha256.Sum256([]byte(text))
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "SDK-HMAC-SHA256\n%s\n%s", m.Header.Get("X-Sdk-Date"), hex.EncodeToString(sum[:]))
	return hex.EncodeToString(mac.Sum(nil)), true
}

func refAuthorization(m Message, signed []string, access, secret string, decode bool) (string, bool) {
	sum, ok := refSignature(m, signed, secret, decode)
	return "SDK-HMAC-SHA256 Access=" + access + ", SignedHeaders=" + strings.Join(signed, ";") + ", Signature=" + sum, ok
}

// refVerify takes an SDK-HMAC-SHA256 value of the usual form.
func refVerify(authorization string, m Message, secret string) bool {
	_, list, _ := strings.Cut(authorization, " ")
	parameters := map[string]string{}
	for _, parameter := range strings.Split(list, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		parameters[name] = value
	}
	signed := strings.Split(parameters["SignedHeaders"], ";")
	for _, decode := range []bool{true, false} {
		want, ok := refSignature(m, signed, secret, decode)
		if ok && hmac.Equal([]byte(want), []byte(parameters["Signature"])) {
			return true
		}
	}
	return false
}

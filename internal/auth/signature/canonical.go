package signature

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// A request has two canonical forms, which differ in the path only (step 6).
// Nearly all clients sign the path they were given before they encode it for the
// wire: decode once, then escape. A Node client whose caller encoded the path
// himself signs the encoded text.
const (
	decoded = true
	asSent  = false
)

// CanonicalRequest returns the text whose hash is signed, in the form all clients
// but one use (see MaskedRequest for messages). The result is the caller's; it
// holds the values of signed headers, which may be credentials.
func CanonicalRequest(h *Header, m *Message) ([]byte, error) {
	var s scratch
	if err := s.canonical(h, m, decoded); err != nil {
		return nil, err
	}
	return s.text, nil
}

// MaskedRequest returns the canonical request for an error message of a debug
// mode: on one line, with "|" for the line feeds, and with "***" for the value of
// every header that carries a credential (auth.md section 8). The text has no
// bound but that of the request.
func MaskedRequest(h *Header, m *Message) (string, error) {
	masked := *m
	masked.Header = http.Header{}
	for name, values := range m.Header {
		switch name {
		case "X-Security-Token", "X-Auth-Token", "X-Subject-Token", "Cookie", AuthorizationHeader:
			values = []string{"***"}
		}
		masked.Header[name] = values
	}
	text, err := CanonicalRequest(h, &masked)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(string(text), "\n", "|"), nil
}

// parameter is one piece of a query, as sent.
type parameter struct{ key, value string }

// canonical writes the canonical request of a message into s.text (step 9). Every
// part but the method and the header values is escaped, and these are refused if
// they hold a line feed, so no two messages share a text but by steps 6 to 8.
func (s *scratch) canonical(h *Header, m *Message, decode bool) error {
	if strings.IndexByte(m.Method, '\n') >= 0 {
		return about(ErrHeaderValue, "method")
	}
	s.text = append(s.text[:0], m.Method...)
	s.text = append(s.text, '\n')
	s.text = appendURI(s.text, m.RawPath, decode)
	s.text = append(s.text, '\n')
	s.appendQuery(m.RawQuery)
	s.text = append(s.text, '\n')
	if err := s.appendHeaders(h, m); err != nil {
		return err
	}
	s.text = append(s.text, '\n')
	s.text = append(s.text, h.SignedHeaders...)
	s.text = append(s.text, '\n')
	return s.appendPayload(m)
}

func (s *scratch) appendHeaders(h *Header, m *Message) error {
	for rest := h.SignedHeaders; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, ";")
		value, err := m.signed(name)
		if err != nil {
			return err
		}
		s.text = append(s.text, name...)
		s.text = append(s.text, ':')
		s.text = append(s.text, value...)
		s.text = append(s.text, '\n')
	}
	return nil
}

func (s *scratch) appendPayload(m *Message) error {
	literal, err := m.contentHash()
	if err != nil {
		return err
	}
	if literal != "" {
		s.text = append(s.text, literal...)
		return nil
	}
	s.text = hex.AppendEncode(s.text, m.BodyHash[:])
	return nil
}

// appendURI is step 6. Decoding comes before the split at "/", so an encoded slash
// separates too, and no split is needed.
func appendURI(b []byte, raw string, decode bool) []byte {
	start := len(b)
	b = appendEscaped(b, raw, &pathSafe, decode)
	if len(b) == start || b[len(b)-1] != '/' {
		b = append(b, '/')
	}
	return b
}

// appendQuery is step 7. The pieces are sorted and written from the raw text: no
// decoded copy of them is made.
func (s *scratch) appendQuery(raw string) {
	if raw == "" {
		return
	}
	s.parameters = splitQuery(s.parameters[:0], raw)
	if strings.IndexByte(raw, '%') < 0 {
		slices.SortFunc(s.parameters, compareRaw)
	} else {
		slices.SortFunc(s.parameters, compareDecoded)
	}
	for i, p := range s.parameters {
		if i > 0 {
			s.text = append(s.text, '&')
		}
		s.text = appendEscaped(s.text, p.key, &querySafe, decoded)
		s.text = append(s.text, '=')
		s.text = appendEscaped(s.text, p.value, &querySafe, decoded)
	}
}

// splitQuery splits at "&" only (";" is an ordinary character, N11) and drops
// empty pieces.
func splitQuery(to []parameter, raw string) []parameter {
	for raw != "" {
		var piece string
		piece, raw, _ = strings.Cut(raw, "&")
		if piece == "" {
			continue
		}
		key, value, _ := strings.Cut(piece, "=")
		to = append(to, parameter{key, value})
	}
	return to
}

func compareRaw(a, b parameter) int {
	if n := strings.Compare(a.key, b.key); n != 0 {
		return n
	}
	return strings.Compare(a.value, b.value)
}

func compareDecoded(a, b parameter) int {
	if n := comparePercent(a.key, b.key); n != 0 {
		return n
	}
	return comparePercent(a.value, b.value)
}

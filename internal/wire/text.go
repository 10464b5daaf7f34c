package wire

import (
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"coffer/internal/csms"
)

// Text is the value of a secret as a JSON string on the wire. It decodes into bytes
// that can be wiped, without an intermediate string, and refuses to encode itself:
// see ValueAnswer.
type Text csms.Plaintext

// UnmarshalJSON reads a JSON string; null makes the text absent. Of a member that is
// given twice the last one counts, and the first is overwritten. A lone surrogate is
// CSMS.0002: there is no UTF-8 for it, and replacing it would store another value
// than the one sent.
func (t *Text) UnmarshalJSON(b []byte) error {
	clear(*t)
	*t = nil
	if string(b) == "null" {
		return nil
	}
	if len(b) < 2 || b[0] != '"' {
		return csms.Invalidf("A secret value has the wrong JSON type; it takes a string.")
	}
	text, err := unquote(b[1 : len(b)-1])
	if err != nil {
		return err
	}
	*t = text
	return nil
}

// MarshalJSON always fails, as that of csms.Plaintext.
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal(csms.Plaintext(t)) }

// unquote decodes the inside of a JSON string that encoding/json has found valid.
func unquote(b []byte) ([]byte, error) {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		if b[0] != '\\' {
			out, b = append(out, b[0]), b[1:]
			continue
		}
		if b[1] != 'u' {
			out, b = append(out, simpleEscape(b[1])), b[2:]
			continue
		}
		r, size := unicodeEscape(b)
		if r == utf8.RuneError && size == 0 {
			clear(out)
			return nil, csms.Invalidf("A secret value holds half a surrogate pair, which no UTF-8 text can.")
		}
		out, b = utf8.AppendRune(out, r), b[size:]
	}
	return out, nil
}

func simpleEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c // quote, backslash, slash
	}
}

// unicodeEscape reads \uXXXX, or a pair of them that stands for one rune. A lone
// surrogate has size zero.
func unicodeEscape(b []byte) (r rune, size int) {
	r = hex4(b[2:])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(b[8:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 0
}

func hex4(b []byte) rune {
	n, _ := strconv.ParseUint(string(b[:4]), 16, 16)
	return rune(n)
}

// quotedSize is the length of what appendString appends.
func quotedSize[T ~string | ~[]byte](text T) int {
	n := len(text) + 2
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n++
		case c < ' ':
			n += 5
		}
	}
	return n
}

const hexDigits = "0123456789abcdef"

// appendString appends text as a JSON string. Nothing but quotes, backslashes and
// control characters is escaped, which is all that JSON demands.
func appendString[T ~string | ~[]byte](dst []byte, text T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(dst, text[start:]...), '"')
}

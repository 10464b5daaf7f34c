package signature

import (
	"encoding/hex"
	"strings"
)

// Limits of an Authorization value. The longest that a known client sends is
// under 400 bytes and signs 8 headers; the limits keep hostile values cheap (N15).
const (
	MaxHeader        = 4096 // bytes of the whole value
	MaxSignedHeaders = 64   // names in SignedHeaders
	MaxHeaderName    = 128  // bytes of one of these names
	MaxAccessKey     = 128  // bytes
)

// Header is a parsed Authorization value. Its strings share memory with the text
// that was parsed.
type Header struct {
	Algorithm Algorithm
	AccessKey string
	// Scope is "YYYYMMDD/region/service" if Algorithm is Derived, else empty.
	// Verify holds its date against X-Sdk-Date; whether this server is that region
	// and service is for the caller to judge.
	Scope string
	// SignedHeaders is the list as sent, joined with ";", in the order sent.
	SignedHeaders string
	Signature     [32]byte
}

// Signs reports whether the header with the given lower-case name is signed. A
// caller behind a trusted proxy asks it for "host" before it tries another host.
func (h *Header) Signs(name string) bool { return listed(h.SignedHeaders, name) > 0 }

// Value returns the Authorization value that ParseHeader reads as h. It is a
// credential until its date leaves the window, so Header has no String method that
// a log would find.
func (h *Header) Value() string {
	credential := " Access=" + h.AccessKey
	if h.Algorithm == Derived {
		credential = " Credential=" + h.AccessKey + "/" + h.Scope
	}
	return string(h.Algorithm) + credential + ", SignedHeaders=" + h.SignedHeaders +
		", Signature=" + hex.EncodeToString(h.Signature[:])
}

// ParseHeader parses an Authorization value. It allocates nothing unless it
// refuses. Tolerated are any order of the parameters, and missing or extra blanks
// around the commas; for SDK-HMAC-SHA256 also the older Credential=AK/..., of
// which only the text before the first slash counts. Refused are unknown and
// repeated parameters, and hex digits in upper case (N14).
//
// The error is ErrAlgorithm, ErrSyntax or ErrSignedHeaders.
func ParseHeader(value string) (Header, error) {
	if len(value) > MaxHeader {
		return Header{}, ErrSyntax
	}
	value = strings.Trim(value, blanks)
	name, rest := value, ""
	if i := strings.IndexAny(value, blanks); i >= 0 {
		name, rest = value[:i], value[i:]
	}
	h := Header{Algorithm: Algorithm(name)}
	if h.Algorithm != HMAC && h.Algorithm != Derived {
		return Header{}, unknownAlgorithm(name, rest)
	}
	if !h.setParameters(rest) {
		return Header{}, ErrSyntax
	}
	if err := checkSignedHeaders(h.SignedHeaders); err != nil {
		return Header{}, err
	}
	return h, nil
}

// unknownAlgorithm names what stands in place of an algorithm if it can be one. A
// word by itself, or a long one, may be a token that was shown without a scheme, and
// is not repeated.
func unknownAlgorithm(name, rest string) error {
	if rest == "" || len(name) > maxAlgorithm {
		return ErrAlgorithm
	}
	return about(ErrAlgorithm, name)
}

// maxAlgorithm is the length of the longest name that an SDK knows, and some more.
const maxAlgorithm = 24

const blanks = " \t"

// setParameters reads Access or Credential, SignedHeaders and Signature, each of
// which must stand once.
func (h *Header) setParameters(list string) bool {
	var signed bool
	for more := true; more; {
		var parameter string
		parameter, list, more = strings.Cut(list, ",")
		name, value, _ := strings.Cut(strings.Trim(parameter, blanks), "=")
		var ok bool
		switch name {
		case "Access":
			ok = h.AccessKey == "" && h.setAccess(value)
		case "Credential":
			ok = h.AccessKey == "" && h.setCredential(value)
		case "SignedHeaders":
			ok = h.SignedHeaders == "" && value != ""
			h.SignedHeaders = value
		case "Signature":
			ok = !signed && h.setSignature(value)
			signed = true
		}
		if !ok {
			return false
		}
	}
	return h.AccessKey != "" && h.SignedHeaders != "" && signed
}

func (h *Header) setAccess(value string) bool {
	h.AccessKey = value
	return h.Algorithm == HMAC && validAccessKey(value)
}

func (h *Header) setCredential(value string) bool {
	var scope string
	h.AccessKey, scope, _ = strings.Cut(value, "/")
	if h.Algorithm == Derived {
		h.Scope = scope
		return validAccessKey(h.AccessKey) && validScope(scope)
	}
	return validAccessKey(h.AccessKey)
}

func (h *Header) setSignature(value string) bool {
	if len(value) != 2*len(h.Signature) {
		return false
	}
	for i := range len(value) {
		if 'A' <= value[i] && value[i] <= 'F' {
			return false
		}
	}
	_, err := hex.Decode(h.Signature[:], []byte(value))
	return err == nil
}

// validAccessKey reports whether the text can stand in an Authorization value
// and, untouched, in a log line.
func validAccessKey(text string) bool {
	return 0 < len(text) && len(text) <= MaxAccessKey && visible(text) && !strings.ContainsAny(text, "/,;")
}

// validScope reports whether the text is YYYYMMDD/region/service.
func validScope(text string) bool {
	date, rest, _ := strings.Cut(text, "/")
	region, service, _ := strings.Cut(rest, "/")
	return len(date) == len("20060102") && digits(date) && region != "" && service != "" &&
		!strings.Contains(service, "/") && !strings.Contains(rest, ",") && visible(rest)
}

func visible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// checkSignedHeaders is step 2 but for the presence of the headers. All known
// clients send the names sorted, which proves them distinct in one pass; another
// order is accepted and costs a search for each name.
func checkSignedHeaders(list string) error {
	var dated bool
	var last string
	sorted := true
	for rest, count := list, 0; rest != ""; count++ {
		var name string
		var more bool
		name, rest, more = strings.Cut(rest, ";")
		if count == MaxSignedHeaders || !lowerToken(name) || (more && rest == "") {
			return ErrSignedHeaders
		}
		sorted = sorted && last < name
		if !sorted && listed(list[:len(list)-len(rest)], name) > 1 {
			return about(ErrSignedHeaders, name)
		}
		dated = dated || name == "x-sdk-date"
		last = name
	}
	if !dated {
		return about(ErrSignedHeaders, "x-sdk-date")
	}
	return nil
}

// listed counts how often a name stands in a list.
func listed(list, name string) int {
	n := 0
	for rest := list; rest != ""; {
		var item string
		item, rest, _ = strings.Cut(rest, ";")
		if item == name {
			n++
		}
	}
	return n
}

// lowerToken reports whether a name is one of a header (RFC 9110, token) without
// upper-case letters.
func lowerToken(name string) bool {
	if name == "" || len(name) > MaxHeaderName {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-':
		case strings.IndexByte("_!#$%&'*+.^`|~", c) >= 0:
		default:
			return false
		}
	}
	return true
}

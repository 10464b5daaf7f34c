package signature

// safeBytes marks the bytes that an escaped text shows as they are.
type safeBytes [256]bool

// The unreserved characters of RFC 3986, and for a path the slash.
var (
	querySafe = unreserved("")
	pathSafe  = unreserved("/")
)

func unreserved(more string) (t safeBytes) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~" + more) {
		t[c] = true
	}
	return t
}

const upperHex = "0123456789ABCDEF"

// appendEscaped appends the text with every byte that is not safe as %XX. With
// decode it reads percent sequences of the text as the bytes they stand for; a
// percent sign that opens no valid sequence stands for itself, as it does in
// Python, and "+" always does.
func appendEscaped(b []byte, text string, safe *safeBytes, decode bool) []byte {
	for len(text) > 0 {
		n := 0
		for n < len(text) && safe[text[n]] {
			n++
		}
		b = append(b, text[:n]...)
		if n == len(text) {
			break
		}
		c, width := text[n], 1
		if decode {
			c, width = nextByte(text[n:])
		}
		text = text[n+width:]
		if safe[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// nextByte returns the first byte that a text stands for, and how many bytes of
// the text say so. The text is not empty.
func nextByte(text string) (byte, int) {
	if text[0] != '%' || len(text) < 3 {
		return text[0], 1
	}
	high, low := unhex(text[1]), unhex(text[2])
	if high > 15 || low > 15 {
		return '%', 1
	}
	return high<<4 | low, 3
}

// unhex returns the value of a hex digit, and more than 15 for other bytes.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// comparePercent compares two percent-encoded texts by the bytes they stand for.
func comparePercent(a, b string) int {
	for a != "" && b != "" {
		ca, wa := nextByte(a)
		cb, wb := nextByte(b)
		if ca != cb {
			return int(ca) - int(cb)
		}
		a, b = a[wa:], b[wb:]
	}
	return len(a) - len(b)
}

package rootkey

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// parse reads the text form of a key. Its errors quote nothing of the text, not even
// the one bad character that the decoders of the standard library would name.
func parse(text []byte) (Key, error) {
	text = bytes.TrimSpace(text)
	b := new([Size]byte)
	if !decode(b, text) {
		clear(b[:])
		return Key{}, fmt.Errorf("%d characters are no key, want 64 hexadecimal digits or base64 of %d bytes; %s",
			len(text), Size, howToMake)
	}
	// Bytes that are all alike stand in templates and examples, and come from a
	// generator once in 2^248 times.
	if bytes.Count(b[:], b[:1]) == Size {
		return Key{}, errors.New("it is a placeholder of equal bytes, not a key; " + howToMake)
	}
	return hold(b), nil
}

// decode reports whether text is a key. The length decides which form it has.
func decode(dst *[Size]byte, text []byte) bool {
	if len(text) == hex.EncodedLen(Size) {
		_, err := hex.Decode(dst[:], text)
		return err == nil
	}
	text = bytes.TrimSuffix(text, []byte("=")) // 32 bytes have one sign of padding
	if len(text) != base64.RawStdEncoding.EncodedLen(Size) {
		return false
	}
	// Decode may write a whole quantum where only part of it counts.
	var buf [Size + 3]byte
	defer clear(buf[:])
	for _, form := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if n, err := form.Strict().Decode(buf[:], text); err == nil && n == Size {
			copy(dst[:], buf[:])
			return true
		}
	}
	return false
}

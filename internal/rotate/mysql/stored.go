package mysql

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"strings"
)

// holds reports whether what is stored for m is of password. It is false for what is
// stored in a form that is not known here.
func (m method) holds(password []byte) bool {
	want := ""
	switch m.plugin {
	case native:
		want = nativeHash(password)
	case "caching_sha2_password":
		want = cachingHash(m.stored, password)
	case "sha256_password":
		want = sha256Hash(m.stored, password)
	case ed25519:
		want = ed25519Hash(password)
	}
	return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(m.stored)) == 1
}

// nativeHash returns what mysql_native_password stores: SHA-1, twice.
func nativeHash(password []byte) string {
	once := sha1.Sum(password)
	twice := sha1.Sum(once[:])
	return "*" + strings.ToUpper(hex.EncodeToString(twice[:]))
}

// Lengths of what stands in the texts of the other plugins, in bytes.
const (
	saltLength   = 20
	digestLength = 43
)

// cachingHash returns what caching_sha2_password stores for password with the salt and
// the rounds of stored: $A$, thousands of rounds as three hexadecimal digits, $, salt and
// digest. It is "" if stored is none.
func cachingHash(stored string, password []byte) string {
	const head = len("$A$005$")
	if len(stored) != head+saltLength+digestLength || stored[:3] != "$A$" || stored[head-1] != '$' {
		return ""
	}
	thousands, err := strconv.ParseUint(stored[3:head-1], 16, 16)
	if err != nil {
		return ""
	}
	prefix := stored[:head+saltLength]
	return prefix + shaCrypt(password, []byte(prefix[head:]), int(thousands)*1000)
}

// sha256Hash does the same for sha256_password: $5$, salt, $ and digest, of 5000 rounds.
func sha256Hash(stored string, password []byte) string {
	const head = len("$5$")
	if len(stored) != head+saltLength+1+digestLength || stored[:head] != "$5$" || stored[head+saltLength] != '$' {
		return ""
	}
	prefix := stored[:head+saltLength+1]
	return prefix + shaCrypt(password, []byte(prefix[head:head+saltLength]), 5000)
}

// shaCrypt returns the digest of SHA-crypt with SHA-256, as Ulrich Drepper specified it,
// but with a salt of any length, as MySQL uses it.
func shaCrypt(password, salt []byte, rounds int) string {
	alternate := sum(password, salt, password)
	parts := [][]byte{password, salt, repeat(alternate, len(password))}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 == 1 {
			parts = append(parts, alternate)
		} else {
			parts = append(parts, password)
		}
	}
	digest := sum(parts...)
	p := repeat(sum(bytes.Repeat(password, len(password))), len(password))
	s := repeat(sum(bytes.Repeat(salt, 16+int(digest[0]))), len(salt))
	defer clear(p)
	for i := range rounds {
		digest = round(i, digest, p, s)
	}
	return encodeDigest(digest)
}

// round mixes the digest with password and salt, in an order that depends on i.
func round(i int, digest, p, s []byte) []byte {
	first, last := digest, p
	if i&1 == 1 {
		first, last = p, digest
	}
	parts := [][]byte{first}
	if i%3 != 0 {
		parts = append(parts, s)
	}
	if i%7 != 0 {
		parts = append(parts, p)
	}
	return sum(append(parts, last)...)
}

func sum(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// repeat returns b over and over, to that length.
func repeat(b []byte, length int) []byte {
	return bytes.Repeat(b, length/len(b)+1)[:length]
}

// encodeDigest writes three bytes at a time, in the order of the specification, as four
// characters, the lowest bits first.
func encodeDigest(d []byte) string {
	const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var text []byte
	write := func(bits uint32, characters int) {
		for range characters {
			text = append(text, alphabet[bits&0x3f])
			bits >>= 6
		}
	}
	a, b, c := 0, 10, 20
	for range 10 {
		write(uint32(d[a])<<16|uint32(d[b])<<8|uint32(d[c]), 4)
		a, b, c = (c+1)%30, (a+1)%30, (b+1)%30
	}
	write(uint32(d[31])<<8|uint32(d[30]), 3)
	return string(text)
}

package credential

import (
	"crypto/sha256"
	"hash/crc32"
	"io"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/store"
)

// The form of a token: the prefix, by which secret scanners find it, 43 digits of
// base 62 drawn at random (256 bits), and 6 digits of a checksum over them. The
// checksum proves nothing; it lets a scanner tell a token from chance, and keeps
// texts that never were a token away from the store.
const (
	TokenPrefix = "cofft_"
	TokenLength = len(TokenPrefix) + tokenRandom + tokenCheck

	tokenRandom = 43
	tokenCheck  = 6
	base62      = digits + upper + lower
)

// NewToken makes a token. Only its hash is ever stored.
func NewToken(rand io.Reader) (token string, hash [32]byte, err error) {
	random, err := draw(rand, base62, tokenRandom)
	if err != nil {
		return "", hash, err
	}
	check := checksum(string(random))
	token = TokenPrefix + string(random) + string(check[:])
	return token, sha256.Sum256([]byte(token)), nil
}

// HashToken returns the hash under which a token is stored, and false for a text
// that is no token.
func HashToken(token string) (hash [32]byte, ok bool) {
	if len(token) != TokenLength || !strings.HasPrefix(token, TokenPrefix) {
		return hash, false
	}
	random := token[len(TokenPrefix) : len(TokenPrefix)+tokenRandom]
	check := checksum(random)
	if token[len(TokenPrefix)+tokenRandom:] != string(check[:]) {
		return hash, false
	}
	return hashText(token), true
}

// HashSecurityToken returns the hash under which the security token of a temporary
// access key is stored. It is opaque text of any length.
func HashSecurityToken(token string) [32]byte { return hashText(token) }

// hashText hashes a text without a copy on the heap, as long as it is short.
func hashText(text string) [32]byte {
	var buf [128]byte
	return sha256.Sum256(append(buf[:0], text...))
}

func checksum(random string) (check [tokenCheck]byte) {
	sum := crc32.ChecksumIEEE([]byte(random))
	for i := len(check) - 1; i >= 0; i-- {
		check[i] = base62[sum%62]
		sum /= 62
	}
	return check
}

// Expired reports whether the life of t is over at now.
func Expired(t *store.Token, now csms.Millis) bool { return t.ExpiresAt <= now }

// Void reports whether t, expired or not, lost its force: its user was deleted (nil),
// disabled, or changed his password after it was issued, or his domain is disabled.
func Void(t *store.Token, u *store.User, d *store.Domain) bool {
	return u == nil || d == nil || !u.Enabled || !d.Enabled || u.DomainID != d.ID || t.IssuedAt < u.NotBefore
}

// VoidTokens makes every token of u void that was issued until now. A token that is
// issued in the same millisecond but later must hold, and a held clock can stand
// still for long: so the limit is one past every token that can exist, and
// IssueTime is never before it.
func VoidTokens(u *store.User, now csms.Millis) { u.NotBefore = max(now, u.NotBefore) + 1 }

// IssueTime returns the instant at which a token for u counts as issued.
func IssueTime(u *store.User, now csms.Millis) csms.Millis { return max(now, u.NotBefore) }

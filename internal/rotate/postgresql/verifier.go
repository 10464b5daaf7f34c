package postgresql

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
)

// Parts of a verifier. The least number of iterations is that of RFC 7677, which is
// the default of PostgreSQL; a server may want more, up to what an attacker who poses
// as one could ask us to compute.
const (
	saltBytes     = 16
	minIterations = 4096
	maxIterations = 1_000_000
)

// newVerifier returns what PostgreSQL stores of password, which is printable ASCII and
// so its own SASLprep form. It holds only letters, digits and $ : + / =.
func newVerifier(random io.Reader, password []byte, iterations int) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("drawing a salt: %w", err)
	}
	return verifier(password, salt, iterations)
}

// verifier carries out RFC 5802, section 3, in the notation of PostgreSQL.
func verifier(password, salt []byte, iterations int) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, string(password), salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hashing the password: %w", err)
	}
	defer clear(salted)
	stored := sha256.Sum256(mac(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]), encode(mac(salted, "Server Key"))), nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

package credential

import (
	"fmt"
	"io"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// The form of an access key that we make (auth.md section 2). Given ones may have
// other lengths; see CheckAccessKey.
const (
	accessKeyLength = 20
	secretKeyLength = 40
)

// NewAccessKey makes an access key and its secret. The secret is the caller's to
// clear.
func NewAccessKey(rand io.Reader) (accessKey string, secret csms.Plaintext, err error) {
	id, err := draw(rand, upper+digits, accessKeyLength)
	if err != nil {
		return "", nil, err
	}
	secret, err = draw(rand, base62, secretKeyLength)
	return string(id), secret, err
}

// CheckAccessKey reports whether a pair that was given from outside can be used:
// an access key of 8 to 64 letters, digits, "-" and "_", and a secret of 16 to 128
// visible ASCII characters. The error never holds the secret.
func CheckAccessKey(accessKey, secret string) error {
	if len(accessKey) < 8 || len(accessKey) > 64 || strings.Trim(accessKey, upper+lower+digits+"-_") != "" {
		return fmt.Errorf("access_key takes 8 to 64 letters, digits, '-' and '_'")
	}
	if len(secret) < 16 || len(secret) > 128 || strings.ContainsFunc(secret, invisible) {
		return fmt.Errorf("secret_key takes 16 to 128 visible ASCII characters")
	}
	return nil
}

func invisible(r rune) bool { return r <= ' ' || r > '~' }

// SealSecret seals the secret of an access key for that key of that user: moved to
// another record it does not open.
func SealSecret(box *seal.Box, k *store.AccessKey, secret []byte) ([]byte, error) {
	sealed, err := box.Seal(nil, secret, place(k))
	if err != nil {
		return nil, fmt.Errorf("sealing the secret of access key %s: %w", k.AccessKey, err)
	}
	return sealed, nil
}

// OpenSecret opens the secret of an access key. It is the caller's to clear.
func OpenSecret(box *seal.Box, k *store.AccessKey) (csms.Plaintext, error) {
	secret, err := box.Open(nil, k.SealedSecret, place(k))
	if err != nil {
		return nil, fmt.Errorf("opening the secret of access key %s: %w", k.AccessKey, err)
	}
	return secret, nil
}

// place is the additional data of a sealed secret.
func place(k *store.AccessKey) []byte {
	dst := seal.AppendField(nil, "coffer/access-key-secret")
	dst = seal.AppendField(dst, k.DomainID)
	dst = seal.AppendField(dst, k.UserID)
	return seal.AppendField(dst, k.AccessKey)
}

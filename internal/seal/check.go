package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
)

const (
	checkFormat   = 1
	checkSaltSize = 16
	checkLength   = 1 + checkSaltSize + KeySize
)

// MakeCheck returns a check value of the root key: what VerifyCheck needs at start
// to tell a wrong root key from damaged data. It is no secret, but who has it can
// try passphrases against it, as against anything the root key sealed.
//
//	offset  size  content
//	0       1     format, 1
//	1       16    salt
//	17      32    HKDF-SHA256 of the key, the salt and a fixed purpose
//
// A derived value is used and not a sealed constant, because a GCM ciphertext can
// be made to open under two keys and a hash cannot.
func MakeCheck(rand io.Reader, key []byte) ([]byte, error) {
	check := make([]byte, 1+checkSaltSize, checkLength)
	check[0] = checkFormat
	if _, err := io.ReadFull(rand, check[1:]); err != nil {
		return nil, fmt.Errorf("drawing salt of check value: %w", err)
	}
	sum, err := checkSum(key, check[1:])
	if err != nil {
		return nil, err
	}
	return append(check, sum...), nil
}

// VerifyCheck compares key with a value of MakeCheck, in constant time. Another
// key is ErrWrongRoot; a record that is no check value is ErrTampered.
func VerifyCheck(key, check []byte) error {
	if len(check) != checkLength || check[0] != checkFormat {
		return fmt.Errorf("reading check value: %w", ErrTampered)
	}
	salt, want := check[1:1+checkSaltSize], check[1+checkSaltSize:]
	sum, err := checkSum(key, salt)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(sum, want) != 1 {
		return ErrWrongRoot
	}
	return nil
}

func checkSum(key, salt []byte) ([]byte, error) {
	if err := validKey(key); err != nil {
		return nil, err
	}
	sum, err := hkdf.Key(sha256.New, key, salt, "coffer/check/1", KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving check value: %w", err)
	}
	return sum, nil
}

package kms

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
)

// Bounds of data keys and random numbers, in bytes; the wire counts bits where it
// says so.
const (
	maxDataKey = 1024
	bitsOfByte = 8
)

// DataKey is a data key and its form under a key. Whoever gets it wipes Plain.
type DataKey struct {
	Plain  csms.Plaintext // the key itself, not its hexadecimal text
	Cipher []byte
}

// NewDataKey is the input of CreateDataKey.
type NewDataKey struct {
	KeyID   string
	Spec    string // AES_256 or AES_128; "" is AES_256
	Bits    int    // length of the data key; zero leaves it to Spec. A multiple of 8 from 8 to 8192
	Context string // additional_authenticated_data, at most 128 bytes
}

// CreateDataKey makes a data key and wraps it under a key.
func (s *Service) CreateDataKey(ctx context.Context, who *iam.Caller, in NewDataKey) (DataKey, error) {
	return s.createDataKey(ctx, who, iam.CreateDataKey, in)
}

// CreateDataKeyWithoutPlaintext is CreateDataKey that keeps the data key to itself.
func (s *Service) CreateDataKeyWithoutPlaintext(ctx context.Context, who *iam.Caller, in NewDataKey) (DataKey, error) {
	key, err := s.createDataKey(ctx, who, iam.CreateDataKeyWithoutPlaintext, in)
	key.Plain.Wipe()
	return DataKey{Cipher: key.Cipher}, err
}

func (s *Service) createDataKey(ctx context.Context, who *iam.Caller, op iam.Op, in NewDataKey) (DataKey, error) {
	size := 0
	_, err := s.find(ctx, who, op, in.KeyID, func() (err error) {
		if size, err = in.size(); err != nil {
			return err
		}
		return checkContext(in.Context)
	})
	if err != nil {
		return DataKey{}, err
	}
	plain, err := s.random(size)
	if err != nil {
		return DataKey{}, err
	}
	cipher, err := s.wrap(ctx, who, in.KeyID, plain, in.Context)
	if err != nil {
		plain.Wipe()
		return DataKey{}, err
	}
	return DataKey{Plain: plain, Cipher: cipher}, nil
}

// size returns the length of the data key in bytes.
func (in *NewDataKey) size() (int, error) {
	if in.Bits != 0 {
		return bytesOf(in.Bits, csms.CodeKMSDataKeyLength, "datakey_length")
	}
	switch in.Spec {
	case "", "AES_256":
		return 32, nil
	case "AES_128":
		return 16, nil
	default:
		return 0, csms.Errorf(csms.CodeKMSSpec, "key_spec must be AES_256 or AES_128.")
	}
}

func bytesOf(bits int, code csms.Code, member string) (int, error) {
	if bits < bitsOfByte || bits > maxDataKey*bitsOfByte || bits%bitsOfByte != 0 {
		return 0, csms.Errorf(code, "%s must be a multiple of 8 from 8 to 8192.", member)
	}
	return bits / bitsOfByte, nil
}

func checkContext(text string) error {
	if n := len(text); n > seal.MaxAAD {
		return csms.Errorf(csms.CodeKMSContext, "additional_authenticated_data has %d bytes; it takes at most %d.", n, seal.MaxAAD)
	}
	return nil
}

func (s *Service) random(size int) (csms.Plaintext, error) {
	b := make(csms.Plaintext, size)
	if _, err := io.ReadFull(s.o.Rand, b); err != nil {
		return nil, fmt.Errorf("drawing random bytes: %w", err)
	}
	return b, nil
}

func (s *Service) wrap(ctx context.Context, who *iam.Caller, keyID string, plain csms.Plaintext, text string) ([]byte, error) {
	cipher, err := s.o.Keys.WrapDataKey(ctx, who.ProjectID, keyID, plain, dataKeyContext(who, keyID, text))
	return cipher, coded(err, keyID)
}

// dataKeyContext is what a data key is wrapped with: it keeps data keys of callers
// apart from those that protect secrets, whatever text a caller sends.
func dataKeyContext(who *iam.Caller, keyID, text string) []byte {
	b := seal.AppendField(nil, "coffer/kms/data-key/1")
	for _, field := range []string{who.DomainID, who.ProjectID, keyID, text} {
		b = seal.AppendField(b, field)
	}
	digest := sha256.Sum256(b)
	return digest[:]
}

// DataKeyInput is the input of EncryptDataKey and DecryptDataKey.
type DataKeyInput struct {
	KeyID   string
	Text    csms.Plaintext // hexadecimal: the data key and its SHA-256 digest, or its wrapped form
	Length  int            // of the data key in bytes, 1 to 1024
	Context string         // additional_authenticated_data
}

// EncryptDataKey wraps a data key of the caller under a key. It must come with its
// SHA-256 digest.
func (s *Service) EncryptDataKey(ctx context.Context, who *iam.Caller, in DataKeyInput) ([]byte, error) {
	var plain csms.Plaintext
	defer func() { plain.Wipe() }()
	_, err := s.find(ctx, who, iam.EncryptDataKey, in.KeyID, func() (err error) {
		if plain, err = in.digested(); err != nil {
			return err
		}
		return checkContext(in.Context)
	})
	if err != nil {
		return nil, err
	}
	return s.wrap(ctx, who, in.KeyID, plain[:in.Length], in.Context)
}

// digested returns the data key with its digest, which it has verified.
func (in *DataKeyInput) digested() (csms.Plaintext, error) {
	if in.Length < 1 || in.Length > maxDataKey {
		return nil, csms.Errorf(csms.CodeKMSPlainLength, "datakey_plain_length must be a number from 1 to %d.", maxDataKey)
	}
	plain := make(csms.Plaintext, hex.DecodedLen(len(in.Text)))
	if _, err := hex.Decode(plain, in.Text); err != nil || len(plain) != in.Length+sha256.Size {
		return plain, csms.Errorf(csms.CodeKMSPlainText, "plain_text must be the data key of datakey_plain_length bytes and its SHA-256 digest, in hexadecimal.")
	}
	digest := sha256.Sum256(plain[:in.Length])
	if subtle.ConstantTimeCompare(digest[:], plain[in.Length:]) != 1 {
		return plain, csms.Errorf(csms.CodeKMSDataKeyDigest, "The digest in plain_text is not that of the data key.")
	}
	return plain, nil
}

// OpenedDataKey is a data key and its digest. Whoever gets it wipes Plain.
type OpenedDataKey struct {
	Plain  csms.Plaintext
	Digest [sha256.Size]byte
}

// DecryptDataKey opens what CreateDataKey or EncryptDataKey wrapped. The length in the
// request is not compared with that of the data key.
func (s *Service) DecryptDataKey(ctx context.Context, who *iam.Caller, in DataKeyInput) (OpenedDataKey, error) {
	var cipher []byte
	_, err := s.find(ctx, who, iam.DecryptDataKey, in.KeyID, func() (err error) {
		if cipher, err = in.wrapped(); err != nil {
			return err
		}
		return checkContext(in.Context)
	})
	if err != nil {
		return OpenedDataKey{}, err
	}
	plain, err := s.o.Keys.OpenDataKey(ctx, who.ProjectID, in.KeyID, cipher, dataKeyContext(who, in.KeyID, in.Context))
	if err != nil {
		return OpenedDataKey{}, coded(err, in.KeyID)
	}
	return OpenedDataKey{Plain: plain, Digest: sha256.Sum256(plain)}, nil
}

// wrapped returns the bytes of a wrapped data key.
func (in *DataKeyInput) wrapped() ([]byte, error) {
	if in.Length < 1 || in.Length > maxDataKey {
		return nil, csms.Errorf(csms.CodeKMSCipherLength, "datakey_cipher_length must be a number from 1 to %d.", maxDataKey)
	}
	cipher := make([]byte, hex.DecodedLen(len(in.Text)))
	if _, err := hex.Decode(cipher, in.Text); err != nil {
		return nil, coded(seal.ErrTampered, in.KeyID)
	}
	return cipher, nil
}

// CreateRandom returns random bytes. The length is in bits: a multiple of 8 from 8 to
// 8192. Whoever gets them wipes them.
func (s *Service) CreateRandom(_ context.Context, who *iam.Caller, bits int) (csms.Plaintext, error) {
	r := s.request(who, iam.CreateRandom, "")
	if err := forbidden(who.Authorize(&r)); err != nil {
		return nil, err
	}
	size, err := bytesOf(bits, csms.CodeKMSRandomLength, "random_data_length")
	if err != nil {
		return nil, err
	}
	return s.random(size)
}

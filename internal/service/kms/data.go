package kms

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
)

// Bounds of EncryptData, in bytes, and of its result in characters.
const (
	maxData   = 4096
	maxCipher = 5648
)

const symmetric = "SYMMETRIC_DEFAULT"

// Data is the input of EncryptData and DecryptData.
type Data struct {
	KeyID     string         // DecryptData takes it from the ciphertext if it is ""
	Text      csms.Plaintext // plain_text, 1 to 4096 bytes; or cipher_text, base64
	Algorithm string         // "" or SYMMETRIC_DEFAULT
	Context   string         // additional_authenticated_data, at most 128 bytes
}

func (in *Data) validate() error {
	if cmp.Or(in.Algorithm, symmetric) != symmetric {
		return notOffered("asymmetric keys")
	}
	return checkContext(in.Context)
}

// place is where a message belongs: in the project, with the text that it must be
// opened with. No secret has such an id.
func (in *Data) place(who *iam.Caller) seal.Binding {
	return seal.Binding{Domain: who.DomainID, Project: who.ProjectID, SecretID: "kms/encrypt-data", Field: "context:" + in.Context}
}

// EncryptData encrypts up to 4096 bytes. The ciphertext is base64 and names its key.
func (s *Service) EncryptData(ctx context.Context, who *iam.Caller, in Data) (string, error) {
	_, err := s.find(ctx, who, iam.EncryptData, in.KeyID, func() error {
		if n := len(in.Text); n < 1 || n > maxData {
			return csms.Errorf(csms.CodeKMSPlainText, "plain_text has %d bytes; it takes 1 to %d.", n, maxData)
		}
		return in.validate()
	})
	if err != nil {
		return "", err
	}
	sealed, _, err := s.o.Sealer.Seal(ctx, in.KeyID, in.place(who), in.Text)
	if err != nil {
		return "", coded(err, in.KeyID)
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// Opened is what DecryptData found. Whoever gets it wipes Plain.
type Opened struct {
	KeyID string
	Plain csms.Plaintext
}

// DecryptData opens what EncryptData made, in the same project and with the same
// context.
func (s *Service) DecryptData(ctx context.Context, who *iam.Caller, in Data) (Opened, error) {
	sealed, keyID := in.parse()
	if sealed == nil {
		if _, err := s.authorize(ctx, who, iam.DecryptData, in.KeyID, s.o.Now()); err != nil {
			return Opened{}, err
		}
		return Opened{}, coded(seal.ErrTampered, in.KeyID)
	}
	if _, err := s.find(ctx, who, iam.DecryptData, keyID, in.validate); err != nil {
		return Opened{}, err
	}
	plain, err := s.o.Sealer.Open(ctx, in.place(who), sealed)
	return Opened{keyID, plain}, coded(err, keyID)
}

// parse returns the bytes of a ciphertext and the key that it names; nil for what is
// no ciphertext, or one of another key than the one that was given.
func (in *Data) parse() (sealed []byte, keyID string) {
	if len(in.Text) > maxCipher || bytes.ContainsAny(in.Text, "\r\n") { // the decoder would skip line breaks
		return nil, ""
	}
	sealed = make([]byte, base64.StdEncoding.DecodedLen(len(in.Text)))
	n, err := base64.StdEncoding.Strict().Decode(sealed, in.Text)
	if err != nil {
		return nil, ""
	}
	keyID, err = seal.KeyID(sealed[:n])
	if err != nil || !csms.IsUUID(keyID) || in.KeyID != "" && in.KeyID != keyID {
		return nil, ""
	}
	return sealed[:n], keyID
}

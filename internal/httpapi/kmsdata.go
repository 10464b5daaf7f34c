package httpapi

import (
	"context"
	"encoding/hex"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/kms"
	"coffer/internal/wire"
)

// Data keys, data that keys encrypt, and random numbers.

type createDataKeyRequest struct{ in kms.NewDataKey }

func (q *createDataKeyRequest) key() string { return q.in.KeyID }

func (q *createDataKeyRequest) bind(x *exchange) error {
	var body wire.CreateDataKeyRequest
	err := x.decodeKMS(&body)
	q.in = kms.NewDataKey{KeyID: body.KeyID, Spec: body.KeySpec, Bits: body.DatakeyLength.Or(0), Context: body.AAD}
	if err != nil {
		return err
	}
	if body.DatakeyLength != "" && q.in.Bits == 0 {
		q.in.Bits = -1 // a length of zero is none, and not an absent one
	}
	return require(given{"key_id", &q.in.KeyID})
}

func (a *API) createDataKey(ctx context.Context, who *iam.Caller, q *createDataKeyRequest) (*wire.DataKeyAnswer, error) {
	key, err := a.KMS.CreateDataKey(ctx, who, q.in)
	return &wire.DataKeyAnswer{KeyID: q.in.KeyID, Plain: key.Plain, Cipher: key.Cipher}, err
}

func (a *API) createDataKeyWithoutPlaintext(ctx context.Context, who *iam.Caller, q *createDataKeyRequest) (*wire.DataKeyAnswer, error) {
	key, err := a.KMS.CreateDataKeyWithoutPlaintext(ctx, who, q.in)
	return &wire.DataKeyAnswer{KeyID: q.in.KeyID, Cipher: key.Cipher}, err
}

// dataKeyRequest is the request of the operations on a data key of the caller.
type dataKeyRequest struct{ in kms.DataKeyInput }

func (q *dataKeyRequest) key() string { return q.in.KeyID }

// Wipe overwrites the data key that was sent.
func (q *dataKeyRequest) Wipe() { q.in.Text.Wipe() }

type encryptDataKeyRequest struct{ dataKeyRequest }

func (q *encryptDataKeyRequest) bind(x *exchange) error {
	var body wire.EncryptDataKeyRequest
	err := x.decodeKMS(&body)
	q.in = kms.DataKeyInput{KeyID: body.KeyID, Text: csms.Plaintext(body.PlainText), Length: body.DatakeyPlainLength.Or(-1), Context: body.AAD}
	if err != nil {
		return err
	}
	if err := require(given{"key_id", &q.in.KeyID}, given{"datakey_plain_length", digits(body.DatakeyPlainLength)}); err != nil {
		return err
	}
	return requireText("plain_text", q.in.Text)
}

func (a *API) encryptDataKey(ctx context.Context, who *iam.Caller, q *encryptDataKeyRequest) (wire.WrappedDataKey, error) {
	cipher, err := a.KMS.EncryptDataKey(ctx, who, q.in)
	return wire.WrappedDataKey{KeyID: q.in.KeyID, CipherText: hex.EncodeToString(cipher), DatakeyLength: decimal(q.in.Length)}, err
}

type decryptDataKeyRequest struct{ dataKeyRequest }

func (q *decryptDataKeyRequest) bind(x *exchange) error {
	var body wire.DecryptDataKeyRequest
	err := x.decodeKMS(&body)
	q.in = kms.DataKeyInput{KeyID: body.KeyID, Text: csms.Plaintext(body.CipherText), Length: body.DatakeyCipherLength.Or(-1), Context: body.AAD}
	if err != nil {
		return err
	}
	if err := require(given{"key_id", &q.in.KeyID}, given{"datakey_cipher_length", digits(body.DatakeyCipherLength)}); err != nil {
		return err
	}
	return requireText("cipher_text", q.in.Text)
}

func (a *API) decryptDataKey(ctx context.Context, who *iam.Caller, q *decryptDataKeyRequest) (*wire.OpenedDataKey, error) {
	opened, err := a.KMS.DecryptDataKey(ctx, who, q.in)
	return &wire.OpenedDataKey{Plain: opened.Plain, Digest: opened.Digest}, err
}

// dataRequest is the request of the operations on data.
type dataRequest struct{ in kms.Data }

func (q *dataRequest) key() string { return q.in.KeyID }

// Wipe overwrites the data that were sent.
func (q *dataRequest) Wipe() { q.in.Text.Wipe() }

type encryptDataRequest struct{ dataRequest }

func (q *encryptDataRequest) bind(x *exchange) error {
	var body wire.EncryptDataRequest
	err := x.decodeKMS(&body)
	q.in = kms.Data{KeyID: body.KeyID, Text: csms.Plaintext(body.PlainText), Algorithm: body.Algorithm, Context: body.AAD}
	if err != nil {
		return err
	}
	if err := require(given{"key_id", &q.in.KeyID}); err != nil {
		return err
	}
	return requireText("plain_text", q.in.Text)
}

func (a *API) encryptData(ctx context.Context, who *iam.Caller, q *encryptDataRequest) (wire.EncryptedData, error) {
	cipher, err := a.KMS.EncryptData(ctx, who, q.in)
	return wire.EncryptedData{KeyID: q.in.KeyID, CipherText: cipher}, err
}

type decryptDataRequest struct{ dataRequest }

func (q *decryptDataRequest) bind(x *exchange) error {
	var body wire.DecryptDataRequest
	err := x.decodeKMS(&body)
	q.in = kms.Data{KeyID: body.KeyID, Text: csms.Plaintext(body.CipherText), Algorithm: body.Algorithm, Context: body.AAD}
	if err != nil {
		return err
	}
	return requireText("cipher_text", q.in.Text)
}

func (a *API) decryptData(ctx context.Context, who *iam.Caller, q *decryptDataRequest) (*wire.DecryptedData, error) {
	opened, err := a.KMS.DecryptData(ctx, who, q.in)
	return &wire.DecryptedData{KeyID: opened.KeyID, Plain: opened.Plain}, err
}

// requireText is require for a text that may be wiped.
func requireText(name string, text csms.Plaintext) error {
	if len(text) == 0 {
		return require(given{name: name})
	}
	return nil
}

type genRandomRequest struct {
	noKey
	bits int
}

func (q *genRandomRequest) bind(x *exchange) error {
	var body wire.GenRandomRequest
	if err := x.decodeKMS(&body); err != nil {
		return err
	}
	q.bits = body.RandomDataLength.Or(-1)
	return require(given{"random_data_length", digits(body.RandomDataLength)})
}

func (a *API) createRandom(ctx context.Context, who *iam.Caller, q *genRandomRequest) (*wire.RandomData, error) {
	data, err := a.KMS.CreateRandom(ctx, who, q.bits)
	return &wire.RandomData{Data: data}, err
}

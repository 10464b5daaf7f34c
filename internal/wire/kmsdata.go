package wire

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"

	"coffer/internal/csms"
)

// The shapes of data keys and of data that keys encrypt. Whatever holds plain text is
// encoded by hand, so that it goes from its bytes straight into the answer.

// CreateDataKeyRequest is the body of CreateDataKey and its sister without plaintext.
type CreateDataKeyRequest struct {
	KeyRef
	KeySpec       string `json:"key_spec"`
	DatakeyLength Digits `json:"datakey_length"` // bits
	AAD           string `json:"additional_authenticated_data"`
}

// EncryptDataKeyRequest is the body of EncryptDataKey.
type EncryptDataKeyRequest struct {
	KeyRef
	PlainText          Text   `json:"plain_text"`           // hexadecimal: data key and digest
	DatakeyPlainLength Digits `json:"datakey_plain_length"` // bytes
	AAD                string `json:"additional_authenticated_data"`
}

// DecryptDataKeyRequest is the body of DecryptDataKey.
type DecryptDataKeyRequest struct {
	KeyRef
	CipherText          Text   `json:"cipher_text"`           // hexadecimal
	DatakeyCipherLength Digits `json:"datakey_cipher_length"` // bytes
	AAD                 string `json:"additional_authenticated_data"`
}

// EncryptDataRequest is the body of EncryptData.
type EncryptDataRequest struct {
	KeyRef
	PlainText Text   `json:"plain_text"`
	Algorithm string `json:"encryption_algorithm"`
	AAD       string `json:"additional_authenticated_data"`
}

// DecryptDataRequest is the body of DecryptData.
type DecryptDataRequest struct {
	KeyRef
	CipherText Text   `json:"cipher_text"`
	Algorithm  string `json:"encryption_algorithm"`
	AAD        string `json:"additional_authenticated_data"`
}

// GenRandomRequest is the body of CreateRandom.
type GenRandomRequest struct {
	RandomDataLength Digits `json:"random_data_length"` // bits
}

// DataKeyAnswer is a data key and its wrapped form, both in hexadecimal. Without
// Plain there is no member plain_text.
type DataKeyAnswer struct {
	KeyID  string
	Plain  csms.Plaintext
	Cipher []byte
}

// AppendJSON appends the answer to dst.
func (a *DataKeyAnswer) AppendJSON(dst []byte) []byte {
	dst = appendMember(dst, `{"key_id":`, a.KeyID)
	if a.Plain != nil {
		dst = appendHex(dst, `,"plain_text":`, a.Plain)
	}
	return append(appendHex(dst, `,"cipher_text":`, a.Cipher), '}')
}

// Wipe overwrites the data key once it has been sent.
func (a *DataKeyAnswer) Wipe() { a.Plain.Wipe() }

// WrappedDataKey is the answer of EncryptDataKey.
type WrappedDataKey struct {
	KeyID         string `json:"key_id"`
	CipherText    string `json:"cipher_text"`    // hexadecimal
	DatakeyLength string `json:"datakey_length"` // bytes
}

// OpenedDataKey is the answer of DecryptDataKey: the data key and its SHA-256 digest,
// in hexadecimal, and its length in bytes.
type OpenedDataKey struct {
	Plain  csms.Plaintext
	Digest [32]byte
}

// AppendJSON appends the answer to dst.
func (a *OpenedDataKey) AppendJSON(dst []byte) []byte {
	dst = appendHex(dst, `{"data_key":`, a.Plain)
	dst = appendMember(dst, `,"datakey_length":`, strconv.Itoa(len(a.Plain)))
	return append(appendHex(dst, `,"datakey_dgst":`, a.Digest[:]), '}')
}

// Wipe overwrites the data key once it has been sent.
func (a *OpenedDataKey) Wipe() { a.Plain.Wipe() }

// EncryptedData is the answer of EncryptData.
type EncryptedData struct {
	KeyID      string `json:"key_id"`
	CipherText string `json:"cipher_text"` // base64
}

// DecryptedData is the answer of DecryptData: the text, and once more in base64.
type DecryptedData struct {
	KeyID string
	Plain csms.Plaintext
}

// AppendJSON appends the answer to dst.
func (a *DecryptedData) AppendJSON(dst []byte) []byte {
	dst = appendMember(dst, `{"key_id":`, a.KeyID)
	dst = appendString(append(dst, `,"plain_text":`...), a.Plain)
	dst = append(dst, `,"plain_text_base64":"`...)
	return append(base64.StdEncoding.AppendEncode(dst, a.Plain), `"}`...)
}

// Wipe overwrites the text once it has been sent.
func (a *DecryptedData) Wipe() { a.Plain.Wipe() }

// RandomData is the answer of CreateRandom, in hexadecimal.
type RandomData struct{ Data csms.Plaintext }

// AppendJSON appends the answer to dst.
func (a *RandomData) AppendJSON(dst []byte) []byte {
	return append(appendHex(dst, `{"random_data":`, a.Data), '}')
}

// Wipe overwrites the data once they have been sent.
func (a *RandomData) Wipe() { a.Data.Wipe() }

func appendHex[T ~[]byte](dst []byte, key string, data T) []byte {
	dst = append(append(dst, key...), '"')
	return append(hex.AppendEncode(dst, data), '"')
}

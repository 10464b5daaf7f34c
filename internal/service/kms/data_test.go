package kms_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/seal"
	"coffer/internal/service"
	"coffer/internal/service/kms"
	"coffer/internal/testkit"
)

// contexts are texts that additional_authenticated_data takes.
func contexts() *rapid.Generator[string] { return rapid.StringN(0, 32, seal.MaxAAD) }

func plaintexts(most int) *rapid.Generator[csms.Plaintext] {
	return rapid.Custom(func(t *rapid.T) csms.Plaintext {
		return csms.Plaintext(rapid.SliceOfN(rapid.Byte(), 1, most).Draw(t, "bytes"))
	})
}

// change returns b with one bit changed, or cut short.
func change(t *rapid.T, b []byte) []byte {
	b = bytes.Clone(b)
	i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
	if rapid.Bool().Draw(t, "cut") {
		return b[:i]
	}
	b[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	return b
}

// What EncryptData made opens with its context, in its project, unchanged, also after
// rotations of the key; and in no other way.
func TestDataOpenWhereTheyBelong(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	who, id, others := owner(testkit.ProjectID), newKey(t, k, "mine"), newKey(t, k, "another")
	rapid.Check(t, func(t *rapid.T) {
		plain, text := plaintexts(4096).Draw(t, "plain"), contexts().Draw(t, "context")
		cipher, err := k.Keys.EncryptData(ctx, who, kms.Data{KeyID: id, Text: bytes.Clone(plain), Context: text})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(cipher); n < 128 || n > 5648 {
			t.Fatalf("a ciphertext of %d characters; clients expect 128 to 5648", n)
		}
		if rapid.IntRange(0, 9).Draw(t, "rotate") == 0 {
			if _, err := k.KMS.RotateKey(ctx, testkit.ProjectID, id); err != nil {
				t.Fatal(err)
			}
		}
		open := func(in kms.Data, project string) (kms.Opened, error) {
			return k.Keys.DecryptData(ctx, owner(project), in)
		}
		for _, keyID := range []string{"", id} {
			opened, err := open(kms.Data{KeyID: keyID, Text: csms.Plaintext(cipher), Context: text}, testkit.ProjectID)
			if err != nil || opened.KeyID != id || !bytes.Equal(opened.Plain, plain) {
				t.Fatalf("opened under %s, %v", opened.KeyID, err)
			}
		}
		if other := contexts().Draw(t, "another context"); other != text {
			_, err = open(kms.Data{Text: csms.Plaintext(cipher), Context: other}, testkit.ProjectID)
			refusedIn(t, "another context", err, csms.CodeKMSCipherText)
		}
		_, err = open(kms.Data{KeyID: others, Text: csms.Plaintext(cipher), Context: text}, testkit.ProjectID)
		refusedIn(t, "another key", err, csms.CodeKMSCipherText)
		_, err = open(kms.Data{Text: csms.Plaintext(cipher), Context: text}, testkit.OtherProjectID)
		refusedIn(t, "another project", err, csms.CodeKMSKeyNotFound)
		raw, err := base64.StdEncoding.DecodeString(cipher)
		if err != nil {
			t.Fatal(err)
		}
		changed := base64.StdEncoding.EncodeToString(change(t, raw))
		_, err = open(kms.Data{Text: csms.Plaintext(changed), Context: text}, testkit.ProjectID)
		refusedIn(t, "changed", err, csms.CodeKMSCipherText, csms.CodeKMSKeyNotFound)
	})
}

func refusedIn(t *rapid.T, what string, err error, want ...csms.Code) {
	t.Helper()
	for _, code := range want {
		if csms.CodeOf(err) == code {
			return
		}
	}
	t.Fatalf("%s: error %v; want %v", what, err, want)
}

// Data keys, made here or by the caller, open under their key with their context, also
// after rotations of the key; and in no other way.
func TestDataKeysOpenWhereTheyBelong(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	who, id, others := owner(testkit.ProjectID), newKey(t, k, "mine"), newKey(t, k, "another")
	rapid.Check(t, func(t *rapid.T) {
		text := contexts().Draw(t, "context")
		key := dataKey(t, k, id, text)
		if rapid.IntRange(0, 9).Draw(t, "rotate") == 0 {
			if _, err := k.KMS.RotateKey(ctx, testkit.ProjectID, id); err != nil {
				t.Fatal(err)
			}
		}
		open := func(keyID string, cipher []byte, text string) (kms.OpenedDataKey, error) {
			return k.Keys.DecryptDataKey(ctx, who, kms.DataKeyInput{KeyID: keyID, Text: csms.Plaintext(hex.EncodeToString(cipher)), Length: 64, Context: text})
		}
		opened, err := open(id, key.Cipher, text)
		if err != nil || !bytes.Equal(opened.Plain, key.Plain) || opened.Digest != sha256.Sum256(key.Plain) {
			t.Fatalf("does not open: %v", err)
		}
		_, err = open(others, key.Cipher, text)
		refusedIn(t, "another key", err, csms.CodeKMSCipherText)
		if other := contexts().Draw(t, "another context"); other != text {
			_, err = open(id, key.Cipher, other)
			refusedIn(t, "another context", err, csms.CodeKMSCipherText)
		}
		_, err = open(id, change(t, key.Cipher), text)
		refusedIn(t, "changed", err, csms.CodeKMSCipherText)
	})
}

// dataKey makes a data key in one of the two ways.
func dataKey(t *rapid.T, k *testkit.Kit, id, text string) kms.DataKey {
	ctx, who := context.Background(), owner(testkit.ProjectID)
	if rapid.Bool().Draw(t, "made here") {
		bits := 8 * rapid.IntRange(0, 1024).Draw(t, "bytes")
		key, err := k.Keys.CreateDataKey(ctx, who, kms.NewDataKey{KeyID: id, Bits: bits, Context: text})
		if err != nil || len(key.Plain) != bits/8 && bits != 0 {
			t.Fatalf("a data key of %d bytes, %v; want %d bits", len(key.Plain), err, bits)
		}
		return key
	}
	plain := plaintexts(1024).Draw(t, "data key")
	digest := sha256.Sum256(plain)
	cipher, err := k.Keys.EncryptDataKey(ctx, who, kms.DataKeyInput{
		KeyID: id, Text: csms.Plaintext(hex.EncodeToString(append(bytes.Clone(plain), digest[:]...))), Length: len(plain), Context: text,
	})
	if err != nil {
		t.Fatal(err)
	}
	return kms.DataKey{Plain: plain, Cipher: cipher}
}

// What protects a secret cannot be opened through the KMS API, although the same key
// made it: a right to the key is no right to the secret.
func TestTheKMSAPIDoesNotOpenSecrets(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	who, id := owner(testkit.ProjectID), newKey(t, k, "mine")
	sec, err := k.Service.CreateSecret(ctx, who, service.NewSecret{Creation: csms.Creation{Name: "db", KMSKeyID: id}, Text: csms.Plaintext("value")})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Store.Value(ctx, sec.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := seal.ParseEnvelope(sealed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.Keys.DecryptData(ctx, who, kms.Data{Text: csms.Plaintext(base64.StdEncoding.EncodeToString(sealed))})
	refused(t, "the value", err, csms.CodeKMSCipherText)
	_, err = k.Keys.DecryptDataKey(ctx, who, kms.DataKeyInput{KeyID: id, Text: csms.Plaintext(hex.EncodeToString(envelope.Wrapped)), Length: 32})
	refused(t, "its data key", err, csms.CodeKMSCipherText)
}

// The sizes that a data key has by its spec; a length wins over a spec.
func TestSizesOfDataKeys(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	id := newKey(t, k, "mine")
	for _, tc := range []struct {
		spec string
		bits int
		want int
	}{{"", 0, 32}, {"AES_256", 0, 32}, {"AES_128", 0, 16}, {"AES_128", 512, 64}, {"", 8, 1}, {"", 8192, 1024}} {
		in := kms.NewDataKey{KeyID: id, Spec: tc.spec, Bits: tc.bits}
		key, err := k.Keys.CreateDataKey(ctx, owner(testkit.ProjectID), in)
		if err != nil || len(key.Plain) != tc.want {
			t.Errorf("%+v: %d bytes, %v; want %d", in, len(key.Plain), err, tc.want)
		}
		hidden, err := k.Keys.CreateDataKeyWithoutPlaintext(ctx, owner(testkit.ProjectID), in)
		if err != nil || hidden.Plain != nil || len(hidden.Cipher) != len(key.Cipher) {
			t.Errorf("%+v without plaintext: %+v, %v", in, hidden, err)
		}
	}
}

// A right to one key opens what that key made, and nothing else.
func TestDecryptDataAsksForTheKeyOfTheCiphertext(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	mine, yours := newKey(t, k, "mine"), newKey(t, k, "yours")
	who := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["kms:cmk:decryptData"],"Resource":["kms:*:*:KeyId:`+mine+`"]}]}`)
	for id, want := range map[string]csms.Code{mine: "", yours: csms.CodeKMSForbidden} {
		cipher, err := k.Keys.EncryptData(ctx, owner(testkit.ProjectID), kms.Data{KeyID: id, Text: csms.Plaintext("x")})
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.Keys.DecryptData(ctx, who, kms.Data{Text: csms.Plaintext(cipher)})
		refused(t, id, err, want)
	}
}

func TestCreateRandom(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	a, err := k.Keys.CreateRandom(ctx, owner(testkit.ProjectID), 512)
	if err != nil || len(a) != 64 {
		t.Fatalf("%d bytes, %v", len(a), err)
	}
	b, err := k.Keys.CreateRandom(ctx, owner(testkit.ProjectID), 512)
	if err != nil || bytes.Equal(a, b) {
		t.Errorf("twice the same: %v", err)
	}
}

// Whatever is sent as a ciphertext is refused with a code, and never opens.
func FuzzDecryptData(f *testing.F) {
	k := testkit.New(f, testkit.Options{})
	id := newKey(f, k, "mine")
	good, err := k.Keys.EncryptData(f.Context(), owner(testkit.ProjectID), kms.Data{KeyID: id, Text: csms.Plaintext("x")})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "AAAA", "%", good[:len(good)-4], "AQ==", good + "\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := k.Keys.DecryptData(context.Background(), owner(testkit.ProjectID), kms.Data{Text: csms.Plaintext(text)})
		switch csms.CodeOf(err) {
		case csms.CodeKMSCipherText, csms.CodeKMSKeyNotFound:
		case "":
			if text != good {
				t.Errorf("%q opens", text)
			}
		default:
			t.Errorf("%q: %v", text, err)
		}
	})
}

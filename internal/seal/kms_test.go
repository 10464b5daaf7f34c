package seal_test

import (
	"errors"
	"testing"

	"coffer/internal/seal"
)

func TestKeyUsable(t *testing.T) {
	good := seal.Key{Spec: seal.SpecAES256, Usage: seal.UsageEncryptDecrypt, State: seal.StateEnabled}
	for _, c := range []struct {
		name   string
		change func(*seal.Key)
		want   error
	}{
		{"enabled", func(*seal.Key) {}, nil},
		{"SM4", func(k *seal.Key) { k.Spec = seal.SpecSM4 }, nil},
		{"no state", func(k *seal.Key) { k.State = 0 }, seal.ErrKeyDisabled},
		{"waiting", func(k *seal.Key) { k.State = seal.StateWaiting }, seal.ErrKeyDisabled},
		{"disabled", func(k *seal.Key) { k.State = seal.StateDisabled }, seal.ErrKeyDisabled},
		{"pending deletion", func(k *seal.Key) { k.State = seal.StatePendingDeletion }, seal.ErrKeyPendingDeletion},
		{"pending import", func(k *seal.Key) { k.State = seal.StatePendingImport }, seal.ErrKeyDisabled},
		{"frozen", func(k *seal.Key) { k.State = seal.StateFrozen }, seal.ErrKeyDisabled},
		{"state of a later API", func(k *seal.Key) { k.State = 6 }, seal.ErrKeyDisabled},
		{"RSA for encryption", func(k *seal.Key) { k.Spec = "RSA_2048" }, seal.ErrKeyUsage},
		{"HMAC", func(k *seal.Key) { k.Spec, k.Usage = "HMAC_256", "GENERATE_VERIFY_MAC" }, seal.ErrKeyUsage},
		{"signing", func(k *seal.Key) { k.Usage = "SIGN_VERIFY" }, seal.ErrKeyUsage},
		{"nothing known", func(k *seal.Key) { *k = seal.Key{} }, seal.ErrKeyUsage},
	} {
		key := good
		c.change(&key)
		if got := key.Usable(); !errors.Is(got, c.want) || (c.want == nil) != (got == nil) {
			t.Errorf("%s: Usable = %v, want %v (N12)", c.name, got, c.want)
		}
	}
}

// TestErrors_of_keys_have_one_parent protects the mapping to CSMS.0401 (ER2).
func TestErrors_of_keys_have_one_parent(t *testing.T) {
	classes := map[error]bool{
		seal.ErrKeyNotFound: true, seal.ErrKeyDisabled: true, seal.ErrKeyPendingDeletion: true,
		seal.ErrKeyUsage: true, seal.ErrKeyForbidden: true,
		seal.ErrUnavailable: false, seal.ErrTampered: false, seal.ErrWrongRoot: false,
	}
	for err, want := range classes {
		if got := errors.Is(err, seal.ErrKey); got != want {
			t.Errorf("%v is under ErrKey: %v, want %v", err, got, want)
		}
		for other := range classes {
			if err != other && errors.Is(err, other) {
				t.Errorf("%v is also %v", err, other)
			}
		}
	}
}

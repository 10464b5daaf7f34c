package localkms

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"coffer/internal/kv/memkv"
	"coffer/internal/seal"
	"coffer/internal/store"
)

func blobBox(t *testing.T, k *KMS, domain string) *seal.Box {
	t.Helper()
	box, err := k.BlobBox(domain)
	must(t, err)
	return box
}

// B5: the key of backups belongs to one domain of one store, and outlives project
// keys and restarts.
func TestTheKeyOfBackupsBelongsToADomainOfAStore(t *testing.T) {
	b := newBench(t, rand.Reader)
	sealed, err := blobBox(t, b.KMS, "d1").Seal(nil, []byte("x"), nil)
	must(t, err)
	key := b.create(t, "p1", "")
	_, err = b.RotateKey(t.Context(), "p1", key.ID)
	must(t, err)
	if _, err := blobBox(t, b.open(t), "d1").Open(nil, sealed, nil); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := blobBox(t, b.KMS, "d2").Open(nil, sealed, nil); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("another domain: %v", err)
	}
	st, err := store.Open(t.Context(), memkv.New(), store.Options{})
	must(t, err)
	t.Cleanup(func() { _ = st.Close() })
	other, err := Open(t.Context(), st, b.root, b.opts) // even with the same root key
	must(t, err)
	if _, err := blobBox(t, other, "d1").Open(nil, sealed, nil); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("another store: %v", err)
	}
	if _, err := b.BlobBox(""); err == nil {
		t.Error("a key without a domain")
	}
}

// A store of an older release gets its blob key when it is opened; a damaged one is
// reported and never replaced.
func TestTheBlobKeyIsMadeOnceAndDamageIsReported(t *testing.T) {
	b := newBench(t, rand.Reader)
	first, err := b.store.Meta(t.Context(), store.MetaBlobKey)
	must(t, err)
	b.open(t)
	again, err := b.store.Meta(t.Context(), store.MetaBlobKey)
	must(t, err)
	if string(first) != string(again) {
		t.Error("a second opening made another blob key")
	}
	b.update(t, func(tx *store.Tx) error { return tx.PutMeta(store.MetaBlobKey, first[:len(first)-1]) })
	if _, err := Open(t.Context(), b.store, b.root, b.opts); !errors.Is(err, seal.ErrTampered) || !strings.Contains(err.Error(), "blob key") {
		t.Errorf("a damaged blob key: %v", err)
	}
}

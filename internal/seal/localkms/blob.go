package localkms

import (
	"context"
	"errors"
	"fmt"
	"io"

	"coffer/internal/seal"
	"coffer/internal/store"
)

// blobVersion is the version of keys of backups, which are never rotated: a backup
// opens as long as the store exists.
const blobVersion = 0

// blobPlace binds the sealed blob key to its place.
const blobPlace = "coffer/blob-key/1"

// openBlobKey reads the blob key, which stays sealed, and proves that it opens. A
// store that has none gets one.
func (k *KMS) openBlobKey(ctx context.Context, root []byte) (err error) {
	if k.blobs, err = seal.NewBox(k.rand, root, seal.PurposeBlobKey, rootVersion); err != nil {
		return err
	}
	k.blobKey, err = k.store.Meta(ctx, store.MetaBlobKey)
	if errors.Is(err, store.ErrNotFound) {
		k.blobKey, err = k.makeBlobKey(ctx)
	}
	if err != nil {
		return fmt.Errorf("reading the blob key: %w", err)
	}
	plain, err := k.plainBlobKey()
	clear(plain)
	return err
}

// makeBlobKey writes a blob key and returns the one that is stored then: another
// process may have been faster.
func (k *KMS) makeBlobKey(ctx context.Context) (sealed []byte, err error) {
	key := make([]byte, seal.KeySize)
	defer clear(key)
	if _, err := io.ReadFull(k.rand, key); err != nil {
		return nil, fmt.Errorf("drawing blob key: %w", err)
	}
	fresh, err := k.blobs.Seal(nil, key, []byte(blobPlace))
	if err != nil {
		return nil, err
	}
	err = k.store.Update(ctx, func(tx *store.Tx) error {
		sealed, err = tx.Meta(store.MetaBlobKey)
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		sealed = fresh
		return tx.PutMeta(store.MetaBlobKey, fresh)
	})
	return sealed, err
}

func (k *KMS) plainBlobKey() ([]byte, error) {
	plain, err := k.blobs.Open(nil, k.blobKey, []byte(blobPlace))
	if err != nil {
		return nil, fmt.Errorf("opening the blob key: %w", err)
	}
	return plain, nil
}

// BlobBox returns the box that seals backups of the secrets of a domain. Its key
// belongs to this domain of this store alone. No project key has a part in it, so
// backups outlive them.
func (k *KMS) BlobBox(domain string) (*seal.Box, error) {
	if domain == "" {
		return nil, errors.New("localkms: the key of backups needs a domain")
	}
	key, err := k.plainBlobKey()
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return seal.NewBox(k.rand, key, seal.PurposeBlob+seal.Purpose(domain), blobVersion)
}

package localkms

import (
	"context"
	"errors"
	"fmt"
	"io"

	"coffer/internal/seal"
	"coffer/internal/store"
)

// rootVersion and identityVersion are the versions of keys that have only one.
const (
	rootVersion     = 0
	identityVersion = 0
)

// purposeIdentityKey is the second use of the root key: it seals the identity key.
const purposeIdentityKey seal.Purpose = "identity-key"

// identityPlace binds the sealed identity key to its place.
const identityPlace = "coffer/identity-key/1"

// checkRoot compares the root key with the check value of the store, which it writes
// together with an identity key where there is none.
func (k *KMS) checkRoot(ctx context.Context, root []byte) error {
	check, err := k.store.Meta(ctx, store.MetaRootCheck)
	if errors.Is(err, store.ErrNotFound) {
		check, err = k.initialize(ctx, root)
	}
	if err != nil {
		return fmt.Errorf("reading the check value: %w", err)
	}
	return seal.VerifyCheck(root, check)
}

// initialize writes a check value and an identity key, and returns the check value
// that is stored then: another process may have been faster.
func (k *KMS) initialize(ctx context.Context, root []byte) (check []byte, err error) {
	fresh, err := seal.MakeCheck(k.rand, root)
	if err != nil {
		return nil, err
	}
	identity, err := k.newIdentity(root)
	if err != nil {
		return nil, err
	}
	err = k.store.Update(ctx, func(tx *store.Tx) error {
		check, err = tx.Meta(store.MetaRootCheck)
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if _, err := tx.Meta(store.MetaIdentityKey); !errors.Is(err, store.ErrNotFound) {
			return errors.Join(errors.New("localkms: the store has an identity key and no check value: it is damaged"), err)
		}
		check = fresh
		return errors.Join(tx.PutMeta(store.MetaRootCheck, fresh), tx.PutMeta(store.MetaIdentityKey, identity))
	})
	return check, err
}

// newIdentity draws an identity key and seals it under the root key.
func (k *KMS) newIdentity(root []byte) ([]byte, error) {
	box, err := seal.NewBox(k.rand, root, purposeIdentityKey, rootVersion)
	if err != nil {
		return nil, err
	}
	key := make([]byte, seal.KeySize)
	defer clear(key)
	if _, err := io.ReadFull(k.rand, key); err != nil {
		return nil, fmt.Errorf("drawing identity key: %w", err)
	}
	return box.Seal(nil, key, []byte(identityPlace))
}

// openIdentity returns the box under the identity key.
func (k *KMS) openIdentity(ctx context.Context, root []byte) (*seal.Box, error) {
	sealed, err := k.store.Meta(ctx, store.MetaIdentityKey)
	if err != nil {
		return nil, fmt.Errorf("reading the identity key: %w", err)
	}
	box, err := seal.NewBox(k.rand, root, purposeIdentityKey, rootVersion)
	if err != nil {
		return nil, err
	}
	key, err := box.Open(nil, sealed, []byte(identityPlace))
	if err != nil {
		return nil, fmt.Errorf("opening the identity key: %w", err)
	}
	defer clear(key)
	return seal.NewBox(k.rand, key, seal.PurposeAccessKey, identityVersion)
}

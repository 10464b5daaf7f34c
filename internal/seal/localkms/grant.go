package localkms

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"coffer/internal/store"
)

// MaxGrants bounds the grants on one key. They stand in its record.
const MaxGrants = 100

// Refusals of the operations on grants.
var (
	ErrTooManyGrants = errors.New("localkms: the key would have too many grants") // KMS.2404
	ErrNoGrant       = errors.New("localkms: the key has no such grant")          // KMS.2501
)

// CreateKeyGrant adds a grant to a key, whose members the caller has filled in and
// checked but for the id and the time of creation. It returns the id, which is 64
// hexadecimal digits. The key must be enabled (seal.ErrKeyDisabled,
// seal.ErrKeyPendingDeletion) and no default key (ErrDefaultKey). A grant over
// MaxGrants is ErrTooManyGrants. Permit is asked in the transaction
// with the key as it is then; what it returns ends the operation.
func (k *KMS) CreateKeyGrant(ctx context.Context, project, keyID string, grant store.KeyGrant, permit func(*store.Key) error) (string, error) {
	digest := sha256.Sum256([]byte("coffer/kms/grant/1 " + k.newID()))
	grant.ID, grant.CreateTime = hex.EncodeToString(digest[:]), k.now()
	_, err := k.change(ctx, project, keyID, func(key *store.Key) error {
		if key.Default {
			return ErrDefaultKey
		}
		if err := describe(key).Usable(); err != nil {
			return err
		}
		if err := permit(key); err != nil {
			return err
		}
		if len(key.Grants) >= MaxGrants {
			return ErrTooManyGrants
		}
		key.Grants = append(key.Grants, grant)
		return nil
	})
	return grant.ID, err
}

// RemoveKeyGrant takes a grant from a key, whatever the state of the key is: a right can
// always be taken away. ErrNoGrant if the key has none of that id. Permit is asked in
// the transaction with the grant; what it returns ends the operation.
func (k *KMS) RemoveKeyGrant(ctx context.Context, project, keyID, grantID string, permit func(*store.KeyGrant) error) error {
	_, err := k.change(ctx, project, keyID, func(key *store.Key) error {
		i := slices.IndexFunc(key.Grants, func(g store.KeyGrant) bool { return g.ID == grantID })
		if i < 0 {
			return ErrNoGrant
		}
		if err := permit(&key.Grants[i]); err != nil {
			return err
		}
		key.Grants = slices.Delete(key.Grants, i, i+1)
		return nil
	})
	return err
}

package localkms

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/csms"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// EnableKey makes a disabled key usable again; any other one is ErrNotDisabled.
func (k *KMS) EnableKey(ctx context.Context, project, keyID string) (seal.Key, error) {
	return k.change(ctx, project, keyID, func(key *store.Key) error {
		if key.State != store.KeyDisabled {
			return ErrNotDisabled
		}
		key.State = store.KeyEnabled
		return nil
	})
}

// DisableKey makes an enabled key unusable: values under it cannot be read from the
// moment it returns. A key in another state is ErrNotEnabled, a default key
// ErrDefaultKey.
func (k *KMS) DisableKey(ctx context.Context, project, keyID string) (seal.Key, error) {
	return k.change(ctx, project, keyID, func(key *store.Key) error {
		switch {
		case key.Default:
			return ErrDefaultKey
		case key.State != store.KeyEnabled:
			return ErrNotEnabled
		}
		key.State = store.KeyDisabled
		return nil
	})
}

// ScheduleKeyDeletion plans the destruction of a key, enabled or disabled, at an
// instant that the caller has checked. Until then it is unusable. A key that is
// scheduled already is ErrAlreadyPending, a default key ErrDefaultKey.
func (k *KMS) ScheduleKeyDeletion(ctx context.Context, project, keyID string, at csms.Millis) (seal.Key, error) {
	return k.change(ctx, project, keyID, func(key *store.Key) error {
		switch {
		case key.Default:
			return ErrDefaultKey
		case key.State == store.KeyPendingDeletion:
			return ErrAlreadyPending
		}
		key.State, key.DeletionTime = store.KeyPendingDeletion, at
		return nil
	})
}

// CancelKeyDeletion leaves the key disabled, as the KMS API has it. A key that is not
// scheduled for deletion is ErrNotPending.
func (k *KMS) CancelKeyDeletion(ctx context.Context, project, keyID string) (seal.Key, error) {
	return k.change(ctx, project, keyID, func(key *store.Key) error {
		if key.State != store.KeyPendingDeletion {
			return ErrNotPending
		}
		key.State, key.DeletionTime = store.KeyDisabled, 0
		return nil
	})
}

// UpdateKeyAlias renames a key. The alias must be one that no other key of the
// project has (ErrAliasTaken); the default key keeps its own, and no other key gets it
// (ErrDefaultKey). A key that is scheduled for deletion is seal.ErrKeyPendingDeletion.
// Whether the alias has the right form is for the caller to check.
func (k *KMS) UpdateKeyAlias(ctx context.Context, project, keyID, alias string) (seal.Key, error) {
	key, err := k.change(ctx, project, keyID, func(key *store.Key) error {
		if alias == seal.DefaultAlias {
			return ErrDefaultKey
		}
		if err := editable(key); err != nil {
			return err
		}
		key.Alias = alias
		return nil
	})
	if errors.Is(err, store.ErrTaken) {
		return seal.Key{}, ErrAliasTaken
	}
	return key, err
}

// UpdateKeyDescription changes the description of a key. Its refusals are those of
// UpdateKeyAlias.
func (k *KMS) UpdateKeyDescription(ctx context.Context, project, keyID, description string) (seal.Key, error) {
	return k.change(ctx, project, keyID, func(key *store.Key) error {
		if err := editable(key); err != nil {
			return err
		}
		key.Description = description
		return nil
	})
}

// editable reports why what the owner says of a key cannot be changed.
func editable(key *store.Key) error {
	switch {
	case key.Default:
		return ErrDefaultKey
	case key.State == store.KeyPendingDeletion:
		return seal.ErrKeyPendingDeletion
	default:
		return nil
	}
}

// change applies rule to a key in one transaction.
func (k *KMS) change(ctx context.Context, project, keyID string, rule func(*store.Key) error) (seal.Key, error) {
	var changed *store.Key
	err := k.store.Update(ctx, func(tx *store.Tx) error {
		key, err := tx.Key(project, keyID)
		if errors.Is(err, store.ErrNotFound) {
			return seal.ErrKeyNotFound
		}
		if err != nil {
			return err
		}
		if err := rule(key); err != nil {
			return err
		}
		changed = key
		return tx.PutKey(key)
	})
	if err != nil {
		return seal.Key{}, fmt.Errorf("changing key: %w", err)
	}
	return describe(changed), nil
}

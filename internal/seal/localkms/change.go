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

// errRaced says that the key got a version while another one was being made.
var errRaced = errors.New("localkms: the key was rotated meanwhile")

// RotateKey gives an enabled key a new version, under which new data keys are
// wrapped; what older versions wrapped still opens. A key in another state is
// ErrNotEnabled.
func (k *KMS) RotateKey(ctx context.Context, project, keyID string) (seal.Key, error) {
	for {
		seen, err := k.record(ctx, project, keyID)
		if err != nil {
			return seal.Key{}, err
		}
		v, err := k.newVersion(seen)
		if err != nil {
			return seal.Key{}, fmt.Errorf("rotating key: %w", err)
		}
		key, err := k.change(ctx, project, keyID, func(key *store.Key) error { return addVersion(key, v) })
		if !errors.Is(err, errRaced) {
			return key, err
		}
	}
}

func addVersion(key *store.Key, v store.KeyVersion) error {
	if key.State != store.KeyEnabled {
		return ErrNotEnabled
	}
	if n := len(key.Versions); n > 0 && key.Versions[n-1].Number >= v.Number {
		return errRaced
	}
	key.Versions = append(key.Versions, v)
	return nil
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

package localkms

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/csms"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// DefaultRotationInterval is the time, in days, between two rotations of a key whose
// interval was never set.
const DefaultRotationInterval = 365

const dayMillis = 24 * 60 * 60 * 1000

// errRaced says that the key got a version while another one was being made.
var errRaced = errors.New("localkms: the key was rotated meanwhile")

// errNotDue says that a key is not to be rotated now.
var errNotDue = errors.New("localkms: the key is not due for rotation")

// RotateKey gives an enabled key a new version, under which new data keys are
// wrapped; what older versions wrapped still opens. A key in another state is
// ErrNotEnabled. The interval of a key that is rotated by itself begins anew.
func (k *KMS) RotateKey(ctx context.Context, project, keyID string) (seal.Key, error) {
	return k.rotate(ctx, project, keyID, func(*store.Key) error { return nil })
}

// RotateDueKey is RotateKey for a key whose time to be rotated by itself has come at
// now. It reports false for one that is gone, not enabled, or not due any more.
func (k *KMS) RotateDueKey(ctx context.Context, project, keyID string, now csms.Millis) (bool, error) {
	_, err := k.rotate(ctx, project, keyID, func(key *store.Key) error {
		if key.NextRotation == 0 || key.NextRotation > now {
			return errNotDue
		}
		return nil
	})
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, seal.ErrKeyNotFound), errors.Is(err, ErrNotEnabled), errors.Is(err, errNotDue):
		return false, nil
	default:
		return false, err
	}
}

// rotate adds a version to a key that passes check in the same transaction.
func (k *KMS) rotate(ctx context.Context, project, keyID string, check func(*store.Key) error) (seal.Key, error) {
	for {
		seen, err := k.record(ctx, project, keyID)
		if err != nil {
			return seal.Key{}, err
		}
		v, err := k.newVersion(seen)
		if err != nil {
			return seal.Key{}, fmt.Errorf("rotating key: %w", err)
		}
		key, err := k.change(ctx, project, keyID, func(key *store.Key) error {
			if err := check(key); err != nil {
				return err
			}
			return addVersion(key, v)
		})
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
	if key.NextRotation != 0 {
		planRotation(key, v.CreateTime)
	}
	return nil
}

// planRotation sets the next rotation of a key one interval after from.
func planRotation(key *store.Key, from csms.Millis) {
	if key.RotationInterval == 0 {
		key.RotationInterval = DefaultRotationInterval
	}
	key.NextRotation = from + csms.Millis(key.RotationInterval)*dayMillis
}

// EnableKeyRotation has an enabled key rotated by itself, for the first time one
// interval from now; a key that is rotated already keeps its plan. The default key is
// ErrDefaultKey, a key in another state is under seal.ErrKey.
func (k *KMS) EnableKeyRotation(ctx context.Context, project, keyID string) (seal.Key, error) {
	return k.changeRotation(ctx, project, keyID, func(key *store.Key, now csms.Millis) {
		if key.NextRotation == 0 {
			planRotation(key, now)
		}
	})
}

// DisableKeyRotation ends the rotation of a key by itself and keeps its interval and
// its versions. Its refusals are those of EnableKeyRotation.
func (k *KMS) DisableKeyRotation(ctx context.Context, project, keyID string) (seal.Key, error) {
	return k.changeRotation(ctx, project, keyID, func(key *store.Key, _ csms.Millis) { key.NextRotation = 0 })
}

// UpdateKeyRotationInterval sets the interval, in days, which the caller has checked.
// If the key is rotated by itself, it begins now. Its refusals are those of
// EnableKeyRotation.
func (k *KMS) UpdateKeyRotationInterval(ctx context.Context, project, keyID string, days int) (seal.Key, error) {
	return k.changeRotation(ctx, project, keyID, func(key *store.Key, now csms.Millis) {
		key.RotationInterval = days
		if key.NextRotation != 0 {
			planRotation(key, now)
		}
	})
}

// changeRotation applies rule to a key that may be rotated.
func (k *KMS) changeRotation(ctx context.Context, project, keyID string, rule func(*store.Key, csms.Millis)) (seal.Key, error) {
	now := k.now()
	return k.change(ctx, project, keyID, func(key *store.Key) error {
		if key.Default {
			return ErrDefaultKey
		}
		if err := describe(key).Usable(); err != nil {
			return err
		}
		rule(key, now)
		return nil
	})
}

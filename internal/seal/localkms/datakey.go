package localkms

import (
	"context"
	"fmt"
	"io"
	"slices"

	"coffer/internal/seal"
	"coffer/internal/store"
)

// NewDataKey implements seal.KMS.
func (k *KMS) NewDataKey(ctx context.Context, key seal.Key, aad []byte) (plain, wrapped []byte, err error) {
	if len(aad) > seal.MaxAAD {
		return nil, nil, fmt.Errorf("localkms: additional data of %d bytes, at most %d are taken", len(aad), seal.MaxAAD)
	}
	plain = make([]byte, seal.KeySize)
	if _, err := io.ReadFull(k.rand, plain); err != nil {
		return nil, nil, fmt.Errorf("drawing data key: %w", err)
	}
	if wrapped, err = k.WrapDataKey(ctx, key.Project, key.ID, plain, aad); err != nil {
		clear(plain)
		return nil, nil, err
	}
	return plain, wrapped, nil
}

// WrapDataKey wraps a data key of any length under the current version of a key, for
// OpenDataKey with the same aad. The data key remains the caller's to clear.
func (k *KMS) WrapDataKey(ctx context.Context, project, keyID string, plain, aad []byte) ([]byte, error) {
	rec, err := k.usable(ctx, project, keyID)
	if err != nil {
		return nil, err
	}
	box, err := k.open(rec, &rec.Versions[len(rec.Versions)-1])
	if err != nil {
		return nil, err
	}
	wrapped, err := box.Seal(nil, plain, aad)
	if err != nil {
		return nil, fmt.Errorf("wrapping data key: %w", err)
	}
	return wrapped, nil
}

// OpenDataKey implements seal.KMS.
func (k *KMS) OpenDataKey(ctx context.Context, project, keyID string, wrapped, aad []byte) ([]byte, error) {
	rec, err := k.usable(ctx, project, keyID)
	if err != nil {
		return nil, err
	}
	version, err := seal.BoxVersion(wrapped)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(rec.Versions, func(v store.KeyVersion) bool { return uint32(v.Number) == version })
	if i < 0 {
		return nil, seal.ErrTampered
	}
	box, err := k.open(rec, &rec.Versions[i])
	if err != nil {
		return nil, err
	}
	return box.Open(nil, wrapped, aad)
}

// usable returns the record of a key that may be used now, or an error under
// seal.ErrKey.
func (k *KMS) usable(ctx context.Context, project, keyID string) (*store.Key, error) {
	rec, err := k.record(ctx, project, keyID)
	if err != nil {
		return nil, err
	}
	if err := describe(rec).Usable(); err != nil {
		return nil, err
	}
	if len(rec.Versions) == 0 {
		return nil, fmt.Errorf("localkms: key %s has no version: it is damaged", rec.ID)
	}
	return rec, nil
}

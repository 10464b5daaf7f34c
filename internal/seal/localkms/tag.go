package localkms

import (
	"context"
	"errors"
	"slices"
	"strings"

	"coffer/internal/seal"
	"coffer/internal/store"
)

// ErrTooManyTags is a change that would leave a key with more than its share of tags:
// KMS.0409.
var ErrTooManyTags = errors.New("localkms: the key would have too many tags")

// SetKeyTags sets tags, whose form the caller has checked and which hold no key
// twice: new keys are added, values of others are replaced. If the key would have more
// than most, none is set (ErrTooManyTags). A key that is scheduled for deletion is
// seal.ErrKeyPendingDeletion.
func (k *KMS) SetKeyTags(ctx context.Context, project, keyID string, tags []store.KeyTag, most int) (seal.Key, error) {
	return k.changeTags(ctx, project, keyID, func(key *store.Key) error {
		for _, t := range tags {
			i, found := searchTag(key.Tags, t.Key)
			if !found {
				key.Tags = slices.Insert(key.Tags, i, store.KeyTag{Key: t.Key})
			}
			key.Tags[i].Value = t.Value
		}
		if len(key.Tags) > most {
			return ErrTooManyTags
		}
		return nil
	})
}

// RemoveKeyTags takes the tags of those keys away, whatever their values; a key that
// the KMS key does not have is none to remove. Its refusals are those of SetKeyTags.
func (k *KMS) RemoveKeyTags(ctx context.Context, project, keyID string, tags []store.KeyTag) (seal.Key, error) {
	return k.changeTags(ctx, project, keyID, func(key *store.Key) error {
		for _, t := range tags {
			if i, found := searchTag(key.Tags, t.Key); found {
				key.Tags = slices.Delete(key.Tags, i, i+1)
			}
		}
		return nil
	})
}

func (k *KMS) changeTags(ctx context.Context, project, keyID string, rule func(*store.Key) error) (seal.Key, error) {
	return k.change(ctx, project, keyID, func(key *store.Key) error {
		if key.State == store.KeyPendingDeletion {
			return seal.ErrKeyPendingDeletion
		}
		return rule(key)
	})
}

func searchTag(tags []store.KeyTag, key string) (int, bool) {
	return slices.BinarySearchFunc(tags, key, func(t store.KeyTag, key string) int { return strings.Compare(t.Key, key) })
}

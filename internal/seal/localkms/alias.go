package localkms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coffer/internal/seal"
	"coffer/internal/store"
)

// MaxAliases bounds the aliases of one key beside its own. They stand in its record.
const MaxAliases = 50

// Refusals of the operations on aliases.
var (
	ErrTooManyAliases = errors.New("localkms: the key would have too many aliases") // KMS.0308
	ErrNoAlias        = errors.New("localkms: the alias does not exist")            // KMS.1101
)

// CreateKeyAlias gives a key one more alias, whose form the caller has checked. One
// that a key of the project has, in whatever way, is ErrAliasTaken, and one over
// MaxAliases ErrTooManyAliases. The key must be no default key (ErrDefaultKey) and not
// be scheduled for deletion (seal.ErrKeyPendingDeletion).
func (k *KMS) CreateKeyAlias(ctx context.Context, project, keyID, alias string) (store.KeyAlias, error) {
	now := k.now()
	added := store.KeyAlias{Alias: alias, CreateTime: now, UpdateTime: now}
	_, err := k.change(ctx, project, keyID, func(key *store.Key) error {
		if key.Goes(alias) {
			return ErrAliasTaken
		}
		return addAlias(key, added)
	})
	if errors.Is(err, store.ErrTaken) {
		return added, ErrAliasTaken
	}
	return added, err
}

func addAlias(key *store.Key, added store.KeyAlias) error {
	if err := editable(key); err != nil {
		return err
	}
	if len(key.Aliases) >= MaxAliases {
		return ErrTooManyAliases
	}
	i, _ := searchAlias(key.Aliases, added.Alias)
	key.Aliases = slices.Insert(key.Aliases, i, added)
	return nil
}

func searchAlias(aliases []store.KeyAlias, alias string) (int, bool) {
	return slices.BinarySearchFunc(aliases, alias, func(a store.KeyAlias, alias string) int { return strings.Compare(a.Alias, alias) })
}

// DeleteKeyAliases takes aliases from a key, all or none: ErrNoAlias if it lacks one of
// them. The own alias of a key is none of them. Its other refusals are those of
// CreateKeyAlias.
func (k *KMS) DeleteKeyAliases(ctx context.Context, project, keyID string, aliases []string) error {
	_, err := k.change(ctx, project, keyID, func(key *store.Key) error {
		if err := editable(key); err != nil {
			return err
		}
		for _, alias := range aliases {
			i, found := searchAlias(key.Aliases, alias)
			if !found {
				return ErrNoAlias
			}
			key.Aliases = slices.Delete(key.Aliases, i, i+1)
		}
		return nil
	})
	return err
}

// AssociateKeyAlias moves an alias from the key that has it to the key target.
// ErrNoAlias if no key of the project has it beside its own alias. Its other refusals
// are those of CreateKeyAlias, for each of the two keys. An alias that is there already
// stays as it is. Permit is asked in the transaction with the key that loses the alias;
// what it returns ends the operation.
func (k *KMS) AssociateKeyAlias(ctx context.Context, project, target, alias string, permit func(*store.Key) error) (store.KeyAlias, error) {
	var moved store.KeyAlias
	now := k.now()
	err := k.store.Update(ctx, func(tx *store.Tx) (err error) {
		from, err := tx.KeyByAlias(project, alias)
		if err != nil {
			return noAlias(err)
		}
		i, found := searchAlias(from.Aliases, alias)
		if !found {
			return ErrNoAlias
		}
		if moved = from.Aliases[i]; from.ID == target {
			return nil
		}
		if err := permit(from); err != nil {
			return err
		}
		if err := editable(from); err != nil {
			return err
		}
		from.Aliases = slices.Delete(from.Aliases, i, i+1)
		if err := tx.PutKey(from); err != nil {
			return err
		}
		moved.UpdateTime = now
		return giveAlias(tx, project, target, moved)
	})
	if err != nil {
		return moved, fmt.Errorf("associating alias: %w", err)
	}
	return moved, nil
}

func giveAlias(tx *store.Tx, project, keyID string, alias store.KeyAlias) error {
	key, err := tx.Key(project, keyID)
	if err != nil {
		return noKey(err)
	}
	if err := addAlias(key, alias); err != nil {
		return err
	}
	return tx.PutKey(key)
}

func noAlias(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoAlias
	}
	return err
}

func noKey(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return seal.ErrKeyNotFound
	}
	return err
}

package localkms

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/seal"
	"coffer/internal/store"
)

// Refusals of the operations on keys, each with the code of the KMS API that it is
// answered with (neighbours.md 1.5).
var (
	ErrAliasTaken     = errors.New("localkms: the alias belongs to another key")     // KMS.1104
	ErrDefaultKey     = errors.New("localkms: not allowed on a default key")         // KMS.0211
	ErrNotDisabled    = errors.New("localkms: the key is not disabled")              // KMS.1201
	ErrNotEnabled     = errors.New("localkms: the key is not enabled")               // KMS.1301
	ErrAlreadyPending = errors.New("localkms: the deletion of the key is scheduled") // KMS.1402
	ErrNotPending     = errors.New("localkms: the deletion of the key is not scheduled")
)

// Describe implements seal.KMS.
func (k *KMS) Describe(ctx context.Context, project, keyID string) (seal.Key, error) {
	rec, err := k.record(ctx, project, keyID)
	if err != nil {
		return seal.Key{}, err
	}
	return describe(rec), nil
}

// DefaultKey implements seal.KMS. The project must be one of the store.
func (k *KMS) DefaultKey(ctx context.Context, project string) (seal.Key, error) {
	rec, err := k.store.KeyByAlias(ctx, project, seal.DefaultAlias)
	if errors.Is(err, store.ErrNotFound) {
		rec, err = k.createDefault(ctx, project)
	}
	if err != nil {
		return seal.Key{}, fmt.Errorf("looking up the default key: %w", err)
	}
	return describe(rec), nil
}

// createDefault makes the default key, or returns the one that somebody else made
// since it was looked for.
func (k *KMS) createDefault(ctx context.Context, project string) (*store.Key, error) {
	p, err := k.store.Project(ctx, project)
	if err != nil {
		return nil, fmt.Errorf("reading project %s: %w", project, err)
	}
	fresh, err := k.newKey(&store.Key{ProjectID: p.ID, DomainID: p.DomainID, Alias: seal.DefaultAlias, Default: true})
	if err != nil {
		return nil, err
	}
	var stored *store.Key
	err = k.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		if stored, err = tx.KeyByAlias(project, seal.DefaultAlias); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		stored = fresh
		return tx.PutKey(fresh)
	})
	return stored, err
}

// CreateKey makes an enabled key. An alias is "" or one that no other key of the
// project has (ErrAliasTaken); that of the default key is refused with ErrDefaultKey.
// Whether alias and description have the right form is for the caller to check.
func (k *KMS) CreateKey(ctx context.Context, project, domain, alias, description string) (seal.Key, error) {
	return k.CreateKeyIn(ctx, "", project, domain, alias, description)
}

// CreateKeyIn is CreateKey for a key in an enterprise project, which the caller has
// looked up; "" is the default one.
func (k *KMS) CreateKeyIn(ctx context.Context, enterpriseProject, project, domain, alias, description string) (seal.Key, error) {
	if alias == seal.DefaultAlias {
		return seal.Key{}, ErrDefaultKey
	}
	fresh, err := k.newKey(&store.Key{ProjectID: project, DomainID: domain, Alias: alias, Description: description, EnterpriseProjectID: enterpriseProject})
	if err != nil {
		return seal.Key{}, fmt.Errorf("creating key: %w", err)
	}
	err = k.store.Update(ctx, func(tx *store.Tx) error { return tx.PutKey(fresh) })
	if errors.Is(err, store.ErrTaken) {
		return seal.Key{}, ErrAliasTaken
	}
	if err != nil {
		return seal.Key{}, fmt.Errorf("creating key: %w", err)
	}
	return describe(fresh), nil
}

// newKey completes a key with what every new one has: id, state and first version.
func (k *KMS) newKey(key *store.Key) (*store.Key, error) {
	key.ID, key.State, key.CreateTime = k.newID(), store.KeyEnabled, k.now()
	v, err := k.newVersion(key)
	key.Versions = []store.KeyVersion{v}
	return key, err
}

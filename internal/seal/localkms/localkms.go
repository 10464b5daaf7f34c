// Package localkms is the embedded key management service: an engine of seal.KMS
// that keeps its project keys in the store.
//
// The rule that keeps it honest: the state of a key is read from the store for every
// use, and key material is opened only after that. So a key that was disabled works
// nowhere from the moment the change is committed, whatever is cached.
//
//	root key ──► project key, versioned ──► data key
//	        ├──► identity key ──► secrets of access keys
//	        └──► blob key ──► one key a domain ──► backups of secrets
//
// The root key seals project keys, the identity key and the blob key and nothing
// else: to change it, only these are sealed anew. It is needed to open the KMS and is not kept; what
// stays in memory are keys derived from it.
package localkms

import (
	"context"
	"errors"
	"fmt"
	"io"

	"coffer/internal/csms"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// Options are the parts of a KMS. All are required.
type Options struct {
	Now   func() csms.Millis // business time
	Rand  io.Reader          // safe for concurrent use and fit for cryptography
	NewID func() string      // a fresh UUID
}

// KMS implements seal.KMS, and the operations on keys that the KMS API needs. It is
// safe for concurrent use.
type KMS struct {
	store    *store.Store
	now      func() csms.Millis
	rand     io.Reader
	newID    func() string
	root     *seal.Box // seals project keys
	identity *seal.Box
	blobs    *seal.Box // seals the blob key
	blobKey  []byte    // sealed
	material material
}

var _ seal.KMS = (*KMS)(nil)

// Open returns the KMS of a store. The root key has seal.KeySize bytes, is not kept,
// and may be cleared at once. A store that has no KMS yet gets one: a check value of
// the root key and an identity key. Any later root key but the first one is
// seal.ErrWrongRoot.
func Open(ctx context.Context, st *store.Store, root []byte, o Options) (*KMS, error) {
	k := &KMS{store: st, now: o.Now, rand: o.Rand, newID: o.NewID}
	var err error
	if k.root, err = seal.NewBox(o.Rand, root, seal.PurposeProjectKey, rootVersion); err != nil {
		return nil, fmt.Errorf("opening the KMS: %w", err)
	}
	if err := k.checkRoot(ctx, root); err != nil {
		return nil, fmt.Errorf("opening the KMS: %w", err)
	}
	if k.identity, err = k.openIdentity(ctx, root); err != nil {
		return nil, fmt.Errorf("opening the KMS: %w", err)
	}
	if err := k.openBlobKey(ctx, root); err != nil {
		return nil, fmt.Errorf("opening the KMS: %w", err)
	}
	return k, nil
}

// IdentityBox returns the box that seals the secret keys of access keys.
func (k *KMS) IdentityBox() *seal.Box { return k.identity }

// record returns the shared record of a key of the project in whatever state it is,
// or seal.ErrKeyNotFound.
func (k *KMS) record(ctx context.Context, project, keyID string) (*store.Key, error) {
	key, err := k.store.Key(ctx, project, keyID)
	if errors.Is(err, store.ErrNotFound) {
		k.material.drop(project, keyID)
		return nil, seal.ErrKeyNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	return key, nil
}

// describe puts a record into the words of the port.
func describe(key *store.Key) seal.Key {
	return seal.Key{
		ID: key.ID, Project: key.ProjectID, Domain: key.DomainID, Alias: key.Alias,
		Spec: seal.SpecAES256, Usage: seal.UsageEncryptDecrypt, State: seal.State(key.State),
	}
}

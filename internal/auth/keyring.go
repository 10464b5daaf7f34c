package auth

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"coffer/internal/auth/credential"
	"coffer/internal/auth/signature"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// principal is who an access key stands for.
type principal struct {
	*keyed
	user     *store.User
	domain   *store.Domain
	unusable string // why the key proves nothing; "" if it does
}

// keyed is an access key made ready to verify. It does not change.
type keyed struct {
	record  *store.AccessKey
	key     *signature.Key
	session *iam.Policy // limits a temporary key; nil for no limit
}

// principal returns the principal of an access key. One that proves nothing has a
// key too, so that the signature can be computed all the same.
func (a *Authenticator) principal(ctx context.Context, accessKey string) (principal, error) {
	record, err := a.store.AccessKey(ctx, accessKey)
	if errors.Is(err, store.ErrNotFound) {
		a.keys.forget(accessKey)
		return principal{keyed: a.keys.decoy, unusable: "unknown"}, nil
	}
	if err != nil {
		return principal{}, err
	}
	p := principal{}
	if p.keyed, err = a.keys.get(record); err != nil {
		return principal{}, err
	}
	if p.user, p.domain, err = a.owner(ctx, record.UserID, record.DomainID); err != nil {
		return principal{}, err
	}
	switch {
	case !record.Active:
		p.unusable = "inactive"
	case p.ofTask() != "":
		// What it may do, and whether it still may do anything, is asked later.
	case p.user == nil || p.domain == nil || p.user.DomainID != p.domain.ID:
		p.unusable = "without an owner"
	case !p.user.Enabled || !p.domain.Enabled:
		p.unusable = "of a disabled owner"
	}
	return p, nil
}

// ofTask returns the id of the rotation task whose key this is, "" for the key of a user.
func (p *principal) ofTask() string {
	if p.record == nil || p.record.Temporary == nil {
		return ""
	}
	return p.record.Temporary.TaskID
}

// maxKeyed bounds how many keys are kept ready. One takes about 4 KiB.
const maxKeyed = 4096

// keyring keeps access keys ready to verify, so that a secret is not opened, nor
// its HMAC keyed, for every request. What it keeps counts only for a record that is
// the same as the one it was made from. Its secrets live as long as the entry.
type keyring struct {
	box   *seal.Box
	decoy *keyed // computes signatures that never match

	mu    *sync.RWMutex
	ready map[string]*keyed
}

func newKeyring(box *seal.Box) keyring {
	// No access key can have this name, so even a signature made with this secret is
	// a mismatch (see signature.Key.Verify).
	key, err := signature.NewKey("~decoy~", []byte("no access key has this secret, it is public"))
	if err != nil {
		panic(err) // a bug in the two constants above
	}
	return keyring{box: box, decoy: &keyed{key: key}, mu: &sync.RWMutex{}, ready: map[string]*keyed{}}
}

// get returns the key of record, ready to verify.
func (k *keyring) get(record *store.AccessKey) (*keyed, error) {
	k.mu.RLock()
	kept := k.ready[record.AccessKey]
	k.mu.RUnlock()
	if kept != nil && sameKey(kept.record, record) {
		return kept, nil
	}
	fresh, err := k.open(record)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, known := k.ready[record.AccessKey]; !known && len(k.ready) >= maxKeyed {
		for some := range k.ready {
			delete(k.ready, some)
			break
		}
	}
	k.ready[record.AccessKey] = fresh
	return fresh, nil
}

// sameKey reports whether two records hold the same secret for the same owner under
// the same limit. Without a cache in the store the pointers differ every time.
func sameKey(a, b *store.AccessKey) bool {
	if a == b {
		return true
	}
	return a.UserID == b.UserID && a.DomainID == b.DomainID && bytes.Equal(a.SealedSecret, b.SealedSecret) && //nolint:forbidigo // ciphertexts of the store
		(a.Temporary == nil) == (b.Temporary == nil) &&
		(a.Temporary == nil || *tokenHash(a) == *tokenHash(b) && a.Temporary.ExpiresAt == b.Temporary.ExpiresAt &&
			bytes.Equal(a.Temporary.SessionPolicy, b.Temporary.SessionPolicy)) //nolint:forbidigo // documents, not credentials
}

func tokenHash(k *store.AccessKey) *[32]byte { return &k.Temporary.TokenHash }

func (k *keyring) open(record *store.AccessKey) (*keyed, error) {
	secret, err := credential.OpenSecret(k.box, record)
	if err != nil {
		return nil, err
	}
	defer secret.Wipe()
	out := &keyed{record: record}
	if out.key, err = signature.NewKey(record.AccessKey, secret); err != nil {
		return nil, err
	}
	if record.Temporary != nil && record.Temporary.SessionPolicy != nil {
		out.session, err = iam.CompilePolicy("session", record.Temporary.SessionPolicy)
	}
	return out, err
}

// forget drops the key of an access key that is gone, and its secret with it.
func (k *keyring) forget(accessKey string) {
	k.mu.RLock()
	_, known := k.ready[accessKey]
	k.mu.RUnlock()
	if known {
		k.mu.Lock()
		delete(k.ready, accessKey)
		k.mu.Unlock()
	}
}

package store

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

// The reads in this file come from the cache where they can. Their records are
// shared by all readers and must not be changed. As long as a record is unchanged
// and cached, it is the same pointer.

// keyBuffer is the room for a key on the stack: enough for every key that is not
// made of unusually long names.
const keyBuffer = 192

// Secret returns a secret of a project, or CSMS.0106.
func (s *Store) Secret(ctx context.Context, project, name string) (*csms.Secret, error) {
	var buf [keyBuffer]byte
	sec, err := cached(ctx, s, secretKey(buf[:0], project, name), secretKind.decode)
	if errors.Is(err, ErrNotFound) {
		return nil, secretNotFound(name)
	}
	return sec, err
}

// SecretByID returns the secret of that id, or CSMS.0005: the operations that
// address a secret by its id answer so.
func (s *Store) SecretByID(ctx context.Context, id string) (*csms.Secret, error) {
	var buf [keyBuffer]byte
	sec, err := cachedByRow(ctx, s, secretIDKey(buf[:0], id), &secretKind, func(sec *csms.Secret) bool { return sec.ID == id })
	if errors.Is(err, ErrNotFound) {
		return nil, secretIDNotFound(id)
	}
	return sec, err
}

// Value returns the sealed value of a version, or ErrNotFound. The bytes are shared
// and must not be changed.
func (s *Store) Value(ctx context.Context, secretID string, number int) ([]byte, error) {
	var buf [keyBuffer]byte
	v, err := cached(ctx, s, valueKey(buf[:0], secretID, number), decodeBlob)
	if err != nil {
		return nil, err
	}
	return v.bytes, nil
}

// Domain returns the domain of that id, or ErrNotFound.
func (s *Store) Domain(ctx context.Context, id string) (*Domain, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, idKey(buf[:0], tableDomain, id), domainKind.decode)
}

// DomainByName returns the domain of that name, or ErrNotFound.
func (s *Store) DomainByName(ctx context.Context, name string) (*Domain, error) {
	var buf [keyBuffer]byte
	return cachedByRow(ctx, s, domainNameKey(buf[:0], name), &domainKind, func(d *Domain) bool { return d.Name == name })
}

// Project returns the project of that id, or ErrNotFound.
func (s *Store) Project(ctx context.Context, id string) (*Project, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, idKey(buf[:0], tableProject, id), projectKind.decode)
}

// ProjectByName returns the project of a domain that has that name, or ErrNotFound.
func (s *Store) ProjectByName(ctx context.Context, domain, name string) (*Project, error) {
	var buf [keyBuffer]byte
	return cachedByRow(ctx, s, nameKey(buf[:0], tableProjectName, domain, name), &projectKind,
		func(p *Project) bool { return p.DomainID == domain && p.Name == name })
}

// User returns the user of that id, or ErrNotFound.
func (s *Store) User(ctx context.Context, id string) (*User, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, idKey(buf[:0], tableUser, id), userKind.decode)
}

// UserByName returns the user of a domain that has that name, or ErrNotFound.
func (s *Store) UserByName(ctx context.Context, domain, name string) (*User, error) {
	var buf [keyBuffer]byte
	return cachedByRow(ctx, s, nameKey(buf[:0], tableUserName, domain, name), &userKind,
		func(u *User) bool { return u.DomainID == domain && u.Name == name })
}

// Policy returns the policy of that id, or ErrNotFound.
func (s *Store) Policy(ctx context.Context, id string) (*Policy, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, idKey(buf[:0], tablePolicy, id), policyKind.decode)
}

// PolicyByName returns the policy of a domain that has that name, or ErrNotFound.
func (s *Store) PolicyByName(ctx context.Context, domain, name string) (*Policy, error) {
	var buf [keyBuffer]byte
	return cachedByRow(ctx, s, nameKey(buf[:0], tablePolicyName, domain, name), &policyKind,
		func(p *Policy) bool { return p.DomainID == domain && p.Name == name })
}

// AccessKey returns the record of an access key, or ErrNotFound.
func (s *Store) AccessKey(ctx context.Context, ak string) (*AccessKey, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, idKey(buf[:0], tableAccessKey, ak), accessKeyKind.decode)
}

// Token returns the token of that hash, expired or not, or ErrNotFound.
func (s *Store) Token(ctx context.Context, hash [32]byte) (*Token, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, tokenKey(buf[:0], &hash), tokenKind.decode)
}

// Key returns a KMS key of a project in whatever state it is, or ErrNotFound.
func (s *Store) Key(ctx context.Context, project, id string) (*Key, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, projectKeyKey(buf[:0], project, id), keyKind.decode)
}

// KeyByAlias returns the KMS key of a project that has that alias, as its own or beside
// it, or ErrNotFound.
func (s *Store) KeyByAlias(ctx context.Context, project, alias string) (*Key, error) {
	var buf [keyBuffer]byte
	return cachedByRow(ctx, s, nameKey(buf[:0], tableKeyAlias, project, alias), &keyKind,
		func(k *Key) bool { return k.ProjectID == project && k.Goes(alias) })
}

// SecretsConfig returns the configuration of the checker for a project, or
// ErrNotFound.
func (s *Store) SecretsConfig(ctx context.Context, domain, project string) (*SecretsConfig, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, configKey(buf[:0], domain, project), configKind.decode)
}

// Meta returns the blob of that name, or ErrNotFound. It is the caller's.
func (s *Store) Meta(ctx context.Context, name MetaName) (blob []byte, err error) {
	err = s.db.View(ctx, func(r kv.Reader) error {
		blob, err = getRaw(r, metaKey(name))
		return err
	})
	return blob, err
}

// cached returns the record under k. It keeps nothing of k on a hit, so that the
// caller can build k on its stack.
func cached[T any](ctx context.Context, s *Store, k key, decode func(codec, []byte) (*T, error)) (*T, error) {
	if k == nil {
		return nil, ErrNotFound
	}
	if r := s.cache.get(k); r != nil {
		return r.(*T), nil
	}
	return fetch(ctx, s, string(k), decode)
}

// fetch reads the record under k from the engine and leaves it in the cache.
func fetch[T any](ctx context.Context, s *Store, k string, decode func(codec, []byte) (*T, error)) (*T, error) {
	ticket := s.cache.ticket(k)
	var raw []byte
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		raw, err = getRaw(r, key(k))
		return err
	})
	if err != nil {
		return nil, err
	}
	r, err := decode(s.codec, raw)
	if err != nil {
		return nil, err
	}
	return ticket.put(k, r, footprint(r)).(*T), nil
}

// cachedByRow returns the record that the index row k leads to. Row and record come
// from the cache one after the other, so the record may have left the row between:
// then both are read again from one snapshot.
func cachedByRow[T any](ctx context.Context, s *Store, k key, kind *kind[T], still func(*T) bool) (*T, error) {
	owner, err := cached(ctx, s, k, decodeBlob)
	if err != nil {
		return nil, err
	}
	if isOf(owner.bytes, kind.table) {
		r, err := cached(ctx, s, owner.bytes, kind.decode)
		if err == nil && still(r) {
			return r, nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	return snapshotByRow(ctx, s, key(string(k)), kind)
}

func snapshotByRow[T any](ctx context.Context, s *Store, k key, kind *kind[T]) (r *T, err error) {
	err = s.db.View(ctx, func(rd kv.Reader) error {
		r, err = byRow(rd, s.codec, k, kind)
		return err
	})
	return r, err
}

// blob is what the cache holds of values without a form.
type blob struct{ bytes []byte }

func decodeBlob(_ codec, raw []byte) (*blob, error) { return &blob{raw}, nil }

func secretNotFound(name string) error {
	return csms.Errorf(csms.CodeSecretNotFound, "The secret %s does not exist.", name)
}

func secretIDNotFound(id string) error {
	return csms.Errorf(csms.CodeNotFound, "The secret %s does not exist.", id)
}

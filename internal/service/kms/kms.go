// Package kms holds the operations of the KMS API on the keys that protect secrets:
// authorize, apply the rule, commit.
//
// The rules that keep it honest are those of package service: every operation takes
// the caller and authorizes before it tells anything. Key material never comes here:
// what wraps and opens is package localkms, and what is opened is the caller's, who
// wipes it once it is sent.
package kms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/seal/localkms"
	"coffer/internal/store"
)

// Options are the parts of a Service. All are required.
type Options struct {
	Store  *store.Store
	Keys   *localkms.KMS
	Sealer *seal.Sealer       // over Keys
	Now    func() csms.Millis // business time
	Rand   io.Reader          // safe for concurrent use and fit for cryptography
	Region string             // region part of resource names
}

// Service performs operations. It is safe for concurrent use.
type Service struct {
	o Options
}

// New returns a Service over o.
func New(o Options) *Service { return &Service{o} }

// Region returns the region of the keys, which is their realm on the wire.
func (s *Service) Region() string { return s.o.Region }

// Authorize reports whether who may perform op on the key of that id, or on all keys
// for an empty id. The edge asks it before it reports a syntax error (S7).
func (s *Service) Authorize(ctx context.Context, who *iam.Caller, op iam.Op, keyID string) error {
	_, err := s.authorize(ctx, who, op, keyID, s.o.Now())
	return err
}

// target is the key an operation addresses, or the reason why there is none. The
// reason is told only after the request has been found valid.
type target struct {
	key     *store.Key // shared and immutable
	missing error
}

// authorize decides op with the attributes of the addressed key. Grants on the key are
// looked at only where the policies of the caller do not allow op; a deny in a policy
// stands. A key whose destruction is due counts as missing.
func (s *Service) authorize(ctx context.Context, who *iam.Caller, op iam.Op, keyID string, now csms.Millis) (target, error) {
	t, err := s.lookUp(ctx, who.ProjectID, keyID, now)
	if err != nil {
		return t, err
	}
	r := s.request(who, op, keyID)
	if t.key != nil {
		r = s.about(who, op, t.key)
	}
	denied := who.Authorize(&r)
	if denied != nil && t.key != nil && granted(who, op, t.key) {
		r.KeyGranted = true
		denied = who.Authorize(&r)
	}
	return t, forbidden(denied)
}

// everyKey stands for the id of a key in a request whose key could not be read. No key
// has this id, and only a right over all keys covers it.
const everyKey = "*"

// request describes op on a key, or on every key for an empty id. It is in the
// default enterprise project until the key is known.
func (s *Service) request(who *iam.Caller, op iam.Op, keyID string) iam.Request {
	r := iam.Request{Op: op, Region: s.o.Region, Domain: who.DomainID, Project: who.ProjectID, Resource: cmp.Or(keyID, everyKey)}
	r.EnterpriseProjectID = iam.Known(csms.DefaultEnterpriseProject)
	return r
}

// about describes op on a key that is known.
func (s *Service) about(who *iam.Caller, op iam.Op, key *store.Key) iam.Request {
	r := s.request(who, op, key.ID)
	r.ResourceTags = resourceTags(key.Tags)
	r.EnterpriseProjectID = iam.Known(key.InEnterpriseProject())
	return r
}

func resourceTags(tags []store.KeyTag) []iam.Tag {
	out := make([]iam.Tag, 0, len(tags))
	for _, t := range tags {
		out = append(out, iam.Tag{Key: t.Key, Value: t.Value})
	}
	return out
}

func (s *Service) lookUp(ctx context.Context, project, keyID string, now csms.Millis) (target, error) {
	key, err := s.o.Store.Key(ctx, project, keyID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return target{missing: notFound(keyID)}, nil
	case err != nil:
		return target{}, fmt.Errorf("reading key: %w", err)
	case gone(key, now):
		return target{missing: notFound(keyID)}, nil
	default:
		return target{key: key}, nil
	}
}

// gone reports whether the instant of a scheduled destruction has come, swept or not.
func gone(key *store.Key, now csms.Millis) bool {
	return key.State == store.KeyPendingDeletion && key.DeletionTime <= now
}

// find authorizes op, runs check on the request, and returns the key it addresses.
// Check may be nil.
func (s *Service) find(ctx context.Context, who *iam.Caller, op iam.Op, keyID string, check func() error) (*store.Key, error) {
	t, err := s.authorize(ctx, who, op, keyID, s.o.Now())
	if err != nil {
		return nil, err
	}
	if err := checkKeyID(keyID); err != nil {
		return nil, err
	}
	if check != nil {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return t.key, t.missing
}

func checkKeyID(id string) error {
	if id == "" {
		return missing("key_id")
	}
	if !csms.IsUUID(id) {
		return csms.Errorf(csms.CodeKMSKeyID, "key_id must be a UUID.")
	}
	return nil
}

// change is find, and then apply on the key, whose refusals it puts into codes. It
// returns the state of the key after it.
func (s *Service) change(ctx context.Context, who *iam.Caller, op iam.Op, keyID string, check func() error,
	apply func(ctx context.Context, project, keyID string) (seal.Key, error),
) (KeyState, error) {
	if _, err := s.find(ctx, who, op, keyID, check); err != nil {
		return 0, err
	}
	key, err := apply(ctx, who.ProjectID, keyID)
	return KeyState(key.State), coded(err, keyID)
}

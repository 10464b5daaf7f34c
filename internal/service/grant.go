package service

import (
	"context"
	"errors"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// GrantRequest is the input of CreateGrants and UpdateGrant.
type GrantRequest struct {
	ResourceID   string // of the secret
	Target       csms.GrantTarget
	Grantee      csms.Grantee
	ValidityTime string // decimal milliseconds; "" for no end (TS7)
}

// validate reports what is wrong with q, and returns the end of its grant.
func (q GrantRequest) validate(now csms.Millis) (csms.Millis, error) {
	if err := csms.CheckGrantID("resource_id", q.ResourceID); err != nil {
		return 0, err
	}
	if err := q.Target.Check(); err != nil {
		return 0, err
	}
	if err := q.Grantee.Check(); err != nil {
		return 0, err
	}
	return csms.ParseValidity(q.ValidityTime, now)
}

// GrantOf is a grant with the secret that it is on.
type GrantOf struct {
	Secret *csms.Secret
	Grant  csms.Grant
}

// CreateGrants gives a user the reads of a secret until the end that is asked for;
// for one who has a grant it sets the end anew (G4).
func (s *Service) CreateGrants(ctx context.Context, who *iam.Caller, q GrantRequest) (GrantOf, error) {
	id := s.newID()
	return s.putGrant(ctx, who, iam.CreateGrants, q, func(tx *store.Tx, gs *csms.Grants, validity, now csms.Millis) (csms.Grant, error) {
		if len(gs.List) >= csms.MaxGrantees {
			if err := dropVoid(tx, gs); err != nil {
				return csms.Grant{}, err
			}
		}
		return gs.Set(q.Grantee, id, validity, now)
	})
}

// UpdateGrant sets the end of a grant anew; without an end in the request it has
// none. A grantee without a grant is CSMS.0005.
func (s *Service) UpdateGrant(ctx context.Context, who *iam.Caller, resourceID string, q GrantRequest) (GrantOf, error) {
	if resourceID != q.ResourceID {
		if err := s.Authorize(ctx, who, iam.UpdateGrant, ""); err != nil {
			return GrantOf{}, err
		}
		return GrantOf{}, csms.Invalidf("resource_id must be the same in the query and in the body.")
	}
	return s.putGrant(ctx, who, iam.UpdateGrant, q, func(_ *store.Tx, gs *csms.Grants, validity, now csms.Millis) (csms.Grant, error) {
		return gs.Change(q.Grantee, validity, now)
	})
}

// putGrant authorizes op, and changes the grants on the secret of q by put, for a
// grantee that exists.
func (s *Service) putGrant(ctx context.Context, who *iam.Caller, op iam.Op, q GrantRequest,
	put func(tx *store.Tx, gs *csms.Grants, validity, now csms.Millis) (csms.Grant, error),
) (GrantOf, error) {
	now := s.now()
	if err := s.Authorize(ctx, who, op, ""); err != nil {
		return GrantOf{}, err
	}
	validity, err := q.validate(now)
	if err != nil {
		return GrantOf{}, err
	}
	if q.Target == csms.GrantGroup {
		return GrantOf{}, csms.Errorf(csms.CodeNotFound, "The group of secrets %s does not exist: there are no such groups.", q.ResourceID)
	}
	var out GrantOf
	err = s.changeGrants(ctx, who, q.ResourceID, now, func(tx *store.Tx, sec *csms.Secret, gs *csms.Grants) error {
		if err := checkGrantee(tx, who.DomainID, q.Grantee); err != nil {
			return err
		}
		g, err := put(tx, gs, validity, now)
		out = GrantOf{sec, g}
		return err
	})
	if err != nil {
		return GrantOf{}, err
	}
	return out, nil
}

// changeGrants runs fn on the grants on a secret of the caller's project in one
// transaction and stores what it leaves. The transaction reads the secret, so it and
// a deletion of the secret cannot both pass: no grant outlives its secret.
func (s *Service) changeGrants(ctx context.Context, who *iam.Caller, id string, now csms.Millis,
	fn func(*store.Tx, *csms.Secret, *csms.Grants) error,
) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		sec, err := tx.SecretByID(id)
		if err != nil {
			return err
		}
		if sec.ProjectID != who.ProjectID || sec.Gone(now) {
			return idNotFound(id)
		}
		gs, err := tx.Grants(id)
		if errors.Is(err, store.ErrNotFound) {
			gs, err = &csms.Grants{SecretID: id}, nil
		}
		if err != nil {
			return err
		}
		had := len(gs.List)
		if err := fn(tx, sec, gs); err != nil {
			return err
		}
		switch {
		case len(gs.List) > 0:
			return tx.PutGrants(gs)
		case had > 0:
			return tx.DeleteGrants(gs)
		}
		return nil
	})
}

// checkGrantee reports a grantee that does not exist in the domain, as CSMS.0005. The
// embedded IAM has no groups of users, so none exists.
func checkGrantee(tx *store.Tx, domain string, g csms.Grantee) error {
	if g.Type == csms.GranteeUser {
		u, err := tx.User(g.ID)
		if err == nil && u.DomainID == domain {
			return nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return csms.Errorf(csms.CodeNotFound, "The user %s does not exist.", g.ID)
	}
	return csms.Errorf(csms.CodeNotFound, "The group %s does not exist.", g.ID)
}

// dropVoid takes the grants of users away who are gone. Ids are never given twice,
// so such a grant gives nobody anything; it is only in the way.
func dropVoid(tx *store.Tx, gs *csms.Grants) (err error) {
	gs.List = slices.DeleteFunc(gs.List, func(g csms.Grant) bool {
		if err != nil || g.Type != csms.GranteeUser {
			return false
		}
		_, lookUp := tx.User(g.Grantee.ID)
		if errors.Is(lookUp, store.ErrNotFound) {
			return true
		}
		err = lookUp
		return false
	})
	return err
}

// DeleteGrant takes the grant of the grantee of that id away, or for "" every grant
// on the resource (G3).
func (s *Service) DeleteGrant(ctx context.Context, who *iam.Caller, resourceID, granteeID string) error {
	now := s.now()
	if err := s.Authorize(ctx, who, iam.DeleteGrant, ""); err != nil {
		return err
	}
	if err := csms.CheckGrantID("resource_id", resourceID); err != nil {
		return err
	}
	if granteeID != "" {
		if err := csms.CheckGrantID("grantee_user", granteeID); err != nil {
			return err
		}
	}
	return s.changeGrants(ctx, who, resourceID, now, func(_ *store.Tx, _ *csms.Secret, gs *csms.Grants) error {
		return gs.Remove(granteeID)
	})
}

// NamedGrant is a grant with the name of its grantee.
type NamedGrant struct {
	csms.Grant
	Name string
}

// ListGrants returns the grants on a secret, in the order in which they were made,
// expired ones too. Those of users who are gone are void and not shown.
func (s *Service) ListGrants(ctx context.Context, who *iam.Caller, resourceID string) (*csms.Secret, []NamedGrant, error) {
	now := s.now()
	if err := s.Authorize(ctx, who, iam.ListGrants, ""); err != nil {
		return nil, nil, err
	}
	if err := csms.CheckGrantID("resource_id", resourceID); err != nil {
		return nil, nil, err
	}
	sec, err := s.lookUpByID(ctx, who.ProjectID, resourceID, now)
	if err != nil {
		return nil, nil, err
	}
	gs, err := s.store.Grants(ctx, sec.ID)
	if errors.Is(err, store.ErrNotFound) {
		return sec, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	named, err := s.named(ctx, gs.List)
	return sec, named, err
}

// named returns the grants whose users exist, with their names.
func (s *Service) named(ctx context.Context, list []csms.Grant) ([]NamedGrant, error) {
	out := make([]NamedGrant, 0, len(list))
	for _, g := range list {
		u, err := s.store.User(ctx, g.Grantee.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, NamedGrant{g, u.Name})
	}
	return out, nil
}

// orGranted returns denied, with which the policies of the caller refused r, unless a
// grant on the secret gives what they do not allow: so whoever they allow pays nothing
// for grants. A deny in a policy stands, and so do the limits of a temporary key, for
// r is decided anew.
func (s *Service) orGranted(ctx context.Context, who *iam.Caller, t target, r iam.Request, now csms.Millis, denied error) error {
	if t.secret == nil || who.UserID == "" || who.Foreign || !r.Op.Operation().Grantable {
		return denied
	}
	switch live, err := s.granted(ctx, who, t.secret.ID, now); {
	case err != nil:
		return err
	case !live:
		return denied
	}
	r.Granted = true
	return t.decide(who, r)
}

// granted reports whether a live grant on the secret names the caller (G4).
func (s *Service) granted(ctx context.Context, who *iam.Caller, secretID string, now csms.Millis) (bool, error) {
	gs, err := s.store.Grants(ctx, secretID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	g := gs.Of(csms.Grantee{Type: csms.GranteeUser, ID: who.UserID})
	return g != nil && g.Live(now), nil
}

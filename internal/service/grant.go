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

// CreateGrants gives a user, or the users of a group, the reads of a secret until the end that is asked for;
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

// checkGrantee reports a grantee that does not exist in the domain, as CSMS.0005.
func checkGrantee(tx *store.Tx, domain string, g csms.Grantee) error {
	f, err := granteeOf(g, tx.User, tx.Group)
	if err != nil {
		return err
	}
	if f.domain == domain && domain != "" {
		return nil
	}
	kind := "user"
	if g.Type == csms.GranteeGroup {
		kind = "group"
	}
	return csms.Errorf(csms.CodeNotFound, "The %s %s does not exist.", kind, g.ID)
}

// found is what a grant needs to know of a grantee; zero for one that does not exist.
type found struct{ domain, name string }

// granteeOf looks a grantee up, in the store or in a transaction.
func granteeOf(g csms.Grantee, user func(string) (*store.User, error), group func(string) (*store.Group, error)) (f found, err error) {
	if g.Type == csms.GranteeGroup {
		var r *store.Group
		if r, err = group(g.ID); err == nil {
			f = found{r.DomainID, r.Name}
		}
	} else {
		var r *store.User
		if r, err = user(g.ID); err == nil {
			f = found{r.DomainID, r.Name}
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		return found{}, nil
	}
	return f, err
}

// dropVoid takes the grants of users and groups away that are gone. Ids are never
// given twice, so such a grant gives nobody anything; it is only in the way.
func dropVoid(tx *store.Tx, gs *csms.Grants) (err error) {
	gs.List = slices.DeleteFunc(gs.List, func(g csms.Grant) bool {
		if err != nil {
			return false
		}
		var f found
		f, err = granteeOf(g.Grantee, tx.User, tx.Group)
		return err == nil && f == found{}
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
// expired ones too. Those of users and groups that are gone are void and not shown.
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

// named returns the grants whose grantees exist, with their names.
func (s *Service) named(ctx context.Context, list []csms.Grant) ([]NamedGrant, error) {
	out := make([]NamedGrant, 0, len(list))
	user := func(id string) (*store.User, error) { return s.store.User(ctx, id) }
	group := func(id string) (*store.Group, error) { return s.store.Group(ctx, id) }
	for _, g := range list {
		f, err := granteeOf(g.Grantee, user, group)
		if err != nil {
			return nil, err
		}
		if f != (found{}) {
			out = append(out, NamedGrant{g, f.name})
		}
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

// granted reports whether a live grant on the secret names the caller or a group that he
// is in (G1, G4).
func (s *Service) granted(ctx context.Context, who *iam.Caller, secretID string, now csms.Millis) (bool, error) {
	gs, err := s.store.Grants(ctx, secretID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if g := gs.Of(csms.Grantee{Type: csms.GranteeUser, ID: who.UserID}); g != nil && g.Live(now) {
		return true, nil
	}
	for _, id := range who.GroupIDs {
		if g := gs.Of(csms.Grantee{Type: csms.GranteeGroup, ID: id}); g != nil && g.Live(now) {
			return true, nil
		}
	}
	return false, nil
}

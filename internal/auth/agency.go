package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// assumed returns the caller behind a token or key that u got for an agency: the
// agency, in its own account, with what is assigned to it and nothing of u's. An agency
// that is gone, has expired, or does not trust the account of u any more is refused, so
// that its end is felt at the next request (auth.md 3.5).
func (a *Authenticator) assumed(ctx context.Context, t *attempt, u *store.User, as *store.Assumed) (iam.Caller, error) {
	t.agencyID = as.AgencyID
	agency, err := a.store.Agency(ctx, as.AgencyID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return iam.Caller{}, err
	}
	if err != nil || agency.Expired(t.now) || !agency.Trusts(u.DomainID) {
		return iam.Caller{}, t.refuse("the agency does not exist, has expired, or does not trust the account of the user")
	}
	d, err := a.store.Domain(ctx, agency.DomainID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return iam.Caller{}, err
	}
	if err != nil || !d.Enabled {
		return iam.Caller{}, t.refuse("the account of the agency is disabled")
	}
	policies, err := a.agencies.of(ctx, agency)
	if err != nil {
		return iam.Caller{}, fmt.Errorf("compiling the policies of agency %s: %w", agency.ID, err)
	}
	return iam.Caller{
		DomainID: d.ID, DomainName: d.Name, PrincipalID: agency.ID + ":" + as.Session, Policies: policies,
		Assumed:  &iam.Assumed{AgencyID: agency.ID, AgencyName: agency.Name, Session: as.Session, UserID: u.ID, UserName: u.Name},
		SourceIP: t.source, Secure: t.secure, Now: t.now,
	}, nil
}

// maxAgencyGrants bounds of how many agencies the compiled policies are kept.
const maxAgencyGrants = 1024

// agencyGrants keeps the compiled policies of agencies, under the rule of grants: a set
// counts as long as the records it was compiled from are the current ones.
type agencyGrants struct {
	users *grants // compiles a policy by its id

	mu   *sync.RWMutex
	kept map[string]*agencyGranted
}

// agencyGranted is the compiled set of one agency. It does not change.
type agencyGranted struct {
	agency *store.Agency
	*granted
}

func newAgencyGrants(users *grants) agencyGrants {
	return agencyGrants{users: users, mu: &sync.RWMutex{}, kept: map[string]*agencyGranted{}}
}

// of returns the policies of an agency. The slice is shared.
func (g *agencyGrants) of(ctx context.Context, a *store.Agency) ([]*iam.Policy, error) {
	g.mu.RLock()
	kept := g.kept[a.ID]
	g.mu.RUnlock()
	if kept != nil {
		current, err := g.current(ctx, kept, a)
		if err != nil {
			return nil, err
		}
		if current {
			return kept.policies, nil
		}
	}
	fresh, err := g.compile(ctx, a)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) >= maxAgencyGrants {
		clear(g.kept)
	}
	g.kept[a.ID] = fresh
	return fresh.policies, nil
}

// current reports whether k is what a has now.
func (g *agencyGrants) current(ctx context.Context, k *agencyGranted, a *store.Agency) (bool, error) {
	if k.agency != a && (!slices.Equal(k.agency.Assignments, a.Assignments) || !slices.EqualFunc(k.agency.Inline, a.Inline, sameInline)) {
		return false, nil
	}
	return g.users.unchanged(ctx, k.records)
}

func (g *agencyGrants) compile(ctx context.Context, a *store.Agency) (*agencyGranted, error) {
	out := &agencyGranted{agency: a, granted: &granted{user: &store.User{DomainID: a.DomainID}}}
	if err := g.users.addAll(ctx, out.granted, a.Assignments); err != nil {
		return nil, err
	}
	if err := out.addInline(a.Inline); err != nil {
		return nil, err
	}
	return out, nil
}

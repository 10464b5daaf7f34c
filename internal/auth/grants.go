package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// grants keeps the compiled policies of users. A set counts only as long as the
// records it was compiled from are the current ones, which is asked each time, so a
// change of a policy, of a group or of who is in it counts from the next request on.
type grants struct {
	store *store.Store
	bound int // bytes

	mu    *sync.RWMutex
	users map[string]*granted
	bytes int
}

// granted is the compiled set of one user. It does not change.
type granted struct {
	user     *store.User
	groups   []*store.Group // as user.GroupIDs; nil for a group that does not exist
	records  []source       // what policies were compiled from, but the inline ones
	policies []*iam.Policy
	groupIDs []string // of the groups that exist
	bytes    int
}

// source is a policy by its id, with the record it had; nil for a built-in policy.
type source struct {
	id     string
	record *store.Policy
}

const maxGrantedBytes = 64 << 20

func newGrants(st *store.Store) grants {
	return grants{store: st, bound: maxGrantedBytes, mu: &sync.RWMutex{}, users: map[string]*granted{}}
}

// of returns the policies that are attached to u, belong to him, or are assigned to him
// or to one of his groups; nil for one who has nothing. It is shared. A policy that cannot
// be found or read is an error, and not less rights: it may hold a deny. A group that does
// not exist gives nothing: whoever deleted it took away what was assigned to it.
func (g *grants) of(ctx context.Context, u *store.User) (*granted, error) {
	if len(u.PolicyIDs) == 0 && len(u.Inline) == 0 && len(u.GroupIDs) == 0 && len(u.Assignments) == 0 {
		return nil, nil
	}
	g.mu.RLock()
	kept := g.users[u.ID]
	g.mu.RUnlock()
	if kept != nil {
		current, err := g.current(ctx, kept, u)
		if err != nil {
			return nil, err
		}
		if current {
			return kept, nil
		}
	}
	fresh, err := g.compile(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("compiling the policies of user %s: %w", u.ID, err)
	}
	g.keep(u.ID, fresh)
	return fresh, nil
}

// current reports whether k is what u has now.
func (g *grants) current(ctx context.Context, k *granted, u *store.User) (bool, error) {
	if k.user != u && !sameRights(k.user, u) {
		return false, nil
	}
	for i, was := range k.groups {
		is, err := g.group(ctx, u, u.GroupIDs[i])
		if err != nil {
			return false, err
		}
		if is != was && (is == nil || was == nil || !slices.Equal(is.Assignments, was.Assignments)) {
			return false, nil
		}
	}
	same, err := g.unchanged(ctx, k.records)
	if err != nil {
		return false, fmt.Errorf("user %s: %w", u.ID, err)
	}
	return same, nil
}

// unchanged reports whether policies have the records that they had.
func (g *grants) unchanged(ctx context.Context, records []source) (bool, error) {
	for _, was := range records {
		if was.record == nil {
			continue
		}
		is, err := g.store.Policy(ctx, was.id)
		if err != nil {
			return false, fmt.Errorf("reading policy %s: %w", was.id, err)
		}
		if is != was.record && !samePolicy(is, was.record) {
			return false, nil
		}
	}
	return true, nil
}

// sameRights reports whether two records of a user give him the same. Without a cache
// in the store the pointers differ every time.
func sameRights(a, b *store.User) bool {
	return slices.Equal(a.PolicyIDs, b.PolicyIDs) && slices.Equal(a.GroupIDs, b.GroupIDs) &&
		slices.Equal(a.Assignments, b.Assignments) && slices.EqualFunc(a.Inline, b.Inline, sameInline)
}

func samePolicy(a, b *store.Policy) bool {
	return a.DomainID == b.DomainID && a.Name == b.Name && bytes.Equal(a.Document, b.Document) //nolint:forbidigo // documents, not credentials
}

func sameInline(a, b store.InlinePolicy) bool {
	return a.Name == b.Name && bytes.Equal(a.Document, b.Document) //nolint:forbidigo // documents, not credentials
}

// group returns a group of the user, or nil if it does not exist in his domain.
func (g *grants) group(ctx context.Context, u *store.User, id string) (*store.Group, error) {
	group, err := g.store.Group(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && group.DomainID != u.DomainID {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading group %s of user %s: %w", id, u.ID, err)
	}
	return group, nil
}

func (g *grants) compile(ctx context.Context, u *store.User) (*granted, error) {
	out := &granted{user: u}
	for _, id := range u.PolicyIDs {
		if err := g.add(ctx, out, id, everywhere); err != nil {
			return nil, err
		}
	}
	if err := out.addInline(u.Inline); err != nil {
		return nil, err
	}
	if err := g.addAll(ctx, out, u.Assignments); err != nil {
		return nil, err
	}
	for _, id := range u.GroupIDs {
		group, err := g.group(ctx, u, id)
		if err != nil {
			return nil, err
		}
		out.groups = append(out.groups, group)
		if group == nil {
			continue
		}
		out.groupIDs = append(out.groupIDs, id)
		if err := g.addAll(ctx, out, group.Assignments); err != nil {
			return nil, fmt.Errorf("group %s: %w", id, err)
		}
	}
	return out, nil
}

func everywhere(p *iam.Policy) *iam.Policy { return p }

// scopeOf returns what limits a policy to where an assignment lets it count.
func scopeOf(a store.Assignment) (func(*iam.Policy) *iam.Policy, error) {
	switch {
	case a.Scope == store.ScopeAll:
		return everywhere, nil
	case a.Scope == store.ScopeDomain:
		return (*iam.Policy).OutsideProjects, nil
	case a.ScopeID == "":
	case a.Scope == store.ScopeProject:
		return func(p *iam.Policy) *iam.Policy { return p.InProject(a.ScopeID) }, nil
	case a.Scope == store.ScopeEnterprise:
		return func(p *iam.Policy) *iam.Policy { return p.InEnterpriseProject(a.ScopeID) }, nil
	}
	return nil, fmt.Errorf("policy %s is assigned in no known scope", a.PolicyID)
}

// addAll compiles assigned policies.
func (g *grants) addAll(ctx context.Context, k *granted, assigned []store.Assignment) error {
	for _, a := range assigned {
		scope, err := scopeOf(a)
		if err == nil {
			err = g.add(ctx, k, a.PolicyID, scope)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addInline compiles policies that belong to one user or agency.
func (k *granted) addInline(list []store.InlinePolicy) error {
	for _, inline := range list {
		p, err := iam.CompilePolicy(inline.Name, inline.Document)
		if err != nil {
			return err
		}
		k.policies = append(k.policies, p)
		k.bytes += p.Size()
	}
	return nil
}

// add compiles the policy of that id as it counts in a scope.
func (g *grants) add(ctx context.Context, k *granted, id string, scope func(*iam.Policy) *iam.Policy) error {
	if builtin, ok := iam.BuiltinPolicy(id); ok { // its statements are shared
		k.records, k.policies = append(k.records, source{id: id}), append(k.policies, scope(builtin))
		return nil
	}
	record, err := g.store.Policy(ctx, id)
	if err != nil {
		return fmt.Errorf("reading policy %s: %w", id, err)
	}
	if record.DomainID != k.user.DomainID {
		return fmt.Errorf("policy %s belongs to another domain", id)
	}
	p, err := iam.CompilePolicy(record.Name, record.Document)
	if err != nil {
		return err
	}
	k.records, k.policies = append(k.records, source{id, record}), append(k.policies, scope(p))
	k.bytes += p.Size()
	return nil
}

// keep remembers k and forgets others while it is too much.
func (g *grants) keep(userID string, k *granted) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.drop(userID)
	for some := range g.users {
		if g.bytes+k.bytes <= g.bound {
			break
		}
		g.drop(some)
	}
	g.users[userID] = k
	g.bytes += k.bytes + perUser
}

// perUser is about what a set costs beyond its policies.
const perUser = 512

func (g *grants) drop(userID string) {
	if k := g.users[userID]; k != nil {
		delete(g.users, userID)
		g.bytes -= k.bytes + perUser
	}
}

package auth

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// grants keeps the compiled policies of users. A set counts only as long as the
// records it was compiled from are the current ones, which is asked each time, so a
// change of a policy counts from the next request on.
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
	records  []*store.Policy // as user.PolicyIDs; nil for a built-in policy
	policies []*iam.Policy
	bytes    int
}

const maxGrantedBytes = 64 << 20

func newGrants(st *store.Store) grants {
	return grants{store: st, bound: maxGrantedBytes, mu: &sync.RWMutex{}, users: map[string]*granted{}}
}

// of returns the policies that are attached to u, or belong to him. The slice is
// shared. A policy that cannot be found or read is an error, and not less rights:
// it may hold a deny.
func (g *grants) of(ctx context.Context, u *store.User) ([]*iam.Policy, error) {
	if len(u.PolicyIDs) == 0 && len(u.Inline) == 0 {
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
			return kept.policies, nil
		}
	}
	fresh, err := g.compile(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("compiling the policies of user %s: %w", u.ID, err)
	}
	g.keep(u.ID, fresh)
	return fresh.policies, nil
}

// current reports whether k is what u has now.
func (g *grants) current(ctx context.Context, k *granted, u *store.User) (bool, error) {
	if k.user != u && (!slices.Equal(k.user.PolicyIDs, u.PolicyIDs) || !slices.EqualFunc(k.user.Inline, u.Inline, sameInline)) {
		return false, nil
	}
	for i, was := range k.records {
		if was == nil {
			continue
		}
		is, err := g.store.Policy(ctx, u.PolicyIDs[i])
		if err != nil {
			return false, fmt.Errorf("reading policy %s of user %s: %w", u.PolicyIDs[i], u.ID, err)
		}
		if is != was && !(is.DomainID == was.DomainID && is.Name == was.Name && bytes.Equal(is.Document, was.Document)) { //nolint:forbidigo // documents, not credentials
			return false, nil
		}
	}
	return true, nil
}

func sameInline(a, b store.InlinePolicy) bool {
	return a.Name == b.Name && bytes.Equal(a.Document, b.Document) //nolint:forbidigo // documents, not credentials
}

func (g *grants) compile(ctx context.Context, u *store.User) (*granted, error) {
	out := &granted{user: u}
	for _, id := range u.PolicyIDs {
		if builtin, ok := iam.BuiltinPolicy(id); ok {
			out.add(nil, builtin)
			continue
		}
		record, err := g.store.Policy(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("reading policy %s: %w", id, err)
		}
		if record.DomainID != u.DomainID {
			return nil, fmt.Errorf("policy %s belongs to another domain", id)
		}
		p, err := iam.CompilePolicy(record.Name, record.Document)
		if err != nil {
			return nil, err
		}
		out.add(record, p)
	}
	for _, inline := range u.Inline {
		p, err := iam.CompilePolicy(inline.Name, inline.Document)
		if err != nil {
			return nil, err
		}
		out.policies = append(out.policies, p)
		out.bytes += p.Size()
	}
	return out, nil
}

func (k *granted) add(record *store.Policy, p *iam.Policy) {
	k.records, k.policies = append(k.records, record), append(k.policies, p)
	if record != nil { // built-in ones are shared
		k.bytes += p.Size()
	}
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
const perUser = 256

func (g *grants) drop(userID string) {
	if k := g.users[userID]; k != nil {
		delete(g.users, userID)
		g.bytes -= k.bytes + perUser
	}
}

package auth

import (
	"context"
	"errors"

	"coffer/internal/auth/credential"
	"coffer/internal/iam"
	"coffer/internal/store"
)

const unreadable = "decrypt token fail"

// byToken authenticates a request by its X-Auth-Token. Unknown, revoked and void
// tokens have one answer; only what once was a token is told that it expired.
func (a *Authenticator) byToken(ctx context.Context, t *attempt, values []string) (iam.Caller, error) {
	if len(values) > 1 {
		return iam.Caller{}, t.refuse(unreadable)
	}
	hash, ok := credential.HashToken(values[0])
	if !ok && a.o.Keystone.Tokens != nil {
		return a.byKeystone(ctx, t, values[0])
	}
	if !ok {
		return iam.Caller{}, t.refuse(unreadable)
	}
	token, err := a.store.Token(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return iam.Caller{}, t.refuse(unreadable)
	}
	if err != nil {
		return iam.Caller{}, err
	}
	t.userID = token.UserID
	if credential.Expired(token, t.now) {
		return iam.Caller{}, t.refuse("token expires, expires_at: " + credential.FormatTime(token.ExpiresAt))
	}
	user, domain, err := a.owner(ctx, token.UserID, token.DomainID)
	if err != nil {
		return iam.Caller{}, err
	}
	if credential.Void(token, user, domain) {
		return iam.Caller{}, t.refuse(unreadable)
	}
	return a.scoped(ctx, t, token, user, domain)
}

// scoped returns the caller behind a valid token. One without a scope proves who he
// is and grants nothing, like an unscoped token of Keystone, so it cannot even be
// used on a path with a project.
func (a *Authenticator) scoped(ctx context.Context, t *attempt, token *store.Token, u *store.User, d *store.Domain) (iam.Caller, error) {
	if token.ProjectID == "" && !token.DomainScope {
		if t.r.PathValue("project_id") != "" {
			return iam.Caller{}, t.refuse("the token is not scoped to a project")
		}
		return t.identity(u, d), nil
	}
	c, err := a.caller(ctx, t, u, d)
	if err != nil {
		return iam.Caller{}, err
	}
	c.ProjectID = token.ProjectID
	return c, nil
}

// owner returns user and domain of a credential. One that does not exist is nil, and
// no error: the credential is void then.
func (a *Authenticator) owner(ctx context.Context, userID, domainID string) (*store.User, *store.Domain, error) {
	user, err := a.store.User(ctx, userID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, nil, err
	}
	domain, err := a.store.Domain(ctx, domainID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, nil, err
	}
	return user, domain, nil
}

// identity returns who u is, without any rights.
func (t *attempt) identity(u *store.User, d *store.Domain) iam.Caller {
	return iam.Caller{
		DomainID: d.ID, DomainName: d.Name, UserID: u.ID, UserName: u.Name, PrincipalID: u.ID,
		SourceIP: t.source, Secure: t.secure, Now: t.now,
	}
}

// caller returns who u is, with his rights.
func (a *Authenticator) caller(ctx context.Context, t *attempt, u *store.User, d *store.Domain) (iam.Caller, error) {
	c := t.identity(u, d)
	c.Owner = d.OwnerID == u.ID
	rights, err := a.grants.of(ctx, u)
	if err != nil {
		return iam.Caller{}, err
	}
	if rights != nil {
		c.Policies, c.GroupIDs = rights.policies, rights.groupIDs
	}
	return c, nil
}

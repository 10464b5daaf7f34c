package auth

import (
	"context"
	"errors"

	"coffer/internal/auth/keystone"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Keystone says whose tokens count beside our own, and for what (auth.md section
// 10). The zero value is nobody.
type Keystone struct {
	Tokens *keystone.Client
	// Projects maps ids of projects there to ids here. One that is not in it has the
	// same id on both sides.
	Projects map[string]string
	// Roles maps names of roles to what they grant in the project of the token. One
	// that is not in it grants nothing.
	Roles map[string]*iam.Policy
}

// foreignID stands before the id of a user of Keystone, so that no id there, which its
// administrator may choose, can be that of a user here.
const foreignID = "keystone:"

// byKeystone authenticates a request by a token of Keystone. Its user acts in the
// project of the token and in no other; he has what his roles there grant, and is no
// user of the embedded IAM.
func (a *Authenticator) byKeystone(ctx context.Context, t *attempt, text string) (iam.Caller, error) {
	t.method = "keystone"
	token, err := a.o.Keystone.Tokens.Token(ctx, text)
	switch {
	case errors.Is(err, keystone.ErrInvalid):
		return iam.Caller{}, t.refuse(unreadable)
	case errors.Is(err, keystone.ErrUnavailable):
		t.reason = err.Error()
		return iam.Caller{}, csms.Errorf(csms.CodeIAMUnavailable, "The identity service that issued the token cannot be reached; try again.")
	case err != nil:
		return iam.Caller{}, err
	}
	id := foreignID + token.UserID
	t.userID = id
	if token.ProjectID == "" {
		return iam.Caller{}, t.refuse("the token is not scoped to a project")
	}
	p, d, err := a.projectOf(ctx, token)
	if err != nil {
		return iam.Caller{}, err
	}
	if p == nil || d == nil {
		return iam.Caller{}, outOfReach("project")
	}
	return iam.Caller{
		DomainID: d.ID, DomainName: d.Name, UserID: id, UserName: token.UserName, PrincipalID: id,
		Foreign:   true,
		ProjectID: p.ID, ProjectName: p.Name, Policies: a.o.Keystone.granted(token.Roles),
		SourceIP: t.source, Secure: t.secure, Now: t.now,
	}, nil
}

// projectOf returns the project and the domain here that a token of Keystone is for;
// nil for what does not exist or is disabled.
func (a *Authenticator) projectOf(ctx context.Context, token *keystone.Token) (*store.Project, *store.Domain, error) {
	id := token.ProjectID
	if here, ok := a.o.Keystone.Projects[id]; ok {
		id = here
	}
	p, err := a.store.Project(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !p.Enabled {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	d, err := a.store.Domain(ctx, p.DomainID)
	if errors.Is(err, store.ErrNotFound) || err == nil && !d.Enabled {
		return p, nil, nil
	}
	return p, d, err
}

func (k *Keystone) granted(roles []string) []*iam.Policy {
	var policies []*iam.Policy
	for _, role := range roles {
		if p := k.Roles[role]; p != nil {
			policies = append(policies, p)
		}
	}
	return policies
}

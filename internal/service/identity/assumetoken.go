package identity

import (
	"context"
	"errors"
	"slices"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// AssumedBy tells in the description of a token who assumed its agency.
type AssumedBy struct {
	User TokenUser `json:"user"`
}

// AssumesAgency reports whether the token is to be one of an agency, which the caller
// proves himself for like for any other request.
func (q *TokenRequest) AssumesAgency() bool {
	return q.Auth != nil && q.Auth.Identity != nil && slices.Equal(q.Auth.Identity.Methods, []string{assumeMethod})
}

// IssueAgencyToken makes a token with which the caller acts as an agency, in a scope of
// the account of the agency (auth.md 3.2). It lives no longer than the agency, nor than
// the token that the caller showed. It is a KeystoneError of 403 for a caller who may
// not assume the agency or is not trusted by it, and of 401 for a scope out of reach.
func (s *Service) IssueAgencyToken(ctx context.Context, c *iam.Caller, q TokenAsk) (IssuedToken, error) {
	if err := q.Request.check(); err != nil {
		return IssuedToken{}, err
	}
	role, scope := q.Request.Auth.Identity.AssumeRole, &q.Request.Auth.Scope
	if role.DelegatedProject != "" && scope.Project == nil && scope.Domain == nil {
		scope.Project = &ScopeProject{Name: role.DelegatedProject}
	}
	a, err := s.assume(ctx, c, role)
	if err != nil {
		err = orForbidden(err)
		s.logged(ctx, &q, c.UserID, err)
		return IssuedToken{}, err
	}
	l := &login{
		userID: c.UserID, methods: []string{assumeMethod}, elsewhere: true,
		assumed: &store.Assumed{AgencyID: a.ID, DomainID: a.DomainID, Session: c.UserName},
	}
	if hash, ok := credential.HashToken(string(q.Token)); ok && c.AccessKey == "" {
		l.from = &hash
	}
	return s.issueFor(ctx, &q, l)
}

// orForbidden gives a refusal of the IAM the form of Keystone.
func orForbidden(err error) error {
	if e := (*csms.Error)(nil); errors.As(err, &e) && e.Code == csms.CodeIAMForbidden {
		return &KeystoneError{Code: 403, Title: "Forbidden", Message: e.Msg}
	}
	return err
}

// takeOn makes the token of i one of the agency that l assumed.
func (i *issue) takeOn(tx *store.Tx, l *login, now csms.Millis) error {
	var err error
	if i.agency, i.agencyDomain, err = stillAssumable(tx, l.assumed, i.user, now); err != nil {
		return orForbidden(err)
	}
	i.token.Assumed = l.assumed
	if i.agency.ExpireTime != 0 {
		i.token.ExpiresAt = min(i.token.ExpiresAt, i.agency.ExpireTime)
	}
	return nil
}

// home returns the account that the token acts in.
func (i *issue) home() *store.Domain {
	if i.agency != nil {
		return i.agencyDomain
	}
	return i.domain
}

// tokenUser describes who the token is of.
func (i *issue) tokenUser() TokenUser {
	if i.agency == nil {
		return TokenUser{ID: i.user.ID, Name: i.user.Name, Domain: NamedID{ID: i.domain.ID, Name: i.domain.Name}}
	}
	d := i.agencyDomain
	return TokenUser{ID: i.agency.ID, Name: d.Name + "/" + i.agency.Name, Domain: NamedID{ID: d.ID, Name: d.Name}}
}

// assumedBy describes who assumed the agency of the token; nil if there is none.
func (i *issue) assumedBy() *AssumedBy {
	if i.agency == nil {
		return nil
	}
	return &AssumedBy{User: TokenUser{ID: i.user.ID, Name: i.user.Name, Domain: NamedID{ID: i.domain.ID, Name: i.domain.Name}}}
}

// nameAgencyRoles is nameRoles for a token of an agency.
func (i *issue) nameAgencyRoles(policy func(string) (*store.Policy, error)) error {
	i.roles = []NamedID{}
	for _, a := range i.agency.Assignments {
		if !i.counts(a) {
			continue
		}
		if err := i.nameRole(a.PolicyID, policy); err != nil {
			return err
		}
	}
	for _, inline := range i.agency.Inline {
		i.roles = append(i.roles, NamedID{roleID, inline.Name})
	}
	return nil
}

// ownToken reports whether a token is the caller's own: his, or of the session of an
// agency that he assumed or acts in.
func ownToken(c *iam.Caller, t *store.Token) bool {
	if c.Assumed == nil {
		return t.UserID == c.UserID
	}
	return t.Assumed != nil && t.Assumed.AgencyID == c.Assumed.AgencyID && t.UserID == c.Assumed.UserID
}

// withAgency completes i for a token of an agency; a token whose agency has ended does
// not exist any more.
func (s *Service) withAgency(ctx context.Context, i *issue) error {
	as := i.token.Assumed
	if as == nil {
		return nil
	}
	var err error
	if i.agency, err = orNil(s.store.Agency(ctx, as.AgencyID)); err != nil {
		return err
	}
	if i.agency == nil || i.agency.Expired(s.o.Now()) || !i.agency.Trusts(i.domain.ID) {
		return noSuchToken()
	}
	if i.agencyDomain, err = orNil(s.store.Domain(ctx, i.agency.DomainID)); err != nil {
		return err
	}
	if i.agencyDomain == nil || !i.agencyDomain.Enabled {
		return noSuchToken()
	}
	return nil
}

package identity

import (
	"slices"

	"coffer/internal/auth/credential"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// TokenAnswer is the body that describes a token, at creation and at validation.
type TokenAnswer struct {
	Token TokenBody `json:"token"`
}

// TokenBody describes a token. Project and Domain are nil, and Roles and Catalog
// absent, where the scope has none.
type TokenBody struct {
	Methods   []string         `json:"methods"`
	IssuedAt  string           `json:"issued_at"`
	ExpiresAt string           `json:"expires_at"`
	AuditIDs  []string         `json:"audit_ids"`
	User      TokenUser        `json:"user"`
	Project   *TokenProject    `json:"project,omitempty"`
	Domain    *NamedID         `json:"domain,omitempty"`
	Roles     []NamedID        `json:"roles,omitempty"`
	Catalog   []CatalogService `json:"catalog,omitempty"`
}

// NamedID is an id with its name.
type NamedID struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// TokenUser is whose token it is.
type TokenUser struct {
	ID                string  `json:"id"`
	Name              string  `json:"name"`
	PasswordExpiresAt string  `json:"password_expires_at"` // always empty: passwords do not expire
	Domain            NamedID `json:"domain"`
}

// TokenProject is the project that a token is scoped to.
type TokenProject struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Domain NamedID `json:"domain"`
}

// issue is a token with the records that its description rests on.
type issue struct {
	token   *store.Token
	user    *store.User
	domain  *store.Domain
	project *store.Project // nil without a project scope
	roles   []NamedID
}

func (i *issue) scoped() bool { return i.token.ProjectID != "" || i.token.DomainScope }

// answer describes the token. The catalog points below baseURL.
func (s *Service) answer(i *issue, baseURL string, noCatalog bool) TokenAnswer {
	domain := NamedID{ID: i.domain.ID, Name: i.domain.Name}
	body := TokenBody{
		Methods:   i.token.Methods,
		IssuedAt:  credential.FormatTime(i.token.IssuedAt),
		ExpiresAt: credential.FormatTime(i.token.ExpiresAt),
		AuditIDs:  []string{i.token.AuditID},
		User:      TokenUser{ID: i.user.ID, Name: i.user.Name, Domain: domain},
	}
	projectID := ""
	switch {
	case i.project != nil:
		projectID = i.project.ID
		body.Project = &TokenProject{ID: i.project.ID, Name: i.project.Name, Domain: domain}
	case i.token.DomainScope:
		body.Domain = &domain
	}
	if i.scoped() {
		body.Roles = i.roles
		if !noCatalog {
			body.Catalog = s.catalog(baseURL, projectID)
		}
	}
	return TokenAnswer{Token: body}
}

// roleID is what the id of every role is in the cloud.
const roleID = "0"

// nameRoles names what a user may do in the scope of the token: te_admin for the owner,
// else his policies and those of his groups. It is for people; rights are never taken
// from it. The look-ups are those of the store or of a transaction.
func (i *issue) nameRoles(policy func(string) (*store.Policy, error), group func(string) (*store.Group, error)) error {
	if i.domain.OwnerID == i.user.ID {
		i.roles = []NamedID{{roleID, "te_admin"}}
		return nil
	}
	i.roles = make([]NamedID, 0, len(i.user.PolicyIDs)+len(i.user.Inline))
	for _, id := range i.user.PolicyIDs {
		if err := i.nameRole(id, policy); err != nil {
			return err
		}
	}
	for _, inline := range i.user.Inline {
		i.roles = append(i.roles, NamedID{roleID, inline.Name})
	}
	if err := i.nameAssigned(i.user.Assignments, policy); err != nil {
		return err
	}
	for _, id := range i.user.GroupIDs {
		g, err := orNil(group(id))
		if err == nil && g != nil {
			err = i.nameAssigned(g.Assignments, policy)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *issue) nameAssigned(list []store.Assignment, policy func(string) (*store.Policy, error)) error {
	for _, a := range list {
		if !i.counts(a) {
			continue
		}
		if err := i.nameRole(a.PolicyID, policy); err != nil {
			return err
		}
	}
	return nil
}

// counts reports whether an assignment counts in the scope of the token.
func (i *issue) counts(a store.Assignment) bool {
	switch a.Scope {
	case store.ScopeAll:
		return true
	case store.ScopeProject:
		return a.ScopeID == i.token.ProjectID
	case store.ScopeEnterprise:
		return i.token.ProjectID != ""
	default:
		return i.token.DomainScope
	}
}

// nameRole adds the name of a policy, once.
func (i *issue) nameRole(policyID string, policy func(string) (*store.Policy, error)) error {
	name := policyID
	if builtin, ok := iam.BuiltinPolicy(policyID); ok {
		name = builtin.Name()
	} else {
		p, err := orNil(policy(policyID))
		if p == nil || err != nil {
			return err
		}
		name = p.Name
	}
	if role := (NamedID{roleID, name}); !slices.Contains(i.roles, role) {
		i.roles = append(i.roles, role)
	}
	return nil
}

package identity

import (
	"context"
	"encoding/json"
	"slices"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// MaxAgencyRoles is how many assignments of policies an agency has at most.
const MaxAgencyRoles = 100

// AgencyRoleInfo is a policy that is assigned to an agency, on the wire.
type AgencyRoleInfo struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	DisplayName string          `json:"display_name"`
	Type        string          `json:"type"`
	Catalog     string          `json:"catalog"`
	DomainID    string          `json:"domain_id,omitempty"` // absent for a built-in policy
	Description string          `json:"description"`
	Policy      json.RawMessage `json:"policy"`
}

// AgencyRoleList is a list of policies that are assigned to an agency.
type AgencyRoleList struct {
	Roles []AgencyRoleInfo `json:"roles"`
}

// Values of AgencyRoleInfo.
const (
	roleEverywhere = "AA"       // shown in domains and projects
	catalogCustom  = "CUSTOMED" // as the cloud spells it
	catalogSystem  = "BASE"
)

// RoleScope is where a policy is assigned to an agency, as the path says it.
type RoleScope struct {
	scope     store.Scope
	projectID string // with ScopeProject
	domainID  string // with the others
}

// RolesInProject is one project.
func RolesInProject(id string) RoleScope { return RoleScope{scope: store.ScopeProject, projectID: id} }

// RolesInDomain is the services without regions of a domain.
func RolesInDomain(id string) RoleScope { return RoleScope{scope: store.ScopeDomain, domainID: id} }

// RolesInAllProjects is all of a domain.
func RolesInAllProjects(domainID string) RoleScope {
	return RoleScope{scope: store.ScopeAll, domainID: domainID}
}

func (r RoleScope) of(policyID string) store.Assignment {
	return store.Assignment{PolicyID: policyID, Scope: r.scope, ProjectID: r.projectID}
}

// check reports a project or domain that is not the caller's.
func (r RoleScope) check(c *iam.Caller, project func(string) (*store.Project, error)) error {
	if r.scope == store.ScopeProject {
		_, err := ownProject(c, r.projectID, project)
		return err
	}
	if r.domainID != c.DomainID {
		return notFound("domain", r.domainID)
	}
	return nil
}

// AttachAgencyPolicy gives an agency the rights of a policy in a scope, from the next
// request of whoever assumed it. Attaching twice changes nothing.
func (s *Service) AttachAgencyPolicy(ctx context.Context, c *iam.Caller, r RoleScope, agencyID, policyID string) error {
	if _, err := s.agencyFor(ctx, c, iam.AttachAgencyPolicyV5, agencyID); err != nil {
		return err
	}
	builtin, isBuiltin := iam.BuiltinPolicy(policyID)
	if isBuiltin {
		policyID = builtin.Name()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updateAgency(ctx, c, agencyID, func(tx *store.Tx, a *store.Agency) error {
		if err := r.check(c, tx.Project); err != nil {
			return err
		}
		if !isBuiltin {
			if _, err := ownPolicy(c, policyID, tx.Policy); err != nil {
				return err
			}
		}
		if slices.Contains(a.Assignments, r.of(policyID)) {
			return nil
		}
		if len(a.Assignments) >= MaxAgencyRoles {
			return conflictf("The agency has %d assignments, which is the most.", len(a.Assignments))
		}
		a.Assignments = append(a.Assignments, r.of(policyID))
		return tx.PutAgency(a)
	})
}

// DetachAgencyPolicy takes a policy from an agency in a scope, whether or not the policy
// still exists; one that is not assigned there is IAM.0004.
func (s *Service) DetachAgencyPolicy(ctx context.Context, c *iam.Caller, r RoleScope, agencyID, policyID string) error {
	if _, err := s.agencyFor(ctx, c, iam.DetachAgencyPolicyV5, agencyID); err != nil {
		return err
	}
	return s.updateAgency(ctx, c, agencyID, func(tx *store.Tx, a *store.Agency) error {
		if err := r.check(c, tx.Project); err != nil {
			return err
		}
		if !r.remove(a, policyID) {
			return notFound("policy assigned to the agency", policyID)
		}
		return tx.PutAgency(a)
	})
}

// remove takes a policy from a, and reports whether it was there. What CSMS gave it
// stands in all projects, under its name.
func (r RoleScope) remove(a *store.Agency, policyID string) bool {
	if builtin, ok := iam.BuiltinPolicy(policyID); ok {
		policyID = builtin.Name()
	}
	before := len(a.Assignments) + len(a.Inline)
	a.Assignments = slices.DeleteFunc(a.Assignments, func(as store.Assignment) bool { return as == r.of(policyID) })
	if r.scope == store.ScopeAll {
		a.Inline = slices.DeleteFunc(a.Inline, func(p store.InlinePolicy) bool { return p.Name == policyID })
	}
	return len(a.Assignments)+len(a.Inline) < before
}

// CheckAgencyPolicy returns nil if a policy is assigned to an agency in a scope, else
// IAM.0004.
func (s *Service) CheckAgencyPolicy(ctx context.Context, c *iam.Caller, r RoleScope, agencyID, policyID string) error {
	list, err := s.ListAgencyPolicies(ctx, c, r, agencyID)
	if err != nil {
		return err
	}
	if builtin, ok := iam.BuiltinPolicy(policyID); ok {
		policyID = builtin.Name()
	}
	if !slices.ContainsFunc(list.Roles, func(role AgencyRoleInfo) bool { return role.ID == policyID }) {
		return notFound("policy assigned to the agency", policyID)
	}
	return nil
}

// ListAgencyPolicies lists the policies that are assigned to an agency in a scope, in
// the order in which they were.
func (s *Service) ListAgencyPolicies(ctx context.Context, c *iam.Caller, r RoleScope, agencyID string) (AgencyRoleList, error) {
	a, err := s.agencyFor(ctx, c, iam.ListAttachedAgencyPoliciesV5, agencyID)
	if err != nil {
		return AgencyRoleList{}, err
	}
	if err := r.check(c, func(id string) (*store.Project, error) { return s.store.Project(ctx, id) }); err != nil {
		return AgencyRoleList{}, err
	}
	out := AgencyRoleList{Roles: []AgencyRoleInfo{}}
	for _, as := range a.Assignments {
		if as != r.of(as.PolicyID) {
			continue
		}
		info, err := s.agencyRoleInfo(ctx, as.PolicyID)
		if err != nil {
			return AgencyRoleList{}, err
		}
		out.Roles = append(out.Roles, info)
	}
	if r.scope == store.ScopeAll {
		for _, p := range a.Inline {
			out.Roles = append(out.Roles, AgencyRoleInfo{
				ID: p.Name, Name: p.Name, DisplayName: p.Name, Type: roleEverywhere, Catalog: catalogCustom, DomainID: a.DomainID, Policy: json.RawMessage(p.Document),
			})
		}
	}
	return out, nil
}

func (s *Service) agencyRoleInfo(ctx context.Context, id string) (AgencyRoleInfo, error) {
	if p, ok := iam.BuiltinPolicy(id); ok {
		return AgencyRoleInfo{ID: p.Name(), Name: p.Name(), DisplayName: p.Name(), Type: roleEverywhere, Catalog: catalogSystem, Policy: p.Document()}, nil
	}
	p, err := orNil(s.store.Policy(ctx, id))
	if err != nil {
		return AgencyRoleInfo{}, err
	}
	if p == nil {
		p = &store.Policy{ID: id, Document: store.Document("null")} // shown, so that it can be detached
	}
	return AgencyRoleInfo{
		ID: p.ID, Name: p.Name, DisplayName: p.Name, Type: roleEverywhere, Catalog: catalogCustom,
		DomainID: p.DomainID, Description: p.Description, Policy: json.RawMessage(p.Document),
	}, nil
}

// agenciesWith counts the agencies of the caller's domain that a policy is assigned to.
func (s *Service) agenciesWith(ctx context.Context, c *iam.Caller, policyID string) (int, error) {
	found, err := s.agencies(ctx, c, func(a *store.Agency) bool {
		return slices.ContainsFunc(a.Assignments, func(as store.Assignment) bool { return as.PolicyID == policyID })
	})
	return len(found), err
}

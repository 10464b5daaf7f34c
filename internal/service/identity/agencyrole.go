package identity

import (
	"context"
	"encoding/json"
	"slices"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// AgencyPlace names a place where policies are assigned to an agency.
type AgencyPlace struct {
	Scope    AssignmentScope
	ScopeID  string // of the project, or of the domain for the other scopes
	AgencyID string
}

// assigned is the place as assignments know it.
func (a AgencyPlace) assigned() Assigned { return Assigned{Scope: a.Scope, ScopeID: a.ScopeID} }

func (a AgencyPlace) path() string {
	switch a.Scope {
	case store.ScopeProject:
		return "/v3.0/OS-AGENCY/projects/" + a.ScopeID + "/agencies/" + a.AgencyID + "/roles"
	case store.ScopeDomain:
		return "/v3.0/OS-AGENCY/domains/" + a.ScopeID + "/agencies/" + a.AgencyID + "/roles"
	default:
		return "/v3.0/OS-INHERIT/domains/" + a.ScopeID + "/agencies/" + a.AgencyID + "/roles/inherited_to_projects"
	}
}

// AttachAgencyPolicy assigns a policy or system role to an agency: whoever assumed it
// has it from his next request on. Assigning twice changes nothing.
func (s *Service) AttachAgencyPolicy(ctx context.Context, c *iam.Caller, p AgencyPlace, roleID string) error {
	s.mu.Lock() // DeletePolicy goes by a list of those who have the policy
	defer s.mu.Unlock()
	return s.changeAgencyPolicies(ctx, c, iam.AttachAgencyPolicyV5, p, func(tx *store.Tx, a *store.Agency) error {
		policyID, err := ownRole(c, roleID, tx.Policy)
		if err != nil {
			return err
		}
		as := p.assigned().of(policyID)
		if slices.Contains(a.Assignments, as) {
			return nil
		}
		if len(a.Assignments) >= MaxAssignments {
			return conflictf("The agency has %d policies, which is the most.", len(a.Assignments))
		}
		a.Assignments = append(a.Assignments, as)
		return tx.PutAgency(a)
	})
}

// DetachAgencyPolicy ends an assignment. IAM.0004 if it does not exist.
func (s *Service) DetachAgencyPolicy(ctx context.Context, c *iam.Caller, p AgencyPlace, roleID string) error {
	return s.changeAgencyPolicies(ctx, c, iam.DetachAgencyPolicyV5, p, func(tx *store.Tx, a *store.Agency) error {
		if !p.remove(a, roleID) {
			return notFound("role of the agency", roleID)
		}
		return tx.PutAgency(a)
	})
}

// remove takes a policy from a, and reports whether it was there. What CSMS gave it
// stands in all projects, under its name.
func (p AgencyPlace) remove(a *store.Agency, roleID string) bool {
	if i := slices.Index(a.Assignments, p.assigned().of(policyIDOf(roleID))); i >= 0 {
		a.Assignments = slices.Delete(a.Assignments, i, i+1)
		return true
	}
	i := slices.IndexFunc(a.Inline, func(own store.InlinePolicy) bool { return own.Name == roleID })
	if p.Scope != store.ScopeAll || i < 0 {
		return false
	}
	a.Inline = slices.Delete(a.Inline, i, i+1)
	return true
}

// changeAgencyPolicies authorizes op and runs change on the agency in one transaction, if
// the scope exists in the caller's domain.
func (s *Service) changeAgencyPolicies(ctx context.Context, c *iam.Caller, op iam.Op, p AgencyPlace, change func(*store.Tx, *store.Agency) error) error {
	if _, err := s.agencyFor(ctx, c, op, p.AgencyID); err != nil {
		return err
	}
	return s.updateAgency(ctx, c, p.AgencyID, func(tx *store.Tx, a *store.Agency) error {
		if err := p.assigned().checkScope(c, tx.Project, tx.EnterpriseProject); err != nil {
			return err
		}
		return change(tx, a)
	})
}

// CheckAgencyPolicy returns nil if the role is assigned there, else IAM.0004.
func (s *Service) CheckAgencyPolicy(ctx context.Context, c *iam.Caller, p AgencyPlace, roleID string) error {
	a, err := s.assignedAgency(ctx, c, p)
	if err != nil {
		return err
	}
	as := *a // p.remove changes its lists
	as.Assignments, as.Inline = slices.Clone(a.Assignments), slices.Clone(a.Inline)
	if !p.remove(&as, roleID) {
		return notFound("role of the agency", roleID)
	}
	return nil
}

// ListAgencyPolicies lists what is assigned there, in the order in which it was.
func (s *Service) ListAgencyPolicies(ctx context.Context, c *iam.Caller, p AgencyPlace, baseURL string) (RoleList, error) {
	a, err := s.assignedAgency(ctx, c, p)
	if err != nil {
		return RoleList{}, err
	}
	out := RoleList{Roles: []RoleInfo{}, Links: Links{Self: baseURL + p.path()}}
	for _, as := range a.Assignments {
		if as != p.assigned().of(as.PolicyID) {
			continue
		}
		info, err := s.roleInfo(ctx, as.PolicyID, baseURL)
		if err != nil {
			return RoleList{}, err
		}
		out.Roles = append(out.Roles, info)
	}
	if p.Scope == store.ScopeAll {
		for _, own := range a.Inline {
			out.Roles = append(out.Roles, ownRoleInfo(a, own))
		}
	}
	out.Total = len(out.Roles)
	return out, nil
}

// ownRoleInfo describes a policy that belongs to an agency; its id is its name.
func ownRoleInfo(a *store.Agency, p store.InlinePolicy) RoleInfo {
	return RoleInfo{
		ID: p.Name, Name: p.Name, DisplayName: p.Name, Catalog: "CUSTOMED", Type: RoleProject, DomainID: &a.DomainID, Policy: json.RawMessage(p.Document),
	}
}

// assignedAgency authorizes a look at what is assigned to an agency and returns it, if
// the scope exists.
func (s *Service) assignedAgency(ctx context.Context, c *iam.Caller, p AgencyPlace) (*store.Agency, error) {
	a, err := s.agencyFor(ctx, c, iam.ListAttachedAgencyPoliciesV5, p.AgencyID)
	if err != nil {
		return nil, err
	}
	return a, s.checkScope(ctx, c, p.assigned())
}

package identity

import (
	"context"
	"slices"

	"coffer/internal/iam"
	"coffer/internal/store"
)

// MaxAssignments is how many policies are assigned to a group at most, over all scopes.
const MaxAssignments = 100

// Scopes of assignments.
const (
	InProject     = store.ScopeProject
	OnDomain      = store.ScopeDomain
	InAllProjects = store.ScopeAll
)

// AssignmentScope says where an assigned policy counts.
type AssignmentScope = store.Scope

// Assigned names a place where policies are assigned to a group.
type Assigned struct {
	Scope   AssignmentScope
	ScopeID string // of the project, or of the domain for the other scopes
	GroupID string
}

// of returns the assignment of a policy in that place.
func (a Assigned) of(policyID string) store.Assignment {
	if a.Scope == store.ScopeProject {
		return store.Assignment{PolicyID: policyID, Scope: a.Scope, ProjectID: a.ScopeID}
	}
	return store.Assignment{PolicyID: policyID, Scope: a.Scope}
}

func (a Assigned) path() string {
	switch a.Scope {
	case store.ScopeProject:
		return "/v3/projects/" + a.ScopeID + "/groups/" + a.GroupID + "/roles"
	case store.ScopeDomain:
		return "/v3/domains/" + a.ScopeID + "/groups/" + a.GroupID + "/roles"
	default:
		return "/v3/OS-INHERIT/domains/" + a.ScopeID + "/groups/" + a.GroupID + "/roles/inherited_to_projects"
	}
}

// rights are the rights that the operations on assignments of one scope take.
type rights struct{ assign, remove, check, list iam.Op }

var rightsByScope = map[store.Scope]rights{
	store.ScopeProject: {
		iam.KeystoneAssociateGroupWithProjectPermission, iam.KeystoneRemoveProjectPermissionFromGroup,
		iam.KeystoneCheckProjectPermissionForGroup, iam.KeystoneListProjectPermissionsForGroup,
	},
	store.ScopeDomain: {
		iam.KeystoneAssociateGroupWithDomainPermission, iam.KeystoneRemoveDomainPermissionFromGroup,
		iam.KeystoneCheckDomainPermissionForGroup, iam.KeystoneListDomainPermissionsForGroup,
	},
	store.ScopeAll: {
		iam.AttachGroupPolicyV5, iam.DetachGroupPolicyV5,
		iam.KeystoneCheckroleForGroup, iam.KeystoneListAllProjectPermissionsForGroup,
	},
}

// AssignRole assigns a policy or system role to a group in a scope: its members have
// it from their next request on. Assigning twice changes nothing.
func (s *Service) AssignRole(ctx context.Context, c *iam.Caller, a Assigned, roleID string) error {
	if err := s.authorize(c, rightsByScope[a.Scope].assign, a.GroupID); err != nil {
		return err
	}
	s.mu.Lock() // DeletePolicy goes by a list of those who have the policy
	defer s.mu.Unlock()
	return s.changeAssignments(ctx, c, a, func(tx *store.Tx, g *store.Group) error {
		policyID, err := ownRole(c, roleID, tx.Policy)
		if err != nil {
			return err
		}
		if slices.Contains(g.Assignments, a.of(policyID)) {
			return nil
		}
		if len(g.Assignments) >= MaxAssignments {
			return conflictf("The group has %d policies, which is the most.", len(g.Assignments))
		}
		g.Assignments = append(g.Assignments, a.of(policyID))
		return tx.PutGroup(g)
	})
}

// RemoveRole ends an assignment. IAM.0004 if it does not exist.
func (s *Service) RemoveRole(ctx context.Context, c *iam.Caller, a Assigned, roleID string) error {
	if err := s.authorize(c, rightsByScope[a.Scope].remove, a.GroupID); err != nil {
		return err
	}
	return s.changeAssignments(ctx, c, a, func(tx *store.Tx, g *store.Group) error {
		i := slices.Index(g.Assignments, a.of(policyIDOf(roleID)))
		if i < 0 {
			return notFound("role of the group", roleID)
		}
		g.Assignments = slices.Delete(g.Assignments, i, i+1)
		return tx.PutGroup(g)
	})
}

// changeAssignments runs change on a group of the caller's domain in one transaction,
// if the scope exists there.
func (s *Service) changeAssignments(ctx context.Context, c *iam.Caller, a Assigned, change func(*store.Tx, *store.Group) error) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if err := a.checkScope(c, tx.Project); err != nil {
			return err
		}
		g, err := ownGroup(c, a.GroupID, tx.Group)
		if err != nil {
			return err
		}
		return change(tx, g)
	})
}

// checkScope reports a project or domain that is not one of the caller's.
func (a Assigned) checkScope(c *iam.Caller, project func(string) (*store.Project, error)) error {
	if a.Scope == store.ScopeProject {
		_, err := ownProject(c, a.ScopeID, project)
		return err
	}
	if a.ScopeID != c.DomainID {
		return notFound("domain", a.ScopeID)
	}
	return nil
}

// CheckRole returns nil if the role is assigned there, else IAM.0004.
func (s *Service) CheckRole(ctx context.Context, c *iam.Caller, a Assigned, roleID string) error {
	g, err := s.assignedGroup(ctx, c, a, rightsByScope[a.Scope].check)
	if err != nil {
		return err
	}
	if !slices.Contains(g.Assignments, a.of(policyIDOf(roleID))) {
		return notFound("role of the group", roleID)
	}
	return nil
}

// ListAssignedRoles lists what is assigned there, in the order in which it was.
func (s *Service) ListAssignedRoles(ctx context.Context, c *iam.Caller, a Assigned, baseURL string) (RoleList, error) {
	g, err := s.assignedGroup(ctx, c, a, rightsByScope[a.Scope].list)
	if err != nil {
		return RoleList{}, err
	}
	out := RoleList{Roles: []RoleInfo{}, Links: Links{Self: baseURL + a.path()}}
	for _, as := range g.Assignments {
		if as != a.of(as.PolicyID) {
			continue
		}
		info, err := s.roleInfo(ctx, as.PolicyID, baseURL)
		if err != nil {
			return RoleList{}, err
		}
		out.Roles = append(out.Roles, info)
	}
	out.Total = len(out.Roles)
	return out, nil
}

// assignedGroup authorizes op and returns the group of a, whose scope exists.
func (s *Service) assignedGroup(ctx context.Context, c *iam.Caller, a Assigned, op iam.Op) (*store.Group, error) {
	if err := s.authorize(c, op, a.GroupID); err != nil {
		return nil, err
	}
	if err := a.checkScope(c, func(id string) (*store.Project, error) { return s.store.Project(ctx, id) }); err != nil {
		return nil, err
	}
	return s.ownGroup(ctx, c, a.GroupID)
}

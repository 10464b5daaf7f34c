package identity

import (
	"cmp"
	"context"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// MaxAssignments is how many policies are assigned to a group, or to a user, at most,
// over all scopes.
const MaxAssignments = 100

// Scopes of assignments.
const (
	InProject     = store.ScopeProject
	OnDomain      = store.ScopeDomain
	InAllProjects = store.ScopeAll
	InEnterprise  = store.ScopeEnterprise
)

// AssignmentScope says where an assigned policy counts.
type AssignmentScope = store.Scope

// Assigned names a place where policies are assigned to a group or, in an enterprise
// project, to a user.
type Assigned struct {
	Scope   AssignmentScope
	ScopeID string // of the project or enterprise project, or of the domain for the other scopes
	GroupID string
	UserID  string // instead of GroupID
}

// of returns the assignment of a policy in that place.
func (a Assigned) of(policyID string) store.Assignment {
	if a.Scope == store.ScopeProject || a.Scope == store.ScopeEnterprise {
		return store.Assignment{PolicyID: policyID, Scope: a.Scope, ScopeID: a.ScopeID}
	}
	return store.Assignment{PolicyID: policyID, Scope: a.Scope}
}

func (a Assigned) path() string {
	switch {
	case a.UserID != "":
		return "/v3.0/OS-PERMISSION/enterprise-projects/" + a.ScopeID + "/users/" + a.UserID + "/roles"
	case a.Scope == store.ScopeEnterprise:
		return "/v3.0/OS-PERMISSION/enterprise-projects/" + a.ScopeID + "/groups/" + a.GroupID + "/roles"
	case a.Scope == store.ScopeProject:
		return "/v3/projects/" + a.ScopeID + "/groups/" + a.GroupID + "/roles"
	case a.Scope == store.ScopeDomain:
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
	store.ScopeEnterprise: {
		assign: iam.AssociateRoleToGroupOnEnterpriseProject, remove: iam.RevokeRoleFromGroupOnEnterpriseProject,
		list: iam.ListRolesForGroupOnEnterpriseProject,
	},
}

// rights returns the rights that operations in that place take. In enterprise projects
// there is no check.
func (a Assigned) rights() rights {
	if a.UserID != "" {
		return rights{
			assign: iam.AssociateRoleToUserOnEnterpriseProject, remove: iam.RevokeRoleFromUserOnEnterpriseProject,
			list: iam.ListRolesForUserOnEnterpriseProject,
		}
	}
	return rightsByScope[a.Scope]
}

// holder returns the id of the group or user.
func (a Assigned) holder() string { return cmp.Or(a.UserID, a.GroupID) }

// AssignRole assigns a policy or system role in a scope: whoever has it, or is in the
// group, has it from his next request on. Assigning twice changes nothing.
func (s *Service) AssignRole(ctx context.Context, c *iam.Caller, a Assigned, roleID string) error {
	if err := s.authorize(c, a.rights().assign, a.holder()); err != nil {
		return err
	}
	s.mu.Lock() // DeletePolicy goes by a list of those who have the policy
	defer s.mu.Unlock()
	return s.changeAssignments(ctx, c, a, func(tx *store.Tx, list []store.Assignment) ([]store.Assignment, error) {
		policyID, err := ownRole(c, roleID, tx.Policy)
		if err != nil || slices.Contains(list, a.of(policyID)) {
			return list, err
		}
		if len(list) >= MaxAssignments {
			return nil, conflictf("%d policies are assigned, which is the most.", len(list))
		}
		return append(list, a.of(policyID)), nil
	})
}

// RemoveRole ends an assignment. IAM.0004 if it does not exist.
func (s *Service) RemoveRole(ctx context.Context, c *iam.Caller, a Assigned, roleID string) error {
	if err := s.authorize(c, a.rights().remove, a.holder()); err != nil {
		return err
	}
	return s.changeAssignments(ctx, c, a, func(_ *store.Tx, list []store.Assignment) ([]store.Assignment, error) {
		i := slices.Index(list, a.of(policyIDOf(roleID)))
		if i < 0 {
			return nil, notFound("assigned role", roleID)
		}
		return slices.Delete(list, i, i+1), nil
	})
}

// changeAssignments runs change on the assignments of a group or user of the caller's
// domain in one transaction, if the scope exists there.
func (s *Service) changeAssignments(ctx context.Context, c *iam.Caller, a Assigned,
	change func(*store.Tx, []store.Assignment) ([]store.Assignment, error),
) error {
	if a.UserID != "" {
		return s.updateUser(ctx, c, a.UserID, func(tx *store.Tx, u *store.User, _ bool) (err error) {
			if err := a.checkScope(c, tx.Project, tx.EnterpriseProject); err != nil {
				return err
			}
			if u.Assignments, err = change(tx, u.Assignments); err != nil {
				return err
			}
			return tx.PutUser(u)
		})
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if err := a.checkScope(c, tx.Project, tx.EnterpriseProject); err != nil {
			return err
		}
		g, err := ownGroup(c, a.GroupID, tx.Group)
		if err != nil {
			return err
		}
		if g.Assignments, err = change(tx, g.Assignments); err != nil {
			return err
		}
		return tx.PutGroup(g)
	})
}

// checkScope reports a scope that is not one of the caller's domain.
func (a Assigned) checkScope(c *iam.Caller, project func(string) (*store.Project, error),
	enterprise func(domain, id string) (*store.EnterpriseProject, error),
) error {
	switch {
	case a.Scope == store.ScopeProject:
		_, err := ownProject(c, a.ScopeID, project)
		return err
	case a.Scope == store.ScopeEnterprise && a.ScopeID == csms.DefaultEnterpriseProject:
		return nil
	case a.Scope == store.ScopeEnterprise:
		p, err := orNil(enterprise(c.DomainID, a.ScopeID))
		if p == nil && err == nil {
			err = notFound("enterprise project", a.ScopeID)
		}
		return err
	case a.ScopeID != c.DomainID:
		return notFound("domain", a.ScopeID)
	}
	return nil
}

// CheckRole returns nil if the role is assigned there, else IAM.0004.
func (s *Service) CheckRole(ctx context.Context, c *iam.Caller, a Assigned, roleID string) error {
	list, err := s.assignments(ctx, c, a, a.rights().check)
	if err != nil {
		return err
	}
	if !slices.Contains(list, a.of(policyIDOf(roleID))) {
		return notFound("assigned role", roleID)
	}
	return nil
}

// ListAssignedRoles lists what is assigned there, in the order in which it was.
func (s *Service) ListAssignedRoles(ctx context.Context, c *iam.Caller, a Assigned, baseURL string) (RoleList, error) {
	list, err := s.assignments(ctx, c, a, a.rights().list)
	if err != nil {
		return RoleList{}, err
	}
	out := RoleList{Roles: []RoleInfo{}, Links: Links{Self: baseURL + a.path()}}
	for _, as := range list {
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

// assignments authorizes op and returns all assignments of the group or user of a,
// whose scope exists.
func (s *Service) assignments(ctx context.Context, c *iam.Caller, a Assigned, op iam.Op) ([]store.Assignment, error) {
	if err := s.authorize(c, op, a.holder()); err != nil {
		return nil, err
	}
	err := a.checkScope(c, func(id string) (*store.Project, error) { return s.store.Project(ctx, id) },
		func(domain, id string) (*store.EnterpriseProject, error) {
			return s.store.EnterpriseProject(ctx, domain, id)
		})
	if err != nil {
		return nil, err
	}
	if a.UserID != "" {
		u, err := ownUser(c, a.UserID, func(id string) (*store.User, error) { return s.store.User(ctx, id) })
		if err != nil {
			return nil, err
		}
		return u.Assignments, nil
	}
	g, err := s.ownGroup(ctx, c, a.GroupID)
	if err != nil {
		return nil, err
	}
	return g.Assignments, nil
}

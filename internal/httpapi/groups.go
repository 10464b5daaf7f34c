package httpapi

import (
	"coffer/internal/service/identity"
)

// Groups of users, who is in them, and what is assigned to them (auth.md section 2 and
// 7.1), with the paths of the cloud.

func listGroups(a *API, x *exchange) (any, error) {
	q := x.r.URL.Query()
	return a.Identity.ListGroups(x.ctx, &x.who, identity.GroupFilter{Name: q.Get("name"), DomainID: q.Get("domain_id")}, a.base(x))
}

func showGroup(a *API, x *exchange) (any, error) {
	return a.Identity.ShowGroup(x.ctx, &x.who, x.r.PathValue("group_id"), a.base(x))
}

func createGroup(a *API, x *exchange) (any, error) {
	var body struct {
		Group identity.NewGroup `json:"group"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.CreateGroup(x.ctx, &x.who, body.Group, a.base(x))
}

func updateGroup(a *API, x *exchange) (any, error) {
	var body struct {
		Group identity.GroupPatch `json:"group"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.UpdateGroup(x.ctx, &x.who, x.r.PathValue("group_id"), body.Group, a.base(x))
}

func deleteGroup(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.DeleteGroup(x.ctx, &x.who, x.r.PathValue("group_id"))
}

func addUserToGroup(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.AddUserToGroup(x.ctx, &x.who, x.r.PathValue("group_id"), x.r.PathValue("user_id"))
}

func removeUserFromGroup(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.RemoveUserFromGroup(x.ctx, &x.who, x.r.PathValue("group_id"), x.r.PathValue("user_id"))
}

func checkUserInGroup(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.CheckUserInGroup(x.ctx, &x.who, x.r.PathValue("group_id"), x.r.PathValue("user_id"))
}

func listUsersForGroup(a *API, x *exchange) (any, error) {
	return a.Identity.ListUsersForGroup(x.ctx, &x.who, x.r.PathValue("group_id"), a.base(x))
}

func listGroupsForUser(a *API, x *exchange) (any, error) {
	return a.Identity.ListGroupsForUser(x.ctx, &x.who, x.r.PathValue("id"), a.base(x))
}

// assigned returns the place that the path of an operation on assignments names. Its
// project is a scope and not where the request acts, so it has another name than the
// project of CSMS.
func (x *exchange) assigned(scope identity.AssignmentScope) identity.Assigned {
	id := x.r.PathValue("domain_id")
	if scope == identity.InProject || scope == identity.InEnterprise {
		id = x.r.PathValue("scope_id")
	}
	return identity.Assigned{Scope: scope, ScopeID: id, GroupID: x.r.PathValue("group_id"), UserID: x.r.PathValue("user_id")}
}

func assignRole(scope identity.AssignmentScope) handler {
	return lookUp(func(a *API, x *exchange) (any, error) {
		return noContent{}, a.Identity.AssignRole(x.ctx, &x.who, x.assigned(scope), x.r.PathValue("role_id"))
	})
}

func removeRole(scope identity.AssignmentScope) handler {
	return lookUp(func(a *API, x *exchange) (any, error) {
		return noContent{}, a.Identity.RemoveRole(x.ctx, &x.who, x.assigned(scope), x.r.PathValue("role_id"))
	})
}

func checkRole(scope identity.AssignmentScope) handler {
	return lookUp(func(a *API, x *exchange) (any, error) {
		return noContent{}, a.Identity.CheckRole(x.ctx, &x.who, x.assigned(scope), x.r.PathValue("role_id"))
	})
}

func listAssignedRoles(scope identity.AssignmentScope) handler {
	return lookUp(func(a *API, x *exchange) (any, error) {
		return a.Identity.ListAssignedRoles(x.ctx, &x.who, x.assigned(scope), a.base(x))
	})
}

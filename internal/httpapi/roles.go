package httpapi

import (
	"net/url"
	"strconv"

	"coffer/internal/csms"
	"coffer/internal/service/identity"
)

// System roles, and custom policies with the paths and names of the older IAM: the same
// policies as those of /v5/policies.

func listRoles(a *API, x *exchange) (any, error) {
	q := x.r.URL.Query()
	page, err := pageOf(q)
	if err != nil {
		return nil, err
	}
	return a.Identity.ListRoles(x.ctx, &x.who, identity.RoleFilter{
		DomainID: q.Get("domain_id"), Name: q.Get("name"), DisplayName: q.Get("display_name"), Catalog: q.Get("catalog"),
		Type: q.Get("type"), PermissionType: q.Get("permission_type"), Page: page,
	}, a.base(x))
}

// pageOf reads page and per_page. One without the other means the first page, or pages
// as large as they can be.
func pageOf(q url.Values) (identity.Page, error) {
	page := identity.Page{}
	if !q.Has("page") && !q.Has("per_page") {
		return page, nil
	}
	for name, n := range map[string]*int{"page": &page.Number, "per_page": &page.Size} {
		value := q.Get(name)
		if value == "" {
			*n = map[string]int{"page": 1, "per_page": identity.MaxPage}[name]
			continue
		}
		read, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return page, csms.Errorf(csms.CodeIAMInvalid, "%s takes a number from 1.", name)
		}
		*n = int(read)
	}
	return page, nil
}

func showRole(a *API, x *exchange) (any, error) {
	return a.Identity.ShowRole(x.ctx, &x.who, x.r.PathValue("role_id"), a.base(x))
}

func listCustomRoles(a *API, x *exchange) (any, error) {
	page, err := pageOf(x.r.URL.Query())
	if err != nil {
		return nil, err
	}
	return a.Identity.ListCustomRoles(x.ctx, &x.who, page, a.base(x))
}

func showCustomRole(a *API, x *exchange) (any, error) {
	return a.Identity.ShowCustomRole(x.ctx, &x.who, x.r.PathValue("role_id"), a.base(x))
}

func createRole(a *API, x *exchange) (any, error) {
	var body struct {
		Role identity.NewRole `json:"role"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.CreateRole(x.ctx, &x.who, body.Role, a.base(x))
}

func updateRole(a *API, x *exchange) (any, error) {
	var body struct {
		Role identity.RolePatch `json:"role"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.UpdateRole(x.ctx, &x.who, x.r.PathValue("role_id"), body.Role, a.base(x))
}

// deleteRole answers 200 and not 204, as the cloud does.
func deleteRole(a *API, x *exchange) (any, error) {
	return struct{}{}, a.Identity.DeletePolicy(x.ctx, &x.who, x.r.PathValue("role_id"))
}

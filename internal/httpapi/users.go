package httpapi

import (
	"coffer/internal/service/identity"
)

// Users and their permanent access keys (auth.md 3.4, 3.6), with the cloud's paths.

func listUsers(a *API, x *exchange) (any, error) {
	return a.Identity.ListUsers(x.ctx, &x.who, x.r.URL.Query().Get("name"), a.base(x))
}

func showUser(a *API, x *exchange) (any, error) {
	return a.Identity.ShowUser(x.ctx, &x.who, x.r.PathValue("id"), a.base(x))
}

func createUser(a *API, x *exchange) (any, error) {
	var body struct {
		User identity.NewUser `json:"user"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.CreateUser(x.ctx, &x.who, body.User, a.base(x))
}

func updateUser(a *API, x *exchange) (any, error) {
	var body struct {
		User identity.UserPatch `json:"user"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.UpdateUser(x.ctx, &x.who, x.r.PathValue("id"), body.User, a.base(x))
}

func deleteUser(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.DeleteUser(x.ctx, &x.who, x.r.PathValue("id"))
}

func showUserOfDomain(a *API, x *exchange) (any, error) {
	return a.Identity.ShowUserDetail(x.ctx, &x.who, x.r.PathValue("id"), a.base(x))
}

func createUserOfDomain(a *API, x *exchange) (any, error) {
	var body struct {
		User identity.NewUser `json:"user"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.CreateUserDetail(x.ctx, &x.who, body.User, a.base(x))
}

func updateUserOfDomain(a *API, x *exchange) (any, error) {
	var body struct {
		User identity.UserPatch `json:"user"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.UpdateUserDetail(x.ctx, &x.who, x.r.PathValue("id"), body.User, a.base(x))
}

func createAccessKey(a *API, x *exchange) (any, error) {
	var body struct {
		Credential identity.NewAccessKey `json:"credential"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.CreateAccessKey(x.ctx, &x.who, body.Credential)
}

func listAccessKeys(a *API, x *exchange) (any, error) {
	return a.Identity.ListAccessKeys(x.ctx, &x.who, x.r.URL.Query().Get("user_id"))
}

func showAccessKey(a *API, x *exchange) (any, error) {
	return a.Identity.ShowAccessKey(x.ctx, &x.who, x.r.PathValue("access_key"))
}

func updateAccessKey(a *API, x *exchange) (any, error) {
	var body struct {
		Credential identity.AccessKeyPatch `json:"credential"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.UpdateAccessKey(x.ctx, &x.who, x.r.PathValue("access_key"), body.Credential)
}

func deleteAccessKey(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.DeleteAccessKey(x.ctx, &x.who, x.r.PathValue("access_key"))
}

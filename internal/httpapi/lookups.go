package httpapi

import (
	"coffer/internal/csms"
	"coffer/internal/service/identity"
	"coffer/internal/wire"
)

// The look-ups that clients make before their first request (auth.md 3.4).

func listProjects(a *API, x *exchange) (any, error) {
	q := x.r.URL.Query()
	return a.Identity.ListProjects(x.ctx, &x.who, identity.ProjectFilter{Name: q.Get("name"), DomainID: q.Get("domain_id")}, a.base(x))
}

func showProject(a *API, x *exchange) (any, error) {
	return a.Identity.ShowProject(x.ctx, &x.who, x.r.PathValue("id"), a.base(x))
}

func createProject(a *API, x *exchange) (any, error) {
	var body struct {
		Project identity.NewProject `json:"project"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.CreateProject(x.ctx, &x.who, body.Project, a.base(x))
}

func updateProject(a *API, x *exchange) (any, error) {
	var body struct {
		Project identity.ProjectPatch `json:"project"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.UpdateProject(x.ctx, &x.who, x.r.PathValue("id"), body.Project, a.base(x))
}

// decodeIAM reads the body; what is wrong with it has the code of IAM (IE1).
func (x *exchange) decodeIAM(v any) error {
	err := wire.Decode(x.body, v)
	if err == nil {
		return nil
	}
	if e, ok := err.(*csms.Error); ok { //nolint:errorlint // Decode returns it bare
		return csms.Errorf(csms.CodeIAMInvalid, "%s", e.Msg)
	}
	return err
}

func authProjects(a *API, x *exchange) (any, error) {
	return a.Identity.AuthProjects(x.ctx, &x.who, a.base(x))
}

func userProjects(a *API, x *exchange) (any, error) {
	return a.Identity.UserProjects(x.ctx, &x.who, x.r.PathValue("id"), a.base(x))
}

func authDomains(a *API, x *exchange) (any, error) {
	return a.Identity.AuthDomains(&x.who, a.base(x)), nil
}

func catalog(a *API, x *exchange) (any, error) { return a.Identity.Catalog(&x.who, a.base(x)), nil }

func listServices(a *API, x *exchange) (any, error) { return a.Identity.Services(a.base(x)), nil }

func showService(a *API, x *exchange) (any, error) {
	return a.Identity.ShowService(x.r.PathValue("id"), a.base(x))
}

func listEndpoints(a *API, x *exchange) (any, error) { return a.Identity.Endpoints(a.base(x)), nil }

func showEndpoint(a *API, x *exchange) (any, error) {
	return a.Identity.ShowEndpoint(x.r.PathValue("id"), a.base(x))
}

func listRegions(a *API, x *exchange) (any, error) { return a.Identity.Regions(a.base(x)), nil }

func showRegion(a *API, x *exchange) (any, error) {
	return a.Identity.ShowRegion(x.r.PathValue("id"), a.base(x))
}

func callerIdentity(a *API, x *exchange) (any, error) { return a.Identity.CallerIdentity(&x.who), nil }

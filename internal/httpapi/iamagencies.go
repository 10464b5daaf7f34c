package httpapi

import (
	"strconv"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/service/identity"
)

// The agencies of the IAM and the policies assigned to them, with the cloud's paths
// (auth.md section 2).

const (
	iamAgencies       = "/v3.0/OS-AGENCY/agencies"
	iamAgency         = iamAgencies + "/{agency_id}"
	agencyInProject   = "/v3.0/OS-AGENCY/projects/{project}/agencies/{agency_id}/roles"
	agencyInDomain    = "/v3.0/OS-AGENCY/domains/{domain_id}/agencies/{agency_id}/roles"
	agencyAllProjects = "/v3.0/OS-INHERIT/domains/{domain_id}/agencies/{agency_id}/roles"
	oneRole           = "/{role_id}"
	inherited         = "/inherited_to_projects"
)

func createIAMAgency(a *API, x *exchange) (any, error) {
	var body struct {
		Agency identity.NewAgency `json:"agency"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.CreateAgency(x.ctx, &x.who, body.Agency)
}

func listIAMAgencies(a *API, x *exchange) (any, error) {
	q := x.r.URL.Query()
	f := identity.AgencyFilter{DomainID: q.Get("domain_id"), TrustDomainID: q.Get("trust_domain_id"), Name: q.Get("name")}
	if q.Has("page") || q.Has("per_page") {
		var err error
		if f.Page, err = pageNumber("page", q.Get("page"), maxPage); err != nil {
			return nil, err
		}
		if f.PerPage, err = pageNumber("per_page", q.Get("per_page"), maxPerPage); err != nil {
			return nil, err
		}
	}
	return a.Identity.ListAgencies(x.ctx, &x.who, f)
}

// Bounds of paging in lists of the IAM, where page and per_page go together.
const (
	maxPage    = 1 << 20
	maxPerPage = 500
)

func pageNumber(name, text string, highest int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > highest {
		return 0, csms.Errorf(csms.CodeIAMInvalid, "%s takes 1 to %d, and page and per_page go together.", name, highest)
	}
	return n, nil
}

func showIAMAgency(a *API, x *exchange) (any, error) {
	return a.Identity.ShowAgency(x.ctx, &x.who, x.r.PathValue("agency_id"))
}

func updateIAMAgency(a *API, x *exchange) (any, error) {
	var body struct {
		Agency identity.AgencyPatch `json:"agency"`
	}
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.UpdateAgency(x.ctx, &x.who, x.r.PathValue("agency_id"), body.Agency)
}

func deleteIAMAgency(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.DeleteAgency(x.ctx, &x.who, x.r.PathValue("agency_id"))
}

// agencyPlace is where the path assigns a policy. The project is no {project_id}, for
// the operation is in no project and its caller needs none.
func (x *exchange) agencyPlace() identity.AgencyPlace {
	place := identity.AgencyPlace{Scope: identity.OnDomain, ScopeID: x.r.PathValue("domain_id"), AgencyID: x.r.PathValue("agency_id")}
	switch project := x.r.PathValue("project"); {
	case project != "":
		place.Scope, place.ScopeID = identity.InProject, project
	case strings.HasSuffix(x.route.Pattern, inherited):
		place.Scope = identity.InAllProjects
	}
	return place
}

func attachAgencyPolicy(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.AttachAgencyPolicy(x.ctx, &x.who, x.agencyPlace(), x.r.PathValue("role_id"))
}

func detachAgencyPolicy(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.DetachAgencyPolicy(x.ctx, &x.who, x.agencyPlace(), x.r.PathValue("role_id"))
}

func checkAgencyPolicy(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.CheckAgencyPolicy(x.ctx, &x.who, x.agencyPlace(), x.r.PathValue("role_id"))
}

func listAgencyPolicies(a *API, x *exchange) (any, error) {
	return a.Identity.ListAgencyPolicies(x.ctx, &x.who, x.agencyPlace(), a.base(x))
}

// assumeAgency is POST /v5/agencies/assume, the form of STS (auth.md 3.5).
func assumeAgency(a *API, x *exchange) (any, error) {
	var body identity.AssumeAgencyRequest
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.AssumeAgency(x.ctx, &x.who, body)
}

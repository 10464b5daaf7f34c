package httpapi

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/eps"
	"coffer/internal/wire"
)

// The operations on enterprise projects (neighbours.md 5). They are in no project of the
// path; their errors are flat and have codes of their own.

// epsEndpoint is endpoint for these operations, with the status of their success.
func epsEndpoint[Q any, P binder[Q], A any](status int, op func(*API, context.Context, *iam.Caller, *Q) (A, error)) handler {
	return func(a *API, x *exchange) error {
		if err := a.identify(x); err != nil {
			return err
		}
		var q Q
		if err := P(&q).bind(x); err != nil {
			if denied := a.EPS.Authorize(x.ctx, &x.who, x.route.Op, enterpriseOf(x)); denied != nil {
				return epsError(denied)
			}
			return epsError(err)
		}
		answer, err := op(a, x.ctx, &x.who, &q)
		if err != nil {
			return epsError(err)
		}
		return x.replyWith(status, answer)
	}
}

func enterpriseOf(x *exchange) string { return x.r.PathValue("enterprise_project_id") }

// epsError gives an error the code that it has among the enterprise projects. The end
// of the time of a request, or of the client, stays what it is.
func epsError(err error) error {
	e := (*csms.Error)(nil)
	if !errors.As(err, &e) {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return err
		}
		return &csms.Error{Code: csms.CodeEPSInternal, Msg: "Internal error.", Err: err}
	}
	switch e.Code {
	case csms.CodeForbidden:
		return &csms.Error{Code: csms.CodeEPSForbidden, Msg: e.Msg, Err: e.Err}
	case csms.CodeInvalid, csms.CodeBadBody, csms.CodeBadURL:
		return &csms.Error{Code: csms.CodeEPSInvalid, Msg: e.Msg, Err: e.Err}
	default:
		return err
	}
}

// enterpriseRef is the request of operations that need nothing but the path.
type enterpriseRef struct{ id string }

func (q *enterpriseRef) bind(x *exchange) error {
	q.id = enterpriseOf(x)
	return nil
}

// enterpriseSettings writes an enterprise project.
type enterpriseSettings struct {
	enterpriseRef
	in eps.Settings
}

func (q *enterpriseSettings) bind(x *exchange) error {
	var body wire.EnterpriseProjectRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.in = eps.Settings{Name: body.Name, Description: body.Description, Type: body.Type}
	return q.enterpriseRef.bind(x)
}

func (a *API) createEnterpriseProject(ctx context.Context, who *iam.Caller, q *enterpriseSettings) (wire.EnterpriseProjectAnswer, error) {
	return enterpriseAnswer(a.EPS.CreateEnterpriseProject(ctx, who, q.in))
}

func (a *API) showEnterpriseProject(ctx context.Context, who *iam.Caller, q *enterpriseRef) (wire.EnterpriseProjectAnswer, error) {
	return enterpriseAnswer(a.EPS.ShowEnterpriseProject(ctx, who, q.id))
}

func (a *API) modifyEnterpriseProject(ctx context.Context, who *iam.Caller, q *enterpriseSettings) (wire.EnterpriseProjectAnswer, error) {
	return enterpriseAnswer(a.EPS.ModifyEnterpriseProject(ctx, who, q.id, q.in))
}

func enterpriseAnswer(p eps.Project, err error) (wire.EnterpriseProjectAnswer, error) {
	return wire.EnterpriseProjectAnswer{EnterpriseProject: enterpriseDetail(p)}, err
}

// Values of status.
const (
	enterpriseEnabled  = 1
	enterpriseDisabled = 2
)

func enterpriseDetail(p eps.Project) wire.EnterpriseProject {
	status := enterpriseDisabled
	if p.Enabled {
		status = enterpriseEnabled
	}
	return wire.EnterpriseProject{
		ID: p.ID, Name: p.Name, Description: p.Description, Type: p.Type, Status: status,
		CreatedAt: enterpriseTime(p.CreateTime), UpdatedAt: enterpriseTime(p.UpdateTime),
	}
}

func enterpriseTime(t csms.Millis) string { return time.UnixMilli(int64(t)).UTC().Format(time.RFC3339) }

// enterpriseAction enables or disables.
type enterpriseAction struct {
	enterpriseRef
	disable bool
}

func (q *enterpriseAction) bind(x *exchange) error {
	var body wire.EnterpriseProjectAction
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.Action != "enable" && body.Action != "disable" {
		return csms.Invalidf("action must be enable or disable.")
	}
	q.disable = body.Action == "disable"
	return q.enterpriseRef.bind(x)
}

func (a *API) enableEnterpriseProject(ctx context.Context, who *iam.Caller, q *enterpriseAction) (noContent, error) {
	if q.disable {
		return noContent{}, a.EPS.DisableEnterpriseProject(ctx, who, q.id)
	}
	return noContent{}, a.EPS.EnableEnterpriseProject(ctx, who, q.id)
}

type enterpriseListing struct{ in eps.Listing }

func (q *enterpriseListing) bind(x *exchange) error {
	query, err := x.query()
	if err != nil {
		return err
	}
	q.in.ID, q.in.Name, q.in.Type = query.Get("id"), query.Get("name"), query.Get("type")
	if q.in.Limit, err = number(query, "limit", eps.MaxPage); err != nil {
		return err
	}
	if q.in.Offset, err = number(query, "offset", 0); err != nil {
		return err
	}
	status, err := number(query, "status", 0)
	if err != nil || !query.Has("status") {
		return err
	}
	if status != enterpriseEnabled && status != enterpriseDisabled {
		return csms.Invalidf("status must be %d or %d.", enterpriseEnabled, enterpriseDisabled)
	}
	enabled := status == enterpriseEnabled
	q.in.Enabled = &enabled
	return nil
}

// number reads a parameter of the query that is a number from 0.
func number(q url.Values, name string, absent int) (int, error) {
	if !q.Has(name) {
		return absent, nil
	}
	n, err := strconv.ParseUint(q.Get(name), 10, 31)
	if err != nil {
		return 0, csms.Invalidf("%s must be a number from 0.", name)
	}
	return int(n), nil
}

func (a *API) listEnterpriseProject(ctx context.Context, who *iam.Caller, q *enterpriseListing) (wire.EnterpriseProjectList, error) {
	page, err := a.EPS.ListEnterpriseProject(ctx, who, q.in)
	out := wire.EnterpriseProjectList{EnterpriseProjects: make([]wire.EnterpriseProject, 0, len(page.Items)), TotalCount: page.Total}
	for _, p := range page.Items {
		out.EnterpriseProjects = append(out.EnterpriseProjects, enterpriseDetail(p))
	}
	return out, err
}

type migrateResourceRequest struct {
	enterpriseRef
	in eps.Migration
}

func (q *migrateResourceRequest) bind(x *exchange) error {
	var body wire.MigrateResourceRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.in = eps.Migration(body)
	return q.enterpriseRef.bind(x)
}

func (a *API) migrateResource(ctx context.Context, who *iam.Caller, q *migrateResourceRequest) (noContent, error) {
	return noContent{}, a.EPS.MigrateResource(ctx, who, q.id, q.in)
}

type resourceFilterRequest struct {
	enterpriseRef
	in eps.Filter
}

func (q *resourceFilterRequest) bind(x *exchange) error {
	var body wire.ResourceFilter
	if err := x.decode(&body); err != nil {
		return err
	}
	q.in = eps.Filter{Projects: body.Projects, Types: body.ResourceTypes, Window: eps.Window{Limit: eps.MaxPage, Offset: body.Offset}}
	if body.Limit != nil {
		q.in.Limit = *body.Limit
	}
	return q.enterpriseRef.bind(x)
}

func (a *API) showResourceBindEnterpriseProject(ctx context.Context, who *iam.Caller, q *resourceFilterRequest) (wire.BoundResources, error) {
	page, err := a.EPS.ShowResourceBindEnterpriseProject(ctx, who, q.id, q.in)
	out := wire.BoundResources{Resources: make([]wire.BoundResource, 0, len(page.Items)), Errors: []struct{}{}, TotalCount: page.Total}
	for _, r := range page.Items {
		out.Resources = append(out.Resources, wire.BoundResource{
			ResourceID: r.ID, ResourceName: r.Name, ResourceType: r.Type, ProjectID: r.ProjectID, ProjectName: r.ProjectName,
			EnterpriseProjectID: r.EnterpriseProjectID, EnterpriseProjectName: r.EnterpriseProjectName,
		})
	}
	return out, err
}

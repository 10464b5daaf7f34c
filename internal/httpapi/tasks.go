package httpapi

import (
	"context"
	"net/url"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

func (a *API) rotateSecret(ctx context.Context, who *iam.Caller, q *secretRef) (wire.RotateSecretAnswer, error) {
	task, err := a.Service.RotateSecret(ctx, who, q.name)
	if err != nil {
		return wire.RotateSecretAnswer{}, err
	}
	return wire.RotateSecretAnswer{SecretName: task.SecretName, RotationTaskID: task.ID}, nil
}

type listTasksRequest struct{ listing service.TaskListing }

// bind refuses task_id beside any other parameter (P9), and a parameter that is there
// and empty, which fits no published pattern.
func (q *listTasksRequest) bind(x *exchange) error {
	query, err := x.query()
	if err != nil {
		return err
	}
	if err := checkTaskQuery(query); err != nil {
		return err
	}
	q.listing = service.TaskListing{
		SecretName: query.Get("secret_name"), Status: csms.TaskStatus(query.Get("status")),
		TaskID: query.Get("task_id"), Marker: query.Get("marker"),
	}
	q.listing.Limit, err = limit(query)
	return err
}

func checkTaskQuery(query url.Values) error {
	for _, name := range []string{"secret_name", "status", "task_id", "marker"} {
		if query.Has(name) && query.Get(name) == "" {
			return csms.Invalidf("%s is empty.", name)
		}
	}
	for _, name := range []string{"secret_name", "status", "limit", "marker"} {
		if query.Has("task_id") && query.Has(name) {
			return csms.Invalidf("task_id names one task; %s can not be given with it.", name)
		}
	}
	return nil
}

func (a *API) listSecretTask(ctx context.Context, who *iam.Caller, q *listTasksRequest) (wire.SecretTaskList, error) {
	page, err := a.Service.ListSecretTask(ctx, who, q.listing)
	if err != nil {
		return wire.SecretTaskList{}, err
	}
	list := wire.SecretTaskList{Total: page.Total, Tasks: make([]wire.SecretTask, 0, len(page.Items))}
	for _, t := range page.Items {
		list.Tasks = append(list.Tasks, wire.NewSecretTask(t))
	}
	if page.More {
		list.NextMarker = wire.OrNull(page.Items[len(page.Items)-1].ID)
	}
	return list, nil
}

type functionTemplatesRequest struct{ in service.FunctionTemplate }

func (q *functionTemplatesRequest) bind(x *exchange) error {
	query, err := x.query()
	if err != nil {
		return err
	}
	if query.Has("engine") && query.Get("engine") == "" {
		return csms.Invalidf("engine is empty.")
	}
	q.in = service.FunctionTemplate{
		SecretType: csms.Type(query.Get("secret_type")), SecretSubType: query.Get("secret_sub_type"), Engine: query.Get("engine"),
	}
	return nil
}

func (a *API) showSecretFunctionTemplates(ctx context.Context, who *iam.Caller, q *functionTemplatesRequest) (wire.FunctionTemplatesAnswer, error) {
	text, err := a.Service.ShowSecretFunctionTemplates(ctx, who, q.in)
	return wire.FunctionTemplatesAnswer{FunctionTemplates: text}, err
}

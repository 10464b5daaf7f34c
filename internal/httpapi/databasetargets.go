package httpapi

import (
	"cmp"
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

// targetRef is the request of operations that need nothing but the instance id.
type targetRef struct{ instanceID string }

func (q *targetRef) bind(x *exchange) error {
	q.instanceID = x.r.PathValue("instance_id")
	return nil
}

type createTargetRequest struct{ in csms.DatabaseTarget }

func (q *createTargetRequest) bind(x *exchange) error {
	var body wire.CreateDatabaseTargetRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.in = csms.DatabaseTarget{
		InstanceID: body.InstanceID, Engine: body.Engine, Host: body.Host, Port: body.Port, Database: body.Database,
		TLSMode: cmp.Or(body.TLSMode, csms.TLSVerifyFull), CA: body.CACertificate, AdminSecret: body.AdminSecret, Accounts: body.Accounts,
	}
	return nil
}

func (a *API) createDatabaseTarget(ctx context.Context, who *iam.Caller, q *createTargetRequest) (wire.DatabaseTargetAnswer, error) {
	return targetAnswer(a.Service.CreateDatabaseTarget(ctx, who, q.in))
}

func targetAnswer(t *csms.DatabaseTarget, err error) (wire.DatabaseTargetAnswer, error) {
	if err != nil {
		return wire.DatabaseTargetAnswer{}, err
	}
	return wire.DatabaseTargetAnswer{DatabaseTarget: wire.NewDatabaseTarget(t)}, nil
}

func (a *API) showDatabaseTarget(ctx context.Context, who *iam.Caller, q *targetRef) (wire.DatabaseTargetAnswer, error) {
	return targetAnswer(a.Service.ShowDatabaseTarget(ctx, who, q.instanceID))
}

type listTargetsRequest struct {
	listing service.DatabaseTargetListing
}

func (q *listTargetsRequest) bind(x *exchange) (err error) {
	q.listing.Limit, q.listing.Marker, err = x.page()
	return err
}

func (a *API) listDatabaseTargets(ctx context.Context, who *iam.Caller, q *listTargetsRequest) (wire.DatabaseTargetList, error) {
	page, err := a.Service.ListDatabaseTargets(ctx, who, q.listing)
	if err != nil {
		return wire.DatabaseTargetList{}, err
	}
	list := wire.DatabaseTargetList{DatabaseTargets: make([]wire.DatabaseTarget, 0, len(page.Items))}
	for _, t := range page.Items {
		list.DatabaseTargets = append(list.DatabaseTargets, wire.NewDatabaseTarget(t))
	}
	list.PageInfo = pageInfo(page.Items, page.More, func(t *csms.DatabaseTarget) string { return t.InstanceID })
	return list, nil
}

type updateTargetRequest struct {
	targetRef
	patch csms.DatabaseTargetPatch
}

func (q *updateTargetRequest) bind(x *exchange) error {
	var body wire.UpdateDatabaseTargetRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.patch = csms.DatabaseTargetPatch{
		Engine: body.Engine, Host: body.Host, Port: body.Port, Database: body.Database,
		TLSMode: body.TLSMode, CA: body.CACertificate, AdminSecret: body.AdminSecret, Accounts: body.Accounts,
	}
	return q.targetRef.bind(x)
}

func (a *API) updateDatabaseTarget(ctx context.Context, who *iam.Caller, q *updateTargetRequest) (wire.DatabaseTargetAnswer, error) {
	return targetAnswer(a.Service.UpdateDatabaseTarget(ctx, who, q.instanceID, q.patch))
}

func (a *API) deleteDatabaseTarget(ctx context.Context, who *iam.Caller, q *targetRef) (noContent, error) {
	return noContent{}, a.Service.DeleteDatabaseTarget(ctx, who, q.instanceID)
}

package httpapi

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

type createGrantsRequest struct{ in service.GrantRequest }

func (q *createGrantsRequest) bind(x *exchange) error {
	var body wire.GrantRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.in = service.GrantRequest{
		ResourceID: body.ResourceID, Target: body.Type,
		Grantee:      csms.Grantee{Type: body.GranteeType, ID: body.GranteeTargetID},
		ValidityTime: body.ValidityTime,
	}
	return nil
}

func (a *API) createGrants(ctx context.Context, who *iam.Caller, q *createGrantsRequest) (wire.GrantAnswer, error) {
	return grantAnswer(a.Service.CreateGrants(ctx, who, q.in))
}

func grantAnswer(g service.GrantOf, err error) (wire.GrantAnswer, error) {
	if err != nil {
		return wire.GrantAnswer{}, err
	}
	return wire.GrantAnswer{Data: wire.Grant{
		UUID: g.Grant.ID, ResourceID: g.Secret.ID, Type: csms.GrantSecret, GranteeUser: g.Grant.Grantee.ID,
		CreateTime: wire.Millis(g.Grant.CreateTime), UpdateTime: wire.Millis(g.Grant.UpdateTime),
		ValidityTime: wire.Millis(g.Grant.ValidityTime),
	}}, nil
}

// resourceRef is the resource that the query names.
type resourceRef struct{ resourceID, granteeUser string }

func (q *resourceRef) bind(x *exchange) error {
	query, err := x.query()
	if err != nil {
		return err
	}
	q.resourceID, q.granteeUser = query.Get("resource_id"), query.Get("grantee_user")
	if query.Has("grantee_user") && q.granteeUser == "" {
		return csms.Invalidf("grantee_user is empty.") // it must not mean every grantee
	}
	return nil
}

func (a *API) listGrants(ctx context.Context, who *iam.Caller, q *resourceRef) (wire.GrantList, error) {
	sec, grants, err := a.Service.ListGrants(ctx, who, q.resourceID)
	if err != nil {
		return wire.GrantList{}, err
	}
	users := make([]wire.GrantUser, 0, len(grants))
	for _, g := range grants {
		users = append(users, wire.GrantUser{
			UserID: g.Grantee.ID, UserName: g.Name,
			CreateTime: wire.Millis(g.CreateTime), ValidityTime: wire.Millis(g.ValidityTime),
		})
	}
	return wire.GrantList{Data: wire.GrantedResource{
		ID: sec.ID, Name: sec.Name, Type: csms.GrantSecret, GranteeUser: users,
		CreateTime: wire.Millis(sec.CreateTime), UpdateTime: wire.Millis(sec.UpdateTime),
	}}, nil
}

type updateGrantRequest struct {
	createGrantsRequest
	resource resourceRef
}

func (q *updateGrantRequest) bind(x *exchange) error {
	if err := q.createGrantsRequest.bind(x); err != nil {
		return err
	}
	return q.resource.bind(x)
}

func (a *API) updateGrant(ctx context.Context, who *iam.Caller, q *updateGrantRequest) (wire.GrantAnswer, error) {
	return grantAnswer(a.Service.UpdateGrant(ctx, who, q.resource.resourceID, q.in))
}

func (a *API) deleteGrant(ctx context.Context, who *iam.Caller, q *resourceRef) (noContent, error) {
	return noContent{}, a.Service.DeleteGrant(ctx, who, q.resourceID, q.granteeUser)
}

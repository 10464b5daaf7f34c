package httpapi

import (
	"context"

	"coffer/internal/iam"
	"coffer/internal/service/kms"
	"coffer/internal/wire"
)

// Grants on KMS keys.

type createKeyGrantRequest struct{ in kms.NewGrant }

func (q *createKeyGrantRequest) key() string { return q.in.KeyID }

func (q *createKeyGrantRequest) bind(x *exchange) error {
	var body wire.CreateGrantRequest
	err := x.decodeKMS(&body)
	q.in = kms.NewGrant{
		KeyID: body.KeyID, Grantee: body.GranteePrincipal, GranteeType: body.GranteePrincipalType,
		Operations: body.Operations, Name: body.Name, Retiring: body.RetiringPrincipal,
	}
	if err != nil {
		return err
	}
	return require(given{"key_id", &q.in.KeyID})
}

func (a *API) createKeyGrant(ctx context.Context, who *iam.Caller, q *createKeyGrantRequest) (wire.GrantID, error) {
	id, err := a.KMS.CreateKeyGrant(ctx, who, q.in)
	return wire.GrantID{GrantID: id}, err
}

type grantRefRequest struct{ ref kms.GrantRef }

func (q *grantRefRequest) key() string { return q.ref.KeyID }

func (q *grantRefRequest) bind(x *exchange) error {
	var body wire.GrantRef
	err := x.decodeKMS(&body)
	q.ref = kms.GrantRef{KeyID: body.KeyID, GrantID: body.GrantID}
	if err != nil {
		return err
	}
	return require(given{"key_id", &q.ref.KeyID})
}

func (a *API) retireKeyGrant(ctx context.Context, who *iam.Caller, q *grantRefRequest) (struct{}, error) {
	return struct{}{}, a.KMS.RetireKeyGrant(ctx, who, q.ref)
}

func (a *API) revokeKeyGrant(ctx context.Context, who *iam.Caller, q *grantRefRequest) (struct{}, error) {
	return struct{}{}, a.KMS.RevokeKeyGrant(ctx, who, q.ref)
}

type listKeyGrantsRequest struct {
	keyRef
	page kms.Page
}

func (q *listKeyGrantsRequest) bind(x *exchange) error {
	var body wire.ListKeyGrantsRequest
	err := x.decodeKMS(&body)
	q.keyID, q.page = body.KeyID, pageOfGrants(&body)
	if err != nil {
		return err
	}
	return require(given{"key_id", &q.keyID})
}

func pageOfGrants(body *wire.ListKeyGrantsRequest) kms.Page {
	return kms.Page{Limit: body.Limit.Or(kms.MaxGrants), Marker: body.Marker.Or(0)}
}

func (a *API) listKeyGrants(ctx context.Context, who *iam.Caller, q *listKeyGrantsRequest) (wire.KeyGrantList, error) {
	page, err := a.KMS.ListKeyGrants(ctx, who, q.keyID, q.page)
	return grantList(&page), err
}

type listRetirableRequest struct {
	noKey
	page kms.Page
}

// bind takes an absent body as one without members.
func (q *listRetirableRequest) bind(x *exchange) error {
	var body wire.ListKeyGrantsRequest
	if len(x.body) > 0 {
		if err := x.decodeKMS(&body); err != nil {
			return err
		}
	}
	q.page = pageOfGrants(&body)
	return nil
}

func (a *API) listRetirableKeyGrants(ctx context.Context, who *iam.Caller, q *listRetirableRequest) (wire.KeyGrantList, error) {
	page, err := a.KMS.ListRetirableKeyGrants(ctx, who, q.page)
	return grantList(&page), err
}

func grantList(page *kms.GrantPage) wire.KeyGrantList {
	list := wire.KeyGrantList{Grants: make([]wire.KeyGrant, 0, len(page.Grants)), Total: page.Total}
	for i := range page.Grants {
		g := &page.Grants[i]
		list.Grants = append(list.Grants, wire.KeyGrant{
			KeyID: g.KeyID, GrantID: g.ID, GranteePrincipal: g.GranteeID, GranteePrincipalType: string(g.GranteeType),
			Operations: g.Operations, IssuingPrincipal: g.IssuingID, CreationDate: wire.TextMillis(g.CreateTime),
			Name: g.Name, RetiringPrincipal: g.RetiringID,
		})
	}
	if page.Next > 0 {
		list.NextMarker, list.Truncated = decimal(page.Next), true
	}
	return list
}

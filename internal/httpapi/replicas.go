package httpapi

import (
	"context"

	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

type createSecretReplicaRequest struct {
	name string
	in   service.NewReplica
}

func (q *createSecretReplicaRequest) bind(x *exchange) error {
	q.name = x.secretName()
	var body wire.CreateSecretReplicaRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.in = service.NewReplica{Region: body.Region, KMSKeyID: body.KMSKeyID}
	return nil
}

func (a *API) createSecretReplica(ctx context.Context, who *iam.Caller, q *createSecretReplicaRequest) (wire.SecretAnswer, error) {
	return secretAnswer(a.Service.CreateSecretReplica(ctx, who, q.name, q.in))
}

type replicaRef struct{ name, region string }

func (q *replicaRef) bind(x *exchange) error {
	q.name, q.region = x.secretName(), x.r.PathValue("region_name")
	return nil
}

func (a *API) deleteSecretReplica(ctx context.Context, who *iam.Caller, q *replicaRef) (noContent, error) {
	return noContent{}, a.Service.DeleteSecretReplica(ctx, who, q.name, q.region)
}

func (a *API) listSupportRegions(ctx context.Context, who *iam.Caller, _ *nothing) (wire.SupportRegions, error) {
	regions, err := a.Service.ListSupportRegions(ctx, who)
	if err != nil {
		return wire.SupportRegions{}, err
	}
	return wire.NewSupportRegions(regions), nil
}

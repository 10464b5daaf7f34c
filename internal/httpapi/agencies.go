package httpapi

import (
	"context"
	"strconv"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/wire"
)

// The agencies that rotation needs (RO12), which are agencies of the embedded IAM.

type createAgencyRequest struct{ secretType csms.Type }

func (q *createAgencyRequest) bind(x *exchange) error {
	var body wire.AgencyRequest
	err := x.decode(&body)
	q.secretType = body.SecretType
	return err
}

func (a *API) createAgency(ctx context.Context, who *iam.Caller, q *createAgencyRequest) (wire.AgencyList, error) {
	made, err := a.Service.CreateAgency(ctx, who, q.secretType)
	list := wire.AgencyList{Agencies: make([]wire.Agency, len(made))}
	for i, m := range made {
		list.Agencies[i].Name = m.Name
		if m.Failed != "" {
			list.Agencies[i].ErrorMsg = &m.Failed
			continue
		}
		list.Agencies[i].ID = &m.ID
	}
	return list, err
}

type showAgencyRequest struct{ secretType csms.Type }

func (q *showAgencyRequest) bind(x *exchange) error {
	query, err := x.query()
	q.secretType = csms.Type(query.Get("secret_type"))
	return err
}

func (a *API) showAgency(ctx context.Context, who *iam.Caller, q *showAgencyRequest) (wire.AgencyGranted, error) {
	granted, err := a.Service.ShowAgency(ctx, who, q.secretType)
	return wire.AgencyGranted{Granted: strconv.FormatBool(granted)}, err
}

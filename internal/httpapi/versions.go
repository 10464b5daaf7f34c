package httpapi

import (
	"context"
	"fmt"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

type createVersionRequest struct {
	secretRef
	in service.NewVersion
}

func (q *createVersionRequest) bind(x *exchange) error {
	q.name = x.secretName()
	var body wire.CreateVersionRequest
	err := x.decode(&body)
	q.in = service.NewVersion{
		Text: csms.Plaintext(body.SecretString), Binary: csms.Plaintext(body.SecretBinary), Stages: body.VersionStages,
	}
	if err != nil || body.ExpireTime == nil {
		return err
	}
	q.in.ExpireTime, err = expireTime(*body.ExpireTime)
	return err
}

// Wipe overwrites the value that was sent.
func (q *createVersionRequest) Wipe() {
	q.in.Text.Wipe()
	q.in.Binary.Wipe()
}

// expireTime refuses what cannot lie in the future, so that zero, which means "no
// expiry" further in, is not taken for it.
func expireTime(ms int64) (csms.Millis, error) {
	if ms <= 0 {
		return 0, csms.Invalidf("expire_time is %d; it must lie in the future, in milliseconds.", ms)
	}
	return csms.Millis(ms), nil
}

func (a *API) createSecretVersion(ctx context.Context, who *iam.Caller, q *createVersionRequest) (wire.VersionMetadataAnswer, error) {
	return metadataAnswer(a.Service.CreateSecretVersion(ctx, who, q.name, q.in))
}

func metadataAnswer(v service.VersionOf, err error) (wire.VersionMetadataAnswer, error) {
	if err != nil {
		return wire.VersionMetadataAnswer{}, err
	}
	return wire.VersionMetadataAnswer{VersionMetadata: wire.NewVersionMetadata(v.Secret, &v.Version)}, nil
}

type listVersionsRequest struct {
	secretRef
	listing service.VersionListing
}

func (q *listVersionsRequest) bind(x *exchange) (err error) {
	q.name = x.secretName()
	q.listing.Limit, q.listing.Marker, err = x.page()
	return err
}

func (a *API) listSecretVersions(ctx context.Context, who *iam.Caller, q *listVersionsRequest) (wire.VersionList, error) {
	sec, page, err := a.Service.ListSecretVersions(ctx, who, q.name, q.listing)
	if err != nil {
		return wire.VersionList{}, err
	}
	list := wire.VersionList{VersionMetadatas: make([]wire.VersionMetadata, 0, len(page.Items))}
	for i := range page.Items {
		list.VersionMetadatas = append(list.VersionMetadatas, wire.NewVersionMetadata(sec, &page.Items[i]))
	}
	list.PageInfo = pageInfo(list.VersionMetadatas, page.More, func(v wire.VersionMetadata) string { return v.ID })
	return list, nil
}

// versionRef is the request of operations that address one version.
type versionRef struct {
	secretRef
	version string
}

// bind checks the version id here too, because the path is told before the body
// (S7).
func (q *versionRef) bind(x *exchange) error {
	q.name, q.version = x.secretName(), x.r.PathValue("version_id")
	return csms.CheckVersionPath(q.version)
}

func (a *API) showSecretVersion(ctx context.Context, who *iam.Caller, q *versionRef) (*wire.ValueAnswer, error) {
	v, err := a.Service.ShowSecretVersion(ctx, who, q.name, q.version)
	if err != nil {
		return nil, err
	}
	return &wire.ValueAnswer{Version: valueOf(&v)}, nil
}

func valueOf(v *service.ValueOf) wire.Value {
	return wire.Value{Metadata: wire.NewVersionMetadata(v.Secret, &v.Version), Value: v.Value}
}

type updateVersionRequest struct {
	versionRef
	expire csms.Millis
}

func (q *updateVersionRequest) bind(x *exchange) error {
	if err := q.versionRef.bind(x); err != nil {
		return err
	}
	var body wire.UpdateVersionRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.ExpireTime == nil {
		return csms.Invalidf("expire_time must be given.")
	}
	var err error
	q.expire, err = expireTime(*body.ExpireTime)
	return err
}

func (a *API) updateVersion(ctx context.Context, who *iam.Caller, q *updateVersionRequest) (wire.VersionMetadataAnswer, error) {
	return metadataAnswer(a.Service.UpdateVersion(ctx, who, q.name, q.version, q.expire))
}

type batchShowRequest struct{ names []string }

func (q *batchShowRequest) bind(x *exchange) error {
	var body wire.BatchShowRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.names = body.SecretNameList
	for i, name := range q.names {
		if err := csms.CheckName(fmt.Sprintf("secret_name_list[%d]", i), name); err != nil {
			return err
		}
	}
	return nil
}

func (a *API) batchShowSecretVersion(ctx context.Context, who *iam.Caller, q *batchShowRequest) (*wire.ValuesAnswer, error) {
	values, err := a.Service.BatchShowSecretVersion(ctx, who, q.names)
	if err != nil {
		return nil, err
	}
	answer := &wire.ValuesAnswer{Versions: make([]wire.Value, 0, len(values))}
	for i := range values {
		answer.Versions = append(answer.Versions, valueOf(&values[i]))
	}
	return answer, nil
}

package httpapi

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/wire"
)

func (a *API) downloadSecretBlob(ctx context.Context, who *iam.Caller, q *secretRef) (wire.SecretBlob, error) {
	blob, err := a.Service.DownloadSecretBlob(ctx, who, q.name)
	return wire.SecretBlob{SecretBlob: blob}, err
}

type uploadBlobRequest struct{ blob string }

func (q *uploadBlobRequest) bind(x *exchange) error {
	var body wire.UploadBlobRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.SecretBlob == nil {
		return csms.Invalidf("secret_blob must be given.")
	}
	q.blob = *body.SecretBlob
	return nil
}

func (a *API) uploadSecretBlob(ctx context.Context, who *iam.Caller, q *uploadBlobRequest) (wire.SecretAnswer, error) {
	return secretAnswer(a.Service.UploadSecretBlob(ctx, who, q.blob))
}

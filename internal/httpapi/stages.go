package httpapi

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

// stageRef is the request of operations that address one label.
type stageRef struct {
	secretRef
	stage string
}

// bind checks the label here too, because the path is told before the body (S7).
func (q *stageRef) bind(x *exchange) error {
	q.name, q.stage = x.secretName(), x.r.PathValue("stage_name")
	return csms.CheckStageName(q.stage)
}

// placeRequest is the request of operations that place a label on a version.
type placeRequest struct {
	stageRef
	version string
}

type createStageRequest struct{ placeRequest }

func (q *createStageRequest) bind(x *exchange) error {
	q.name = x.secretName()
	var body wire.CreateStageRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.Name == nil || body.VersionID == nil {
		return csms.Invalidf("name and version_id must be given.")
	}
	q.stage, q.version = *body.Name, *body.VersionID
	return nil
}

func (a *API) createSecretStage(ctx context.Context, who *iam.Caller, q *createStageRequest) (wire.StageAnswer, error) {
	return stageAnswer(a.Service.CreateSecretStage(ctx, who, q.name, q.stage, q.version))
}

func stageAnswer(st service.StageOf, err error) (wire.StageAnswer, error) {
	if err != nil {
		return wire.StageAnswer{}, err
	}
	return wire.StageAnswer{Stage: wire.NewStage(st.Secret, &st.Stage)}, nil
}

func (a *API) showSecretStage(ctx context.Context, who *iam.Caller, q *stageRef) (wire.StageAnswer, error) {
	return stageAnswer(a.Service.ShowSecretStage(ctx, who, q.name, q.stage))
}

type updateStageRequest struct{ placeRequest }

func (q *updateStageRequest) bind(x *exchange) error {
	if err := q.stageRef.bind(x); err != nil {
		return err
	}
	var body wire.UpdateStageRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.VersionID == nil {
		return csms.Invalidf("version_id must be given.")
	}
	q.version = *body.VersionID
	return nil
}

func (a *API) updateSecretStage(ctx context.Context, who *iam.Caller, q *updateStageRequest) (wire.StageAnswer, error) {
	return stageAnswer(a.Service.UpdateSecretStage(ctx, who, q.name, q.stage, q.version))
}

func (a *API) deleteSecretStage(ctx context.Context, who *iam.Caller, q *stageRef) (noContent, error) {
	return noContent{}, a.Service.DeleteSecretStage(ctx, who, q.name, q.stage)
}

package httpapi

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/rotate"
	"coffer/internal/service"
	"coffer/internal/wire"
)

func binding(b rotate.Binding) *wire.Binding {
	if b == (rotate.Binding{}) {
		return nil
	}
	return &wire.Binding{
		Kind: string(b.Kind), InstanceID: wire.OrNull(b.InstanceID), Engine: wire.OrNull(b.Engine), Address: b.Address,
		AdminSecret: wire.OrNull(b.AdminSecret),
	}
}

func rotationOf(v *service.RotationView) wire.Rotation {
	s := v.Secret
	r := wire.Rotation{
		SecretName: s.Name, SecretType: s.Type, SecretSubType: wire.OrNull(s.Instance().SecretSubType), State: s.State,
		AutoRotation: s.Rotation.Auto, RotationPeriod: wire.OrNull(s.Rotation.Period), RotationFuncURN: wire.OrNull(s.Rotation.FuncURN),
		RotationTime: wire.Millis(s.Rotation.Time), NextRotationTime: wire.Millis(s.NextRotation()),
		FailedTasks: s.Rotation.FailedTasks, Bound: binding(v.Bound), Task: rotationTask(v.Task),
	}
	if v.Unbound != nil {
		r.BindingCode, r.BindingMsg = wire.OrNull(v.Unbound.Code), wire.OrNull(v.Unbound.Msg)
	}
	return r
}

func rotationTask(t *csms.Task) *wire.RotationTask {
	if t == nil {
		return nil
	}
	out := &wire.RotationTask{SecretTask: wire.NewSecretTask(t), Step: wire.OrNull(t.Step), EndTime: wire.Millis(t.EndTime)}
	if t.Status == csms.TaskRunning {
		out.NextTry = wire.Millis(t.NextTry)
	}
	return out
}

func (a *API) showRotation(ctx context.Context, who *iam.Caller, q *secretRef) (wire.RotationAnswer, error) {
	v, err := a.Service.ShowRotation(ctx, who, q.name)
	if err != nil {
		return wire.RotationAnswer{}, err
	}
	return wire.RotationAnswer{Rotation: rotationOf(v)}, nil
}

type listRotationsRequest struct{ listing service.Listing }

func (q *listRotationsRequest) bind(x *exchange) (err error) {
	q.listing.Limit, q.listing.Marker, err = x.page()
	return err
}

func (a *API) listRotations(ctx context.Context, who *iam.Caller, q *listRotationsRequest) (wire.RotationList, error) {
	page, err := a.Service.ListRotations(ctx, who, q.listing)
	if err != nil {
		return wire.RotationList{}, err
	}
	list := wire.RotationList{Rotations: make([]wire.Rotation, 0, len(page.Items))}
	for _, v := range page.Items {
		list.Rotations = append(list.Rotations, rotationOf(v))
	}
	list.PageInfo = pageInfo(page.Items, page.More, func(v *service.RotationView) string { return v.Secret.Name })
	return list, nil
}

type previewRequest struct{ name string }

func (q *previewRequest) bind(x *exchange) error {
	var body wire.PreviewRotationRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.name = body.SecretName
	return csms.CheckName("secret_name", q.name)
}

func (a *API) previewRotation(ctx context.Context, who *iam.Caller, q *previewRequest) (wire.RotationPreviewAnswer, error) {
	p, err := a.Service.PreviewRotation(ctx, who, q.name)
	if err != nil {
		return wire.RotationPreviewAnswer{}, err
	}
	return wire.RotationPreviewAnswer{RotationPreview: rotationPreview(p)}, nil
}

func rotationPreview(p *service.RotationPreview) wire.RotationPreview {
	s := p.Secret
	out := wire.RotationPreview{
		SecretName: s.Name, SecretType: s.Type, SecretSubType: wire.OrNull(s.Instance().SecretSubType), Bound: binding(p.Bound),
		VersionID: wire.OrNull(p.Base), Account: wire.OrNull(p.Account),
	}
	if p.Password != (rotate.Password{}) {
		out.Password = &wire.Password{Length: p.Password.Length, Specials: p.Password.Specials}
	}
	out.Findings, out.Ready = findings(p.Findings)
	return out
}

// findings returns the wire form of findings, and whether none is a failure.
func findings(in []rotate.Finding) (out []wire.Finding, ready bool) {
	out, ready = make([]wire.Finding, 0, len(in)), true
	for _, f := range in {
		cause, _ := rotate.CauseOf(f.Code)
		out = append(out, wire.Finding{
			Check: string(f.Check), Status: string(f.Status), Code: wire.OrNull(f.Code), Msg: wire.OrNull(f.Msg), Mend: wire.OrNull(cause.Mend),
		})
		ready = ready && f.Status != rotate.Failed
	}
	return out, ready
}

func (a *API) checkDatabaseTarget(ctx context.Context, who *iam.Caller, q *targetRef) (wire.TargetCheckAnswer, error) {
	found, err := a.Service.CheckDatabaseTarget(ctx, who, q.instanceID)
	if err != nil {
		return wire.TargetCheckAnswer{}, err
	}
	check := wire.TargetCheck{InstanceID: q.instanceID}
	check.Findings, check.Ready = findings(found)
	return wire.TargetCheckAnswer{TargetCheck: check}, nil
}

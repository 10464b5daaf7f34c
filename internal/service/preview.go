package service

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/rotate"
	"coffer/internal/store"
)

// RotationPreview is what a rotation of a secret would do if it began now.
type RotationPreview struct {
	Secret *csms.Secret
	Bound  rotate.Binding // zero where nothing is bound
	Base   string         // id of the version whose account would get a new password; "" for none
	*rotate.Preview
}

// PreviewRotation tells what a rotation of a secret would do, and changes nothing. It
// takes an administrator who may rotate the secret and read it, because the answer names
// the account of its value. Of a target it logs in as the administrator, as the rotation
// would.
func (s *Service) PreviewRotation(ctx context.Context, who *iam.Caller, name string) (*RotationPreview, error) {
	now := s.now()
	if err := s.Authorize(ctx, who, iam.PreviewRotation, ""); err != nil {
		return nil, err
	}
	t, err := s.authorize(ctx, who, s.request(who, iam.RotateSecret, name), now)
	if err != nil {
		return nil, err
	}
	r := s.request(who, iam.ShowSecretVersion, name)
	r.VersionID = iam.Known(csms.Latest)
	if _, err := s.authorize(ctx, who, r, now); err != nil {
		return nil, err
	}
	if t.missing != nil {
		return nil, t.missing
	}
	if !t.secret.Type.Rotates() {
		return nil, t.secret.CheckRotatable()
	}
	return s.preview(ctx, who, r, t.secret.Clone(), now)
}

// preview looks at sec, which is a copy, as a task would that begins at now.
func (s *Service) preview(ctx context.Context, who *iam.Caller, read iam.Request, sec *csms.Secret, now csms.Millis) (*RotationPreview, error) {
	task := sec.NewTask("", csms.OperateManual, now)
	task.Choose(sec)
	r := s.rotationOf(task, sec)
	out := &RotationPreview{Secret: sec, Preview: &rotate.Preview{Findings: []rotate.Finding{rotate.Found(rotate.CheckSecret, s.checkReady(ctx, sec))}}}
	engine, err := s.engines.For(ctx, r)
	out.Findings = append(out.Findings, rotate.Found(rotate.CheckBinding, err))
	p, tells := engine.(rotate.Previewer)
	if err != nil || !tells {
		return out, nil
	}
	out.Bound = p.Binding()
	base, err := s.baseValue(ctx, who, read, sec, task.Base)
	if csms.CodeOf(err) == csms.CodeForbidden {
		return nil, err
	}
	if err != nil {
		out.Findings = append(out.Findings, rotate.Found(rotate.CheckAccount, err))
		return out, nil
	}
	defer base.Wipe()
	if task.Base != 0 {
		out.Base = csms.VersionID(task.Base)
	}
	seen := p.Preview(ctx, r, base)
	if err := s.previewPair(ctx, who, read, sec, task, previewOf{engine, r, base}, seen); err != nil {
		return nil, err
	}
	seen.Findings = append(out.Findings, seen.Findings...)
	out.Preview = seen
	return out, nil
}

// previewOf is what a preview is about.
type previewOf struct {
	engine rotate.Engine
	r      *rotate.Rotation
	base   csms.Plaintext
}

// previewPair marks the account as failed where the two values of a MultiUser secret are
// of one account.
func (s *Service) previewPair(ctx context.Context, who *iam.Caller, read iam.Request, sec *csms.Secret, task *csms.Task, of previewOf, seen *rotate.Preview) error {
	pair, ok := of.engine.(rotate.Pair)
	if !ok || of.base == nil || of.r.Instance.SecretSubType != csms.MultiUser {
		return nil
	}
	current, err := s.baseValue(ctx, who, read, sec, task.Current)
	if csms.CodeOf(err) == csms.CodeForbidden {
		return err
	}
	if err == nil {
		defer current.Wipe()
		err = pair.CheckPair(of.r, of.base, current)
	}
	for i, f := range seen.Findings {
		if f.Check == rotate.CheckAccount && f.Status == rotate.Passed {
			seen.Findings[i] = rotate.Found(rotate.CheckAccount, err)
		}
	}
	return nil
}

// checkReady reports why no rotation of sec may begin now.
func (s *Service) checkReady(ctx context.Context, sec *csms.Secret) error {
	if err := sec.CheckOwn(); err != nil {
		return err
	}
	if err := checkEnabled(sec); err != nil {
		return err
	}
	return s.store.View(ctx, func(v *store.View) error {
		view, err := rotationView(v, sec)
		if err == nil && view.Task != nil && view.Task.Status == csms.TaskRunning {
			err = csms.TaskRunningError(sec.Name, view.Task.ID)
		}
		return err
	})
}

// baseValue opens the version that a rotation would begin with, for a caller who has the
// right to its key.
func (s *Service) baseValue(ctx context.Context, who *iam.Caller, read iam.Request, sec *csms.Secret, number int) (csms.Plaintext, error) {
	if number == 0 {
		return nil, nil
	}
	v, err := sec.Version(csms.VersionID(number))
	if err != nil {
		return nil, err
	}
	if err := s.authorizeRead(ctx, who, about(read, sec), v.KMSKeyID); err != nil {
		return nil, err
	}
	_, value, err := s.openNumber(ctx, sec, number)
	return value, err
}

// CheckDatabaseTarget logs in at a database server as the administrator of the target,
// as a rotation would, and changes nothing.
func (s *Service) CheckDatabaseTarget(ctx context.Context, who *iam.Caller, instanceID string) ([]rotate.Finding, error) {
	if err := s.authorizeTarget(ctx, who, iam.CheckDatabaseTarget, instanceID); err != nil {
		return nil, err
	}
	if _, err := s.databaseTarget(ctx, who.ProjectID, instanceID); err != nil {
		return nil, targetError(err, instanceID)
	}
	r := &rotate.Rotation{Region: s.region, DomainID: who.DomainID, ProjectID: who.ProjectID, Instance: csms.Instance{InstanceID: instanceID}}
	engine, err := s.engines.For(ctx, r)
	findings := []rotate.Finding{rotate.Found(rotate.CheckServer, err)}
	if p, tells := engine.(rotate.Previewer); err == nil && tells {
		findings = aboutServer(p.Preview(ctx, r, nil).Findings)
	}
	return findings, nil
}

// aboutServer returns the findings that are about the server and not about a secret.
func aboutServer(all []rotate.Finding) (kept []rotate.Finding) {
	for _, f := range all {
		switch f.Check {
		case rotate.CheckAdminSecret, rotate.CheckServer, rotate.CheckAdminLogin:
			kept = append(kept, f)
		}
	}
	return kept
}

package service

import (
	"context"
	"iter"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/rotate"
	"coffer/internal/store"
)

// RotationView is what is known of the rotations of one secret.
type RotationView struct {
	Secret  *csms.Secret
	Bound   rotate.Binding // zero where nothing is bound
	Unbound *rotate.Error  // why; nil where something is
	Task    *csms.Task     // that runs, or the last one; nil before the first
}

// ShowRotation tells how the rotations of a secret go. A secret that does not rotate is
// refused, as RotateSecret refuses it (RO6).
func (s *Service) ShowRotation(ctx context.Context, who *iam.Caller, name string) (*RotationView, error) {
	t, err := s.authorize(ctx, who, s.request(who, iam.ShowRotation, name), s.now())
	if err != nil {
		return nil, err
	}
	if err := s.Authorize(ctx, who, iam.ListSecretTask, ""); err != nil {
		return nil, err
	}
	if t.missing != nil {
		return nil, t.missing
	}
	if !t.secret.Type.Rotates() {
		return nil, t.secret.CheckRotatable()
	}
	var out *RotationView
	err = s.store.View(ctx, func(v *store.View) (err error) {
		out, err = rotationView(v, t.secret)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, s.bindView(ctx, out)
}

// rotationView puts a secret and its last task together. A name may have been that of
// another secret before, whose tasks are kept.
func rotationView(v *store.View, sec *csms.Secret) (*RotationView, error) {
	out := &RotationView{Secret: sec}
	for task, err := range v.Tasks(sec.ProjectID, store.TaskFilter{SecretName: sec.Name}, nil) {
		if err != nil {
			return nil, err
		}
		if task.SecretID == sec.ID {
			out.Task = task
		}
		break
	}
	return out, nil
}

// bindView asks what is bound to the secret of v. What an error says is a part of the view.
func (s *Service) bindView(ctx context.Context, v *RotationView) error {
	sec := v.Secret
	r := s.rotationOf(&csms.Task{DomainID: sec.DomainID, ProjectID: sec.ProjectID, FuncURN: sec.Rotation.FuncURN}, sec)
	engine, err := s.engines.For(ctx, r)
	if err != nil {
		v.Unbound = rotate.Explain(err)
		return ctx.Err()
	}
	if p, tells := engine.(rotate.Previewer); tells {
		v.Bound = p.Binding()
	}
	return nil
}

// ListRotations returns a page of the project's secrets that rotate, ascending by name,
// with how their rotations go. EventName of l chooses nothing here.
func (s *Service) ListRotations(ctx context.Context, who *iam.Caller, l Listing) (Page[*RotationView], error) {
	var page Page[*RotationView]
	now, r := s.now(), s.request(who, iam.ListRotations, "")
	filter, err := who.AuthorizeList(&r)
	if err != nil {
		return page, err
	}
	if err := s.Authorize(ctx, who, iam.ListSecretTask, ""); err != nil {
		return page, err
	}
	if err := l.validate(); err != nil {
		return page, err
	}
	err = s.store.View(ctx, func(v *store.View) error {
		secrets, err := s.page(rotatingOnly(v.Secrets(who.ProjectID, l.Marker)), l.Limit, now, &filter)
		if err != nil {
			return err
		}
		page = Page[*RotationView]{More: secrets.More}
		for _, sec := range secrets.Items {
			one, err := rotationView(v, sec)
			if err != nil {
				return err
			}
			page.Items = append(page.Items, one)
		}
		return nil
	})
	if err != nil {
		return page, err
	}
	for _, one := range page.Items {
		if err := s.bindView(ctx, one); err != nil {
			return page, err
		}
	}
	return page, nil
}

// rotatingOnly passes the secrets of a scan whose type rotates.
func rotatingOnly(scan iter.Seq2[*csms.Secret, error]) iter.Seq2[*csms.Secret, error] {
	return func(yield func(*csms.Secret, error) bool) {
		for sec, err := range scan {
			if err == nil && !sec.Type.Rotates() {
				continue
			}
			if !yield(sec, err) {
				return
			}
		}
	}
}

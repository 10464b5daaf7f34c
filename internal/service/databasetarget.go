package service

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// CreateDatabaseTarget registers a database server. The times and the project of in are
// set here. Nothing is asked of the server.
func (s *Service) CreateDatabaseTarget(ctx context.Context, who *iam.Caller, in csms.DatabaseTarget) (*csms.DatabaseTarget, error) {
	now := s.now()
	if err := s.Authorize(ctx, who, iam.CreateDatabaseTarget, ""); err != nil {
		return nil, err
	}
	in.ProjectID, in.CreateTime, in.UpdateTime = who.ProjectID, now, now
	if err := in.Validate(); err != nil {
		return nil, err
	}
	if err := s.mayUseAdmin(ctx, who, &in, now); err != nil {
		return nil, err
	}
	if s.declared.find(in.ProjectID, in.InstanceID) != nil {
		return nil, csms.Invalidf("The instance id %s is already in use in this project, by a target that the configuration of the server declares.", in.InstanceID)
	}
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		switch _, err := tx.DatabaseTarget(in.ProjectID, in.InstanceID); {
		case err == nil:
			return csms.Invalidf("The instance id %s is already in use in this project.", in.InstanceID)
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		return tx.PutDatabaseTarget(&in)
	})
	if err != nil {
		return nil, err
	}
	return &in, nil
}

// mayUseAdmin asks for the right to read the administrator's credential: a rotation
// sends it to the host of the target, so whoever names the host could read it there.
func (s *Service) mayUseAdmin(ctx context.Context, who *iam.Caller, t *csms.DatabaseTarget, now csms.Millis) error {
	r := s.request(who, iam.ShowSecretVersion, t.AdminSecret)
	r.VersionID = iam.Known(csms.Latest)
	found, err := s.authorize(ctx, who, r, now)
	if err != nil {
		return err
	}
	if found.missing != nil {
		return csms.Invalidf("admin_secret: the secret %s does not exist.", t.AdminSecret)
	}
	v, err := found.secret.Version(csms.Latest)
	if err != nil {
		return err
	}
	return s.authorizeRead(ctx, who, about(r, found.secret), v.KMSKeyID)
}

// ShowDatabaseTarget returns a database target.
func (s *Service) ShowDatabaseTarget(ctx context.Context, who *iam.Caller, instanceID string) (*csms.DatabaseTarget, error) {
	if err := s.authorizeTarget(ctx, who, iam.ShowDatabaseTarget, instanceID); err != nil {
		return nil, err
	}
	t, err := s.databaseTarget(ctx, who.ProjectID, instanceID)
	return t, targetError(err, instanceID)
}

// authorizeTarget asks for the right to op and then checks the id in the path.
func (s *Service) authorizeTarget(ctx context.Context, who *iam.Caller, op iam.Op, instanceID string) error {
	if err := s.Authorize(ctx, who, op, ""); err != nil {
		return err
	}
	return csms.CheckInstanceID("instance_id", instanceID)
}

// targetError puts the failed look-up of a target into its code.
func targetError(err error, instanceID string) error {
	if errors.Is(err, store.ErrNotFound) {
		return csms.Errorf(csms.CodeNotFound, "The database target %s does not exist.", instanceID)
	}
	return err
}

// DatabaseTargetListing asks for a page of database targets.
type DatabaseTargetListing struct {
	Limit  int
	Marker string // exclusive: the last instance id of the previous page; "" for the first
}

func (l DatabaseTargetListing) validate() error {
	if err := CheckLimit(l.Limit); err != nil {
		return err
	}
	if l.Marker == "" {
		return nil
	}
	return csms.CheckInstanceID("marker", l.Marker)
}

// ListDatabaseTargets returns a page of the project's targets, ascending by instance id.
func (s *Service) ListDatabaseTargets(ctx context.Context, who *iam.Caller, l DatabaseTargetListing) (Page[*csms.DatabaseTarget], error) {
	var page Page[*csms.DatabaseTarget]
	if err := s.Authorize(ctx, who, iam.ListDatabaseTargets, ""); err != nil {
		return page, err
	}
	if err := l.validate(); err != nil {
		return page, err
	}
	err := s.store.View(ctx, func(v *store.View) error {
		return page.take(s.declared.beside(v.DatabaseTargets(who.ProjectID, l.Marker), who.ProjectID, l.Marker), l.Limit)
	})
	return page, err
}

// UpdateDatabaseTarget changes a target. It takes the right to read the credential of
// the administrator, the old one and the new one: a change of the host alone would send
// it elsewhere.
func (s *Service) UpdateDatabaseTarget(ctx context.Context, who *iam.Caller, instanceID string, p csms.DatabaseTargetPatch) (*csms.DatabaseTarget, error) {
	now := s.now()
	if err := s.authorizeTarget(ctx, who, iam.UpdateDatabaseTarget, instanceID); err != nil {
		return nil, err
	}
	before, err := s.databaseTarget(ctx, who.ProjectID, instanceID)
	if err != nil {
		return nil, targetError(err, instanceID)
	}
	if err := before.CheckChangeable(); err != nil {
		return nil, err
	}
	after := *before
	after.Update(p, now)
	if err := after.Validate(); err != nil {
		return nil, err
	}
	if err := s.mayUseAdmin(ctx, who, &after, now); err != nil {
		return nil, err
	}
	return s.changeTarget(ctx, &after, p, now)
}

// changeTarget applies p in one transaction, to a target that still has the
// administrator's credential that the caller may read.
func (s *Service) changeTarget(ctx context.Context, checked *csms.DatabaseTarget, p csms.DatabaseTargetPatch, now csms.Millis) (*csms.DatabaseTarget, error) {
	var t *csms.DatabaseTarget
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		if t, err = s.storedTarget(tx, checked.ProjectID, checked.InstanceID); err != nil {
			return err
		}
		t.Update(p, now)
		if t.AdminSecret != checked.AdminSecret {
			return csms.Invalidf("The database target %s was changed at the same time; try again.", t.InstanceID)
		}
		if err := t.Validate(); err != nil {
			return err
		}
		return tx.PutDatabaseTarget(t)
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// DeleteDatabaseTarget removes a target. Secrets that name it stay; their rotations end
// with a code that says why.
func (s *Service) DeleteDatabaseTarget(ctx context.Context, who *iam.Caller, instanceID string) error {
	if err := s.authorizeTarget(ctx, who, iam.DeleteDatabaseTarget, instanceID); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		t, err := s.storedTarget(tx, who.ProjectID, instanceID)
		if err != nil {
			return err
		}
		return tx.DeleteDatabaseTarget(t)
	})
}

package service

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/store"
)

// RotationTarget returns the database target that the secret of r is bound to, for an
// engine and not for a caller. A target that is not there is CodeTargetNotFound.
func (s *Service) RotationTarget(ctx context.Context, r *rotate.Rotation) (*csms.DatabaseTarget, error) {
	t, err := s.databaseTarget(ctx, r.ProjectID, r.Instance.InstanceID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, rotate.Finalf(rotate.CodeTargetNotFound, "The database target %s does not exist.", r.Instance.InstanceID)
	case err != nil:
		return nil, fmt.Errorf("reading database target: %w", err)
	}
	return t, nil
}

// AdminValue returns the current value of the administrator's secret of t. Who
// registered the target had the right to read it. The caller wipes the value.
func (s *Service) AdminValue(ctx context.Context, t *csms.DatabaseTarget) (csms.Plaintext, error) {
	sec, err := s.lookUp(ctx, t.ProjectID, t.AdminSecret, s.now())
	if err != nil {
		return nil, err
	}
	v, sealed, err := s.sealedValue(ctx, sec, csms.Latest)
	if err != nil {
		return nil, err
	}
	value, err := s.openSealed(ctx, v, sealed)
	if err != nil {
		return nil, keyError(err, v.Version.KMSKeyID)
	}
	return value, nil
}

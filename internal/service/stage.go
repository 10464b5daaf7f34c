package service

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// StageOf is a label together with the secret it belongs to.
type StageOf struct {
	Secret *csms.Secret
	Stage  csms.Stage
}

// CreateSecretStage places a label on a version; it moves one that exists (L13).
func (s *Service) CreateSecretStage(ctx context.Context, who *iam.Caller, name, stage, versionID string) (StageOf, error) {
	return s.moveStage(ctx, who, iam.CreateSecretStage, name, stage, versionID)
}

// UpdateSecretStage moves a label to a version and creates one that does not exist
// (L11, L12).
func (s *Service) UpdateSecretStage(ctx context.Context, who *iam.Caller, name, stage, versionID string) (StageOf, error) {
	return s.moveStage(ctx, who, iam.UpdateSecretStage, name, stage, versionID)
}

func (s *Service) moveStage(ctx context.Context, who *iam.Caller, op iam.Op, name, stage, versionID string) (StageOf, error) {
	r := s.request(who, op, name)
	r.VersionStage = iam.Known(stage)
	var moved csms.Stage
	sec, err := s.change(ctx, who, change{
		request: r,
		validate: func(csms.Millis) error {
			if err := csms.CheckStageName(stage); err != nil {
				return err
			}
			return csms.CheckVersionID(versionID)
		},
		apply: func(tx *store.Tx, sec *csms.Secret, now csms.Millis) error {
			st, err := sec.MoveStage(stage, versionID, now)
			if err != nil {
				return err
			}
			moved = *st
			return checkLabelsFree(tx, sec, stage)
		},
	})
	return StageOf{sec, moved}, err
}

// ShowSecretStage returns a label and the version it sits on (L18).
func (s *Service) ShowSecretStage(ctx context.Context, who *iam.Caller, name, stage string) (StageOf, error) {
	r := s.request(who, iam.ShowSecretStage, name)
	r.VersionStage = iam.Known(stage)
	t, err := s.authorize(ctx, who, r, s.now())
	if err != nil {
		return StageOf{}, err
	}
	if err := csms.CheckStageName(stage); err != nil {
		return StageOf{}, err
	}
	if t.missing != nil {
		return StageOf{}, t.missing
	}
	st, err := t.secret.Stage(stage)
	if err != nil {
		return StageOf{}, err
	}
	return StageOf{t.secret, *st}, nil
}

// DeleteSecretStage takes a label away; the built-in two refuse (L16).
func (s *Service) DeleteSecretStage(ctx context.Context, who *iam.Caller, name, stage string) error {
	r := s.request(who, iam.DeleteSecretStage, name)
	r.VersionStage = iam.Known(stage)
	_, err := s.change(ctx, who, change{
		request: r,
		validate: func(csms.Millis) error {
			if err := csms.CheckStageName(stage); err != nil {
				return err
			}
			return csms.CheckRemovable(stage)
		},
		apply: func(tx *store.Tx, sec *csms.Secret, _ csms.Millis) error {
			if err := sec.RemoveStage(stage); err != nil {
				return err
			}
			return checkLabelsFree(tx, sec, stage)
		},
	})
	return err
}

// checkLabelsFree refuses to change the label of a pending version while its task runs.
func checkLabelsFree(tx *store.Tx, sec *csms.Secret, stages ...string) error {
	for _, stage := range stages {
		if _, ok := csms.PendingTask(stage); !ok {
			continue
		}
		switch task, err := tx.RunningTask(sec.ID); {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case err != nil:
			return internalf(err, "looking for a running task of secret %s", sec.ID)
		default:
			if err := task.CheckLabelFree(stage); err != nil {
				return err
			}
		}
	}
	return nil
}

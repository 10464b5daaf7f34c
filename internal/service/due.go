package service

import (
	"context"
	"errors"
	"log/slog"

	"coffer/internal/csms"
	"coffer/internal/store"
)

// dueBatch bounds the due rows taken in one look, so that a long backlog is worked
// off in steps.
const dueBatch = 256

// RunDue does everything that is due now: destroys secrets whose time has come
// (S5), announces expired versions (E8), begins planned rotations, makes replicas anew (M1), forgets expired
// tokens, temporary keys, old notification records and old tasks, destroys KMS keys and rotates them. It returns how
// many things it did. Each is checked again in its own transaction, so that a
// RestoreSecret that came first wins, and a second runner does no harm. One that
// fails holds up no other.
func (s *Service) RunDue(ctx context.Context) (done int, err error) {
	for {
		now := s.now()
		rows, err := s.dueRows(ctx, now)
		if err != nil {
			return done, err
		}
		did, err := s.runRows(ctx, rows, now)
		done += did
		if err != nil || did == 0 || len(rows) < dueBatch {
			return done, err
		}
	}
}

func (s *Service) runRows(ctx context.Context, rows []store.Due, now csms.Millis) (done int, err error) {
	var failed []error
	for _, row := range rows {
		did, err := s.runRow(ctx, row, now)
		if err != nil {
			failed = append(failed, internalf(err, "doing what is due: %s", row.Kind))
		}
		if did {
			done++
		}
	}
	return done, errors.Join(failed...)
}

func (s *Service) dueRows(ctx context.Context, now csms.Millis) ([]store.Due, error) {
	var rows []store.Due
	err := s.store.View(ctx, func(v *store.View) error {
		for row, err := range v.Due(now) {
			if err != nil {
				return err
			}
			if rows = append(rows, row); len(rows) == dueBatch {
				break
			}
		}
		return nil
	})
	return rows, err
}

// runRow does one thing that is due, and reports whether it was still to be done.
func (s *Service) runRow(ctx context.Context, row store.Due, now csms.Millis) (did bool, err error) {
	switch row.Kind {
	case store.DuePurge:
		return s.purge(ctx, row, now)
	case store.DueVersionExpiry:
		return s.expireVersions(ctx, row, now)
	case store.DueRotation:
		return s.beginRotation(ctx, row, now)
	case store.DueReplica:
		return s.replicate(ctx, row, now)
	case store.DueTokenExpiry:
		return s.forgetToken(ctx, row, now)
	case store.DueAccessKeyExpiry:
		return s.forgetAccessKey(ctx, row, now)
	case store.DueKeyDeletion:
		return s.destroyKey(ctx, row, now)
	case store.DueKeyRotation:
		return s.rotateKey(ctx, row.Project, row.KeyID, now)
	case store.DueRecordExpiry:
		return s.forgetRecord(ctx, row, now)
	case store.DueTaskExpiry:
		return s.forgetTask(ctx, row, now)
	default:
		return false, errors.New("unknown kind of due row")
	}
}

// purge destroys a secret that is still scheduled and due.
func (s *Service) purge(ctx context.Context, row store.Due, now csms.Millis) (did bool, err error) {
	did, err = s.dueSecret(ctx, row, func(tx *store.Tx, sec *csms.Secret) (bool, error) {
		if !sec.Gone(now) {
			return false, nil
		}
		return true, s.erase(tx, sec, origin{}, detailScheduled, now)
	})
	if did {
		s.log.InfoContext(ctx, "secret destroyed as scheduled",
			slog.String("project_id", row.Project), slog.String("secret", row.Name), slog.String("secret_id", row.SecretID))
	}
	return did, err
}

// expireVersions marks the versions of a secret whose expiry has passed.
func (s *Service) expireVersions(ctx context.Context, row store.Due, now csms.Millis) (did bool, err error) {
	var fired []csms.Version
	did, err = s.dueSecret(ctx, row, func(tx *store.Tx, sec *csms.Secret) (bool, error) {
		if fired = sec.Expire(now); len(fired) == 0 {
			return false, nil
		}
		for _, v := range fired {
			h := happening{kind: csms.VersionExpired, versionID: v.ID(), detail: detailExpired}
			if err := s.fire(tx, sec, h, now); err != nil {
				return false, err
			}
		}
		return true, tx.PutSecret(sec)
	})
	if !did {
		return false, err
	}
	for _, v := range fired {
		s.log.InfoContext(ctx, "version expired",
			slog.String("project_id", row.Project), slog.String("secret", row.Name), slog.String("version_id", v.ID()))
	}
	return true, nil
}

// dueSecret runs fn on the secret that a row is about, if it is still there, and
// returns what fn did if that was committed.
func (s *Service) dueSecret(ctx context.Context, row store.Due, fn func(*store.Tx, *csms.Secret) (bool, error)) (bool, error) {
	return s.dueRecord(ctx, func(tx *store.Tx) (bool, error) {
		sec, err := tx.Secret(row.Project, row.Name)
		if csms.CodeOf(err) == csms.CodeSecretNotFound {
			return false, nil
		}
		if err != nil || sec.ID != row.SecretID {
			return false, err
		}
		return fn(tx, sec)
	})
}

// dueRecord runs fn in a transaction, in which a record that is gone means that
// there is nothing to do.
func (s *Service) dueRecord(ctx context.Context, fn func(*store.Tx) (bool, error)) (did bool, err error) {
	err = s.store.Update(ctx, func(tx *store.Tx) (err error) {
		if did, err = fn(tx); errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return did && err == nil, err
}

func (s *Service) forgetToken(ctx context.Context, row store.Due, now csms.Millis) (bool, error) {
	return s.dueRecord(ctx, func(tx *store.Tx) (bool, error) {
		token, err := tx.Token(row.TokenHash)
		if err != nil || token.ExpiresAt > now {
			return false, err
		}
		return true, tx.DeleteToken(token)
	})
}

func (s *Service) forgetAccessKey(ctx context.Context, row store.Due, now csms.Millis) (bool, error) {
	return s.dueRecord(ctx, func(tx *store.Tx) (bool, error) {
		key, err := tx.AccessKey(row.AccessKey)
		if err != nil || key.Temporary == nil || key.Temporary.ExpiresAt > now {
			return false, err
		}
		return true, tx.DeleteAccessKey(key)
	})
}

// destroyKey destroys a KMS key for good: what it protects can never be read again.
func (s *Service) destroyKey(ctx context.Context, row store.Due, now csms.Millis) (bool, error) {
	return s.dueRecord(ctx, func(tx *store.Tx) (bool, error) {
		key, err := tx.Key(row.Project, row.KeyID)
		if err != nil || key.State != store.KeyPendingDeletion || key.DeletionTime > now {
			return false, err
		}
		return true, tx.DeleteKey(key)
	})
}

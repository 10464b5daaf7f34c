package identity

import (
	"context"
	"fmt"
	"log/slog"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/store"
)

// rotationKeyLife is how long the key of a rotation function lives at most, in seconds
// (neighbours.md 3.3). It ends with its task before.
const rotationKeyLife = 900

// RotationKey makes the temporary key that the function of a running rotation task is
// given. It belongs to no user; what it may do follows from the task at each request.
// The operations of the API do not lead here: only who carries out the task asks.
func (s *Service) RotationKey(ctx context.Context, taskID, domainID string) (TemporaryKeyInfo, error) {
	k, secret, token, err := s.temporaryKey("", domainID, rotationKeyLife, nil, s.o.Now())
	if err != nil {
		return TemporaryKeyInfo{}, err
	}
	defer secret.Wipe()
	k.Temporary.TaskID = taskID
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		task, err := tx.Task(taskID)
		if err != nil {
			return fmt.Errorf("reading rotation task %s: %w", taskID, err)
		}
		if task.Status != csms.TaskRunning || task.DomainID != domainID {
			return fmt.Errorf("identity: rotation task %s does not run", taskID)
		}
		return tx.PutAccessKey(k)
	})
	if err != nil {
		return TemporaryKeyInfo{}, err
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "rotation key made", slog.String("rotation_task_id", taskID), slog.String("access_key", k.AccessKey))
	return TemporaryKeyInfo{
		Access: k.AccessKey, Secret: string(secret), SecurityToken: token, ExpiresAt: credential.FormatTime(k.Temporary.ExpiresAt),
	}, nil
}

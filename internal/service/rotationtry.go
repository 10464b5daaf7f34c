package service

import (
	"context"
	"math"
	"time"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/store"
)

// Try is how one try of a rotation ended. It names no secret.
type Try struct {
	OperateType csms.OperateType
	Status      csms.TaskStatus // of the task now; RUNNING where another try follows
	Code        rotate.Code     // why the try failed; "" if it did not
	Took        time.Duration   // from the beginning of the task to its end; zero while it runs
}

// ended returns how the try ended that x has written down; why is nil for success.
func (x *rotation) ended(why *rotate.Error) Try {
	t := Try{OperateType: x.task.OperateType, Status: x.task.Status}
	if why != nil {
		t.Code = why.Code
	}
	if t.Status != csms.TaskRunning {
		t.Took = time.Duration(x.task.EndTime-x.task.CreateTime) * time.Millisecond
	}
	return t
}

// RotationBacklog tells how many tasks run, and for how long the oldest thing has been
// due that is not done: a planned rotation that has not begun, or a try that has not
// ended. Zero means that nothing is due.
func (s *Service) RotationBacklog(ctx context.Context) (running int, oldest time.Duration, err error) {
	now := s.now()
	since := now
	err = s.store.View(ctx, func(v *store.View) error {
		for task, err := range v.DueTasks(math.MaxInt64) {
			if err != nil {
				return err
			}
			if task.Status == csms.TaskRunning { // others have an old password to discard
				running, since = running+1, min(since, task.NextTry)
			}
		}
		for row, err := range v.Due(now) {
			if err != nil {
				return err
			}
			if row.Kind == store.DueRotation {
				since = min(since, row.At)
				break // they come in order of time
			}
		}
		return nil
	})
	return running, time.Duration(now-since) * time.Millisecond, err
}

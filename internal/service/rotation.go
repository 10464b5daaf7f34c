package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/store"
)

// Bounds of one run of RunTasks.
const (
	tasksPerLook = 256
	rotators     = 8 // rotations under way at the same time
)

// RunTasks carries out the rotation tasks that are due, and returns how many tries ended,
// whichever way. Each step is written down when it is done, so a task that was broken off
// goes on with the next one. One run at a time rotates; a second one waits for its turn.
func (s *Service) RunTasks(ctx context.Context) (done int, err error) {
	select {
	case s.rotating <- struct{}{}:
		defer func() { <-s.rotating }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for {
		due, err := s.dueTasks(ctx)
		if err != nil {
			return done, internalf(err, "reading the tasks that are due")
		}
		ended, err := s.runTasks(ctx, due)
		done += ended
		if err != nil || len(due) == 0 {
			return done, err
		}
	}
}

func (s *Service) dueTasks(ctx context.Context) (due []*csms.Task, err error) {
	now := s.now()
	err = s.store.View(ctx, func(v *store.View) error {
		for task, err := range v.DueTasks(now) {
			if err != nil {
				return err
			}
			if due = append(due, task); len(due) == tasksPerLook {
				break
			}
		}
		return nil
	})
	return due, err
}

// runTasks has several tasks carried out side by side.
func (s *Service) runTasks(ctx context.Context, due []*csms.Task) (done int, err error) {
	var mu sync.Mutex
	var failed []error
	var all sync.WaitGroup
	queue := make(chan *csms.Task)
	for range min(rotators, len(due)) {
		all.Go(func() {
			for task := range queue {
				err := s.runTask(ctx, task)
				mu.Lock()
				if failed = append(failed, err); err == nil {
					done++
				}
				mu.Unlock()
			}
		})
	}
	for _, task := range due {
		queue <- task
	}
	close(queue)
	all.Wait()
	return done, errors.Join(failed...)
}

// runTask makes one try of a task and writes down how it ended. An error means that this
// could not be written down: the task stays as far as it is, and due.
func (s *Service) runTask(ctx context.Context, task *csms.Task) error {
	defer s.turns.take(task.SecretID)()
	x := &rotation{s: s, task: task, doubt: task.Unsure}
	if task.Status != csms.TaskRunning {
		return x.discardOld(ctx)
	}
	cause := x.carryOut(ctx)
	attrs := []any{
		slog.String("project_id", task.ProjectID), slog.String("secret", task.SecretName), slog.String("task_id", task.ID),
		slog.String("operate_type", string(task.OperateType)), slog.Int("attempt", task.Attempt),
	}
	switch err := ctx.Err(); {
	case cause == nil:
		s.onTry(x.ended(nil))
		s.log.InfoContext(ctx, "secret rotated", attrs...)
		return nil
	case errors.Is(cause, errSuperseded):
		return nil
	case err != nil:
		return err // the server stops: that says nothing about the source
	}
	why := rotate.Explain(cause)
	s.log.WarnContext(ctx, "rotation failed", append(attrs, slog.String("code", string(why.Code)), slog.Any("error", cause))...)
	switch err := x.fail(ctx, why); {
	case errors.Is(err, errSuperseded):
		return nil
	case err != nil:
		return internalf(err, "writing down how rotation task %s ended", task.ID)
	}
	s.onTry(x.ended(why))
	return nil
}

// errSuperseded means that another runner has carried the task further meanwhile.
var errSuperseded = errors.New("the task was carried further by another runner")

// note runs fn in a transaction on the task and its secret, which both are written after
// it. sec is nil if the secret is gone. A task that is not where x saw it is left alone.
func (x *rotation) note(ctx context.Context, fn func(tx *store.Tx, task *csms.Task, sec *csms.Secret, now csms.Millis) error) error {
	now := x.s.now()
	var noted *csms.Task
	err := x.s.store.Update(ctx, func(tx *store.Tx) error {
		task, err := tx.Task(x.task.ID)
		if errors.Is(err, store.ErrNotFound) {
			return errSuperseded
		}
		if err != nil {
			return err
		}
		if *task != *x.task {
			return errSuperseded
		}
		sec, err := taskSecret(tx, task, now)
		if err != nil {
			return err
		}
		if err := fn(tx, task, sec, now); err != nil {
			return err
		}
		noted = task
		if sec != nil {
			if err := tx.PutSecret(sec); err != nil {
				return err
			}
		}
		return tx.PutTask(task)
	})
	if err == nil {
		x.task = noted
	}
	return err
}

// taskSecret returns the secret of a task, or nil if it is gone.
func taskSecret(tx *store.Tx, task *csms.Task, now csms.Millis) (*csms.Secret, error) {
	sec, err := tx.SecretByID(task.SecretID)
	if csms.CodeOf(err) == csms.CodeNotFound {
		return nil, nil //nolint:nilnil // the caller decides what that means
	}
	if err != nil || sec.Gone(now) {
		return nil, err
	}
	return sec, nil
}

// fail ends the try for a reason. If it was the last one, the task has failed, which the
// secret notes and its event tells (RO10).
func (x *rotation) fail(ctx context.Context, why *rotate.Error) error {
	return x.note(ctx, func(tx *store.Tx, task *csms.Task, sec *csms.Secret, now csms.Millis) error {
		task.Fail(csms.Failure{Code: string(why.Code), Msg: why.Msg, Final: why.Final, Unsure: x.unsure(why)}, now)
		if sec == nil || task.Status == csms.TaskRunning {
			return nil
		}
		detail := "rotation failed: " + string(why.Code)
		if sec.RotationFailed(task, now) {
			detail += "; automatic rotation is switched off after three failures in a row"
		}
		return x.s.fire(tx, sec, happening{kind: csms.RotationFailed, detail: detail, origin: originOfTask(task)}, now)
	})
}

// unsure reports whether the source may have the new value when a try ends for a reason.
func (x *rotation) unsure(why *rotate.Error) bool {
	if x.task.Pending == 0 || x.refused {
		return false
	}
	return x.doubt || x.task.Step == csms.StepChanged || why.Unsure
}

func originOfTask(t *csms.Task) origin { return origin{operator: t.Operator, requestID: t.RequestID} }

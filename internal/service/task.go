package service

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// RotateSecret begins a rotation of a secret and returns its task, which is listed
// before this returns (RO7). It refuses a type that does not rotate (RO6), a secret that
// is not ENABLED, and one that is being rotated already.
func (s *Service) RotateSecret(ctx context.Context, who *iam.Caller, name string) (*csms.Task, error) {
	now := s.now()
	t, err := s.authorize(ctx, who, s.request(who, iam.RotateSecret, name), now)
	if err != nil {
		return nil, err
	}
	if t.missing != nil {
		return nil, t.missing
	}
	var task *csms.Task
	id, from := s.newID(), s.originOf(ctx, who)
	_, err = s.update(ctx, t.secret, now, func(tx *store.Tx, sec *csms.Secret, now csms.Millis) (err error) {
		if err := sec.CheckRotatable(); err != nil {
			return err
		}
		task, err = beginTask(tx, sec, id, csms.OperateManual, from, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return task, nil
}

// beginTask writes a new task of sec, which its caller puts afterwards.
func beginTask(tx *store.Tx, sec *csms.Secret, id string, operate csms.OperateType, o origin, now csms.Millis) (*csms.Task, error) {
	switch running, err := tx.RunningTask(sec.ID); {
	case err == nil:
		return nil, csms.TaskRunningError(sec.Name, running.ID)
	case !errors.Is(err, store.ErrNotFound):
		return nil, internalf(err, "looking for a running task of secret %s", sec.ID)
	}
	task := sec.NewTask(id, operate, now)
	task.Operator, task.RequestID = o.operator, o.requestID
	return task, tx.PutTask(task)
}

// beginRotation begins the planned rotation of a secret that is still due. One that runs
// already is waited for.
func (s *Service) beginRotation(ctx context.Context, row store.Due, now csms.Millis) (bool, error) {
	id := s.newID()
	return s.dueSecret(ctx, row, func(tx *store.Tx, sec *csms.Secret) (bool, error) {
		if at := sec.RotationDue(); at == 0 || at > now {
			return false, nil
		}
		switch _, err := tx.RunningTask(sec.ID); {
		case err == nil:
			sec.PostponeRotation(now)
			return true, tx.PutSecret(sec)
		case !errors.Is(err, store.ErrNotFound):
			return false, err
		}
		sec.RotationBegun(now)
		if _, err := beginTask(tx, sec, id, csms.OperateAuto, origin{}, now); err != nil {
			return false, err
		}
		return true, tx.PutSecret(sec)
	})
}

// TaskListing asks for a page of tasks. A member that is empty is not asked for; TaskID
// goes with no other (P9).
type TaskListing struct {
	SecretName string
	Status     csms.TaskStatus
	TaskID     string
	Limit      int
	Marker     string // exclusive: the last task id of the previous page; "" for the first
}

func (l *TaskListing) validate() error {
	if err := CheckLimit(l.Limit); err != nil {
		return err
	}
	if l.TaskID != "" {
		return csms.CheckTaskID("task_id", l.TaskID)
	}
	if l.SecretName != "" {
		if err := csms.CheckName("secret_name", l.SecretName); err != nil {
			return err
		}
	}
	if l.Status != "" {
		if err := csms.CheckTaskStatus(l.Status); err != nil {
			return err
		}
	}
	if l.Marker != "" {
		return csms.CheckTaskID("marker", l.Marker)
	}
	return nil
}

// TaskPage is a page of tasks and the number of all that the filter chooses.
type TaskPage struct {
	Page[*csms.Task]
	Total int
}

// ListSecretTask returns a page of the tasks of the project, the newest first (P9). The
// tasks of a secret stay when it goes. A task id that names nothing chooses nothing. So
// does a marker: tasks are forgotten by age, and what comes after one that is forgotten
// is forgotten too.
func (s *Service) ListSecretTask(ctx context.Context, who *iam.Caller, l TaskListing) (TaskPage, error) {
	if err := s.Authorize(ctx, who, iam.ListSecretTask, ""); err != nil {
		return TaskPage{}, err
	}
	if err := l.validate(); err != nil {
		return TaskPage{}, err
	}
	var page TaskPage
	err := s.store.View(ctx, func(v *store.View) (err error) {
		if l.TaskID != "" {
			page, err = oneTask(v, who.ProjectID, l.TaskID)
			return err
		}
		page, err = l.page(v, who.ProjectID)
		return err
	})
	return page, err
}

// oneTask returns the page that holds the task of that id, if the project has it.
func oneTask(v *store.View, project, id string) (TaskPage, error) {
	task, err := projectTask(v, project, id)
	if err != nil || task == nil {
		return TaskPage{}, err
	}
	return TaskPage{Page[*csms.Task]{Items: []*csms.Task{task}}, 1}, nil
}

// projectTask returns a task of the project, or nil.
func projectTask(v *store.View, project, id string) (*csms.Task, error) {
	task, err := v.Task(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && task.ProjectID != project {
		return nil, nil //nolint:nilnil // a task that is not there is no error here
	}
	return task, err
}

// page reads the page of l from the list of its filter.
func (l *TaskListing) page(v *store.View, project string) (page TaskPage, err error) {
	filter := store.TaskFilter{SecretName: l.SecretName, Status: l.Status}
	if page.Total, err = v.TaskCount(project, filter); err != nil {
		return page, err
	}
	var after *csms.Task
	if l.Marker != "" {
		if after, err = projectTask(v, project, l.Marker); err != nil || after == nil {
			return page, err
		}
	}
	err = page.take(v.Tasks(project, filter, after), l.Limit)
	return page, err
}

// forgetTask removes a task that was kept long enough.
func (s *Service) forgetTask(ctx context.Context, row store.Due, now csms.Millis) (bool, error) {
	return s.dueRecord(ctx, func(tx *store.Tx) (bool, error) {
		task, err := tx.Task(row.TaskID)
		if err != nil || task.Status == csms.TaskRunning || csms.TaskExpiry(task.CreateTime) > now {
			return false, err
		}
		return true, tx.DeleteTask(task)
	})
}

package store

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

// newTask returns a task of the secret of that name in project p1.
func newTask(id, name string, at csms.Millis, status csms.TaskStatus) *csms.Task {
	return &csms.Task{
		ID: id, DomainID: "d1", ProjectID: "p1", SecretID: "id of " + name, SecretName: name, Status: status,
		OperateType: csms.OperateManual, CreateTime: at, Attempt: 1, NextTry: at,
	}
}

func putTasks(t *testing.T, s *Store, tasks ...*csms.Task) {
	t.Helper()
	for _, task := range tasks {
		update(t, s, func(tx *Tx) error { return tx.PutTask(task) })
	}
}

// taskList returns the ids of a list, and its length as the counter has it.
func taskList(t *testing.T, s *Store, f TaskFilter, after *csms.Task) (ids []string, total int) {
	t.Helper()
	view(t, s, func(v *View) (err error) {
		for task, err := range v.Tasks("p1", f, after) {
			if err != nil {
				return err
			}
			ids = append(ids, task.ID)
		}
		total, err = v.TaskCount("p1", f)
		return err
	})
	return ids, total
}

// P9: every filter has a list, the newest first, that knows its length.
func TestTasksAreListedByFilter(t *testing.T) {
	s, _ := open(t, Options{})
	putTasks(t, s,
		newTask("t1", "a", 100, csms.TaskFailed), newTask("t2", "a", 300, csms.TaskSuccess), newTask("t3", "b", 200, csms.TaskSuccess),
		newTask("t4", "a", 400, csms.TaskRunning), newTask("t5", "b", 200, csms.TaskFailed))
	foreign := newTask("t6", "a", 100, csms.TaskSuccess)
	foreign.ProjectID, foreign.SecretID = "p2", "other"
	putTasks(t, s, foreign)
	for _, c := range []struct {
		filter TaskFilter
		after  *csms.Task
		want   []string
		total  int
	}{
		{TaskFilter{}, nil, []string{"t4", "t2", "t3", "t5", "t1"}, 5},
		{TaskFilter{}, newTask("t3", "b", 200, ""), []string{"t5", "t1"}, 5},
		{TaskFilter{SecretName: "a"}, nil, []string{"t4", "t2", "t1"}, 3},
		{TaskFilter{SecretName: "a"}, newTask("t3", "b", 200, ""), []string{"t1"}, 3},
		{TaskFilter{Status: csms.TaskSuccess}, nil, []string{"t2", "t3"}, 2},
		{TaskFilter{SecretName: "b", Status: csms.TaskFailed}, nil, []string{"t5"}, 1},
		{TaskFilter{SecretName: "c"}, nil, nil, 0},
		{TaskFilter{SecretName: "a\x00"}, nil, nil, 0},
	} {
		ids, total := taskList(t, s, c.filter, c.after)
		if diff := cmp.Diff(c.want, ids); diff != "" || total != c.total {
			t.Errorf("%+v: total %d, want %d (-want +got):\n%s", c.filter, total, c.total, diff)
		}
	}
	if lines := findings(t, s); lines != nil {
		t.Errorf("findings: %q", lines)
	}
}

// A secret has one running task at most; when it ends, it moves to other lists, and is
// due to be forgotten.
func TestATaskRunsAlone(t *testing.T) {
	s, db := open(t, Options{})
	empty := contents(t, db)
	first, second := newTask("t1", "a", 100, csms.TaskRunning), newTask("t2", "a", 200, csms.TaskRunning)
	putTasks(t, s, first)
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutTask(second) }); !errors.Is(err, ErrTaken) {
		t.Errorf("a second running task: %v", err)
	}
	if got := dueTasks(t, s, 99); got != nil {
		t.Errorf("due before its time: %q", got)
	}
	if got := dueTasks(t, s, 100); !cmp.Equal(got, []string{"t1"}) {
		t.Errorf("due: %q", got)
	}
	update(t, s, func(tx *Tx) error {
		running, err := tx.RunningTask("id of a")
		if err != nil || running.ID != "t1" {
			return fmt.Errorf("running task: %v, %w", running, err)
		}
		running.Status = csms.TaskSuccess
		return tx.PutTask(running)
	})
	putTasks(t, s, second)
	if ids, total := taskList(t, s, TaskFilter{Status: csms.TaskRunning}, nil); total != 1 || ids[0] != "t2" {
		t.Errorf("running: %q, %d", ids, total)
	}
	rows := due(t, s, math.MaxInt64)
	if want := []Due{{At: csms.TaskExpiry(100), Kind: DueTaskExpiry, TaskID: "t1"}}; !cmp.Equal(want, rows) {
		t.Errorf("due rows: %+v", rows)
	}
	update(t, s, func(tx *Tx) error { return errors.Join(tx.DeleteTask(first), tx.DeleteTask(second)) })
	if diff := cmp.Diff(empty, contents(t, db)); diff != "" {
		t.Errorf("deletion left something behind (-before +after):\n%s", diff)
	}
	err := s.Update(t.Context(), func(tx *Tx) error { return tx.DeleteTask(first) })
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("deletion of what is not there: %v", err)
	}
}

func dueTasks(t *testing.T, s *Store, until csms.Millis) (ids []string) {
	t.Helper()
	view(t, s, func(v *View) error {
		for task, err := range v.DueTasks(until) {
			if err != nil {
				return err
			}
			ids = append(ids, task.ID)
		}
		return nil
	})
	return ids
}

// Rows and counters of tasks are what Reindex makes of the records.
func TestTaskListsAreReindexed(t *testing.T) {
	s, db := open(t, Options{})
	putTasks(t, s, newTask("t1", "a", 100, csms.TaskFailed), newTask("t2", "a", 300, csms.TaskRunning))
	whole := contents(t, db)
	edit(t, db, func(tx kv.Txn) error {
		return errors.Join(
			tx.Delete(taskPlace(taskListKey("p1", TaskFilter{}), newTask("t1", "a", 100, ""))),
			tx.Delete(taskCountKey("p1", "a", anyTask)),
			tx.Put(taskCountKey("p1", anyTask, anyTask), []byte{0, 0, 0, 9}),
			tx.Put(runningTaskKey("id of b"), idKey(nil, tableTask, "t2")))
	})
	if lines := findings(t, s); len(lines) != 4 {
		t.Errorf("findings: %q", lines)
	}
	if n, err := s.Reindex(t.Context()); n != 4 || err != nil {
		t.Errorf("Reindex = %d, %v", n, err)
	}
	if diff := cmp.Diff(whole, contents(t, db)); diff != "" {
		t.Errorf("reindexed (-want +got):\n%s", diff)
	}
}

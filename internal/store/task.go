package store

import (
	"iter"
	"math"
	"slices"

	"coffer/internal/csms"
)

// taskRecord is csms.Task as it stands on disk, kept apart like secretRecord.
type taskRecord struct {
	ID          string            `cbor:"1,keyasint"`
	DomainID    string            `cbor:"2,keyasint"`
	ProjectID   string            `cbor:"3,keyasint"`
	SecretID    string            `cbor:"4,keyasint"`
	SecretName  string            `cbor:"5,keyasint"`
	FuncURN     string            `cbor:"6,keyasint,omitempty"`
	Status      csms.TaskStatus   `cbor:"7,keyasint"`
	OperateType csms.OperateType  `cbor:"8,keyasint"`
	CreateTime  csms.Millis       `cbor:"9,keyasint"`
	EndTime     csms.Millis       `cbor:"10,keyasint,omitempty"`
	Attempt     int               `cbor:"11,keyasint"`
	NextTry     csms.Millis       `cbor:"12,keyasint"`
	ErrorCode   string            `cbor:"13,keyasint,omitempty"`
	ErrorMsg    string            `cbor:"14,keyasint,omitempty"`
	Step        csms.RotationStep `cbor:"15,keyasint,omitempty"`
	Current     int               `cbor:"16,keyasint,omitempty"`
	Base        int               `cbor:"17,keyasint,omitempty"`
	Pending     int               `cbor:"18,keyasint,omitempty"`
	Operator    string            `cbor:"19,keyasint,omitempty"`
	RequestID   string            `cbor:"20,keyasint,omitempty"`
	Unsure      bool              `cbor:"21,keyasint,omitempty"`
	Discard     csms.Millis       `cbor:"22,keyasint,omitempty"`
}

var taskKind = kind[csms.Task]{
	table: tableTask,
	key:   func(t *csms.Task) key { return idKey(nil, tableTask, t.ID) },
	rows:  taskRows,
	encode: func(c codec, t *csms.Task) ([]byte, error) {
		r := taskRecord(*t)
		return c.encode(tableTask, &r)
	},
	decode: func(c codec, raw []byte) (*csms.Task, error) {
		var r taskRecord
		if err := c.decode(tableTask, raw, &r); err != nil {
			return nil, err
		}
		t := csms.Task(r)
		return &t, nil
	},
}

// anyTask stands in a key for every name, or every status: no secret has that name.
const anyTask = "*"

// TaskFilter chooses tasks; an empty member chooses all.
type TaskFilter struct {
	SecretName string
	Status     csms.TaskStatus
}

// texts returns the parts that the filter is in a key.
func (f TaskFilter) texts() (name, status string) {
	name, status = f.SecretName, string(f.Status)
	if name == "" {
		name = anyTask
	}
	if status == "" {
		status = anyTask
	}
	return name, status
}

// taskListKey begins the keys of the tasks of a project that a filter chooses.
func taskListKey(project string, f TaskFilter) key {
	name, status := f.texts()
	return start(nil, tableTaskList).text(project).text(name).text(status)
}

func taskCountKey(project, name, status string) key {
	return start(nil, tableTaskCount).text(project).text(name).text(status)
}

func runningTaskKey(secretID string) key { return start(nil, tableTaskRunning).text(secretID) }

// taskPlace continues taskListKey to the row of one task. Time counts down.
func taskPlace(k key, t *csms.Task) key { return k.instant(math.MaxInt64 - t.CreateTime).text(t.ID) }

// taskRows derives the rows of a task: one in each list it is in, and what is to be done
// with it, and when.
func taskRows(t *csms.Task) []row {
	filters := []TaskFilter{{}, {SecretName: t.SecretName}, {Status: t.Status}, {SecretName: t.SecretName, Status: t.Status}}
	rows := make([]row, 0, len(filters)+2)
	for _, f := range filters {
		rows = append(rows, row{key: taskPlace(taskListKey(t.ProjectID, f), t)})
	}
	if t.Status == csms.TaskRunning {
		return append(rows, unique(runningTaskKey(t.SecretID)), taskDueRow(t.NextTry, t.ID))
	}
	if t.Discard != 0 {
		rows = append(rows, taskDueRow(t.Discard, t.ID))
	}
	return append(rows, dueRow(csms.TaskExpiry(t.CreateTime), DueTaskExpiry, t.ID, 0))
}

func taskDueRow(at csms.Millis, id string) row {
	return row{key: start(nil, tableTaskDue).instant(at).text(id)}
}

// Task returns the task of that id, or ErrNotFound.
func (t *Tx) Task(id string) (*csms.Task, error) {
	return load(t, &taskKind, idKey(nil, tableTask, id))
}

// RunningTask returns the running task of a secret, or ErrNotFound: a secret has at most
// one.
func (t *Tx) RunningTask(secretID string) (*csms.Task, error) {
	return loadByRow(t, &taskKind, runningTaskKey(secretID))
}

// PutTask writes a task, new or changed, and counts it in its lists. A second running
// task of a secret is refused with ErrTaken.
func (t *Tx) PutTask(task *csms.Task) error {
	old, err := save(t, &taskKind, task)
	if err != nil {
		return err
	}
	return t.countRows(old.rows, t.standing[string(taskKind.key(task))].rows)
}

// DeleteTask removes a task, or returns ErrNotFound.
func (t *Tx) DeleteTask(task *csms.Task) error {
	k := taskKind.key(task)
	old, err := before(t, &taskKind, k)
	if err != nil {
		return err
	}
	if err := erase(t, &taskKind, k); err != nil {
		return err
	}
	return t.countRows(old.rows, nil)
}

// Task returns the task of that id, or ErrNotFound.
func (v *View) Task(id string) (*csms.Task, error) {
	raw, err := getRaw(v.r, idKey(nil, tableTask, id))
	if err != nil {
		return nil, err
	}
	return taskKind.decode(v.codec, raw)
}

// Tasks yields the tasks of a project that a filter chooses, the newest first, and of
// one instant by id; from the first one after the given one, or all for nil.
func (v *View) Tasks(project string, f TaskFilter, after *csms.Task) iter.Seq2[*csms.Task, error] {
	k := taskListKey(project, f)
	r := k.under()
	if place := taskPlace(slices.Clone(k), orEpoch(after)); after != nil && place != nil {
		r.From = append(place, 0)
	}
	return owners(v, &taskKind, r)
}

// orEpoch returns t, or a task of no consequence for nil.
func orEpoch(t *csms.Task) *csms.Task {
	if t == nil {
		return &csms.Task{ID: anyTask}
	}
	return t
}

// TaskCount returns the number of tasks of a project that a filter chooses.
func (v *View) TaskCount(project string, f TaskFilter) (int, error) {
	name, status := f.texts()
	return v.count(taskCountKey(project, name, status))
}

// DueTasks yields the tasks with something to do that is due at until or before, in order
// of time: a try of a running one, or a password that a successful one is to discard.
func (v *View) DueTasks(until csms.Millis) iter.Seq2[*csms.Task, error] {
	r := tableTaskDue.all()
	if until < math.MaxInt64 {
		r.To = start(nil, tableTaskDue).instant(max(until, -1) + 1)
	}
	return owners(v, &taskKind, r)
}

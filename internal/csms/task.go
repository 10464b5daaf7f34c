package csms

import "unicode/utf8"

// TaskStatus tells how far a rotation task is.
type TaskStatus string

// The status words. SUCCESS and FAILED are final (RO8).
const (
	TaskRunning TaskStatus = "RUNNING"
	TaskSuccess TaskStatus = "SUCCESS"
	TaskFailed  TaskStatus = "FAILED"
)

// OperateType tells what began a task (RO11).
type OperateType string

// The two beginnings.
const (
	OperateManual OperateType = "MANUAL" // RotateSecret
	OperateAuto   OperateType = "AUTO"   // the schedule of the secret
)

// RotationStep is the last step of a rotation that is known to be done. It is written
// down after each one, so that a rotation that was broken off goes on where it was. A
// function does the steps after the first by itself, and then only that one is known.
// The words are on disk.
//
//	"" → CHOSEN → PENDING_STORED → CHANGED → VERIFIED → PROMOTED
type RotationStep string

// The steps (neighbours.md 4.2).
const (
	StepChosen   RotationStep = "CHOSEN"         // which account gets a new password
	StepPending  RotationStep = "PENDING_STORED" // the new value is sealed, before the source knows it
	StepChanged  RotationStep = "CHANGED"        // the source has it
	StepVerified RotationStep = "VERIFIED"       // a login with it worked
	StepPromoted RotationStep = "PROMOTED"       // it is SYSCURRENT; the task is at its end
)

// Task is one rotation of a secret, from its request to its end. It outlives the secret.
type Task struct {
	ID         string // UUID
	DomainID   string
	ProjectID  string
	SecretID   string
	SecretName string
	FuncURN    string // rotation_func_urn when the task began; "" for none

	Status      TaskStatus
	OperateType OperateType
	CreateTime  Millis // task_time
	EndTime     Millis // zero while it runs
	Attempt     int    // the try under way, or the last one; from 1 (RO11)
	NextTry     Millis // not before
	ErrorCode   string // of the last try that failed; names the cause
	ErrorMsg    string // at most maxTaskMessage bytes, without anything of a value (P4 of neighbours.md)

	Step    RotationStep
	Current int // version under SYSCURRENT when the account was chosen
	Base    int // version whose account gets a new password
	Pending int // version that holds the new value; zero while there is none

	Operator  string // who asked; "" for a task that began by itself
	RequestID string // likewise
}

// Times of a task (neighbours.md 3.5; the retention is that of notification records).
const (
	maxAttempts     = 3
	firstRetryPause = 60 * 1000
	laterRetryPause = 5 * 60 * 1000
	maxTaskMessage  = 512
)

// NewTask returns the task that begins at now, with its first try due at once. Tasks of
// one secret have different times of creation, so that the newest is the first one in a
// list; s notes the time.
func (s *Secret) NewTask(id string, operate OperateType, now Millis) *Task {
	s.Rotation.TaskTime = max(now, s.Rotation.TaskTime+1)
	return &Task{
		ID: id, DomainID: s.DomainID, ProjectID: s.ProjectID, SecretID: s.ID, SecretName: s.Name, FuncURN: s.Rotation.FuncURN,
		Status: TaskRunning, OperateType: operate, CreateTime: s.Rotation.TaskTime, Attempt: 1, NextTry: now,
	}
}

// CheckRotatable reports whether a rotation of s may begin: its type must rotate (RO6), it
// must be no REPLICA (M6), and its state must be ENABLED.
func (s *Secret) CheckRotatable() error {
	if !s.Type.Rotates() {
		return Invalidf("The secret %s is of type %s; only %s rotate.", s.Name, s.Type, fgTypes)
	}
	return s.CheckWritable()
}

// TaskRunningError refuses a second rotation beside a running one.
func TaskRunningError(name, taskID string) error {
	return Invalidf("The secret %s is being rotated already, by task %s; wait until it has ended.", name, taskID)
}

// Fail ends the try under way. It is tried again after a pause, unless it was the last
// of three or final says that another try is of no use: then the task has failed.
func (t *Task) Fail(code, msg string, final bool, now Millis) {
	if t.Step == StepChanged { // no login worked, so the change is looked at again
		t.Step = StepPending
	}
	t.ErrorCode, t.ErrorMsg = code, cutBytes(msg, maxTaskMessage)
	if final || t.Attempt >= maxAttempts {
		t.Status, t.EndTime = TaskFailed, now
		return
	}
	pause := Millis(firstRetryPause)
	if t.Attempt > 1 {
		pause = laterRetryPause
	}
	t.Attempt, t.NextTry = t.Attempt+1, now+pause
}

// Succeed ends the task; an error of an earlier try is forgotten.
func (t *Task) Succeed(now Millis) {
	t.Status, t.EndTime, t.Step = TaskSuccess, now, StepPromoted
	t.ErrorCode, t.ErrorMsg = "", ""
}

// TaskExpiry returns when a task that began at is forgotten, once it has ended.
func TaskExpiry(at Millis) Millis { return at + recordRetention }

// cutBytes returns the longest part of text from its start that has at most n bytes and
// splits no character.
func cutBytes(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// CheckTaskID reports a task id that has not the form of one; field names it.
func CheckTaskID(field, id string) error {
	if IsUUID(id) {
		return nil
	}
	return Invalidf("%s must match ^[0-9a-z]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{12}$.", field)
}

// CheckTaskStatus reports a status that tasks cannot be filtered by: only the final two
// are published.
func CheckTaskStatus(s TaskStatus) error {
	if s == TaskSuccess || s == TaskFailed {
		return nil
	}
	return Invalidf("status must be SUCCESS or FAILED.")
}

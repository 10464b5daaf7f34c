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

	Unsure  bool   // the source may have the value of Pending: it was, or is just being, told
	Discard Millis // when the source is to forget the password before, if it keeps it; zero for done, or never
}

// Times of a task (neighbours.md 3.5; the retention is that of notification records).
const (
	maxAttempts     = 3
	firstRetryPause = 60 * 1000
	laterRetryPause = 5 * 60 * 1000
	maxTaskMessage  = 512

	// A source that can keep the password before keeps it for a day, so that clients
	// which have read the secret earlier get in. Discarding it is tried for a day more.
	oldPasswordKept = dayMillis
	discardPause    = 60 * 60 * 1000
	discardTries    = dayMillis
)

// Failure is how a try has failed.
type Failure struct {
	Code, Msg string
	Final     bool // another try is of no use
	Unsure    bool // the source may have the new value
}

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
// of three or another one is of no use: then the task has failed, and its message names
// the version that the source may have, if that is so.
func (t *Task) Fail(f Failure, now Millis) {
	if t.Step == StepChanged { // no login worked, so the change is looked at again
		t.Step = StepPending
	}
	t.ErrorCode, t.ErrorMsg, t.Unsure = f.Code, cutBytes(f.Msg, maxTaskMessage), f.Unsure
	if f.Final || t.Attempt >= maxAttempts {
		t.Status, t.EndTime = TaskFailed, now
		if t.Unsure {
			hint := " The source may have the new value all the same; it is version " + VersionID(t.Pending) + "."
			t.ErrorMsg = cutBytes(f.Msg, maxTaskMessage-len(hint)) + hint
		}
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
	t.ErrorCode, t.ErrorMsg, t.Unsure = "", "", false
}

// Discarded notes that the source has forgotten the password before, or will not be
// asked to.
func (t *Task) Discarded() { t.Discard = 0 }

// DiscardLater plans another try to have the source forget the password before; after a
// day of tries it stays until the next rotation replaces it.
func (t *Task) DiscardLater(now Millis) {
	if t.Discard = now + discardPause; t.Discard > t.EndTime+oldPasswordKept+discardTries {
		t.Discard = 0
	}
}

// MayDiscard reports whether the password before that of t is in nobody's use: no task
// was begun after t, and SYSCURRENT is where t has put it.
func (t *Task) MayDiscard(s *Secret) bool {
	return s.Rotation.TaskTime == t.CreateTime && s.current() == t.Pending && s.version(t.Pending) != nil
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

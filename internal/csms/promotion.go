package csms

import "slices"

// maxFailedTasks is how many tasks may fail in a row before a secret is no longer rotated
// by itself (neighbours.md 3.5).
const maxFailedTasks = 3

// PendingStage is the label of the version that holds the new value of a rotation, until
// that is promoted (neighbours.md 4.2).
func PendingStage(taskID string) string { return "PENDING-" + taskID }

// Choose notes which account of s the task changes: that of SYSCURRENT, or for MultiUser
// that of SYSPREVIOUS, which is none before a second account was stored (RO9).
func (t *Task) Choose(s *Secret) {
	t.Step, t.Current = StepChosen, s.current()
	t.Base = t.Current
	if s.Instance().SecretSubType == MultiUser {
		t.Base = 0
		if st := s.stage(StagePrevious); st != nil {
			t.Base = st.Version
		}
	}
}

// Moved reports whether the task would choose otherwise now.
func (t *Task) Moved(s *Secret) bool {
	now := *t
	now.Choose(s)
	return now.Current != t.Current || now.Base != t.Base
}

// ChooseAnew gives up the pending version, which the source is known not to have, and
// chooses again.
func (t *Task) ChooseAnew(s *Secret) {
	s.dropStage(PendingStage(t.ID))
	s.outdate()
	t.Pending, t.Unsure = 0, false
	t.Choose(s)
}

// Applied reports whether SYSCURRENT of s has moved since the task chose.
func (t *Task) Applied(s *Secret) bool { return s.current() != t.Current }

// TakeOver looks at what failed, a task of s that has failed, left behind: its pending
// version. If it is of the same account, the source may know its password already, so t
// goes on with it; the label moves. Else it stays, until a rotation succeeds.
func (t *Task) TakeOver(s *Secret, failed *Task, now Millis) bool {
	label := s.stage(PendingStage(failed.ID))
	if label == nil || label.Version != failed.Pending {
		return false
	}
	if failed.Current != t.Current || failed.Base != t.Base {
		return false
	}
	s.dropStage(label.Name)
	s.place(PendingStage(t.ID), failed.Pending, now)
	s.outdate()
	t.Step, t.Pending, t.Unsure = StepPending, failed.Pending, failed.Unsure
	return true
}

// PendingTasks returns the ids in labels that could be those of pending versions.
func (s *Secret) PendingTasks() []string {
	var ids []string
	for _, st := range s.Stages {
		if id, ok := PendingTask(st.Name); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// PendingTask returns the id of the task in a label that could be that of a pending
// version.
func PendingTask(stage string) (id string, ok bool) {
	n := len(stage) - 36
	if n <= 0 || !IsUUID(stage[n:]) || stage != PendingStage(stage[n:]) {
		return "", false
	}
	return stage[n:], true
}

// CheckLabelFree refuses to place or take away a label that holds the pending version of
// t, the running task of a secret: without it the version could be pruned, and with it
// the only copy of a password that the source may have. A task without a pending version
// of its own, that of a function, claims no label.
func (t *Task) CheckLabelFree(stage string) error {
	if t.Pending == 0 || stage != PendingStage(t.ID) {
		return nil
	}
	return Invalidf("The version stage %s belongs to the running rotation task %s; wait until it has ended.", stage, t.ID)
}

// dropPending takes away the labels of pending versions.
func (s *Secret) dropPending() {
	for _, id := range s.PendingTasks() {
		s.dropStage(PendingStage(id))
	}
}

// AddPending adds the version that is to hold the new value of t (V1, L6). It carries
// nothing but the label of the task, so no reader sees it yet. At the cap it prunes as
// AddVersion does. Where no label is left, what failed tasks have left behind makes way.
func (s *Secret) AddPending(t *Task, kind Kind, kmsKeyID string, now Millis) (added *Version, pruned int, err error) {
	if len(s.Stages) >= MaxStages {
		s.dropPending()
	}
	v, pruned, err := s.AddVersion(NewVersion{Kind: kind, KMSKeyID: kmsKeyID, Stages: []string{PendingStage(t.ID)}}, now)
	if err == nil {
		t.Step, t.Pending, t.Unsure = StepPending, v.Number, true // it is told to the source next
	}
	return v, pruned, err
}

// Promote makes the pending version of t the current one: SYSCURRENT moves to it, its
// former holder becomes SYSPREVIOUS, whoever put it there, and the labels of all pending
// versions go (RO9). It asks for no state, because the source has the password already.
// A pending version that is no longer kept is CSMS.0005.
func (s *Secret) Promote(t *Task, now Millis) error {
	if _, err := s.Version(VersionID(t.Pending)); err != nil {
		return err
	}
	if former := s.stage(StageCurrent); former != nil && former.Version != t.Pending {
		s.place(StagePrevious, former.Version, now)
	}
	s.place(StageCurrent, t.Pending, now)
	s.dropPending()
	s.outdate()
	t.Discard = now + oldPasswordKept
	return nil
}

func (s *Secret) dropStage(name string) {
	s.Stages = slices.DeleteFunc(s.Stages, func(st Stage) bool { return st.Name == name })
}

// Rotated notes a rotation that has succeeded, and plans the next one (RO10).
func (s *Secret) Rotated(now Millis) {
	s.Rotation.Time, s.Rotation.FailedTasks = now, 0
	s.Rotation.plan(s.Type, now)
}

// RotationFailed notes a task that has failed. After three in a row, s is no longer
// rotated by itself; off reports whether that is so from now on. Where the source may
// have a password that is not SYSCURRENT, a planned rotation is not waited for.
func (s *Secret) RotationFailed(t *Task, now Millis) (off bool) {
	s.Rotation.FailedTasks++
	if !s.Rotation.Auto {
		return false
	}
	if s.Rotation.FailedTasks < maxFailedTasks {
		if t.Unsure && s.Rotation.NextTime != 0 {
			s.Rotation.NextTime = min(s.Rotation.NextTime, now+postponement)
		}
		return false
	}
	s.Rotation.Auto, s.UpdateTime = false, now
	s.Rotation.plan(s.Type, now)
	return true
}

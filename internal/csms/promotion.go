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

// Applied reports whether SYSCURRENT of s has moved since the task chose.
func (t *Task) Applied(s *Secret) bool { return s.current() != t.Current }

// TakeOver looks at what failed, a task of s that has failed, left behind: its pending
// version. If it is of the same account, the source may know its password already, so t
// goes on with it; the label moves. Else the label goes, and with it the version some day.
func (t *Task) TakeOver(s *Secret, failed *Task, now Millis) bool {
	label := s.stage(PendingStage(failed.ID))
	if label == nil || label.Version != failed.Pending {
		return false
	}
	s.dropStage(label.Name)
	s.outdate()
	if failed.Current != t.Current || failed.Base != t.Base {
		return false
	}
	s.place(PendingStage(t.ID), failed.Pending, now)
	t.Step, t.Pending = StepPending, failed.Pending
	return true
}

// PendingTasks returns the ids in labels that could be those of pending versions.
func (s *Secret) PendingTasks() []string {
	var ids []string
	for _, st := range s.Stages {
		if n := len(st.Name) - 36; n > 0 && IsUUID(st.Name[n:]) && st.Name == PendingStage(st.Name[n:]) {
			ids = append(ids, st.Name[n:])
		}
	}
	return ids
}

// AddPending adds the version that is to hold the new value of t (V1, L6). It carries
// nothing but the label of the task, so no reader sees it yet. At the cap it prunes as
// AddVersion does.
func (s *Secret) AddPending(t *Task, kind Kind, kmsKeyID string, now Millis) (added *Version, pruned int, err error) {
	v, pruned, err := s.AddVersion(NewVersion{Kind: kind, KMSKeyID: kmsKeyID, Stages: []string{PendingStage(t.ID)}}, now)
	if err == nil {
		t.Step, t.Pending = StepPending, v.Number
	}
	return v, pruned, err
}

// Promote makes the pending version of t the current one: SYSCURRENT moves to it, its
// former holder becomes SYSPREVIOUS, and the label of the task goes (RO9). It asks for no
// state, because the source has the password already. A pending version that is no longer
// kept, because its label was taken away, is CSMS.0005.
func (s *Secret) Promote(t *Task, now Millis) error {
	if _, err := s.Version(VersionID(t.Pending)); err != nil {
		return err
	}
	if former := s.stage(StageCurrent); former != nil && former.Version != t.Pending {
		s.place(StagePrevious, former.Version, now)
	}
	s.place(StageCurrent, t.Pending, now)
	s.dropStage(PendingStage(t.ID))
	s.outdate()
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
// rotated by itself; off reports whether that is so from now on.
func (s *Secret) RotationFailed(now Millis) (off bool) {
	s.Rotation.FailedTasks++
	if s.Rotation.FailedTasks < maxFailedTasks || !s.Rotation.Auto {
		return false
	}
	s.Rotation.Auto, s.UpdateTime = false, now
	s.Rotation.plan(s.Type, now)
	return true
}

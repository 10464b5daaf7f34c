package csms

const dayMillis Millis = 24 * 60 * 60 * 1000

// Bounds of recovery_window_in_days (DEL3).
const (
	MinRecoveryDays     = 7
	MaxRecoveryDays     = 30
	DefaultRecoveryDays = 30
)

// CheckRecoveryDays reports a recovery window outside 7 to 30 days as CSMS.0002.
func CheckRecoveryDays(days int) error {
	if days < MinRecoveryDays || days > MaxRecoveryDays {
		return Invalidf("recovery_window_in_days is %d; it takes %d to %d.", days, MinRecoveryDays, MaxRecoveryDays)
	}
	return nil
}

// Schedule plans the destruction of s after days, which must have passed
// CheckRecoveryDays (S2, DEL4).
func (s *Secret) Schedule(days int, now Millis) error {
	if err := s.CheckOwn(); err != nil {
		return err
	}
	switch s.State {
	case PendingDelete:
		return Errorf(CodeAlreadyScheduled, "The secret %s is already scheduled for deletion.", s.Name)
	case Frozen:
		return s.notEnabled()
	case Enabled, Disabled:
	}
	if err := s.checkNoReplicas(); err != nil {
		return err
	}
	s.State, s.ScheduledDeleteTime, s.UpdateTime = PendingDelete, now+Millis(days)*dayMillis, now
	return nil
}

// Restore cancels the scheduled deletion: the secret is ENABLED again, whatever
// it was before (DEL6), and no version, label or tag is touched (S3, DEL5).
func (s *Secret) Restore(now Millis) error {
	if err := s.CheckOwn(); err != nil {
		return err
	}
	if s.State != PendingDelete {
		return Errorf(CodeNotScheduled, "The secret %s is not scheduled for deletion; its state is %s.", s.Name, s.State)
	}
	s.State, s.ScheduledDeleteTime, s.UpdateTime = Enabled, 0, now
	return nil
}

// Gone reports whether the scheduled destruction of s is due at now. A secret that
// is gone is answered as if it did not exist, whether or not it has been swept yet
// (S5, DEL7).
func (s *Secret) Gone(now Millis) bool {
	return s.State == PendingDelete && s.ScheduledDeleteTime <= now
}

// CheckDestroyable reports whether DeleteSecret may destroy s at once (S4, DEL10).
func (s *Secret) CheckDestroyable() error {
	if err := s.CheckOwn(); err != nil {
		return err
	}
	if s.State == Frozen {
		return s.notEnabled()
	}
	return s.checkNoReplicas()
}

// SetState is the administrative switch outside the CSMS API (S6): it moves a
// secret that is not scheduled for deletion between ENABLED, DISABLED and FROZEN. A
// REPLICA has the state of its primary.
func (s *Secret) SetState(to State, now Millis) error {
	switch to {
	case Enabled, Disabled, Frozen:
	default:
		return Invalidf("state is %q; it takes ENABLED, DISABLED or FROZEN.", string(to))
	}
	if err := s.CheckOwn(); err != nil {
		return err
	}
	if s.State == PendingDelete {
		return s.pending()
	}
	if s.State != to {
		s.State, s.UpdateTime = to, now
		s.outdate()
	}
	return nil
}

// CheckUsable reports whether values of s may be read or backed up, and those of a
// secret that is no REPLICA written or rotated too: only while it is ENABLED (table of
// section 1).
func (s *Secret) CheckUsable() error {
	switch s.State {
	case Enabled:
		return nil
	case PendingDelete:
		return s.pending()
	default:
		return s.notEnabled()
	}
}

// CheckWritable reports whether s takes new values: while it is ENABLED and no
// REPLICA (M6).
func (s *Secret) CheckWritable() error {
	if err := s.CheckOwn(); err != nil {
		return err
	}
	return s.CheckUsable()
}

// checkChangeable reports whether metadata, labels and tags of s may change: while
// it is ENABLED or DISABLED, and no REPLICA (M6).
func (s *Secret) checkChangeable() error {
	if err := s.CheckOwn(); err != nil {
		return err
	}
	if s.State == Disabled {
		return nil
	}
	return s.CheckUsable()
}

func (s *Secret) checkNoReplicas() error {
	if n := len(s.Replicas); n > 0 {
		return Invalidf("The secret %s has %d replicas; delete them first.", s.Name, n)
	}
	return nil
}

func (s *Secret) pending() error {
	return Errorf(CodePendingDeletion, "The secret %s is in the scheduled deletion state; cancel the deletion first.", s.Name)
}

func (s *Secret) notEnabled() error {
	return Errorf(CodeNotEnabled, "The secret %s is %s, not ENABLED.", s.Name, s.State)
}

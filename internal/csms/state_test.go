package csms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

// inState returns a secret with v1, v2 and the label blue on v1 that has come to
// state by the ways there are.
func inState(t *testing.T, state csms.State) *csms.Secret {
	t.Helper()
	s := newSecret()
	live(t, s, create(), move("blue", "v1"))
	switch state {
	case csms.PendingDelete:
		live(t, s, schedule(7))
	case csms.Disabled, csms.Frozen:
		live(t, s, switchTo(state))
	}
	if s.State != state {
		t.Fatalf("the secret is %s, want %s", s.State, state)
	}
	return s
}

func readValue(id string) step {
	return func(s *csms.Secret, _ csms.Millis) error {
		if _, err := s.Version(id); err != nil {
			return err
		}
		return s.CheckUsable()
	}
}

func usable(s *csms.Secret, _ csms.Millis) error { return s.CheckUsable() }

func taggable(s *csms.Secret, _ csms.Millis) error { return s.SetTags([]csms.Tag{{Key: "k"}}) }

func destroyable(s *csms.Secret, _ csms.Millis) error { return s.CheckDestroyable() }

// present answers CSMS.0106 for a secret that is gone, as every look-up does.
func present(s *csms.Secret, now csms.Millis) error {
	if s.Gone(now) {
		return csms.Errorf(csms.CodeSecretNotFound, "The secret %s does not exist.", s.Name)
	}
	return nil
}

func listVersions(s *csms.Secret, _ csms.Millis) error {
	for _, v := range s.Versions {
		if _, err := s.Version(v.ID()); err != nil {
			return err
		}
		s.StagesOf(v.Number)
	}
	return nil
}

func showStage(label string) step {
	return func(s *csms.Secret, _ csms.Millis) error {
		_, err := s.Stage(label)
		return err
	}
}

func replicable(s *csms.Secret, _ csms.Millis) error { return s.CheckReplicable("cn-east-3") }

// unreplicable asks for a copy that is not there, which is told after the state.
func unreplicable(s *csms.Secret, _ csms.Millis) error {
	if _, err := s.RemoveReplica("cn-east-3"); csms.CodeOf(err) != csms.CodeNotFound {
		return err
	}
	return nil
}

// TestOperationsAnswerByState is the table of section 1, cell by cell.
func TestOperationsAnswerByState(t *testing.T) {
	const (
		pending = csms.CodePendingDeletion
		off     = csms.CodeNotEnabled
		twice   = csms.CodeAlreadyScheduled
		unplan  = csms.CodeNotScheduled
	)
	states := []csms.State{csms.Enabled, csms.Disabled, csms.PendingDelete, csms.Frozen}
	for _, row := range []struct {
		operation string
		do        step
		want      [4]csms.Code // ENABLED, DISABLED, PENDING_DELETE, FROZEN
	}{
		{"ShowSecret", present, [4]csms.Code{}},
		{"ListSecrets", present, [4]csms.Code{}},
		{"ListSecretVersions", listVersions, [4]csms.Code{}},
		{"ShowSecretStage", showStage("blue"), [4]csms.Code{}},
		{"ListSecretTags", present, [4]csms.Code{}},
		{"ShowSecretVersion", readValue("v1"), [4]csms.Code{"", off, pending, off}},
		{"BatchShowSecretVersion", readValue(csms.Latest), [4]csms.Code{"", off, pending, off}},
		{"CreateSecretVersion", create("green"), [4]csms.Code{"", off, pending, off}},
		{"UpdateVersion", setExpiry("v1", start+day), [4]csms.Code{"", off, pending, off}},
		{"UpdateSecret", update(csms.Patch{Description: ptr("new")}), [4]csms.Code{"", "", pending, off}},
		{"UpdateSecret with an empty object", update(csms.Patch{}), [4]csms.Code{"", "", pending, off}},
		{"CreateSecretStage", move("green", "v1"), [4]csms.Code{"", "", pending, off}},
		{"UpdateSecretStage", move("blue", "v2"), [4]csms.Code{"", "", pending, off}},
		{"DeleteSecretStage", remove("blue"), [4]csms.Code{"", "", pending, off}},
		{"tag writes", taggable, [4]csms.Code{"", "", pending, off}},
		{"RotateSecret", usable, [4]csms.Code{"", off, pending, off}},
		{"DownloadSecretBlob", usable, [4]csms.Code{"", off, pending, off}},
		{"DeleteSecretForSchedule", schedule(7), [4]csms.Code{"", "", twice, off}},
		{"RestoreSecret", restore(), [4]csms.Code{unplan, unplan, "", unplan}},
		{"DeleteSecret", destroyable, [4]csms.Code{"", "", "", off}},
		{"CreateSecretReplica", replicable, [4]csms.Code{"", off, pending, off}},
		{"DeleteSecretReplica", unreplicable, [4]csms.Code{"", off, pending, off}},
		{"the switch to ENABLED", switchTo(csms.Enabled), [4]csms.Code{"", "", pending, ""}},
		{"the switch to DISABLED", switchTo(csms.Disabled), [4]csms.Code{"", "", pending, ""}},
		{"the switch to FROZEN", switchTo(csms.Frozen), [4]csms.Code{"", "", pending, ""}},
	} {
		for i, state := range states {
			t.Run(row.operation+"/"+string(state), func(t *testing.T) {
				s, now := inState(t, state), start+10*second
				if row.want[i] != "" {
					refuses(t, s, row.do, now, row.want[i])
					return
				}
				wantCode(t, row.do(s, now), "")
			})
		}
	}
}

func TestTransitionsLeadToTheirState(t *testing.T) {
	for _, c := range []struct {
		name  string
		from  csms.State
		do    step
		to    csms.State
		stamp bool // update_time moves
	}{
		{"S2 an ENABLED secret is scheduled", csms.Enabled, schedule(7), csms.PendingDelete, true},
		{"S2 a DISABLED secret is scheduled", csms.Disabled, schedule(7), csms.PendingDelete, true},
		{"S3 a scheduled secret is restored", csms.PendingDelete, restore(), csms.Enabled, true},
		{"S6 ENABLED becomes DISABLED", csms.Enabled, switchTo(csms.Disabled), csms.Disabled, true},
		{"S6 ENABLED becomes FROZEN", csms.Enabled, switchTo(csms.Frozen), csms.Frozen, true},
		{"S6 DISABLED becomes ENABLED", csms.Disabled, switchTo(csms.Enabled), csms.Enabled, true},
		{"S6 DISABLED becomes FROZEN", csms.Disabled, switchTo(csms.Frozen), csms.Frozen, true},
		{"S6 FROZEN becomes ENABLED", csms.Frozen, switchTo(csms.Enabled), csms.Enabled, true},
		{"S6 FROZEN becomes DISABLED", csms.Frozen, switchTo(csms.Disabled), csms.Disabled, true},
		{"S6 a switch to the same state is no change", csms.Disabled, switchTo(csms.Disabled), csms.Disabled, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, now := inState(t, c.from), start+20*second
			want := s.Clone()
			want.State = c.to
			want.ScheduledDeleteTime = 0
			if c.to == csms.PendingDelete {
				want.ScheduledDeleteTime = now + 7*day
			}
			if c.stamp {
				want.UpdateTime = now
			}
			wantCode(t, c.do(s, now), "")
			if diff := cmp.Diff(s, want); diff != "" {
				t.Errorf("the secret (-got +want):\n%s", diff)
			}
		})
	}
}

func TestANewSecretIsEnabled_S1(t *testing.T) {
	if s := newSecret(); s.State != csms.Enabled || s.ScheduledDeleteTime != 0 {
		t.Errorf("got %s with scheduled_delete_time %d, want ENABLED and none", s.State, s.ScheduledDeleteTime)
	}
}

func TestTheSwitchRefusesOtherStates_S6(t *testing.T) {
	for _, to := range []csms.State{csms.PendingDelete, "", "enabled", "GONE"} {
		t.Run("state "+string(to), func(t *testing.T) {
			refuses(t, newSecret(), switchTo(to), start, csms.CodeInvalid)
			refuses(t, inState(t, csms.PendingDelete), switchTo(to), start, csms.CodeInvalid)
		})
	}
}

func TestRecoveryWindowTakesSevenToThirtyDays_DEL3(t *testing.T) {
	for days, want := range map[int]csms.Code{
		-1 << 62: csms.CodeInvalid, -7: csms.CodeInvalid, 0: csms.CodeInvalid, 6: csms.CodeInvalid,
		7: "", 8: "", 29: "", 30: "", 31: csms.CodeInvalid, 1 << 62: csms.CodeInvalid,
	} {
		wantCode(t, csms.CheckRecoveryDays(days), want)
	}
	if csms.DefaultRecoveryDays != 30 {
		t.Errorf("the default window is %d days, want 30", csms.DefaultRecoveryDays)
	}
}

func TestScheduledTimeIsNowPlusDays_DEL4_TS5(t *testing.T) {
	for _, days := range []int{7, 8, 30} {
		s, now := newSecret(), start+123
		wantCode(t, schedule(days)(s, now), "")
		if want := now + csms.Millis(days)*day; s.ScheduledDeleteTime != want {
			t.Errorf("%d days: scheduled_delete_time %d, want %d", days, s.ScheduledDeleteTime, want)
		}
	}
}

func TestRestoreTouchesNoVersionOrLabel_DEL5_DEL6(t *testing.T) {
	for _, before := range []csms.State{csms.Enabled, csms.Disabled} {
		t.Run("scheduled while "+string(before), func(t *testing.T) {
			s := inState(t, before)
			want := s.Clone()
			want.State, want.UpdateTime = csms.Enabled, start+2*second
			live(t, s, schedule(30), restore())
			if diff := cmp.Diff(s, want); diff != "" {
				t.Errorf("the restored secret (-got +want):\n%s", diff)
			}
		})
	}
}

func TestASecretIsGoneWhenItsTimeArrives_S5(t *testing.T) {
	s := newSecret()
	if s.Gone(start + 100*day) {
		t.Error("an ENABLED secret is gone")
	}
	wantCode(t, schedule(7)(s, start), "")
	for offset, want := range map[csms.Millis]bool{-1: false, 0: true, 1: true, day: true} {
		if got := s.Gone(start + 7*day + offset); got != want {
			t.Errorf("%d ms after the planned time: gone %t, want %t", offset, got, want)
		}
	}
	wantCode(t, restore()(s, start+day), "")
	if s.Gone(start + 100*day) {
		t.Error("a restored secret is gone")
	}
}

func TestReplicasHoldOffDeletion_DEL10(t *testing.T) {
	for _, c := range []struct {
		state                 csms.State
		schedules, destroying csms.Code
	}{
		{csms.Enabled, csms.CodeInvalid, csms.CodeInvalid},
		{csms.Disabled, csms.CodeInvalid, csms.CodeInvalid},
		{csms.PendingDelete, csms.CodeAlreadyScheduled, csms.CodeInvalid},
		{csms.Frozen, csms.CodeNotEnabled, csms.CodeNotEnabled},
	} {
		t.Run(string(c.state), func(t *testing.T) {
			s := inState(t, c.state)
			if got := s.ReplicaType(); got != csms.Standalone {
				t.Errorf("without copies it is %s, want STANDALONE", got)
			}
			s.Replicas = []csms.Replica{{ID: "r1", Region: "cn-south-1", Type: csms.ReplicaOf}}
			if got := s.ReplicaType(); got != csms.Primary {
				t.Errorf("with a copy it is %s, want PRIMARY", got)
			}
			refuses(t, s, schedule(7), start+9*second, c.schedules)
			refuses(t, s, destroyable, start+9*second, c.destroying)
		})
	}
}

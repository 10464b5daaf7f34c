package csms_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/csms"
)

const (
	north = "cn-north-4"
	east  = "cn-east-3"
	south = "cn-south-1"
)

// copyIn gives s a copy in a region, at now.
func copyIn(t testing.TB, s *csms.Secret, region string, now csms.Millis) *csms.Secret {
	t.Helper()
	if err := s.CheckReplicable(region); err != nil {
		t.Fatal(err)
	}
	return s.AddReplica(csms.Place{ID: "id-" + region, DomainID: s.DomainID, ProjectID: "p-" + region, KMSKeyID: "k-" + region}, north, region, now)
}

// M1, M2: what the members of a group know of each other.
func TestAGroupHasAPrimaryAndItsCopies(t *testing.T) {
	s := newSecret()
	southern := copyIn(t, s, south, start+second)
	eastern := copyIn(t, s, east, start+2*second)
	if s.ReplicaType() != csms.Primary || eastern.ReplicaType() != csms.ReplicaOf || southern.ReplicaType() != csms.ReplicaOf {
		t.Errorf("types %s, %s, %s", s.ReplicaType(), eastern.ReplicaType(), southern.ReplicaType())
	}
	want := []csms.Replica{{
		ID: "id-" + east, KMSKeyID: "k-" + east, ProjectID: "p-" + east, Region: east, Type: csms.ReplicaOf, Status: csms.ReplicaInProgress,
		CreatedAt: start + 2*second, UpdatedAt: start + 2*second, NextTry: start + 2*second,
	}, {
		ID: "id-" + south, KMSKeyID: "k-" + south, ProjectID: "p-" + south, Region: south, Type: csms.ReplicaOf, Status: csms.ReplicaInProgress,
		CreatedAt: start + second, UpdatedAt: start + second, NextTry: start + second,
	}}
	if diff := cmp.Diff(want, s.Replicas); diff != "" {
		t.Errorf("the primary knows, in order of region (-want +got):\n%s", diff)
	}
	want = []csms.Replica{{
		ID: s.ID, KMSKeyID: s.KMSKeyID, ProjectID: s.ProjectID, Region: north, Type: csms.Primary, CreatedAt: s.CreateTime, UpdatedAt: s.UpdateTime,
	}}
	if diff := cmp.Diff(want, eastern.Replicas); diff != "" {
		t.Errorf("a copy knows (-want +got):\n%s", diff)
	}
	if s.UpdateTime != start || len(eastern.Versions) != 0 || s.ReplicaByID("id-"+south) != s.Replica(south) || s.Replica(north) != nil {
		t.Errorf("primary %+v, copy %+v", s, eastern)
	}
	if gone, err := s.RemoveReplica(south); err != nil || gone.ID != "id-"+south || s.ReplicaType() != csms.Primary {
		t.Errorf("RemoveReplica: %+v, %v, %s", gone, err, s.ReplicaType())
	}
	if _, err := s.RemoveReplica(east); err != nil || s.ReplicaType() != csms.Standalone {
		t.Errorf("the last copy: %v, %s", err, s.ReplicaType())
	}
}

func TestCopiesAreBounded(t *testing.T) {
	s := newSecret()
	for i := range csms.MaxReplicas {
		copyIn(t, s, fmt.Sprintf("r-%d", i), start)
	}
	wantCode(t, s.CheckReplicable("one-more"), csms.CodeInvalid)
	wantCode(t, s.CheckReplicable("r-0"), csms.CodeInvalid)
	if _, err := s.RemoveReplica("r-0"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.CheckReplicable("one-more"), "")
}

// changes are steps that change what a copy has, and some that do not.
func changes() []step {
	return []step{
		create(), create("a"), create("b", "c"), create(csms.StageCurrent, csms.StagePrevious), move("a", "v1"), move("d", "v2"),
		remove("a"), remove("b"), setExpiry(csms.Latest, start+1000*day), setExpiry("v1", start+900*day),
		func(s *csms.Secret, now csms.Millis) error { s.Expire(now); return nil },
		update(csms.Patch{Description: ptr("x"), KMSKeyID: ptr("another")}), update(csms.Patch{}),
		switchTo(csms.Disabled), switchTo(csms.Frozen), switchTo(csms.Enabled),
		func(s *csms.Secret, _ csms.Millis) error { return s.SetTags([]csms.Tag{{Key: "k", Value: "1"}}) },
		func(s *csms.Secret, _ csms.Millis) error { return s.SetTags([]csms.Tag{{Key: "k", Value: "2"}}) },
		func(s *csms.Secret, _ csms.Millis) error { return s.RemoveTag("k") },
	}
}

// M1, M4: at every moment a copy that is IN_SYNC is like its primary, and one that
// follows is: the same numbers, times, labels and tags, under the key of the copy.
func TestACopyInSyncIsLikeItsPrimary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSecret()
		copied := s.AddReplica(csms.Place{ID: "copy", ProjectID: "p2", KMSKeyID: "k2"}, north, east, start)
		now := start
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += second
			if rapid.IntRange(0, 3).Draw(t, "follow") == 0 {
				copied.Follow(s, now)
				s.Replica(east).Settle(true, now)
			} else {
				_ = rapid.SampledFrom(changes()).Draw(t, "step")(s, now) // what is refused changes nothing
			}
			like := copied.Clone()
			like.Follow(s, now+second)
			if r := s.Replica(east); r.Status == csms.ReplicaInSync && like.UpdateTime != copied.UpdateTime {
				t.Fatalf("IN_SYNC, but the primary is %+v and the copy %+v", s, copied)
			}
		}
		copied.Follow(s, now)
		for i := range copied.Versions {
			if copied.Versions[i].KMSKeyID != "k2" {
				t.Fatalf("%s is under %s", copied.Versions[i].ID(), copied.Versions[i].KMSKeyID)
			}
		}
		want, got := s.Clone(), copied.Clone()
		want.KMSKeyID = got.KMSKeyID
		if !got.SameCopy(want) || len(got.Uncopied(s)) > 0 || got.ID != "copy" || got.ProjectID != "p2" {
			t.Fatalf("the copy is %+v of %+v", got, want)
		}
	})
}

// A copy shares no memory with its primary.
func TestACopyIsNotChangedByItsPrimary(t *testing.T) {
	s := newSecret()
	copied := copyIn(t, s, east, start)
	copied.Follow(s, start)
	before := copied.Clone()
	for _, do := range changes() {
		_ = do(s, start+second) // all of them or some: it makes no difference here
	}
	if diff := cmp.Diff(before, copied); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// M6, Q15: a copy refuses every change, whatever its state.
func TestACopyIsNotChanged(t *testing.T) {
	for _, state := range []csms.State{csms.Enabled, csms.Disabled, csms.Frozen} {
		s := newSecret()
		copied := copyIn(t, s, east, start)
		live(t, s, move("blue", "v1"), func(s *csms.Secret, _ csms.Millis) error { return s.SetTags([]csms.Tag{{Key: "k"}}) }, switchTo(state))
		copied.Follow(s, start+5*second)
		for name, do := range map[string]step{
			"CreateSecretVersion": create(), "UpdateVersion": setExpiry("v1", start+day), "UpdateSecret": update(csms.Patch{Description: ptr("x")}),
			"UpdateSecret of nothing": update(csms.Patch{}), "CreateSecretStage": move("green", "v1"), "UpdateSecretStage": move("blue", "v1"),
			"DeleteSecretStage": remove("blue"), "DeleteSecret": destroyable, "DeleteSecretForSchedule": schedule(7), "RestoreSecret": restore(),
			"state switch": switchTo(csms.Enabled), "tags": taggable,
			"RemoveTag":           func(s *csms.Secret, _ csms.Millis) error { return s.RemoveTag("k") },
			"CreateSecretReplica": func(s *csms.Secret, _ csms.Millis) error { return s.CheckReplicable(south) },
			"DeleteSecretReplica": func(s *csms.Secret, _ csms.Millis) error { _, err := s.RemoveReplica(north); return err },
			"RotateSecret":        func(s *csms.Secret, _ csms.Millis) error { return s.CheckWritable() },
		} {
			t.Run(string(state)+"/"+name, func(t *testing.T) { refuses(t, copied, do, start+9*second, csms.CodeInvalid) })
		}
		if err := copied.CheckUsable(); (err == nil) != (state == csms.Enabled) {
			t.Errorf("reading a copy that is %s: %v", state, err)
		}
	}
}

// M4: an attempt that failed is followed by another one, after 5 s, doubling to 1 h.
func TestACopyThatFailedIsTriedAgainForEver(t *testing.T) {
	s := newSecret()
	copyIn(t, s, east, start)
	r := s.Replica(east)
	want := 5 * second
	for attempt := 1; attempt < 100; attempt++ {
		r.Settle(false, start)
		if r.Status != csms.ReplicaFailed || !r.Waits() || r.Attempts != attempt || r.NextTry != start+want {
			t.Fatalf("after attempt %d: %+v; want a pause of %d ms", attempt, r, want)
		}
		want = min(2*want, 3600*second)
	}
	live(t, s, create())
	if r.Status != csms.ReplicaInProgress || r.NextTry > start || r.Attempts != 0 {
		t.Errorf("after a change: %+v", r)
	}
	r.Settle(true, start+second)
	if r.Waits() || r.Status != csms.ReplicaInSync || r.UpdatedAt != start+second {
		t.Errorf("after success: %+v", r)
	}
}

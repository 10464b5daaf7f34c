package service_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/kv"
	"coffer/internal/seal"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// M1, M2, M4: whatever a copy is waiting for survives a restart at every step, and what
// is IN_SYNC is not made again.
func TestACopySurvivesRestartsAtEveryStep(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	s.replicate("db", testkit.EastRegion)
	s.restart()
	s.expect("db", testkit.EastRegion, csms.ReplicaInProgress)
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "CSMS.0005")
	s.run(time.Second)
	s.restart()
	s.expect("db", testkit.EastRegion, csms.ReplicaInSync)
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "value of db")
	s.sealing = func() { t.Error("a value that the copy has was sealed again") }
	s.run(time.Hour)
	s.sealing = nil

	s.addVersion("db", "second")
	s.restart()
	s.expect("db", testkit.EastRegion, csms.ReplicaInProgress)
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "value of db")
	s.run(0)
	s.restart()
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "second")
	s.expectValue(testkit.EastProjectID, "db", "v1", "value of db")

	if err := s.service.DeleteSecretReplica(t.Context(), owner(), "db", testkit.EastRegion); err != nil {
		t.Fatal(err)
	}
	s.restart()
	s.expect("db", testkit.EastRegion, "")
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "CSMS.0106")
	s.intact()
}

// M4: a server that loses its disk, or is told to stop, while a value is sealed has
// written nothing, and the next one makes the copy.
func TestACopyThatIsInterrupted(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	s.replicate("db", testkit.EastRegion)
	ctx, stop := context.WithCancel(t.Context())
	s.sealing = stop
	if done, err := s.service.RunDue(ctx); done != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("a run that is stopped: %d done, %v", done, err)
	}
	s.expect("db", testkit.EastRegion, csms.ReplicaInProgress)

	s.sealing = func() {
		s.sealing = nil
		s.stop()
	}
	if done, err := s.service.RunDue(t.Context()); done != 0 || !errors.Is(err, kv.ErrClosed) {
		t.Errorf("a run without its disk: %d done, %v", done, err)
	}
	s.start()
	s.expect("db", testkit.EastRegion, csms.ReplicaInProgress)
	s.intact()
	s.run(0)
	s.expect("db", testkit.EastRegion, csms.ReplicaInSync)
	s.intact()
}

// M1: versions that come while values are sealed are in the copy when it is IN_SYNC;
// a primary that is changed all the time is left for the next run.
func TestACopyIsOvertaken(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	s.replicate("db", testkit.EastRegion)
	s.sealing = func() {
		s.sealing = nil
		s.addVersion("db", "second")
	}
	s.run(0)
	s.expect("db", testkit.EastRegion, csms.ReplicaInSync)
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "second")

	s.addVersion("db", "third")
	calls := 0
	s.sealing = func() {
		calls++
		s.addVersion("db", "later")
	}
	s.run(0)
	s.expect("db", testkit.EastRegion, csms.ReplicaInProgress)
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "second")
	s.sealing = nil
	s.run(0)
	s.expect("db", testkit.EastRegion, csms.ReplicaInSync)
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "later")
	if calls == 0 {
		t.Error("nothing was sealed")
	}
	s.intact()
}

// M2: a copy that is deleted while it is made stays deleted, and leaves no value.
func TestACopyIsDeletedWhileItIsMade(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	s.replicate("db", testkit.EastRegion)
	s.sealing = func() {
		s.sealing = nil
		if err := s.service.DeleteSecretReplica(t.Context(), owner(), "db", testkit.EastRegion); err != nil {
			t.Error(err)
		}
		s.replicate("db", testkit.EastRegion)
	}
	s.run(0)
	s.expect("db", testkit.EastRegion, csms.ReplicaInProgress) // another copy, of another id
	s.run(0)
	s.expect("db", testkit.EastRegion, csms.ReplicaInSync)
	s.intact()
}

// M4: a copy whose key is disabled is FAILED and tried again after 5 s, 10 s and so on
// up to an hour; a change of the primary is tried at once.
func TestACopyThatFailsIsTriedAgain(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	key := s.customerKey(testkit.EastProjectID)
	s.replicateUnder("db", testkit.EastRegion, key)
	s.run(0)
	s.disable(testkit.EastProjectID, key)
	s.addVersion("db", "second")
	for attempt, pause := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600} {
		s.run(0)
		s.expect("db", testkit.EastRegion, csms.ReplicaFailed)
		if n := s.attempts(); n != attempt+1 {
			t.Fatalf("%d attempts, want %d", n, attempt+1)
		}
		s.run(pause*time.Second - time.Millisecond)
		if n := s.attempts(); n != attempt+1 {
			t.Fatalf("attempt %d came before its pause of %d s was over", n, pause)
		}
		s.clock.Add(1)
	}
	if !strings.Contains(s.log.String(), `msg="replica not made; it is tried again"`) {
		t.Errorf("log: %s", s.log.String())
	}
	s.restart()
	s.addVersion("db", "third")
	s.expect("db", testkit.EastRegion, csms.ReplicaInProgress)
	s.run(0)
	if n := s.attempts(); n != 1 {
		t.Errorf("after a change: %d attempts, want 1", n)
	}
	if _, err := s.keys.EnableKey(t.Context(), testkit.EastProjectID, key); err != nil {
		t.Fatal(err)
	}
	s.run(5 * time.Second)
	s.expect("db", testkit.EastRegion, csms.ReplicaInSync)
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "third")
	s.intact()
}

// M4: a copy that fails holds up no other, and a copy or a value that is missing in the
// store is a failure like another one.
func TestACopyThatFailsHoldsUpNoOther(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	s.replicate("db", testkit.EastRegion)
	s.replicate("db", testkit.SouthRegion)
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		copied, err := tx.Secret(testkit.EastProjectID, "db")
		if err != nil {
			return err
		}
		return tx.DeleteSecret(copied)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.run(0)
	s.expect("db", testkit.EastRegion, csms.ReplicaFailed)
	s.expect("db", testkit.SouthRegion, csms.ReplicaInSync)
	found, err := s.store.Verify(t.Context())
	if err != nil || len(found) != 1 || !strings.Contains(found[0].String(), "is no REPLICA of this secret") {
		t.Errorf("Verify: %v, %v", found, err)
	}
	// What is left can be deleted, and then the secret itself.
	for _, region := range []string{testkit.EastRegion, testkit.SouthRegion} {
		if err := s.service.DeleteSecretReplica(t.Context(), owner(), "db", region); err != nil {
			t.Errorf("DeleteSecretReplica in %s: %v", region, err)
		}
	}
	if err := s.service.DeleteSecret(t.Context(), owner(), "db"); err != nil {
		t.Error(err)
	}
	s.intact()
}

// N13: a copied value is under the key of the copy, and opens at its own place only.
func TestACopiedValueIsUnderTheKeyOfItsRegion(t *testing.T) {
	s := newRegions(t)
	input := newSecret("db")
	input.Creation.KMSKeyID = s.customerKey(testkit.ProjectID)
	primary, err := s.service.CreateSecret(t.Context(), owner(), input)
	if err != nil {
		t.Fatal(err)
	}
	s.replicate("db", testkit.EastRegion)
	s.run(0)
	copied, err := s.service.ShowSecret(t.Context(), in(testkit.EastProjectID), "db")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.store.Value(t.Context(), copied.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	if key, err := seal.KeyID(sealed); err != nil || key != copied.KMSKeyID || key == primary.KMSKeyID {
		t.Errorf("the value is under %s, %v", key, err)
	}
	s.disable(testkit.ProjectID, primary.KMSKeyID)
	s.expectValue(testkit.ProjectID, "db", csms.Latest, "CSMS.0401")
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "value of db")
}

// M1: whatever writers do meanwhile, the copy ends up like its primary.
func TestCopiesFollowManyWriters(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	s.replicate("db", testkit.EastRegion)
	s.replicate("db", testkit.SouthRegion)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 10 {
				if _, err := s.service.CreateSecretVersion(t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext("another")}); err != nil {
					t.Error(err)
				}
				if _, err := s.service.RunDue(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	s.run(0)
	primary, err := s.service.ShowSecret(t.Context(), owner(), "db")
	if err != nil {
		t.Fatal(err)
	}
	for project, region := range map[string]string{testkit.EastProjectID: testkit.EastRegion, testkit.SouthProjectID: testkit.SouthRegion} {
		s.expect("db", region, csms.ReplicaInSync)
		copied, err := s.service.ShowSecret(t.Context(), in(project), "db")
		if err != nil {
			t.Fatal(err)
		}
		if len(copied.Uncopied(primary)) > 0 || len(primary.Uncopied(copied)) > 0 {
			t.Errorf("versions %v; the primary has %v", copied.Versions, primary.Versions)
		}
		s.expectValue(project, "db", csms.Latest, "another")
	}
	s.intact()
}

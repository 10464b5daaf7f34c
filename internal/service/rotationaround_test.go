package service_test

import (
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/service"
	"coffer/internal/service/eps"
	"coffer/internal/testkit"
)

// A key that is disabled or scheduled for deletion while a task runs: each try that needs
// it ends with CSMS.0401, and once it is usable again the next task goes on, with the
// password that the source may have.
func TestAKeyThatGoesWhileATaskRuns(t *testing.T) {
	for place := range stops {
		for _, how := range []string{"disabled", "scheduled"} {
			t.Run(how+"/"+place, func(t *testing.T) { testKeyGoes(t, place, how) })
		}
	}
}

func testKeyGoes(t *testing.T, place, how string) {
	d := newDatabase()
	k := kitWith(t, d, csms.SingleUser, "app old")
	key := customerKey(t, k, "mine")
	update(t, k, csms.Patch{KMSKeyID: &key})
	addVersion(t, k, "app old")
	before := labels(t, k)
	d.stop(place)
	task := rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	var err error
	if how == "disabled" {
		_, err = k.KMS.DisableKey(t.Context(), testkit.ProjectID, key)
	} else {
		_, err = k.KMS.ScheduleKeyDeletion(t.Context(), testkit.ProjectID, key, k.Now()+30*24*hour)
	}
	must(t, err)
	if got := ended(t, k, task.ID); got != "FAILED CSMS.0401" {
		t.Fatal(got)
	}
	if how == "scheduled" {
		_, err = k.KMS.CancelKeyDeletion(t.Context(), testkit.ProjectID, key)
		must(t, err)
	}
	_, err = k.KMS.EnableKey(t.Context(), testkit.ProjectID, key)
	must(t, err)
	if got := labels(t, k); got["SYSCURRENT"] != before["SYSCURRENT"] || got["SYSPREVIOUS"] != before["SYSPREVIOUS"] {
		t.Errorf("labels %v; they were %v", got, before)
	}
	if got := ended(t, k, rotateSecret(t, k, "db").ID); got != "SUCCESS" {
		t.Fatal(got)
	}
	if d.made != 1 {
		t.Errorf("%d passwords were made; the first one had to be taken over", d.made)
	}
	if got := labels(t, k)["SYSCURRENT"]; got != "v3 app "+d.accounts["app"] {
		t.Errorf("SYSCURRENT %s, database %v", got, d.accounts)
	}
}

// B4, anchors "rotates on import": a secret that is restored, or imported, with automatic
// rotation is planned for a period later and not rotated at once, also if the backup was
// made while a task was running, or its plan had passed.
func TestARestoredSecretDoesNotRotateAtOnce(t *testing.T) {
	d := newDatabase()
	k := automatic(t, d)
	d.stop("changed")
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	blob := download(t, k, "db")
	deleteSecret(t, k)
	advance(t, k, 30*day)
	made := k.Now()
	_, err := k.Service.UploadSecretBlob(t.Context(), owner(), blob)
	must(t, err)
	advance(t, k, day-time.Minute)
	if sec := show(t, k); sec.NextRotation() != made+24*hour || sec.Rotation.Time != 0 || d.made != 1 {
		t.Errorf("next_rotation_time %d, rotation_time %d, %d passwords", sec.NextRotation()-made, sec.Rotation.Time, d.made)
	}
	// The value that the source may have is still there to be read, under its label.
	if got := labels(t, k); got["PENDING"] != "v2 app new-1" || got["SYSCURRENT"] != "v1 app old" {
		t.Errorf("labels %v", got)
	}
	advance(t, k, 6*time.Minute)
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v3 app new-2", "SYSPREVIOUS": "v1 app old"})
}

func TestAnImportedSecretDoesNotRotateAtOnce(t *testing.T) {
	d := newDatabase()
	k := testkit.New(t, testkit.Options{Engines: bound(d)})
	in := rotating("db")
	in.Text = csms.Plaintext("app old")
	in.Creation.Rotation.Auto, in.Creation.Rotation.Period = true, "4h"
	out, err := k.Service.BatchImportSecrets(t.Context(), owner(), []service.ImportItem{{Secret: in}})
	if err != nil || len(out.Failed) != 0 {
		t.Fatal(out, err)
	}
	advance(t, k, 4*time.Hour-time.Millisecond)
	checkTasks(t, k)
	advance(t, k, 5*time.Minute)
	if lines, _ := tasks(t, k, service.TaskListing{}); len(lines) != 1 || d.made != 1 {
		t.Errorf("tasks %q", lines)
	}
}

// N14: the enterprise project of a secret is not the business of its rotation.
func TestASecretMovesWhileATaskRuns(t *testing.T) {
	for place := range stops {
		d := newDatabase()
		k := automatic(t, d)
		projects := eps.New(eps.Options{Store: k.Store, Now: k.Now, NewID: k.NewID, Region: testkit.Region})
		shop, err := projects.CreateEnterpriseProject(t.Context(), owner(), eps.Settings{Name: "shop"})
		must(t, err)
		d.stop(place)
		task := rotateSecret(t, k, "db")
		runTasks(t, k, 1)
		m := eps.Migration{ResourceID: show(t, k).ID, ResourceType: "csms", ProjectID: testkit.ProjectID}
		must(t, projects.MigrateResource(t.Context(), owner(), shop.ID, m))
		if got := ended(t, k, task.ID); got != "SUCCESS" {
			t.Errorf("%s: %s", place, got)
		}
		if sec := show(t, k); sec.EnterpriseProjectID != shop.ID {
			t.Errorf("%s: the secret is in %s", place, sec.EnterpriseProjectID)
		}
		checkLabels(t, k, map[string]string{"SYSCURRENT": "v2 app " + d.accounts["app"], "SYSPREVIOUS": "v1 app old"})
	}
}

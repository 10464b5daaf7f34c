package service_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/service"
	"coffer/internal/testkit"
)

// function is an Engine that stores by itself: what it does is the test's to say.
type function func(r *rotate.Rotation) error

func (f function) Change(_ context.Context, r *rotate.Rotation, v *rotate.Values) error {
	if v != nil {
		return errors.New("a function is given no values")
	}
	return f(r)
}

func addVersion(t *testing.T, k *testkit.Kit, value string) {
	t.Helper()
	if _, err := k.Service.CreateSecretVersion(t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext(value)}); err != nil {
		t.Fatal(err)
	}
}

// neighbours.md 3.2: what a function has done shows in SYSCURRENT; a success without that
// is none. A function that was done before the server went is not called again (RO10).
func TestAFunctionRotates(t *testing.T) {
	var k *testkit.Kit
	var calls []string
	ctx, stop := context.WithCancel(t.Context())
	k = kitWith(t, function(func(r *rotate.Rotation) error {
		calls = append(calls, r.CurrentVersion)
		switch len(calls) {
		case 1:
			return nil // and nothing is done
		case 2:
			addVersion(t, k, "app new")
			return nil
		}
		addVersion(t, k, "app newer")
		stop()
		return ctx.Err()
	}), csms.SingleUser, "app old")
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL RUNNING at 0, attempt 2 ROTATION_NOT_APPLIED")
	k.Move(time.Minute)
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL SUCCESS at 0, attempt 2 ")
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v2 app new", "SYSPREVIOUS": "v1 app old"})

	k.Move(time.Minute)
	rotateSecret(t, k, "db")
	if _, err := k.Service.RunTasks(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL SUCCESS at 120, attempt 1 ", "db MANUAL SUCCESS at 0, attempt 2 ")
	if !slices.Equal(calls, []string{"v1", "v1", "v2"}) {
		t.Errorf("calls with %q as the current version", calls)
	}
	want := []string{
		"SECRET_VERSION_CREATED v1 secret created", "SECRET_VERSION_CREATED v2 version created", "SECRET_ROTATED v2 secret rotated",
		"SECRET_VERSION_CREATED v3 version created", "SECRET_ROTATED v3 secret rotated",
	}
	if diff := cmp.Diff(want, fired(t, k)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// A secret that goes, or may no longer be used, while its task runs ends the task. Once
// the source has the new password the rotation is finished all the same, or RestoreSecret
// would bring back a password that does not work.
func TestASecretThatGoesEndsItsTask(t *testing.T) {
	actions := map[string]func(*testkit.Kit) error{
		"destroyed": func(k *testkit.Kit) error { return k.Service.DeleteSecret(t.Context(), owner(), "db") },
		"scheduled": func(k *testkit.Kit) error {
			_, err := k.Service.DeleteSecretForSchedule(t.Context(), owner(), "db", 7)
			return err
		},
		"disabled": func(k *testkit.Kit) error {
			_, err := k.Service.SetSecretState(t.Context(), testkit.ProjectID, "db", csms.Disabled)
			return err
		},
	}
	for _, c := range []struct{ action, during, want string }{
		{"destroyed", "new", "FAILED at 0, attempt 1 SECRET_NOT_FOUND"},
		{"destroyed", "change", "FAILED at 0, attempt 1 SECRET_NOT_FOUND"},
		{"destroyed", "verify", "FAILED at 0, attempt 1 SECRET_NOT_FOUND"},
		{"scheduled", "new", "FAILED at 0, attempt 1 SECRET_NOT_ENABLED"},
		{"disabled", "new", "FAILED at 0, attempt 1 SECRET_NOT_ENABLED"},
		{"scheduled", "change", "SUCCESS at 0, attempt 1 "},
		{"disabled", "verify", "SUCCESS at 0, attempt 1 "},
	} {
		t.Run(c.action+" during "+c.during, func(t *testing.T) {
			d := newDatabase()
			k := kitWith(t, d, csms.SingleUser, "app old")
			d.after = func(name string) error {
				if name != c.during {
					return nil
				}
				return actions[c.action](k)
			}
			rotateSecret(t, k, "db")
			runTasks(t, k, 1)
			checkTasks(t, k, "db MANUAL "+c.want)
			if findings, err := k.Store.Verify(t.Context()); err != nil || findings != nil {
				t.Errorf("findings %v, %v", findings, err)
			}
		})
	}
}

// automatic returns a kit whose secret db rotates by itself every day.
func automatic(t *testing.T, e rotate.Engine) *testkit.Kit {
	t.Helper()
	k := kitWith(t, e, csms.SingleUser, "app old")
	if _, err := k.Service.UpdateSecret(t.Context(), owner(), "db", csms.Patch{AutoRotation: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	return k
}

func advance(t *testing.T, k *testkit.Kit, by time.Duration) {
	t.Helper()
	if err := k.Advance(t.Context(), by); err != nil {
		t.Fatal(err)
	}
}

const day = 24 * time.Hour

// RO10, neighbours.md 3.5: a secret rotates one period after it was told to, or up to five
// minutes later; a schedule that was missed many times is made up for once, and the next
// rotation is a period after that.
func TestASecretRotatesByItself(t *testing.T) {
	k := automatic(t, newDatabase())
	if next := show(t, k).Rotation.NextTime; next != testkit.Epoch+86400_000 {
		t.Errorf("next_rotation_time %d", next-testkit.Epoch)
	}
	advance(t, k, day-time.Millisecond)
	checkTasks(t, k)
	advance(t, k, 5*time.Minute+time.Millisecond)
	lines, page := tasks(t, k, service.TaskListing{})
	if len(lines) != 1 || page.Items[0].OperateType != csms.OperateAuto || page.Items[0].Status != csms.TaskSuccess {
		t.Fatalf("tasks %q", lines)
	}
	if r := show(t, k).Rotation; r.Time != k.Now() || r.NextTime != k.Now()+86400_000 {
		t.Errorf("rotation_time %d, next %d at %d", r.Time, r.NextTime, k.Now())
	}
	advance(t, k, 30*day)
	advance(t, k, 0)
	if lines, _ := tasks(t, k, service.TaskListing{}); len(lines) != 2 {
		t.Errorf("after a month that was missed: %q", lines)
	}
	if next := show(t, k).Rotation.NextTime; next != k.Now()+86400_000 {
		t.Errorf("next_rotation_time %d at %d", next, k.Now())
	}
}

// neighbours.md 3.5: after three tasks that failed in a row the secret does not rotate by
// itself any more, and each of them fires. Switching it on again plans anew, and counts anew.
func TestAutomaticRotationIsSwitchedOff(t *testing.T) {
	d := newDatabase()
	d.before = func(string) error { return rotate.Finalf("PERMISSION_MISSING", "it may not") }
	k := automatic(t, d)
	for range 5 {
		k.Move(day + 5*time.Minute) // without a delivery, so that the messages can be seen
		if _, err := k.Service.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Service.RunTasks(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if lines, _ := tasks(t, k, service.TaskListing{}); len(lines) != 3 {
		t.Errorf("tasks %q", lines)
	}
	if r := show(t, k).Rotation; r.Auto || r.NextTime != 0 || r.FailedTasks != 3 {
		t.Errorf("rotation %+v", r)
	}
	want := []string{
		"SECRET_VERSION_CREATED v1 secret created",
		"SECRET_ROTATED_FAILED  rotation failed: PERMISSION_MISSING", "SECRET_ROTATED_FAILED  rotation failed: PERMISSION_MISSING",
		"SECRET_ROTATED_FAILED  rotation failed: PERMISSION_MISSING; automatic rotation is switched off after three failures in a row",
	}
	if diff := cmp.Diff(want, fired(t, k)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if _, err := k.Service.UpdateSecret(t.Context(), owner(), "db", csms.Patch{AutoRotation: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	advance(t, k, day+5*time.Minute)
	if r := show(t, k).Rotation; !r.Auto || r.FailedTasks != 1 {
		t.Errorf("rotation after it was switched on again: %+v", r)
	}
}

// A secret that is not ENABLED does not rotate; when it can again, what was missed is made
// up for once.
func TestOnlyAnEnabledSecretRotatesByItself(t *testing.T) {
	k := automatic(t, newDatabase())
	if _, err := k.Service.DeleteSecretForSchedule(t.Context(), owner(), "db", 30); err != nil {
		t.Fatal(err)
	}
	advance(t, k, 3*day)
	checkTasks(t, k)
	if _, err := k.Service.RestoreSecret(t.Context(), owner(), "db"); err != nil {
		t.Fatal(err)
	}
	advance(t, k, 0)
	checkTasks(t, k, "db AUTO SUCCESS at 259200, attempt 1 ")
	if _, err := k.Service.SetSecretState(t.Context(), testkit.ProjectID, "db", csms.Disabled); err != nil {
		t.Fatal(err)
	}
	advance(t, k, 3*day)
	if lines, _ := tasks(t, k, service.TaskListing{}); len(lines) != 1 {
		t.Errorf("tasks of a DISABLED secret: %q", lines)
	}
}

// One task of a secret runs at a time: what is due meanwhile waits for half an hour.
func TestAPlannedRotationWaitsForARunningOne(t *testing.T) {
	k := automatic(t, newDatabase())
	k.Move(day + 5*time.Minute)
	rotateSecret(t, k, "db")
	if done, err := k.Service.RunDue(t.Context()); done != 1 || err != nil {
		t.Fatal(done, err)
	}
	if next := show(t, k).Rotation.NextTime; next != k.Now()+30*60*1000 {
		t.Errorf("next_rotation_time %d at %d", next, k.Now())
	}
	advance(t, k, 0)
	if next := show(t, k).Rotation.NextTime; next != k.Now()+86400_000 {
		t.Errorf("after the running one succeeded: %d at %d", next, k.Now())
	}
	if lines, _ := tasks(t, k, service.TaskListing{}); len(lines) != 1 {
		t.Errorf("tasks %q", lines)
	}
}

// M1, M6: what a rotation changes makes copies anew; a copy has no rotation of its own.
func TestARotationReachesReplicas(t *testing.T) {
	k := automatic(t, newDatabase())
	if _, err := k.Service.CreateSecretReplica(t.Context(), owner(), "db", service.NewReplica{Region: testkit.EastRegion}); err != nil {
		t.Fatal(err)
	}
	advance(t, k, time.Second)
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	advance(t, k, 0)
	east := owner()
	east.ProjectID = testkit.EastProjectID
	v, err := k.Service.ShowSecretVersion(t.Context(), east, "db", csms.Latest)
	if err != nil || string([]byte(v.Value.Data)) != "app new-1" {
		t.Errorf("the copy holds %s, %v", []byte(v.Value.Data), err)
	}
	_, err = k.Service.RotateSecret(t.Context(), east, "db")
	refused(t, err, csms.CodeInvalid)
}

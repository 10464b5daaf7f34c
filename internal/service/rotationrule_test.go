package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/service"
	"coffer/internal/testkit"
)

// stops are the places where a rotation is stopped by a try that fails. What happens then
// is seen by the next try.
var stops = map[string]struct {
	call  string
	after bool
}{
	"nothing stored":    {"new", false},
	"stored only":       {"change", false},
	"changed":           {"change", true},
	"changed, not seen": {"verify", false},
}

// stop has the first try fail at a place, once. Where the source has done what it was
// asked for, the answer is lost, and the login that asks for it does not get through.
func (d *database) stop(place string) {
	at, done := stops[place], false
	once := func(call string, err error) func(string) error {
		return func(called string) error {
			if called != call || done {
				return nil
			}
			done = call != "change" || !at.after
			return err
		}
	}
	down := rotate.Failf("HOST_UNREACHABLE", "it is down")
	if d.before, d.after = once(at.call, down), nil; at.after {
		d.before, d.after = once("verify", down), once("change", lost("change"))
	}
}

// ended runs the rest of a task and returns how it ended.
func ended(t *testing.T, k *testkit.Kit, id string) string {
	t.Helper()
	for range 3 {
		k.Move(5 * time.Minute)
		if _, err := k.Service.RunTasks(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	task := taskByID(t, k, id)
	return strings.TrimSpace(string(task.Status) + " " + task.ErrorCode)
}

func taskByID(t *testing.T, k *testkit.Kit, id string) *csms.Task {
	t.Helper()
	_, page := tasks(t, k, service.TaskListing{TaskID: id})
	if len(page.Items) != 1 {
		t.Fatalf("%d tasks %s", len(page.Items), id)
	}
	return page.Items[0]
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func update(t *testing.T, k *testkit.Kit, p csms.Patch) {
	t.Helper()
	_, err := k.Service.UpdateSecret(t.Context(), owner(), "db", p)
	must(t, err)
}

func schedule(t *testing.T, k *testkit.Kit) {
	t.Helper()
	_, err := k.Service.DeleteSecretForSchedule(t.Context(), owner(), "db", 30)
	must(t, err)
}

func restore(t *testing.T, k *testkit.Kit) {
	t.Helper()
	_, err := k.Service.RestoreSecret(t.Context(), owner(), "db")
	must(t, err)
}

func disable(t *testing.T, k *testkit.Kit) {
	t.Helper()
	_, err := k.Service.SetSecretState(t.Context(), testkit.ProjectID, "db", csms.Disabled)
	must(t, err)
}

func moveStage(t *testing.T, k *testkit.Kit, stage, version string) {
	t.Helper()
	_, err := k.Service.UpdateSecretStage(t.Context(), owner(), "db", stage, version)
	must(t, err)
}

// while is what happens while a task runs, and how the task ends at each stop.
type while struct {
	do   func(*testing.T, *testkit.Kit)
	ends map[string]string // by stop
	next csms.Millis       // next_rotation_time after the end of the task; zero for none
}

func everywhere(outcome string) map[string]string {
	return map[string]string{"nothing stored": outcome, "stored only": outcome, "changed": outcome, "changed, not seen": outcome}
}

// Before the source has the new password, a secret that is not ENABLED ends its task;
// after that the task is brought to its end.
var unlessChanged = map[string]string{
	"nothing stored": "FAILED SECRET_NOT_ENABLED", "stored only": "FAILED SECRET_NOT_ENABLED", "changed": "SUCCESS", "changed, not seen": "SUCCESS",
}

const hour = csms.Millis(60 * 60 * 1000)

var meanwhile = map[string]while{
	"the period changes": {
		func(t *testing.T, k *testkit.Kit) { update(t, k, csms.Patch{RotationPeriod: ptr("4h")}) }, everywhere("SUCCESS"), 4 * hour,
	},
	"rotation is switched off": {
		func(t *testing.T, k *testkit.Kit) { update(t, k, csms.Patch{AutoRotation: ptr(false)}) }, everywhere("SUCCESS"), 0,
	},
	"rotation is switched off and on": {
		func(t *testing.T, k *testkit.Kit) {
			update(t, k, csms.Patch{AutoRotation: ptr(false)})
			update(t, k, csms.Patch{AutoRotation: ptr(true)})
		}, everywhere("SUCCESS"), 24 * hour,
	},
	"the secret is disabled":                                 {disable, unlessChanged, 0},
	"its deletion is scheduled":                              {schedule, unlessChanged, 0},
	"its deletion is scheduled and cancelled":                {func(t *testing.T, k *testkit.Kit) { schedule(t, k); restore(t, k) }, everywhere("SUCCESS"), 24 * hour},
	"it is deleted":                                          {deleteSecret, everywhere("FAILED SECRET_NOT_FOUND"), 0},
	"it is deleted, and there is another one under its name": {replaceSecret, everywhere("FAILED SECRET_NOT_FOUND"), 0},
}

func deleteSecret(t *testing.T, k *testkit.Kit) {
	t.Helper()
	must(t, k.Service.DeleteSecret(t.Context(), owner(), "db"))
}

func replaceSecret(t *testing.T, k *testkit.Kit) {
	t.Helper()
	deleteSecret(t, k)
	create(t, k, "db")
}

// Issue: changing the period, switching rotation off and on, deleting or restoring the
// secret while a task runs are all defined; next_rotation_time and rotation_time are true.
func TestWhatHappensWhileATaskRuns(t *testing.T) {
	for name, c := range meanwhile {
		for place := range stops {
			t.Run(name+"/"+place, func(t *testing.T) { testMeanwhile(t, c, place) })
		}
	}
}

func testMeanwhile(t *testing.T, c while, place string) {
	d := newDatabase()
	k := automatic(t, d)
	d.stop(place)
	task := rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	c.do(t, k)
	if got := ended(t, k, task.ID); got != c.ends[place] {
		t.Fatalf("the task ends %s; want %s", got, c.ends[place])
	}
	if strings.HasSuffix(c.ends[place], "NOT_FOUND") {
		return
	}
	end := taskByID(t, k, task.ID).EndTime
	sec := show(t, k)
	wantNext, wantTime, current := end+c.next, end, "app "+d.accounts["app"]
	if c.next == 0 {
		wantNext = 0
	}
	if c.ends[place] != "SUCCESS" {
		wantTime, current = 0, "app old"
	}
	if sec.NextRotation() != wantNext || sec.Rotation.Time != wantTime {
		t.Errorf("next_rotation_time %d, rotation_time %d; want %d and %d", sec.NextRotation(), sec.Rotation.Time, wantNext, wantTime)
	}
	if !d.logsIn(current) {
		t.Errorf("%q does not log in to %v", current, d.accounts)
	}
	if sec.State == csms.PendingDelete {
		restore(t, k)
	} else if sec.State == csms.Disabled {
		_, err := k.Service.SetSecretState(t.Context(), testkit.ProjectID, "db", csms.Enabled)
		must(t, err)
	}
	if got := labels(t, k)["SYSCURRENT"]; !strings.HasSuffix(got, current) {
		t.Errorf("SYSCURRENT is %s; want %s", got, current)
	}
}

// A value that is stored by hand while a task runs: it is what rotates, unless the source
// has the new password already. Then that one becomes current, because it is the one that
// logs in, and the other is SYSPREVIOUS.
func TestAValueIsStoredWhileATaskRuns(t *testing.T) {
	for place, want := range map[string]map[string]string{
		"nothing stored":    {"SYSCURRENT": "v3 app2 new-1", "SYSPREVIOUS": "v2 app2 old"},
		"stored only":       {"SYSCURRENT": "v4 app2 new-2", "SYSPREVIOUS": "v3 app2 old"},
		"changed":           {"SYSCURRENT": "v2 app new-1", "SYSPREVIOUS": "v3 app2 old"},
		"changed, not seen": {"SYSCURRENT": "v2 app new-1", "SYSPREVIOUS": "v3 app2 old"},
	} {
		t.Run(place, func(t *testing.T) {
			d := newDatabase()
			k := kitWith(t, d, csms.SingleUser, "app old")
			d.stop(place)
			task := rotateSecret(t, k, "db")
			runTasks(t, k, 1)
			addVersion(t, k, "app2 old")
			if got := ended(t, k, task.ID); got != "SUCCESS" {
				t.Fatal(got)
			}
			checkLabels(t, k, want)
		})
	}
}

// A value that is stored between reading the secret and storing the new one counts too.
func TestAValueIsStoredWhileTheNewOneIsMade(t *testing.T) {
	d := newDatabase()
	k := kitWith(t, d, csms.SingleUser, "app old")
	d.after = func(call string) error {
		if call == "new" && d.made == 1 {
			addVersion(t, k, "app2 old")
		}
		return nil
	}
	task := rotateSecret(t, k, "db")
	if got := ended(t, k, task.ID); got != "SUCCESS" {
		t.Fatal(got)
	}
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v3 app2 new-2", "SYSPREVIOUS": "v2 app2 old"})
	if d.accounts["app"] != "old" {
		t.Error("an account that is not current any more was changed")
	}
}

// neighbours.md 4.2: the version that holds the new password is not lost, whatever users
// write: its label is not theirs while the task runs, and what has a label is not pruned
// (V3). After the task has ended the label is theirs.
func TestAPendingVersionIsNotLost(t *testing.T) {
	d := newDatabase()
	k := kitWith(t, d, csms.SingleUser, "app old")
	d.stop("changed")
	task := rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	label := csms.PendingStage(task.ID)
	_, moved := k.Service.UpdateSecretStage(t.Context(), owner(), "db", label, "v1")
	_, placed := k.Service.CreateSecretStage(t.Context(), owner(), "db", label, "v1")
	_, added := k.Service.CreateSecretVersion(t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext("x"), Stages: []string{label}})
	for _, err := range []error{moved, placed, added, k.Service.DeleteSecretStage(t.Context(), owner(), "db", label)} {
		refused(t, err, csms.CodeInvalid)
	}
	moveStage(t, k, "mine", "v1")
	for n := range 25 {
		_, err := k.Service.CreateSecretVersion(t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext("x"), Stages: []string{fmt.Sprint("x", n%3)}})
		must(t, err)
	}
	d.before, d.after = func(string) error { return rotate.Failf("HOST_UNREACHABLE", "down") }, nil
	if got := ended(t, k, task.ID); got != "FAILED HOST_UNREACHABLE" {
		t.Fatal(got)
	}
	if got := labels(t, k); got["PENDING"] != "v2 app new-1" || got["SYSCURRENT"] != "v1 app old" {
		t.Errorf("labels %v", got)
	}
	must(t, k.Service.DeleteSecretStage(t.Context(), owner(), "db", label))
}

// A full secret rotates: the oldest version without a label makes way, and neither
// SYSPREVIOUS nor any other labelled version does (V3).
func TestAFullSecretRotates(t *testing.T) {
	d := newDatabase()
	k := kitWith(t, d, csms.MultiUser, "app old", "app2 old")
	for n := range csms.MaxVersions - 2 {
		_, err := k.Service.CreateSecretVersion(t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext("x"), Stages: []string{fmt.Sprint("l", n%8)}})
		must(t, err)
	}
	for range 3 {
		task := rotateSecret(t, k, "db")
		if got := ended(t, k, task.ID); got != "SUCCESS" {
			t.Fatal(got)
		}
		if sec := show(t, k); len(sec.Versions) != csms.MaxVersions {
			t.Errorf("%d versions", len(sec.Versions))
		}
	}
	got := labels(t, k)
	if got["SYSCURRENT"] != "v23 app new-3" || got["SYSPREVIOUS"] != "v22 app2 new-2" || len(got) != 10 {
		t.Errorf("labels %v", got)
	}
}

// With twelve labels of users a rotation is CSMS.0204 and changes nothing; what failed
// tasks have left makes way.
func TestARotationNeedsALabel(t *testing.T) {
	d := newDatabase()
	k := kitWith(t, d, csms.SingleUser, "app old")
	d.before = func(call string) error {
		if call == "change" {
			return rotate.Finalf("PERMISSION_MISSING", "it may not")
		}
		return nil
	}
	if got := ended(t, k, rotateSecret(t, k, "db").ID); got != "FAILED PERMISSION_MISSING" {
		t.Fatal(got)
	}
	addVersion(t, k, "app2 old")
	for n := range csms.MaxStages - 3 { // SYSCURRENT, SYSPREVIOUS and the pending one are there
		moveStage(t, k, fmt.Sprint("l", n), "v1")
	}
	d.before = nil
	if got := ended(t, k, rotateSecret(t, k, "db").ID); got != "SUCCESS" {
		t.Fatal(got)
	}
	moveStage(t, k, "l9", "v1")
	before := labels(t, k)
	if got := ended(t, k, rotateSecret(t, k, "db").ID); got != "FAILED CSMS.0204" {
		t.Fatal(got)
	}
	checkLabels(t, k, before)
	if d.accounts["app2"] != "new-2" {
		t.Errorf("database %v", d.accounts)
	}
}

// RO9: where both labels hold one account, changing it would lock out who uses it.
func TestTwoVersionsOfOneAccountAreNoPair(t *testing.T) {
	d := newDatabase()
	k := kitWith(t, d, csms.MultiUser, "app older", "app old")
	if got := ended(t, k, rotateSecret(t, k, "db").ID); got != "FAILED SECOND_ACCOUNT_MISSING" {
		t.Fatal(got)
	}
	if d.accounts["app"] != "old" {
		t.Errorf("database %v", d.accounts)
	}
}

// A password that the rules of the source refuse is not tried again: the next task makes
// another one.
func TestARefusedPasswordIsNotTakenOver(t *testing.T) {
	d := newDatabase()
	k := kitWith(t, d, csms.SingleUser, "app old")
	d.before = func(call string) error {
		if call == "change" && d.made == 1 {
			return rotate.Finalf(rotate.CodePasswordPolicy, "a word of the dictionary")
		}
		return nil
	}
	if got := ended(t, k, rotateSecret(t, k, "db").ID); got != "FAILED PASSWORD_POLICY" {
		t.Fatal(got)
	}
	if got := ended(t, k, rotateSecret(t, k, "db").ID); got != "SUCCESS" {
		t.Fatal(got)
	}
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v3 app new-2", "SYSPREVIOUS": "v1 app old"})
}

func lost(call string) error {
	if call == "change" {
		return &rotate.Error{Code: "SERVER_UNAVAILABLE", Msg: "the connection was lost", Unsure: true}
	}
	return nil
}

// An answer that was lost is asked for by a login, at once.
func TestALostAnswerIsFoundByALogin(t *testing.T) {
	d := newDatabase()
	d.after = lost
	k := kitWith(t, d, csms.SingleUser, "app old")
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL SUCCESS at 0, attempt 1 ")
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v2 app new-1", "SYSPREVIOUS": "v1 app old"})
}

// Where the login is unreachable too, a failed task says which version the source may
// have, and an automatic rotation is not waited for a whole period.
func TestAFailedTaskThatLeavesTheOutcomeOpen(t *testing.T) {
	d := newDatabase()
	k := automatic(t, d)
	d.after = lost
	d.before = func(call string) error {
		if call == "verify" {
			return rotate.Failf("HOST_UNREACHABLE", "it is down")
		}
		return nil
	}
	task := rotateSecret(t, k, "db")
	if got := ended(t, k, task.ID); got != "FAILED SERVER_UNAVAILABLE" {
		t.Fatal(got)
	}
	failed := taskByID(t, k, task.ID)
	if want := "the connection was lost The source may have the new value all the same; it is version v2."; failed.ErrorMsg != want {
		t.Errorf("message %q", failed.ErrorMsg)
	}
	if next := show(t, k).NextRotation(); next != failed.EndTime+hour/2 {
		t.Errorf("next_rotation_time %d after the end", next-failed.EndTime)
	}
	d.before, d.after = nil, nil
	advance(t, k, 35*time.Minute)
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v2 app new-1", "SYSPREVIOUS": "v1 app old"})
	if d.made != 1 || !d.logsIn("app new-1") {
		t.Errorf("%d passwords were made, database %v", d.made, d.accounts)
	}
}

// A source that is found to have the old password leaves nothing open.
func TestAFailedTaskThatIsSure(t *testing.T) {
	d := newDatabase()
	k := automatic(t, d)
	d.before = lost // before anything is changed
	task := rotateSecret(t, k, "db")
	if got := ended(t, k, task.ID); got != "FAILED SERVER_UNAVAILABLE" {
		t.Fatal(got)
	}
	if failed := taskByID(t, k, task.ID); failed.Unsure || failed.ErrorMsg != "the connection was lost" {
		t.Errorf("task %+v", failed)
	}
	if next := show(t, k).NextRotation(); next != testkit.Epoch+24*hour {
		t.Errorf("next_rotation_time %d", next)
	}
}

// RO10: what will not happen is not shown as planned.
func TestNoRotationIsPlannedForASecretThatIsNotEnabled(t *testing.T) {
	k := automatic(t, newDatabase())
	planned := show(t, k).NextRotation()
	schedule(t, k)
	if next := show(t, k).NextRotation(); planned == 0 || next != 0 {
		t.Errorf("next_rotation_time %d, %d with its deletion scheduled", planned, next)
	}
	restore(t, k)
	if next := show(t, k).NextRotation(); next != planned {
		t.Errorf("next_rotation_time %d after RestoreSecret; want %d", next, planned)
	}
	disable(t, k)
	if next := show(t, k).NextRotation(); next != 0 {
		t.Errorf("next_rotation_time %d of a DISABLED secret", next)
	}
}

// A server that went after the source had taken the new password does not know that it
// has. What the source then refuses for another reason does not make it sure.
func TestACrashLeavesTheOutcomeOpen(t *testing.T) {
	for attempt := range 2 {
		d := newDatabase()
		k := kitWith(t, d, csms.SingleUser, "app old")
		task := rotateSecret(t, k, "db")
		for range attempt {
			d.stop("stored only")
			runTasks(t, k, 1)
			k.Move(5 * time.Minute)
		}
		ctx, stop := context.WithCancel(t.Context())
		d.after = func(call string) error {
			if call == "change" {
				stop()
			}
			return ctx.Err()
		}
		if _, err := k.Service.RunTasks(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		d.before, d.after = func(string) error { return rotate.Finalf("PERMISSION_MISSING", "it may not") }, nil
		must(t, k.Reopen(t.Context()))
		runTasks(t, k, 1)
		if got := taskByID(t, k, task.ID); !got.Unsure || got.Status != csms.TaskFailed {
			t.Errorf("after %d tries: %+v", attempt, got)
		}
		d.before = nil
		if got := ended(t, k, rotateSecret(t, k, "db").ID); got != "SUCCESS" || d.made != 1 {
			t.Errorf("after %d tries: %s, %d passwords", attempt, got, d.made)
		}
	}
}

package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/service"
	"coffer/internal/testkit"
)

// database is an Account engine over accounts in memory: a value is "user password".
type database struct {
	accounts map[string]string // password by user
	keeps    bool              // whether the password before goes on working
	old      map[string]string // that one, by user
	made     int               // passwords so far
	calls    []string
	keys     []string // idempotency keys of the calls, as they came

	before, after func(call string) error // may be nil; what they return ends the call
}

func newDatabase() *database {
	return &database{accounts: map[string]string{"app": "old", "app2": "old"}, old: map[string]string{}}
}

func (d *database) call(r *rotate.Rotation, name string, do func() error) error {
	d.calls, d.keys = append(d.calls, name), append(d.keys, r.IdempotencyKey())
	if d.before != nil {
		if err := d.before(name); err != nil {
			return err
		}
	}
	if err := do(); err != nil || d.after == nil {
		return err
	}
	return d.after(name)
}

func account(v csms.Plaintext) (user, password string) {
	user, password, _ = strings.Cut(string([]byte(v)), " ")
	return user, password
}

func (d *database) NewValue(_ context.Context, r *rotate.Rotation, base csms.Plaintext) (v csms.Plaintext, err error) {
	return v, d.call(r, "new", func() error {
		if base == nil {
			return rotate.Finalf("SECOND_ACCOUNT_MISSING", "store the second account first")
		}
		user, _ := account(base)
		d.made++
		v = csms.Plaintext(fmt.Sprintf("%s new-%d", user, d.made))
		return nil
	})
}

func (d *database) Change(_ context.Context, r *rotate.Rotation, v *rotate.Values) error {
	return d.call(r, "change", func() error {
		user, password := account(v.New)
		if d.keeps && d.accounts[user] != password {
			d.old[user] = d.accounts[user]
		}
		d.accounts[user] = password
		return nil
	})
}

func (d *database) CheckPair(_ *rotate.Rotation, base, current csms.Plaintext) error {
	a, _ := account(base)
	if b, _ := account(current); a == b {
		return rotate.Finalf("SECOND_ACCOUNT_MISSING", "both are %s", a)
	}
	return nil
}

func (d *database) Discard(_ context.Context, r *rotate.Rotation, v *rotate.Values) error {
	return d.call(r, "discard", func() error {
		user, _ := account(v.New)
		delete(d.old, user)
		return nil
	})
}

// logsIn reports whether the value of a version is a login.
func (d *database) logsIn(value string) bool {
	user, password, _ := strings.Cut(value, " ")
	return password != "" && (d.accounts[user] == password || d.old[user] == password)
}

func (d *database) Verify(_ context.Context, r *rotate.Rotation, v *rotate.Values) error {
	return d.call(r, "verify", func() error {
		if user, password := account(v.New); d.accounts[user] != password {
			return rotate.Failf("LOGIN_REFUSED", "the login of %s was refused", user)
		}
		return nil
	})
}

func bound(e rotate.Engine) rotate.Engines {
	return func(context.Context, *rotate.Rotation) (rotate.Engine, error) { return e, nil }
}

// kitWith returns a kit whose secrets rotate with e, and that has secret db with these
// values.
func kitWith(t *testing.T, e rotate.Engine, subType string, values ...string) *testkit.Kit {
	t.Helper()
	k := testkit.New(t, testkit.Options{Engines: bound(e)})
	createEvent(t, k, "nightly")
	in := rotating("db")
	in.Text = csms.Plaintext(values[0])
	in.Creation.Rotation.Config = `{"InstanceId":"i-1","SecretSubType":"` + subType + `"}`
	in.Creation.Rotation.Period = "1d"
	in.Creation.EventSubscriptions = []string{"nightly"}
	createRotating(t, k, in)
	for _, v := range values[1:] {
		if _, err := k.Service.CreateSecretVersion(t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext(v)}); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func runTasks(t *testing.T, k *testkit.Kit, want int) {
	t.Helper()
	if done, err := k.Service.RunTasks(t.Context()); done != want || err != nil {
		t.Fatalf("RunTasks = %d, %v; want %d", done, err, want)
	}
}

// labels returns each label of secret db with its version and value.
func labels(t *testing.T, k *testkit.Kit) map[string]string {
	t.Helper()
	sec := show(t, k)
	out := map[string]string{}
	for _, st := range sec.Stages {
		v, err := k.Service.ShowSecretVersion(t.Context(), owner(), "db", csms.VersionID(st.Version))
		if err != nil {
			t.Fatal(err)
		}
		name := st.Name
		if strings.HasPrefix(name, "PENDING-") {
			name = "PENDING"
		}
		out[name] = v.Version.ID() + " " + string([]byte(v.Value.Data))
	}
	return out
}

func checkTasks(t *testing.T, k *testkit.Kit, want ...string) {
	t.Helper()
	got, _ := tasks(t, k, service.TaskListing{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

func checkLabels(t *testing.T, k *testkit.Kit, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, labels(t, k)); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

// fired returns what waits in the outbox, as lines.
func fired(t *testing.T, k *testkit.Kit) (lines []string) {
	t.Helper()
	for _, m := range outbox(t, k.Store) {
		lines = append(lines, fmt.Sprintf("%s %s %s", m.EventType, m.VersionID, m.Detail))
	}
	return lines
}

// With nothing bound a task fails at once, with a code that names what is missing; the
// secret subscribes to be told, and its labels stay (RO8, RO10).
func TestARotationWithNothingBoundFails(t *testing.T) {
	for urn, code := range map[string]string{"urn:fss:r:p:function:g:f:latest": "ROTATION_FUNCTION_NOT_FOUND", "": "ROTATION_TARGET_NOT_FOUND"} {
		k := testkit.New(t, testkit.Options{})
		createEvent(t, k, "nightly")
		in := rotating("db")
		in.Creation.Rotation.FuncURN = urn
		in.Creation.EventSubscriptions = []string{"nightly"}
		createRotating(t, k, in)
		task := rotateSecret(t, k, "db")
		runTasks(t, k, 1)
		runTasks(t, k, 0)
		checkTasks(t, k, "db MANUAL FAILED at 0, attempt 1 "+code)
		_, page := tasks(t, k, service.TaskListing{TaskID: task.ID})
		if msg := page.Items[0].ErrorMsg; msg == "" || page.Items[0].EndTime != k.Now() {
			t.Errorf("task %+v", page.Items[0])
		}
		checkLabels(t, k, map[string]string{"SYSCURRENT": "v1 value of db"})
		want := []string{"SECRET_VERSION_CREATED v1 secret created", "SECRET_ROTATED_FAILED  rotation failed: " + code}
		if diff := cmp.Diff(want, fired(t, k)); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		if sec := show(t, k); sec.Rotation.Time != 0 || sec.Rotation.FailedTasks != 1 {
			t.Errorf("rotation %+v", sec.Rotation)
		}
	}
}

// RO9, RO10: SingleUser gets a new password for the same account; the new version becomes
// SYSCURRENT. The times are set, and both events fire.
func TestASingleUserRotates(t *testing.T) {
	d := newDatabase()
	k := kitWith(t, d, csms.SingleUser, "app old")
	if _, err := k.Service.UpdateSecret(t.Context(), owner(), "db", csms.Patch{AutoRotation: ptr(true)}); err != nil {
		t.Fatal(err)
	}
	rotateSecret(t, k, "db")
	k.Move(time.Second)
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL SUCCESS at 0, attempt 1 ")
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v2 app new-1", "SYSPREVIOUS": "v1 app old"})
	if d.accounts["app"] != "new-1" || !slices.Equal(d.calls, []string{"new", "change", "verify"}) {
		t.Errorf("database %v after %q", d.accounts, d.calls)
	}
	if r := show(t, k).Rotation; r.Time != k.Now() || r.NextTime != k.Now()+86400_000 {
		t.Errorf("rotation_time %d, next %d at %d", r.Time, r.NextTime, k.Now())
	}
	want := []string{"SECRET_VERSION_CREATED v1 secret created", "SECRET_VERSION_CREATED v2 secret rotated", "SECRET_ROTATED v2 secret rotated"}
	if diff := cmp.Diff(want, fired(t, k)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func ptr[T any](v T) *T { return &v }

// RO9: MultiUser changes the account of SYSPREVIOUS, and then the two swap. Before a
// second account is stored there is nothing to swap with.
func TestMultiUsersTakeTurns(t *testing.T) {
	d := newDatabase()
	k := kitWith(t, d, csms.MultiUser, "app old")
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL FAILED at 0, attempt 1 SECOND_ACCOUNT_MISSING")

	k = kitWith(t, d, csms.MultiUser, "app old", "app2 old")
	for range 2 {
		rotateSecret(t, k, "db")
		runTasks(t, k, 1)
	}
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v4 app2 new-2", "SYSPREVIOUS": "v3 app new-1"})
	if d.accounts["app"] != "new-1" || d.accounts["app2"] != "new-2" {
		t.Errorf("database %v", d.accounts)
	}
}

// A rotation that is broken off, before or after the source did what a step asks, goes on
// where it was, with the same key of idempotency, and ends with a password that works and
// versions without a gap.
func TestABrokenRotationGoesOn(t *testing.T) {
	for _, call := range []string{"new", "change", "verify"} {
		for _, when := range []string{"before", "after"} {
			t.Run(when+" "+call, func(t *testing.T) {
				d := newDatabase()
				k := kitWith(t, d, csms.SingleUser, "app old")
				ctx, stop := context.WithCancel(t.Context())
				crash := func(name string) error {
					if name != call {
						return nil
					}
					stop()
					return ctx.Err()
				}
				if when == "before" {
					d.before = crash
				} else {
					d.after = crash
				}
				task := rotateSecret(t, k, "db")
				if _, err := k.Service.RunTasks(ctx); !errors.Is(err, context.Canceled) {
					t.Fatalf("broken off: %v", err)
				}
				checkTasks(t, k, "db MANUAL RUNNING at 0, attempt 1 ")
				if got := labels(t, k)["SYSCURRENT"]; got != "v1 app old" {
					t.Errorf("SYSCURRENT while it is broken off: %s", got)
				}
				d.before, d.after = nil, nil
				runTasks(t, k, 1)
				checkTasks(t, k, "db MANUAL SUCCESS at 0, attempt 1 ")
				checkLabels(t, k, map[string]string{"SYSCURRENT": "v2 app " + d.accounts["app"], "SYSPREVIOUS": "v1 app old"})
				for _, key := range d.keys {
					if key != task.ID+":1" {
						t.Errorf("idempotency key %s", key)
					}
				}
			})
		}
	}
}

// neighbours.md 3.5: three tries, after 1 and 5 minutes; then the task has failed, with the
// code of its cause. What it left behind, which the source may know, the next task takes
// over (RO10, RO11).
func TestARotationIsTriedThreeTimes(t *testing.T) {
	d := newDatabase()
	d.after = func(name string) error {
		if name == "change" {
			return rotate3("HOST_UNREACHABLE")
		}
		return nil
	}
	k := kitWith(t, d, csms.SingleUser, "app old")
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL RUNNING at 0, attempt 2 HOST_UNREACHABLE")
	k.Move(time.Minute - time.Millisecond)
	runTasks(t, k, 0)
	k.Move(time.Millisecond)
	runTasks(t, k, 1)
	k.Move(5*time.Minute - time.Millisecond)
	runTasks(t, k, 0)
	checkTasks(t, k, "db MANUAL RUNNING at 0, attempt 3 HOST_UNREACHABLE")
	k.Move(time.Millisecond)
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL FAILED at 0, attempt 3 HOST_UNREACHABLE")
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v1 app old", "PENDING": "v2 app new-1"})
	if want := []string{"new", "change", "change", "change"}; !slices.Equal(d.calls, want) {
		t.Errorf("calls %q", d.calls)
	}
	d.after = nil
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v2 app new-1", "SYSPREVIOUS": "v1 app old"})
	if d.made != 1 {
		t.Errorf("%d passwords were made; the first one had to be taken over", d.made)
	}
}

func rotate3(code rotate.Code) error { return rotate.Failf(code, "it is down") }

// A pending version of another account than the one that is to be changed is let go.
func TestAPendingVersionOfAnotherAccountIsDropped(t *testing.T) {
	d := newDatabase()
	d.before = func(name string) error {
		if name == "change" {
			return rotate.Finalf("PERMISSION_MISSING", "it may not")
		}
		return nil
	}
	k := kitWith(t, d, csms.SingleUser, "app old")
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL FAILED at 0, attempt 1 PERMISSION_MISSING")
	if _, err := k.Service.CreateSecretVersion(t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext("app2 old")}); err != nil {
		t.Fatal(err)
	}
	d.before = nil
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v4 app2 new-2", "SYSPREVIOUS": "v3 app2 old"})
}

// A login that is refused sends the next try back to the change.
func TestARefusedLoginIsChangedAgain(t *testing.T) {
	d := newDatabase()
	d.before = func(name string) error {
		if name == "verify" && len(d.calls) == 3 {
			d.accounts["app"] = "someone else's"
		}
		return nil
	}
	k := kitWith(t, d, csms.SingleUser, "app old")
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	checkTasks(t, k, "db MANUAL RUNNING at 0, attempt 2 LOGIN_REFUSED")
	k.Move(time.Minute)
	runTasks(t, k, 1)
	if want := []string{"new", "change", "verify", "change", "verify"}; !slices.Equal(d.calls, want) {
		t.Errorf("calls %q", d.calls)
	}
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v2 app new-1", "SYSPREVIOUS": "v1 app old"})
}

// What an engine does not explain is in the log, and not in the task (neighbours.md P4).
func TestACauseOfNoCodeStaysInTheLog(t *testing.T) {
	d := newDatabase()
	d.before = func(string) error { return errors.New("password=hunter2") }
	k := kitWith(t, d, csms.SingleUser, "app old")
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	_, page := tasks(t, k, service.TaskListing{})
	if task := page.Items[0]; task.ErrorCode != "ROTATION_FAILED" || strings.Contains(task.ErrorMsg, "hunter2") {
		t.Errorf("task %+v", task)
	}
	if !strings.Contains(k.Log.String(), "hunter2") {
		t.Error("the log lacks the cause")
	}
}

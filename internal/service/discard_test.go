package service_test

import (
	"strings"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/testkit"
)

// keeping returns a database that keeps the password before, and a secret that it has
// rotated once.
func keeping(t *testing.T) (*database, *testkit.Kit) {
	t.Helper()
	d := newDatabase()
	d.keeps = true
	k := kitWith(t, d, csms.SingleUser, "app old")
	rotateSecret(t, k, "db")
	runTasks(t, k, 1)
	if !d.logsIn("app old") || !d.logsIn("app new-1") {
		t.Fatalf("after the rotation %v and %v log in", d.accounts, d.old)
	}
	return d, k
}

func (d *database) discards() (n int) {
	for _, call := range d.calls {
		if call == "discard" {
			n++
		}
	}
	return n
}

// ADR 25: the password before goes on working for a day, and then no more.
func TestTheOldPasswordIsDiscardedAfterADay(t *testing.T) {
	d, k := keeping(t)
	k.Move(day - time.Millisecond)
	runTasks(t, k, 0)
	if !d.logsIn("app old") {
		t.Error("the old password does not work for a day")
	}
	k.Move(time.Millisecond)
	runTasks(t, k, 1)
	if d.logsIn("app old") || !d.logsIn("app new-1") {
		t.Errorf("after a day %v and %v log in", d.accounts, d.old)
	}
	k.Move(30 * day)
	runTasks(t, k, 0)
	checkTasks(t, k, "db MANUAL SUCCESS at 0, attempt 1 ")
	checkLabels(t, k, map[string]string{"SYSCURRENT": "v2 app new-1", "SYSPREVIOUS": "v1 app old"})
}

// A password that is in use, or may be, stays: SYSCURRENT was moved to it, or another
// rotation has begun, which replaces it.
func TestAPasswordInUseIsNotDiscarded(t *testing.T) {
	d, k := keeping(t)
	moveStage(t, k, "SYSCURRENT", "v1")
	k.Move(2 * day)
	runTasks(t, k, 1)
	moveStage(t, k, "SYSCURRENT", "v2")
	k.Move(2 * day)
	runTasks(t, k, 0)
	if d.discards() != 0 || !d.logsIn("app old") {
		t.Errorf("the password of SYSCURRENT was discarded: %q", d.calls)
	}

	d, k = keeping(t)
	d.stop("changed")
	task := rotateSecret(t, k, "db")
	k.Move(day)
	runTasks(t, k, 2) // the second task, as far as it comes, and the discarding of the first
	if !d.logsIn("app new-1") {
		t.Error("the password of SYSCURRENT was discarded while another rotation runs")
	}
	if got := ended(t, k, task.ID); got != "SUCCESS" || d.discards() != 0 {
		t.Errorf("%s after %q", got, d.calls)
	}
}

// What cannot be discarded is tried again every hour, for a day; it goes with the next
// rotation then. Nothing of that changes the task or its secret, and what is destroyed is
// left alone.
func TestDiscardingIsTriedAgain(t *testing.T) {
	d, k := keeping(t)
	d.before = func(string) error { return rotate.Failf("HOST_UNREACHABLE", "down") }
	k.Move(day)
	runTasks(t, k, 1)
	k.Move(time.Hour - time.Millisecond)
	runTasks(t, k, 0)
	k.Move(time.Millisecond)
	runTasks(t, k, 1)
	for range 50 {
		k.Move(time.Hour)
		if _, err := k.Service.RunTasks(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if d.discards() != 25 || !strings.Contains(k.Log.String(), "HOST_UNREACHABLE") {
		t.Errorf("tried %d times", d.discards())
	}
	checkTasks(t, k, "db MANUAL SUCCESS at 0, attempt 1 ")
	if r := show(t, k).Rotation; r.FailedTasks != 0 {
		t.Errorf("rotation %+v", r)
	}

	d, k = keeping(t)
	deleteSecret(t, k)
	k.Move(day)
	runTasks(t, k, 1)
	if d.discards() != 0 {
		t.Error("a password of a secret that is gone was discarded")
	}
}

package csms_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/csms"
)

// The times and codes of a task whose tries fail (RO8, RO11).
func TestATaskEndsAfterThreeTries(t *testing.T) {
	task := csms.Task{Status: csms.TaskRunning, Attempt: 1}
	for i, want := range []csms.Task{
		{Status: csms.TaskRunning, Attempt: 2, NextTry: 1000 + 60_000},
		{Status: csms.TaskRunning, Attempt: 3, NextTry: 1000 + 300_000},
		{Status: csms.TaskFailed, Attempt: 3, NextTry: 1000 + 300_000, EndTime: 1000},
	} {
		task.Fail(csms.Failure{Code: "CODE", Msg: "why"}, 1000)
		want.ErrorCode, want.ErrorMsg = "CODE", "why"
		if task != want {
			t.Errorf("after %d tries: %+v, want %+v", i+1, task, want)
		}
	}
	final := csms.Task{Status: csms.TaskRunning, Attempt: 1}
	final.Fail(csms.Failure{Code: "CODE", Msg: "why", Final: true}, 1000)
	if final.Status != csms.TaskFailed || final.Attempt != 1 {
		t.Errorf("a final failure: %+v", final)
	}
	task = csms.Task{Status: csms.TaskRunning, ErrorCode: "CODE", ErrorMsg: "why"}
	task.Succeed(7)
	if task != (csms.Task{Status: csms.TaskSuccess, EndTime: 7, Step: csms.StepPromoted}) {
		t.Errorf("a success: %+v", task)
	}
}

// A message of a task has at most 512 bytes and no half character.
func TestAMessageOfATaskIsCut(t *testing.T) {
	for text, want := range map[string]int{strings.Repeat("a", 512): 512, strings.Repeat("a", 513): 512, strings.Repeat("é", 300): 512, "a" + strings.Repeat("é", 300): 511} {
		task := csms.Task{Attempt: 1}
		task.Fail(csms.Failure{Code: "CODE", Msg: text, Final: true}, 1)
		if got := task.ErrorMsg; len(got) != want || !strings.HasPrefix(text, got) {
			t.Errorf("%d bytes became %d, want %d", len(text), len(got), want)
		}
	}
}

// neighbours.md 3.5: a rotation begins within five minutes of its plan, always after the
// same delay, and secrets that were made together begin at different times.
func TestPlannedRotationsSpread(t *testing.T) {
	seen := map[csms.Millis]bool{}
	rapid.Check(t, func(t *rapid.T) {
		s := csms.Secret{
			ID: rapid.StringMatching(`[0-9a-f]{8}`).Draw(t, "id"), State: csms.Enabled,
			Rotation: csms.Rotation{NextTime: csms.Millis(rapid.Int64Range(1, 1<<42).Draw(t, "next"))},
		}
		delay := s.RotationDue() - s.Rotation.NextTime
		if delay < 0 || delay >= 5*60*1000 || s.RotationDue() != s.Clone().RotationDue() {
			t.Fatalf("delay %d", delay)
		}
		seen[delay] = true
		s.State = csms.Disabled
		if s.RotationDue() != 0 {
			t.Fatal("a DISABLED secret is due")
		}
	})
	if len(seen) < 10 {
		t.Errorf("only %d different delays", len(seen))
	}
}

package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// rotating describes a new secret that rotates.
func rotating(name string) service.NewSecret {
	in := newSecret(name)
	in.Creation.Type = csms.RDSFG
	in.Creation.Rotation.Config = `{"InstanceId":"i-1","SecretSubType":"SingleUser"}`
	in.Creation.Rotation.FuncURN = "urn:fss:cn-north-4:p:function:default:rotate:latest"
	return in
}

func createRotating(t *testing.T, k *testkit.Kit, in service.NewSecret) {
	t.Helper()
	if _, err := k.Service.CreateSecret(t.Context(), owner(), in); err != nil {
		t.Fatal(err)
	}
}

func rotateSecret(t *testing.T, k *testkit.Kit, name string) *csms.Task {
	t.Helper()
	task, err := k.Service.RotateSecret(t.Context(), owner(), name)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// tasks returns a list of tasks as lines.
func tasks(t *testing.T, k *testkit.Kit, l service.TaskListing) (lines []string, page service.TaskPage) {
	t.Helper()
	if l.Limit == 0 {
		l.Limit = 1000
	}
	page, err := k.Service.ListSecretTask(t.Context(), owner(), l)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range page.Items {
		lines = append(lines, fmt.Sprintf("%s %s %s at %d, attempt %d %s", task.SecretName, task.OperateType, task.Status,
			(task.CreateTime-testkit.Epoch)/1000, task.Attempt, task.ErrorCode))
	}
	return lines, page
}

// endTask makes a running task one that has ended.
func endTask(t *testing.T, k *testkit.Kit, id string, end func(*csms.Task)) {
	t.Helper()
	err := k.Store.Update(t.Context(), func(tx *store.Tx) error {
		task, err := tx.Task(id)
		if err != nil {
			return err
		}
		end(task)
		return tx.PutTask(task)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// P9: a list is paged by its last task id, the newest first, even where the clock stands
// still; the total is that of all pages.
func TestTasksArePaged(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	for _, name := range []string{"a", "b"} {
		createRotating(t, k, rotating(name))
	}
	var want []string
	for i := range 7 {
		task := rotateSecret(t, k, []string{"a", "a", "b"}[i%3])
		endTask(t, k, task.ID, func(task *csms.Task) { task.Succeed(k.Now()) })
		if i%3 != 2 {
			want = append([]string{task.ID}, want...)
		}
	}
	for limit := 1; limit <= 6; limit++ {
		var got []string
		for marker := ""; ; {
			_, page := tasks(t, k, service.TaskListing{SecretName: "a", Status: csms.TaskSuccess, Limit: limit, Marker: marker})
			if len(page.Items) > limit || page.Total != 5 {
				t.Fatalf("a page of %d has %d items of %d", limit, len(page.Items), page.Total)
			}
			for _, task := range page.Items {
				got = append(got, task.ID)
			}
			if !page.More {
				break
			}
			marker = got[len(got)-1]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
}

// P9: a task id and a marker that name nothing, or a task of another project, choose
// nothing.
func TestTasksOfOthersAreNotFound(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	createRotating(t, k, rotating("a"))
	task := rotateSecret(t, k, "a")
	if lines, page := tasks(t, k, service.TaskListing{TaskID: task.ID}); len(lines) != 1 || page.Total != 1 {
		t.Errorf("by id: %q of %d", lines, page.Total)
	}
	other := owner()
	other.ProjectID = testkit.OtherProjectID
	for _, l := range []service.TaskListing{{TaskID: task.ID, Limit: 50}, {Marker: task.ID, Limit: 50}, {SecretName: "a", Limit: 50}} {
		page, err := k.Service.ListSecretTask(t.Context(), other, l)
		if err != nil || len(page.Items) != 0 || page.Total != 0 {
			t.Errorf("%+v in another project: %+v, %v", l, page, err)
		}
	}
	if lines, page := tasks(t, k, service.TaskListing{Marker: k.NewID()}); lines != nil || page.Total != 1 || page.More {
		t.Errorf("after a forgotten task: %q of %d", lines, page.Total)
	}
}

// A task is kept as long as a notification record, counted from its creation, and never
// goes while it runs (RO8).
func TestTasksAreForgotten(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	for _, name := range []string{"a", "b"} {
		createRotating(t, k, rotating(name))
	}
	ended := rotateSecret(t, k, "a")
	endTask(t, k, ended.ID, func(task *csms.Task) { task.Fail(csms.Failure{Code: "X", Msg: "x", Final: true}, k.Now()) })
	rotateSecret(t, k, "b")
	k.Move(92*24*time.Hour - time.Millisecond)
	if done, err := k.Service.RunDue(t.Context()); done != 0 || err != nil {
		t.Errorf("before its time: %d, %v", done, err)
	}
	k.Move(time.Millisecond)
	if done, err := k.Service.RunDue(t.Context()); done != 1 || err != nil {
		t.Errorf("at its time: %d, %v", done, err)
	}
	lines, _ := tasks(t, k, service.TaskListing{})
	if diff := cmp.Diff([]string{"b MANUAL RUNNING at 0, attempt 1 "}, lines); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

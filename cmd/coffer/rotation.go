package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

const rotationsPath = "/coffer/v1/{project_id}/rotations"

type rotationView struct {
	SecretName       string        `json:"secret_name"`
	SecretType       string        `json:"secret_type"`
	SecretSubType    string        `json:"secret_sub_type"`
	State            string        `json:"state"`
	AutoRotation     bool          `json:"auto_rotation"`
	RotationPeriod   *string       `json:"rotation_period"`
	RotationFuncURN  *string       `json:"rotation_func_urn"`
	RotationTime     millis        `json:"rotation_time"`
	NextRotationTime millis        `json:"next_rotation_time"`
	FailedTasks      int           `json:"failed_tasks"`
	Bound            *bindingView  `json:"bound"`
	BindingCode      *string       `json:"binding_code"`
	BindingMsg       *string       `json:"binding_msg"`
	Task             *rotationTask `json:"task"`
}

type bindingView struct {
	Kind        string  `json:"kind"`
	InstanceID  *string `json:"instance_id"`
	Engine      *string `json:"engine"`
	Address     string  `json:"address"`
	AdminSecret *string `json:"admin_secret"`
}

// String returns the binding in one cell; "-" for none.
func (b *bindingView) String() string {
	switch {
	case b == nil:
		return "-"
	case b.InstanceID == nil:
		return b.Kind + " " + b.Address
	default:
		return *b.InstanceID + " " + textOf(b.Engine) + " " + b.Address
	}
}

type rotationTask struct {
	TaskID    string  `json:"task_id"`
	Status    string  `json:"task_status"`
	Operate   string  `json:"operate_type"`
	TaskTime  millis  `json:"task_time"`
	Attempt   int     `json:"attempt_nums"`
	ErrorCode *string `json:"task_error_code"`
	ErrorMsg  *string `json:"task_error_msg"`
	Step      *string `json:"step"`
	EndTime   millis  `json:"end_time"`
	NextTry   millis  `json:"next_try"`
}

// textOf returns a text of the wire, empty for null.
func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func newRotation(c *cli) *cobra.Command {
	return group(&cobra.Command{
		Use: "rotation", Short: "Watch, begin and preview rotations",
		Long: `Watch, begin and preview the rotations of secrets of the types RDS-FG and GaussDB-FG. No
command shows a value. "coffer target" registers the databases.`,
	}, newRotationStatus(c), newRotationRun(c), newRotationPreview(c))
}

func newRotationStatus(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "status [SECRET]", Short: "Show how rotations go, of all secrets or of one (ListRotations, ShowRotation)", Args: atMost(1),
		Long: `Show how rotations go: last and next one, the task that runs or ran last with its step and
attempt, tasks that failed one after the other, the last error, and what the secret is bound to.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.listRotations(cmd.Context())
			}
			var answer struct {
				Rotation rotationView `json:"rotation"`
			}
			if err := c.call(cmd.Context(), http.MethodGet, rotationsPath+"/"+url.PathEscape(args[0]), nil, &answer); err != nil {
				return err
			}
			return c.print(answer, answer.Rotation.table())
		},
	}
}

func (c *cli) listRotations(ctx context.Context) error {
	var all []rotationView
	for marker := ""; ; {
		var page struct {
			Rotations []rotationView `json:"rotations"`
			PageInfo  struct {
				NextMarker *string `json:"next_marker"`
			} `json:"page_info"`
		}
		if err := c.call(ctx, http.MethodGet, rotationsPath+"?marker="+url.QueryEscape(marker), nil, &page); err != nil {
			return err
		}
		all = append(all, page.Rotations...)
		if page.PageInfo.NextMarker == nil {
			break
		}
		marker = *page.PageInfo.NextMarker
	}
	t := table{head: []string{"SECRET", "LAST", "NEXT", "TASK", "STEP", "TRY", "FAILED", "ERROR", "BOUND TO"}}
	for i := range all {
		v := &all[i]
		task := cmp.Or(v.Task, &rotationTask{})
		t.rows = append(t.rows, []string{
			v.SecretName, when(v.RotationTime), when(v.NextRotationTime), orDash(task.Status), orDash(textOf(task.Step)), orDash(attempt(task)),
			strconv.Itoa(v.FailedTasks), orDash(v.errorCode()), v.Bound.String(),
		})
	}
	return c.print(map[string]any{"rotations": all}, t)
}

// errorCode returns what is wrong with the secret: that of its task, or that nothing is
// bound to it.
func (v *rotationView) errorCode() string {
	if v.Task != nil && v.Task.ErrorCode != nil {
		return *v.Task.ErrorCode
	}
	return textOf(v.BindingCode)
}

func attempt(t *rotationTask) string {
	if t.Attempt == 0 {
		return ""
	}
	return fmt.Sprintf("%d of 3", t.Attempt)
}

// table returns one secret, a line for each thing.
func (v *rotationView) table() table {
	task := cmp.Or(v.Task, &rotationTask{})
	automatic := "off"
	if v.AutoRotation {
		automatic = "every " + textOf(v.RotationPeriod)
	}
	return table{head: []string{"SECRET", v.SecretName}, rows: [][]string{
		{"type", v.SecretType + " " + v.SecretSubType},
		{"state", v.State},
		{"automatic", automatic},
		{"last rotation", when(v.RotationTime)},
		{"next rotation", when(v.NextRotationTime)},
		{"failures in a row", strconv.Itoa(v.FailedTasks)},
		{"bound to", v.Bound.String()},
		{"not bound", orDash(said(v.BindingCode, v.BindingMsg))},
		{"function", orDash(textOf(v.RotationFuncURN))},
		{"task", orDash(task.TaskID)},
		{"task status", orDash(task.Status)},
		{"begun by", orDash(task.Operate)},
		{"begun at", when(task.TaskTime)},
		{"ended at", when(task.EndTime)},
		{"last step", orDash(textOf(task.Step))},
		{"try", orDash(attempt(task))},
		{"next try", when(task.NextTry)},
		{"last error", orDash(said(task.ErrorCode, task.ErrorMsg))},
	}}
}

// said returns a code with its message.
func said(code, msg *string) string {
	if code == nil {
		return ""
	}
	return *code + ": " + textOf(msg)
}

func newRotationRun(c *cli) *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use: "run SECRET", Short: "Rotate a secret now (RotateSecret)", Args: exactly(1),
		Long: `Rotate a secret now. With --wait, follow the task until it has ended; the exit code is 0 if it
succeeded and 1 if it failed. A task tries three times, after 1 and 5 minutes. Interrupting the
command does not stop the task.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var begun struct {
				VersionID  *string `json:"version_id"`
				SecretName string  `json:"secret_name"`
				TaskID     string  `json:"rotation_task_id"`
			}
			if err := c.call(cmd.Context(), http.MethodPost, secretPath(args[0], "rotate"), nil, &begun); err != nil {
				return err
			}
			if !wait {
				return c.print(begun, table{head: []string{"SECRET", "TASK"}, rows: [][]string{{begun.SecretName, begun.TaskID}}})
			}
			return c.followTask(cmd.Context(), begun.TaskID)
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the task has ended")
	return cmd
}

// lookPause is between two looks at a task.
const lookPause = 300 * time.Millisecond

// followTask waits until a task has ended and prints it. Tries that fail on the way are
// told on standard error.
func (c *cli) followTask(ctx context.Context, id string) error {
	for told := 1; ; {
		task, err := c.lookAtTask(ctx, id)
		if err != nil {
			return err
		}
		if task.Status == "SUCCESS" || task.Status == "FAILED" {
			return c.endOfTask(task)
		}
		for ; told < task.Attempt; told++ {
			fmt.Fprintf(c.err, "coffer: try %d failed: %s\n", told, said(task.ErrorCode, task.ErrorMsg))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for task %s, which goes on: %w", id, ctx.Err())
		case <-time.After(lookPause):
		}
	}
}

type listedTask struct {
	TaskID     string  `json:"task_id"`
	SecretName string  `json:"secret_name"`
	FuncURN    *string `json:"rotation_func_urn"`
	Status     string  `json:"task_status"`
	Operate    string  `json:"operate_type"`
	TaskTime   millis  `json:"task_time"`
	Attempt    int     `json:"attempt_nums"`
	ErrorCode  *string `json:"task_error_code"`
	ErrorMsg   *string `json:"task_error_msg"`
}

// lookAtTask asks for a task as any client would (ListSecretTask).
func (c *cli) lookAtTask(ctx context.Context, id string) (*listedTask, error) {
	var list struct {
		Tasks []listedTask `json:"tasks"`
	}
	if err := c.call(ctx, http.MethodGet, "/v1/{project_id}/csms/tasks?task_id="+url.QueryEscape(id), nil, &list); err != nil {
		return nil, fmt.Errorf("looking at task %s: %w", id, err)
	}
	if len(list.Tasks) != 1 {
		return nil, fmt.Errorf("task %s is not listed any more", id)
	}
	return &list.Tasks[0], nil
}

func (c *cli) endOfTask(t *listedTask) error {
	row := []string{t.SecretName, t.TaskID, t.Status, strconv.Itoa(t.Attempt), orDash(textOf(t.ErrorCode))}
	if err := c.print(t, table{head: []string{"SECRET", "TASK", "STATUS", "TRIES", "ERROR"}, rows: [][]string{row}}); err != nil {
		return err
	}
	if t.Status == "SUCCESS" {
		return nil
	}
	err := fmt.Errorf("the rotation failed: %s", said(t.ErrorCode, t.ErrorMsg))
	return hinted(err, fmt.Sprintf("%q tells what would mend it", "coffer rotation preview "+t.SecretName))
}

package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// functionActions are what a rotation function may do with its secret (neighbours.md 3.1).
var functionActions = []string{
	"csms:secret:getVersion", "csms:secret:listVersion", "csms:secret:createVersion",
	"csms:secret:getStage", "csms:secret:get", "csms:secret:updateStage",
}

// function returns the caller behind the key of a rotation task: nobody's user, with the
// rights to one secret, in one project, for as long as the task runs (ADR 24). The
// secret is found by its id, so the key is of no use for another one of the same name.
func (a *Authenticator) function(ctx context.Context, t *attempt, taskID string, d *store.Domain) (iam.Caller, error) {
	t.taskID = taskID
	if d == nil || !d.Enabled {
		return iam.Caller{}, t.refuse("the account of the rotation is disabled")
	}
	var task *csms.Task
	err := a.store.View(ctx, func(v *store.View) (err error) {
		task, err = v.Task(taskID)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return iam.Caller{}, fmt.Errorf("reading rotation task %s: %w", taskID, err)
	}
	if err != nil || task.Status != csms.TaskRunning || task.DomainID != d.ID {
		return iam.Caller{}, t.refuse("the rotation that the access key is of has ended")
	}
	sec, err := a.store.SecretByID(ctx, task.SecretID)
	if csms.CodeOf(err) == csms.CodeNotFound || err == nil && sec.ProjectID != task.ProjectID {
		return iam.Caller{}, t.refuse("the secret that the access key is for does not exist")
	}
	if err != nil {
		return iam.Caller{}, err
	}
	policy, err := functionPolicy(sec, d.ID)
	if err != nil {
		return iam.Caller{}, err
	}
	return iam.Caller{
		DomainID: d.ID, DomainName: d.Name, PrincipalID: "rotation:" + task.ID, TaskID: task.ID, ProjectID: task.ProjectID,
		Policies: []*iam.Policy{policy}, SourceIP: t.source, Secure: t.secure, Now: t.now,
	}, nil
}

// functionPolicy compiles the rights to sec. Its keys are for its values alone: a request
// to the KMS API is about no secret, has no type of one, and so is not allowed.
func functionPolicy(sec *csms.Secret, domain string) (*iam.Policy, error) {
	type statement struct {
		Effect    string
		Action    []string
		Resource  []string
		Condition map[string]map[string][]string `json:",omitempty"`
	}
	statements := []statement{{Effect: "Allow", Action: functionActions, Resource: []string{"csms:*:" + domain + ":secretName:" + sec.Name}}}
	if keys := keysOf(sec, domain); len(keys) > 0 {
		statements = append(statements, statement{
			Effect: "Allow", Action: []string{"kms:cmk:createDataKey", "kms:cmk:decryptDataKey"}, Resource: keys,
			Condition: map[string]map[string][]string{"StringEquals": {"csms:Type": {string(sec.Type)}}},
		})
	}
	document, err := json.Marshal(map[string]any{"Version": "5.0", "Statement": statements})
	if err != nil {
		return nil, fmt.Errorf("writing the policy of a rotation: %w", err)
	}
	policy, err := iam.CompilePolicy("rotation", document)
	if err != nil {
		return nil, fmt.Errorf("compiling the policy of a rotation: %w", err)
	}
	return policy.InProject(sec.ProjectID), nil
}

// keysOf returns the keys that the values of sec need, now and next, as resources.
func keysOf(sec *csms.Secret, domain string) []string {
	ids := []string{sec.KMSKeyID}
	for i := range sec.Versions {
		ids = append(ids, sec.Versions[i].KMSKeyID)
	}
	slices.Sort(ids)
	var keys []string
	for _, id := range slices.Compact(ids) {
		if id != "" {
			keys = append(keys, "kms:*:"+domain+":KeyId:"+id)
		}
	}
	return keys
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// secretView is a secret as an answer has it.
type secretView struct {
	ID                  string   `json:"id"`
	Name                string   `json:"name"`
	State               string   `json:"state"`
	KMSKeyID            string   `json:"kms_key_id"`
	Description         string   `json:"description"`
	CreateTime          millis   `json:"create_time"`
	UpdateTime          millis   `json:"update_time"`
	ScheduledDeleteTime millis   `json:"scheduled_delete_time"`
	SecretType          string   `json:"secret_type"`
	AutoRotation        bool     `json:"auto_rotation"`
	RotationPeriod      *string  `json:"rotation_period"`
	RotationConfig      *string  `json:"rotation_config"`
	RotationTime        millis   `json:"rotation_time"`
	NextRotationTime    millis   `json:"next_rotation_time"`
	LastUsedTime        millis   `json:"last_used_time"`
	EventSubscriptions  []string `json:"event_subscriptions"`
	EnterpriseProjectID string   `json:"enterprise_project_id"`
	RotationFuncURN     *string  `json:"rotation_func_urn"`
	DomainID            string   `json:"domain_id"`
	ReplicaType         string   `json:"replica_type"`
	Replicas            []any    `json:"replicas"`
}

type secretAnswer struct {
	Secret secretView `json:"secret"`
}

// pageInfo tells where the next page begins.
type pageInfo struct {
	NextMarker *string `json:"next_marker"`
}

func newSecret(c *cli) *cobra.Command {
	return group(&cobra.Command{Use: "secret", Short: "Create, read, list and delete secrets"},
		newSecretCreate(c), newSecretGet(c), newSecretShow(c), newSecretList(c), newSecretUpdate(c),
		newSecretHistory(c), newSecretScheduleDelete(c), newSecretRestore(c), newSecretDelete(c),
		newSecretBatchGet(c), newSecretBatchDelete(c), newSecretImport(c), newSecretBackup(c), newSecretRestoreBackup(c))
}

// printSecrets prints secrets as rows; answer is the same as JSON.
func (c *cli) printSecrets(answer any, secrets ...secretView) error {
	t := table{head: []string{"NAME", "STATE", "TYPE", "UPDATED", "DELETED AT", "LAST USED", "DESCRIPTION"}}
	for _, s := range secrets {
		t.rows = append(t.rows, []string{
			s.Name, s.State, s.SecretType, when(s.UpdateTime), when(s.ScheduledDeleteTime), when(s.LastUsedTime), orDash(s.Description),
		})
	}
	return c.print(answer, t)
}

// secretCall sends a request whose answer is a secret, and prints it.
func (c *cli) secretCall(ctx context.Context, method, path string, in any) error {
	var answer secretAnswer
	if err := c.call(ctx, method, path, in, &answer); err != nil {
		return err
	}
	return c.printSecrets(answer, answer.Secret)
}

func newSecretCreate(c *cli) *cobra.Command {
	var value valueFlags
	var in struct {
		newValue
		Name                string `json:"name"`
		Description         string `json:"description,omitempty"`
		KMSKeyID            string `json:"kms_key_id,omitempty"`
		SecretType          string `json:"secret_type,omitempty"`
		AutoRotation        bool   `json:"auto_rotation,omitempty"`
		RotationPeriod      string `json:"rotation_period,omitempty"`
		RotationConfig      string `json:"rotation_config,omitempty"`
		RotationFuncURN     string `json:"rotation_func_urn,omitempty"`
		EnterpriseProjectID string `json:"enterprise_project_id,omitempty"`
	}
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a secret with version v1 (CreateSecret)",
		Example: `  printf 'S3cr3t' | coffer secret create db --value-file -
  coffer secret create keystore --binary-file app.p12
  coffer secret create db                # asks for the value`,
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			in.Name = args[0]
			if in.newValue, err = value.read(c); err != nil {
				return err
			}
			return c.secretCall(cmd.Context(), "POST", "/v1/{project_id}/secrets", in)
		},
	}
	value.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&in.Description, "description", "", "text of up to 2048 bytes")
	flags.StringVar(&in.KMSKeyID, "kms-key-id", "", "key that protects the value (default: csms/default)")
	flags.StringVar(&in.SecretType, "type", "", "COMMON, RDS-FG or GaussDB-FG (default: COMMON)")
	flags.BoolVar(&in.AutoRotation, "auto-rotation", false, "rotate by itself")
	flags.StringVar(&in.RotationPeriod, "rotation-period", "", "from 4h to 8760h, e.g. 1d")
	flags.StringVar(&in.RotationConfig, "rotation-config", "", `JSON such as {"InstanceId":"db-1","SecretSubType":"SingleUser"}`)
	flags.StringVar(&in.RotationFuncURN, "rotation-func-urn", "", "function that rotates")
	flags.StringVar(&in.EnterpriseProjectID, "enterprise-project-id", "", "enterprise project (default: 0)")
	return cmd
}

func newSecretShow(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show metadata (ShowSecret)", Args: exactly(1), ValidArgsFunction: c.completeSecret,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.secretCall(cmd.Context(), "GET", secretPath(args[0]), nil)
		},
	}
}

func newSecretList(c *cli) *cobra.Command {
	var event string
	cmd := &cobra.Command{
		Use: "list", Short: "List the secrets of the project (ListSecrets)", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			secrets, err := c.listSecrets(cmd.Context(), event)
			if err != nil {
				return err
			}
			return c.printSecrets(map[string]any{"secrets": secrets}, secrets...)
		},
	}
	cmd.Flags().StringVar(&event, "event", "", "only secrets that subscribe to this event")
	return cmd
}

// listSecrets follows the markers to the end.
func (c *cli) listSecrets(ctx context.Context, event string) ([]secretView, error) {
	secrets := []secretView{}
	query := url.Values{"limit": {"1000"}}
	if event != "" {
		query.Set("event_name", event)
	}
	for {
		var page struct {
			Secrets  []secretView `json:"secrets"`
			PageInfo pageInfo     `json:"page_info"`
		}
		if err := c.call(ctx, "GET", "/v1/{project_id}/secrets?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		secrets = append(secrets, page.Secrets...)
		if page.PageInfo.NextMarker == nil {
			return secrets, nil
		}
		query.Set("marker", *page.PageInfo.NextMarker)
	}
}

func newSecretUpdate(c *cli) *cobra.Command {
	var description, key, period, urn string
	var auto bool
	cmd := &cobra.Command{
		Use: "update NAME", Short: "Change metadata (UpdateSecret)", Args: exactly(1), ValidArgsFunction: c.completeSecret,
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{}
			for flag, value := range map[string]any{
				"description": description, "kms-key-id": key, "rotation-period": period, "rotation-func-urn": urn, "auto-rotation": auto,
			} {
				if cmd.Flags().Changed(flag) {
					in[strings.ReplaceAll(flag, "-", "_")] = value
				}
			}
			return c.secretCall(cmd.Context(), "PUT", secretPath(args[0]), in)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&description, "description", "", "new description; empty clears it")
	flags.StringVar(&key, "kms-key-id", "", "key of later versions; versions that exist keep theirs")
	flags.StringVar(&period, "rotation-period", "", "from 4h to 8760h")
	flags.StringVar(&urn, "rotation-func-urn", "", "function that rotates")
	flags.BoolVar(&auto, "auto-rotation", false, "rotate by itself")
	return cmd
}

func newSecretScheduleDelete(c *cli) *cobra.Command {
	var days int
	cmd := &cobra.Command{
		Use: "schedule-delete NAME", Short: "Delete after a recovery window (DeleteSecretForSchedule)",
		Args: exactly(1), ValidArgsFunction: c.completeSecret,
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]int{"recovery_window_in_days": days}
			return c.secretCall(cmd.Context(), "POST", secretPath(args[0], "scheduled-deleted-tasks", "create"), in)
		},
	}
	cmd.Flags().IntVar(&days, "days", 30, "recovery window, 7 to 30")
	return cmd
}

func newSecretRestore(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "restore NAME", Short: "Cancel a scheduled deletion (RestoreSecret)", Args: exactly(1), ValidArgsFunction: c.completeSecret,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.secretCall(cmd.Context(), "POST", secretPath(args[0], "scheduled-deleted-tasks", "cancel"), nil)
		},
	}
}

func newSecretDelete(c *cli) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Destroy at once, without recovery (DeleteSecret)", Args: exactly(1), ValidArgsFunction: c.completeSecret,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := confirm(yes, `"coffer secret schedule-delete" leaves a way back`); err != nil {
				return err
			}
			return c.call(cmd.Context(), "DELETE", secretPath(args[0]), nil, nil)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "yes, destroy it for good")
	return cmd
}

// confirm refuses what cannot be undone unless it is asked for twice.
func confirm(yes bool, otherwise string) error {
	if yes {
		return nil
	}
	return hinted(usageError{errors.New("this cannot be undone; repeat with --yes")}, otherwise)
}

func newSecretBatchDelete(c *cli) *cobra.Command {
	var in struct {
		InstanceID   string `json:"instance_id"`
		InstanceType string `json:"instance_type,omitempty"`
	}
	var yes bool
	cmd := &cobra.Command{
		Use: "batch-delete", Short: "Destroy every secret bound to an instance (BatchDeleteSecrets)", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := confirm(yes, "nothing that is destroyed comes back"); err != nil {
				return err
			}
			var answer struct {
				Total          int      `json:"total"`
				SuccessSecrets []string `json:"success_secrets"`
				FailedSecrets  []struct {
					Name      string `json:"name"`
					ErrorCode string `json:"error_code"`
					ErrorMsg  string `json:"error_msg"`
				} `json:"failed_secrets"`
			}
			if err := c.call(cmd.Context(), "POST", "/v1/{project_id}/secrets/batch-delete", in, &answer); err != nil {
				return err
			}
			t := table{head: []string{"NAME", "OUTCOME"}}
			for _, name := range answer.SuccessSecrets {
				t.rows = append(t.rows, []string{name, "destroyed"})
			}
			for _, f := range answer.FailedSecrets {
				t.rows = append(t.rows, []string{f.Name, fmt.Sprintf("%s (%s)", f.ErrorMsg, f.ErrorCode)})
			}
			return c.print(answer, t)
		},
	}
	cmd.Flags().StringVar(&in.InstanceID, "instance-id", "", "instance in the rotation configuration")
	cmd.Flags().StringVar(&in.InstanceType, "instance-type", "", "RDS, TaurusDB, GaussDB or APIG")
	cmd.Flags().BoolVar(&yes, "yes", false, "yes, destroy them for good")
	return cmd
}

// completeSecret completes the name of a secret in the shell.
func (c *cli) completeSecret(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	secrets, err := c.listSecrets(cmd.Context(), "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := make([]string, 0, len(secrets))
	for _, s := range secrets {
		if strings.HasPrefix(s.Name, begun) {
			names = append(names, s.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

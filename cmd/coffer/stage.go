package main

import (
	"context"

	"github.com/spf13/cobra"
)

type stageAnswer struct {
	Stage struct {
		Name       string `json:"name"`
		UpdateTime millis `json:"update_time"`
		SecretName string `json:"secret_name"`
		VersionID  string `json:"version_id"`
	} `json:"stage"`
}

func newStage(c *cli) *cobra.Command {
	return group(&cobra.Command{Use: "stage", Short: "Manage the labels (version stages) of a secret"},
		&cobra.Command{
			Use: "show SECRET STAGE", Short: "Show which version a label is on (ShowSecretStage)", Args: exactly(2), ValidArgsFunction: c.completeSecret,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.stageCall(cmd.Context(), "GET", secretPath(args[0], "stages", args[1]), nil)
			},
		},
		&cobra.Command{
			Use: "create SECRET STAGE VERSION", Short: "Put a label on a version (CreateSecretStage)", Args: exactly(3), ValidArgsFunction: c.completeSecret,
			RunE: func(cmd *cobra.Command, args []string) error {
				in := map[string]string{"name": args[1], "version_id": args[2]}
				return c.stageCall(cmd.Context(), "POST", secretPath(args[0], "stages"), in)
			},
		},
		&cobra.Command{
			Use: "update SECRET STAGE VERSION", Short: "Move a label to a version (UpdateSecretStage)", Args: exactly(3), ValidArgsFunction: c.completeSecret,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.stageCall(cmd.Context(), "PUT", secretPath(args[0], "stages", args[1]), map[string]string{"version_id": args[2]})
			},
		},
		&cobra.Command{
			Use: "delete SECRET STAGE", Short: "Take a label away (DeleteSecretStage)", Args: exactly(2), ValidArgsFunction: c.completeSecret,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.call(cmd.Context(), "DELETE", secretPath(args[0], "stages", args[1]), nil, nil)
			},
		})
}

func (c *cli) stageCall(ctx context.Context, method, path string, in any) error {
	var answer stageAnswer
	if err := c.call(ctx, method, path, in, &answer); err != nil {
		return err
	}
	st := answer.Stage
	return c.print(answer, table{
		head: []string{"STAGE", "VERSION", "UPDATED"},
		rows: [][]string{{st.Name, st.VersionID, when(st.UpdateTime)}},
	})
}

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// secretBlob is a backup as request and answer have it.
type secretBlob struct {
	SecretBlob string `json:"secret_blob"`
}

func newSecretBackup(c *cli) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "backup NAME --file FILE", Short: "Save a secret with every version, encrypted (DownloadSecretBlob)",
		Long: `Save a secret with every version to a file. The file is encrypted; only the account in which
the backup was made, on the same installation, can restore it. Keep backups of the server's
data directory too: without it no backup of a secret opens.`,
		Args: exactly(1), ValidArgsFunction: c.completeSecret,
		RunE: func(cmd *cobra.Command, args []string) error {
			if file == "" {
				return usageError{errors.New("no file: name it with --file")}
			}
			var answer secretBlob
			if err := c.call(cmd.Context(), "POST", secretPath(args[0], "backup"), nil, &answer); err != nil {
				return err
			}
			if c.output == "json" && file == "-" {
				return c.print(answer, table{})
			}
			return c.writeFile(file, []byte(answer.SecretBlob+"\n"))
		},
	}
	cmd.Flags().StringVar(&file, "file", "", `file to write; "-" is standard output`)
	return cmd
}

// writeFile writes a file that only the user can read.
func (c *cli) writeFile(name string, text []byte) error {
	if name == "-" {
		_, err := c.out.Write(text)
		return err
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	return nil
}

func newSecretRestoreBackup(c *cli) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "restore-backup --file FILE", Short: "Create a secret anew from a backup (UploadSecretBlob)", Args: noArgs,
		Long: `Create a secret anew from a file of "coffer secret backup". It has the name, the versions and
the labels of then, and no tags and no subscription. The name must not be in use.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usageError{errors.New("no file: name it with --file")}
			}
			text, err := c.readFile(file)
			if err != nil {
				return err
			}
			in := secretBlob{strings.TrimSpace(string(text))}
			return c.secretCall(cmd.Context(), "POST", "/v1/{project_id}/secrets/restore", in)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", `file with the backup; "-" is standard input`)
	return cmd
}

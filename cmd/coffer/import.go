package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newSecretImport(c *cli) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "import --file FILE", Short: "Create up to 100 secrets from a JSON file (BatchImportSecrets)", Args: noArgs,
		Long: `Create the secrets that a JSON file lists. Its members are those of CreateSecret:

  {"secrets": [
    {"name": "db", "secret_string": "S3cr3t", "description": "of the shop"},
    {"name": "keystore", "secret_binary": "MTIzNA=="}
  ]}

Every secret is created on its own. The command fails if one of them could not be; the
others are there.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usageError{errors.New("no file: name it with --file")}
			}
			text, err := c.readFile(file)
			if err != nil {
				return err
			}
			if !json.Valid(text) {
				return usageError{fmt.Errorf("%s is no JSON", file)}
			}
			return c.importSecrets(cmd, text)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", `file with the secrets as JSON; "-" is standard input`)
	return cmd
}

func (c *cli) importSecrets(cmd *cobra.Command, in json.RawMessage) error {
	var answer struct {
		ErrorList []struct {
			Name     string `json:"name"`
			ErrorMsg string `json:"error_msg"`
		} `json:"error_list"`
		Total   int `json:"total"`
		Success int `json:"success"`
		Failed  int `json:"failed"`
	}
	if err := c.call(cmd.Context(), "POST", "/v1/{project_id}/secrets/batch-import", in, &answer); err != nil {
		return err
	}
	t := table{head: []string{"TOTAL", "IMPORTED", "FAILED"}}
	t.rows = append(t.rows, []string{fmt.Sprint(answer.Total), fmt.Sprint(answer.Success), fmt.Sprint(answer.Failed)})
	if err := c.print(answer, t); err != nil {
		return err
	}
	var failures []error
	for _, e := range answer.ErrorList {
		failures = append(failures, fmt.Errorf("importing %s: %s", orDash(e.Name), e.ErrorMsg))
	}
	return errors.Join(failures...)
}

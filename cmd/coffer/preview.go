package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

// checkView is the result of one check.
type checkView struct {
	Check  string  `json:"check"`
	Status string  `json:"status"`
	Code   *string `json:"error_code"`
	Msg    *string `json:"error_msg"`
	Mend   *string `json:"mend"`
}

type previewView struct {
	SecretName    string       `json:"secret_name"`
	SecretType    string       `json:"secret_type"`
	SecretSubType *string      `json:"secret_sub_type"`
	Bound         *bindingView `json:"bound"`
	VersionID     *string      `json:"version_id"`
	Account       *string      `json:"account"`
	Password      *struct {
		Length   int    `json:"length"`
		Specials string `json:"specials"`
	} `json:"password"`
	Ready    bool        `json:"ready"`
	Findings []checkView `json:"findings"`
}

func newRotationPreview(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "preview SECRET", Short: "Tell what a rotation would do, and change nothing (PreviewRotation)", Args: exactly(1),
		Long: `Tell what a rotation would do: what is bound to the secret, which account would get a new
password, and everything that would keep it from working, with what mends it. Nothing is changed.
At a database it logs in as the administrator, as the rotation would. The exit code is 0 if no
check failed, else 1.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer struct {
				Preview previewView `json:"rotation_preview"`
			}
			in := map[string]string{"secret_name": args[0]}
			if err := c.call(cmd.Context(), http.MethodPost, "/coffer/v1/{project_id}/rotation-previews", in, &answer); err != nil {
				return err
			}
			p := &answer.Preview
			if c.output == "table" {
				if err := c.printTable(p.table()); err != nil {
					return err
				}
				fmt.Fprintln(c.out)
			}
			return c.printFindings(answer, p.Findings)
		},
	}
}

func (p *previewView) table() table {
	password := "made by the function"
	if p.Password != nil {
		password = fmt.Sprintf("%d characters: letters, digits and %s", p.Password.Length, p.Password.Specials)
	} else if p.Bound == nil {
		password = "-"
	}
	return table{head: []string{"SECRET", p.SecretName}, rows: [][]string{
		{"type", p.SecretType + " " + textOf(p.SecretSubType)},
		{"bound to", p.Bound.String()},
		{"account", orDash(textOf(p.Account))},
		{"of version", orDash(textOf(p.VersionID))},
		{"new password", password},
	}}
}

// printFindings prints an answer with findings. One that failed makes the command fail.
func (c *cli) printFindings(answer any, findings []checkView) error {
	t, failed := table{head: []string{"CHECK", "STATUS", "CODE", "WHAT IS FOUND", "WHAT MENDS IT"}}, 0
	for _, f := range findings {
		t.rows = append(t.rows, []string{f.Check, f.Status, orDash(textOf(f.Code)), orDash(textOf(f.Msg)), orDash(textOf(f.Mend))})
		if f.Status == "FAILED" {
			failed++
		}
	}
	if err := c.print(answer, t); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("a rotation would fail: %d of %d checks failed", failed, len(findings))
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// metadataView is the metadata of a version as an answer has it.
type metadataView struct {
	ID            string   `json:"id"`
	CreateTime    millis   `json:"create_time"`
	ExpireTime    millis   `json:"expire_time"`
	KMSKeyID      string   `json:"kms_key_id"`
	SecretName    string   `json:"secret_name"`
	VersionStages []string `json:"version_stages"`
}

type metadataAnswer struct {
	VersionMetadata metadataView `json:"version_metadata"`
}

// valueView is a version with its value as an answer has it.
type valueView struct {
	VersionMetadata metadataView `json:"version_metadata"`
	SecretString    *string      `json:"secret_string,omitempty"`
	SecretBinary    *string      `json:"secret_binary,omitempty"`
}

func newVersion(c *cli) *cobra.Command {
	list := newSecretHistory(c)
	list.Aliases = []string{"list"}
	return group(&cobra.Command{Use: "version", Short: "Store new values and manage versions"},
		newVersionCreate(c), list, newVersionExpire(c))
}

func (c *cli) printVersions(answer any, versions ...metadataView) error {
	t := table{head: []string{"VERSION", "CREATED", "EXPIRES", "STAGES", "KMS KEY"}}
	for _, v := range versions {
		t.rows = append(t.rows, []string{v.ID, when(v.CreateTime), when(v.ExpireTime), orDash(strings.Join(v.VersionStages, ",")), v.KMSKeyID})
	}
	return c.print(answer, t)
}

func newVersionCreate(c *cli) *cobra.Command {
	var value valueFlags
	var expire string
	var in struct {
		newValue
		VersionStages []string `json:"version_stages,omitempty"`
		ExpireTime    int64    `json:"expire_time,omitempty"`
	}
	cmd := &cobra.Command{
		Use: "create SECRET", Short: "Store a new value (CreateSecretVersion)", Args: exactly(1), ValidArgsFunction: c.completeSecret,
		Example: `  openssl rand -base64 24 | coffer version create db --value-file -
  coffer version create db --stage candidate --value-file new.txt`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if in.ExpireTime, err = expiry(expire); err != nil {
				return err
			}
			if in.newValue, err = value.read(c); err != nil {
				return err
			}
			var answer metadataAnswer
			if err := c.call(cmd.Context(), "POST", secretPath(args[0], "versions"), in, &answer); err != nil {
				return err
			}
			return c.printVersions(answer, answer.VersionMetadata)
		},
	}
	value.add(cmd)
	cmd.Flags().StringSliceVar(&in.VersionStages, "stage", nil, "label to put on the version, may be repeated (default: SYSCURRENT moves here)")
	cmd.Flags().StringVar(&expire, "expires", "", "RFC 3339 time, or a duration from now such as 720h")
	return cmd
}

// expiry reads an instant or a duration from now, and returns milliseconds; zero for
// an empty text.
func expiry(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(d).UnixMilli(), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, usageError{fmt.Errorf("--expires is %q; it takes a time such as 2027-01-31T00:00:00Z or a duration such as 720h", text)}
	}
	return t.UnixMilli(), nil
}

func newVersionExpire(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "expire SECRET VERSION WHEN", Short: "Change the expiry of a version (UpdateVersion)", Args: exactly(3), ValidArgsFunction: c.completeSecret,
		RunE: func(cmd *cobra.Command, args []string) error {
			ms, err := expiry(args[2])
			if err != nil {
				return err
			}
			var answer metadataAnswer
			if err := c.call(cmd.Context(), "PUT", secretPath(args[0], "versions", args[1]), map[string]int64{"expire_time": ms}, &answer); err != nil {
				return err
			}
			return c.printVersions(answer, answer.VersionMetadata)
		},
	}
}

func newSecretHistory(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "history SECRET", Short: "List the versions and their labels (ListSecretVersions)",
		Args: exactly(1), ValidArgsFunction: c.completeSecret,
		RunE: func(cmd *cobra.Command, args []string) error {
			versions, err := c.listVersions(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.printVersions(map[string]any{"version_metadatas": versions}, versions...)
		},
	}
}

// listVersions follows the markers to the end.
func (c *cli) listVersions(ctx context.Context, name string) ([]metadataView, error) {
	versions := []metadataView{}
	query := url.Values{"limit": {"1000"}}
	for {
		var page struct {
			Versions []metadataView `json:"version_metadatas"`
			PageInfo pageInfo       `json:"page_info"`
		}
		if err := c.call(ctx, "GET", secretPath(name, "versions")+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		versions = append(versions, page.Versions...)
		if page.PageInfo.NextMarker == nil {
			return versions, nil
		}
		query.Set("marker", *page.PageInfo.NextMarker)
	}
}

func newSecretGet(c *cli) *cobra.Command {
	var id, stage string
	var decode bool
	cmd := &cobra.Command{
		Use: "get NAME", Short: "Print a value (ShowSecretVersion)", Args: exactly(1), ValidArgsFunction: c.completeSecret,
		Long: `Print the value of a secret and nothing else. On a terminal a line break follows; in a
pipe or a file there is just the value. A binary value is printed as the base64 text it is
stored as, or as the bytes it stands for with --decode.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if stage != "" {
				var err error
				if id, err = c.versionOf(cmd.Context(), args[0], stage); err != nil {
					return err
				}
			}
			var answer struct {
				Version valueView `json:"version"`
			}
			if err := c.call(cmd.Context(), "GET", secretPath(args[0], "versions", id), nil, &answer); err != nil {
				return err
			}
			if c.output == "json" {
				return c.print(answer, table{})
			}
			return c.printValue(answer.Version, decode)
		},
	}
	cmd.Flags().StringVar(&id, "version", "latest", "version id")
	cmd.Flags().StringVar(&stage, "stage", "", "label to read instead")
	cmd.Flags().BoolVar(&decode, "decode", false, "print the bytes of a binary value")
	cmd.MarkFlagsMutuallyExclusive("version", "stage")
	return cmd
}

// versionOf returns the version that a label sits on.
func (c *cli) versionOf(ctx context.Context, name, stage string) (string, error) {
	var answer stageAnswer
	err := c.call(ctx, "GET", secretPath(name, "stages", stage), nil, &answer)
	return answer.Stage.VersionID, err
}

func (c *cli) printValue(v valueView, decode bool) error {
	var value []byte
	switch {
	case v.SecretString != nil:
		value = []byte(*v.SecretString)
	case v.SecretBinary != nil && decode:
		b, err := base64.StdEncoding.DecodeString(*v.SecretBinary)
		if err != nil {
			return fmt.Errorf("decoding the binary value: %w", err)
		}
		value = b
	case v.SecretBinary != nil:
		value = []byte(*v.SecretBinary)
	}
	if f, ok := c.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && !bytes.HasSuffix(value, []byte("\n")) {
		value = append(value, '\n')
	}
	_, err := c.out.Write(value)
	return err
}

func newSecretBatchGet(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "batch-get NAME...", Short: "Read the current values of several secrets, as JSON (BatchShowSecretVersion)", Args: atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer struct {
				TotalCount int         `json:"total_count"`
				Versions   []valueView `json:"versions"`
			}
			in := map[string][]string{"secret_name_list": args}
			if err := c.call(cmd.Context(), "POST", "/v1/{project_id}/secrets/batch-get-secret-value", in, &answer); err != nil {
				return err
			}
			c.output = "json" // values of any shape have no table
			return c.print(answer, table{})
		},
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"coffer/internal/csms"
)

const targetsPath = "/coffer/v1/{project_id}/database-targets"

type targetView struct {
	InstanceID    string   `json:"instance_id"`
	Engine        string   `json:"engine"`
	Host          string   `json:"host"`
	Port          int      `json:"port"`
	Database      string   `json:"database"`
	TLSMode       string   `json:"tls_mode"`
	CACertificate string   `json:"ca_certificate"`
	AdminSecret   string   `json:"admin_secret"`
	Accounts      []string `json:"accounts"`
	CreateTime    millis   `json:"create_time"`
	UpdateTime    millis   `json:"update_time"`
	DeclaredBy    string   `json:"declared_by"`
}

type targetAnswer struct {
	DatabaseTarget targetView `json:"database_target"`
}

func newTarget(c *cli) *cobra.Command {
	return group(&cobra.Command{
		Use: "target", Short: "Manage the databases whose accounts are rotated",
		Long: `Manage database targets: servers whose accounts Coffer rotates. A secret names one by the
InstanceId in its rotation_config. The credential of the administrator is a secret itself,
{"username":"...","password":"..."}; whoever names it must be able to read it.`,
	}, newTargetAdd(c), newTargetList(c), newTargetShow(c), newTargetUpdate(c), newTargetDelete(c), newTargetCheck(c))
}

func (c *cli) printTargets(answer any, targets ...targetView) error {
	t := table{head: []string{"INSTANCE ID", "ENGINE", "ADDRESS", "TLS", "ADMIN SECRET", "DECLARED BY", "ACCOUNTS"}}
	for _, v := range targets {
		address := net.JoinHostPort(v.Host, strconv.Itoa(v.Port))
		t.rows = append(t.rows, []string{v.InstanceID, v.Engine, address, v.TLSMode, v.AdminSecret, v.DeclaredBy, strings.Join(v.Accounts, ",")})
	}
	return c.print(answer, t)
}

func (c *cli) targetCall(ctx context.Context, method, path string, in any) error {
	var answer targetAnswer
	if err := c.call(ctx, method, path, in, &answer); err != nil {
		return err
	}
	return c.printTargets(answer, answer.DatabaseTarget)
}

// targetFlags are the members of a target that a command can set.
type targetFlags struct {
	engine, host, database, tlsMode, caFile, adminSecret string
	port                                                 int
	accounts                                             []string
}

func (f *targetFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.engine, "engine", "", "mysql, mariadb, postgresql or sqlserver")
	flags.StringVar(&f.host, "host", "", "name or address of the server")
	flags.IntVar(&f.port, "port", 0, "port of the server (default: the usual one of the engine)")
	flags.StringVar(&f.database, "database", "", "database that logins name")
	flags.StringVar(&f.tlsMode, "tls-mode", "", "disable, require, verify-ca or verify-full (default verify-full)")
	flags.StringVar(&f.caFile, "ca-file", "", "PEM file with the CAs of the server (default: those of the system)")
	flags.StringVar(&f.adminSecret, "admin-secret", "", "secret with the credential of the administrator")
	flags.StringArrayVar(&f.accounts, "account", nil, `account that may be rotated; may be repeated; "*" for every account`)
}

// given returns the members that were set.
func (f *targetFlags) given(c *cli, flags *pflag.FlagSet) (map[string]any, error) {
	in := map[string]any{}
	for flag, value := range map[string]any{
		"engine": f.engine, "host": f.host, "port": f.port, "database": f.database,
		"tls-mode": f.tlsMode, "admin-secret": f.adminSecret,
	} {
		if flags.Changed(flag) {
			in[strings.ReplaceAll(flag, "-", "_")] = value
		}
	}
	if flags.Changed("account") {
		in["accounts"] = f.accounts
	}
	if f.caFile == "" {
		return in, nil
	}
	pem, err := c.readFile(f.caFile)
	in["ca_certificate"] = string(pem)
	return in, err
}

func newTargetAdd(c *cli) *cobra.Command {
	var f targetFlags
	cmd := &cobra.Command{
		Use: "add INSTANCE-ID", Short: "Register a database (CreateDatabaseTarget)", Args: exactly(1),
		Example: `  coffer target add orders --engine postgresql --host db.example.org --ca-file ca.pem \
    --admin-secret orders-admin --account orders_app`,
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := f.given(c, cmd.Flags())
			if err != nil {
				return err
			}
			in["instance_id"] = args[0]
			if _, ok := in["port"]; !ok {
				in["port"] = csms.DatabaseEngine(f.engine).UsualPort()
			}
			return c.targetCall(cmd.Context(), http.MethodPost, targetsPath, in)
		},
	}
	f.register(cmd.Flags())
	for _, name := range []string{"engine", "host", "admin-secret", "account"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is registered above
		}
	}
	return cmd
}

func targetPath(instanceID string) string { return targetsPath + "/" + url.PathEscape(instanceID) }

func newTargetList(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List databases (ListDatabaseTargets)", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []targetView
			for marker := ""; ; {
				var page struct {
					DatabaseTargets []targetView `json:"database_targets"`
					PageInfo        struct {
						NextMarker *string `json:"next_marker"`
					} `json:"page_info"`
				}
				if err := c.call(cmd.Context(), http.MethodGet, targetsPath+"?marker="+url.QueryEscape(marker), nil, &page); err != nil {
					return err
				}
				all = append(all, page.DatabaseTargets...)
				if page.PageInfo.NextMarker == nil {
					return c.printTargets(map[string]any{"database_targets": all}, all...)
				}
				marker = *page.PageInfo.NextMarker
			}
		},
	}
}

func newTargetShow(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "show INSTANCE-ID", Short: "Show a database (ShowDatabaseTarget)", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.targetCall(cmd.Context(), http.MethodGet, targetPath(args[0]), nil)
		},
	}
}

func newTargetUpdate(c *cli) *cobra.Command {
	var f targetFlags
	cmd := &cobra.Command{
		Use: "update INSTANCE-ID", Short: "Change a database; what is not named stays (UpdateDatabaseTarget)", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := f.given(c, cmd.Flags())
			if err != nil {
				return err
			}
			if len(in) == 0 {
				return usageError{errors.New("nothing to change: name at least one member")}
			}
			return c.targetCall(cmd.Context(), http.MethodPut, targetPath(args[0]), in)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func newTargetDelete(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "delete INSTANCE-ID", Short: "Forget a database; its secrets stay (DeleteDatabaseTarget)", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.call(cmd.Context(), http.MethodDelete, targetPath(args[0]), nil, nil); err != nil {
				return fmt.Errorf("deleting target %s: %w", args[0], err)
			}
			return nil
		},
	}
}

func newTargetCheck(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "check INSTANCE-ID", Short: "Log in as the administrator, and change nothing (CheckDatabaseTarget)", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer struct {
				TargetCheck struct {
					InstanceID string      `json:"instance_id"`
					Ready      bool        `json:"ready"`
					Findings   []checkView `json:"findings"`
				} `json:"target_check"`
			}
			if err := c.call(cmd.Context(), http.MethodPost, targetPath(args[0])+"/check", nil, &answer); err != nil {
				return err
			}
			return c.printFindings(answer, answer.TargetCheck.Findings)
		},
	}
}

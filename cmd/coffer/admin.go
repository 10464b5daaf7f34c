package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coffer/internal/app"
)

func newAdmin(c *cli) *cobra.Command {
	var a admin
	cmd := group(&cobra.Command{
		Use: "admin", Short: "Check and mend the data of a server that is stopped",
		Long: `Work on the data directory itself. The server must be stopped: the store is locked while it runs.`,
	}, newAdminVerify(c, &a), newAdminReindex(c, &a), newAdminDump(c, &a), newAdminCheckpoint(&a), newAdminResetOwner(c, &a))
	flags := cmd.PersistentFlags()
	flags.StringVar(&a.config, "config", "", "configuration file of the server")
	flags.StringVar(&a.data, "data", "", `data directory, instead of the configured one (default "data")`)
	return cmd
}

// admin says where the data is.
type admin struct {
	config, data string
}

// offline opens the store for the time that do takes.
func (a *admin) offline(ctx context.Context, do func(*app.Offline) error) error {
	cfg, err := configuration(a.config, a.data)
	if err != nil {
		return err
	}
	s, err := app.OpenOffline(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}

func newAdminVerify(c *cli, a *admin) *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Check every block, record, index row and value", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.offline(cmd.Context(), func(s *app.Offline) error {
				findings, err := s.Verify(cmd.Context())
				for _, f := range findings {
					fmt.Fprintln(c.out, f)
				}
				if err != nil {
					return err
				}
				if len(findings) > 0 {
					return hinted(fmt.Errorf("%d findings", len(findings)), `"coffer admin reindex" mends index rows and counters; a damaged record or value needs a backup`)
				}
				fmt.Fprintln(c.out, "The store is whole.")
				return nil
			})
		},
	}
}

func newAdminReindex(c *cli, a *admin) *cobra.Command {
	return &cobra.Command{
		Use: "reindex", Short: "Make all index rows and counters anew from the records", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.offline(cmd.Context(), func(s *app.Offline) error {
				mended, err := s.Reindex(cmd.Context())
				fmt.Fprintf(c.out, "%d rows and counters mended.\n", mended)
				return err
			})
		},
	}
}

func newAdminDump(c *cli, a *admin) *cobra.Command {
	return &cobra.Command{
		Use: "dump", Short: "Print every record as a line of JSON, without sealed bytes", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.offline(cmd.Context(), func(s *app.Offline) error { return s.Dump(cmd.Context(), c.out) })
		},
	}
}

func newAdminCheckpoint(a *admin) *cobra.Command {
	return &cobra.Command{
		Use: "checkpoint DIR", Short: "Copy the store into a new directory", Args: exactly(1),
		Long: `Copy the store into a new directory. On the same file system this takes hard links and no time.
The root key is not part of the copy; keep it elsewhere.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.offline(cmd.Context(), func(s *app.Offline) error { return s.Checkpoint(args[0]) })
		},
	}
}

func newAdminResetOwner(c *cli, a *admin) *cobra.Command {
	return &cobra.Command{
		Use: "reset-owner", Short: "Give the account owner new credentials, and print them once", Args: noArgs,
		Long: `Give the account owner a new password and a new access key, and print them once. The old
password, access keys and tokens of the owner are void. Other users stay as they are.

It takes the root key, from where the configuration says: use --config if the server does.`,
		Example: `  coffer admin reset-owner --data ./data
  coffer admin reset-owner --config /etc/coffer.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.offline(cmd.Context(), func(s *app.Offline) error {
				o, err := s.ResetOwner(cmd.Context())
				if err != nil {
					return err
				}
				return c.print(o, table{
					head: []string{"USER", "PASSWORD", "ACCESS KEY", "SECRET KEY"},
					rows: [][]string{{o.User, o.Password, o.AccessKey, o.SecretKey}},
				})
			})
		},
	}
}

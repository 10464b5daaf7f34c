package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coffer/internal/app"
)

func newAdmin(c *cli) *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use: "admin", Short: "Check and mend the store of a server that is stopped", Args: noArgs,
		Long: `Work on the data directory itself. The server must be stopped: the store is locked while it runs.`,
	}
	cmd.PersistentFlags().StringVar(&data, "data", "data", "data directory")
	offline := func(do func(ctx context.Context, s *app.Offline) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			s, err := app.OpenOffline(cmd.Context(), data)
			if err != nil {
				return err
			}
			return errors.Join(do(cmd.Context(), s), s.Close())
		}
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "verify", Short: "Check every block, record, index row and value", Args: noArgs,
			RunE: offline(func(ctx context.Context, s *app.Offline) error {
				findings, err := s.Verify(ctx)
				for _, f := range findings {
					fmt.Fprintln(c.out, f)
				}
				if err == nil && len(findings) > 0 {
					err = hinted(fmt.Errorf("%d findings", len(findings)), `"coffer admin reindex" mends index rows and counters; a damaged record or value needs a backup`)
				}
				if err == nil {
					fmt.Fprintln(c.out, "The store is whole.")
				}
				return err
			}),
		},
		&cobra.Command{
			Use: "reindex", Short: "Make all index rows and counters anew from the records", Args: noArgs,
			RunE: offline(func(ctx context.Context, s *app.Offline) error {
				mended, err := s.Reindex(ctx)
				fmt.Fprintf(c.out, "%d rows and counters mended.\n", mended)
				return err
			}),
		},
		&cobra.Command{
			Use: "dump", Short: "Print every record as a line of JSON, without sealed bytes", Args: noArgs,
			RunE: offline(func(ctx context.Context, s *app.Offline) error { return s.Dump(ctx, c.out) }),
		},
		newAdminBackup(&data))
	return cmd
}

// newAdminBackup copies the store by hard links; the root key is not part of it.
func newAdminBackup(data *string) *cobra.Command {
	return &cobra.Command{
		Use: "checkpoint DIR", Short: "Copy the store into a new directory", Args: exactly(1),
		Long: `Copy the store into a new directory on the same file system, at once, by hard links. The root
key is not part of the copy; keep it elsewhere.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := app.OpenOffline(cmd.Context(), *data)
			if err != nil {
				return err
			}
			return errors.Join(s.Checkpoint(args[0]), s.Close())
		},
	}
}

package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"coffer/internal/app"
)

func newServer(c *cli) *cobra.Command {
	var config, listen, data string
	var reference bool
	cmd := &cobra.Command{
		Use: "server", Short: "Serve the API for production", Args: noArgs,
		Long: `Serve the API over TLS from the embedded engine. The configuration is one YAML file; without
one the defaults apply. The first start makes the data directory with a root key, a
certificate and an account, and prints the account's credentials once.`,
		Example: `  coffer server --data ./data
  coffer server --config /etc/coffer.yaml
  coffer server --print-config > coffer.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reference {
				return app.WriteReference(c.out)
			}
			cfg, err := configuration(config, data)
			if err != nil {
				return err
			}
			if listen != "" {
				cfg.Listen = listen
			}
			s, err := app.NewServer(cmd.Context(), cfg, c.err)
			if err != nil {
				return err
			}
			return c.serve(cmd.Context(), s)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&config, "config", "", "YAML file; --print-config shows every key")
	flags.StringVar(&listen, "listen", "", "address and port, instead of the configured one")
	flags.StringVar(&data, "data", "", "data directory, instead of the configured one")
	flags.BoolVar(&reference, "print-config", false, "print the configuration reference and exit")
	return cmd
}

// configuration returns what the file says, or the defaults without one; data, if
// it is given, goes before.
func configuration(file, data string) (app.Config, error) {
	cfg := app.DefaultConfig()
	if file != "" {
		var err error
		if cfg, err = app.LoadConfig(file); err != nil {
			return cfg, err
		}
	}
	if data != "" {
		cfg.Data = data
	}
	return cfg, nil
}

// serve tells where the server is, and runs it. Credentials that cannot be printed
// are lost, so it does not start then.
func (c *cli) serve(ctx context.Context, s *app.Server) error {
	if err := s.Welcome(c.out); err != nil {
		return hinted(errors.Join(err, s.Close()), `if this was the first start, "coffer admin reset-owner" gives the account owner new credentials`)
	}
	return s.Run(ctx)
}

func newDev(c *cli) *cobra.Command {
	d := app.DefaultDevConfig()
	cmd := &cobra.Command{
		Use: "dev", Short: "Serve the API from memory, for tests: fixed credentials, a clock you can hold", Args: noArgs,
		Long: `Serve the API for tests on a laptop or in CI. Everything is in memory unless --data is given.
The credentials are fixed and public. The clock moves on by itself, and by request:

  curl -X POST http://127.0.0.1:9180/dev/clock -d '{"advance":"168h"}'
  curl -X POST http://127.0.0.1:9180/dev/reset
  curl -X PUT  http://127.0.0.1:9180/dev/projects/PROJECT/secrets/NAME/state -d '{"state":"DISABLED"}'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := app.NewDev(cmd.Context(), d, c.err)
			if errors.As(err, new(*app.ConfigError)) {
				return hinted(err, `"coffer dev --help" lists the flags`)
			}
			if err != nil {
				return err
			}
			return c.serve(cmd.Context(), s)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&d.Listen, "listen", d.Listen, "address and port")
	flags.StringVar(&d.AccessKey, "access-key", d.AccessKey, "access key of the user dev")
	flags.StringVar(&d.SecretKey, "secret-key", d.SecretKey, "its secret")
	flags.StringVar(&d.ProjectID, "project-id", d.ProjectID, "id of the project")
	flags.StringVar(&d.Region, "region", d.Region, "region id; any other one resolves to the same project")
	flags.StringVar(&d.Data, "data", "", "keep everything in this directory instead of in memory")
	flags.BoolVar(&d.TLS, "tls", false, "serve HTTPS with a self-made certificate")
	flags.Func("sink", "deliver the notifications of a topic: URN=file:PATH or URN=http://HOST/PATH; can be given again", func(text string) error {
		sink, err := app.ParseSink(text)
		d.Sinks = append(d.Sinks, sink)
		return err
	})
	flags.Func("function", "rotate secrets with this rotation_func_urn by a POST: URN=http://HOST/PATH; can be given again", func(text string) error {
		function, err := app.ParseFunction(text)
		d.Functions = append(d.Functions, function)
		return err
	})
	flags.StringVar(&d.IAM, "iam", "", "YAML file with further users, keys and policies")
	flags.StringVar(&d.Log.Level, "log-level", d.Log.Level, "debug, info, warn or error; info logs each request")
	return cmd
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"coffer/internal/client"
)

// version is the version of the product.
const version = "0.1.0-dev"

// terminal is the world of one invocation.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, t terminal, args []string) int {
	root := newRoot(&cli{terminal: t})
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	err := root.ExecuteContext(ctx)
	report(t.err, err)
	return exitCode(err)
}

// cli is what the client commands share: where the server is, who calls, and how
// the answer is printed.
type cli struct {
	terminal
	endpoint string
	project  string
	caFile   string
	output   string
	timeout  time.Duration
}

func newRoot(c *cli) *cobra.Command {
	root := group(&cobra.Command{
		Use:   "coffer",
		Short: "A self-hosted secret manager that speaks the Huawei Cloud CSMS API",
		Long: `Coffer stores secrets and serves them through the CSMS API of Huawei Cloud.

"coffer dev" serves from memory for tests; "coffer server" is for production; "coffer admin"
works on the data of a stopped server. The other commands talk to a server. They find it,
and who calls, in the environment:

  COFFER_ENDPOINT      URL of the server (default ` + defaultEndpoint + `)
  COFFER_PROJECT_ID    project; looked up when there is just one
  COFFER_CACERT        PEM file with the CA of the server's certificate
  COFFER_ACCESS_KEY    access key, and
  COFFER_SECRET_KEY      its secret; or
  COFFER_TOKEN         a token

HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK and HUAWEICLOUD_SDK_PROJECT_ID serve too. A token goes
before an access key.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found, 4 not permitted,
5 refused (the request or the state of the secret), 6 the server cannot be reached or cannot
answer.`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		// What cobra itself would report without saying that it is a matter of usage.
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()); err != nil {
				return usageError{err}
			}
			return c.checkOutput()
		},
	}, newSecret(c), newVersion(c), newStage(c), newPassword(c), newTarget(c), newRotation(c), newIAM(c), newEnv(c), newDoctor(c), newAdmin(c), newServer(c), newDev(c))
	flags := root.PersistentFlags()
	flags.StringVar(&c.endpoint, "endpoint", "", "URL of the server (COFFER_ENDPOINT)")
	flags.StringVar(&c.project, "project", "", "id of the project (COFFER_PROJECT_ID)")
	flags.StringVar(&c.caFile, "cacert", "", "PEM file with the CA of the server's certificate (COFFER_CACERT)")
	flags.StringVarP(&c.output, "output", "o", "table", "table or json")
	flags.DurationVar(&c.timeout, "timeout", 30*time.Second, "how long to wait for an answer")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	return root
}

// group makes cmd a noun with verbs below it. By itself it prints its help; with a
// verb that it does not have, cobra would do the same and call it a success.
func group(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
	cmd.DisableFlagsInUseLine = true
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		err := usageError{fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return hinted(err, fmt.Sprintf("did you mean %q?", cmd.CommandPath()+" "+near[0]))
		}
		return err
	}
	cmd.Args = cobra.ArbitraryArgs
	cmd.SuggestionsMinimumDistance = 1
	cmd.AddCommand(below...)
	return cmd
}

const defaultEndpoint = "http://127.0.0.1:9180"

// setting returns the flag if it is given, else the first environment variable that
// is set.
func (c *cli) setting(flag string, names ...string) string {
	for _, name := range names {
		if flag == "" {
			flag = c.getenv(name)
		}
	}
	return flag
}

// client returns the client that flags and environment describe, without a project
// unless one is named.
func (c *cli) client() (*client.Client, error) {
	config := c.server()
	config.Token = c.getenv("COFFER_TOKEN")
	config.AccessKey, config.SecretKey = c.accessKey()
	config.SecurityToken = c.getenv("COFFER_SECURITY_TOKEN")
	if config.Token == "" && (config.AccessKey == "" || config.SecretKey == "") {
		return nil, hinted(usageError{errors.New("no credentials")},
			"set COFFER_ACCESS_KEY and COFFER_SECRET_KEY, or COFFER_TOKEN; coffer dev and the first start of coffer server print them")
	}
	return c.connect(config)
}

// server returns the part of the configuration that says where the server is.
func (c *cli) server() client.Config {
	config := client.Config{
		Endpoint:  c.setting(c.endpoint, "COFFER_ENDPOINT"),
		ProjectID: c.setting(c.project, "COFFER_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"),
		Timeout:   c.timeout, Now: time.Now,
	}
	if config.Endpoint == "" {
		config.Endpoint = defaultEndpoint
	}
	return config
}

// anonymous returns a client without credentials, for the call that gets a token.
func (c *cli) anonymous() (*client.Client, error) {
	return c.connect(c.server())
}

// connect returns the client for config, with the CA that flags and environment
// name.
func (c *cli) connect(config client.Config) (*client.Client, error) {
	if file := c.setting(c.caFile, "COFFER_CACERT"); file != "" {
		pem, err := os.ReadFile(file) //nolint:gosec // the user names the file
		if err != nil {
			return nil, usageError{fmt.Errorf("reading the CA certificate: %w", err)}
		}
		config.CACert = pem
	}
	cl, err := client.New(config)
	if err != nil {
		return nil, hinted(usageError{err}, "see COFFER_ENDPOINT, COFFER_CACERT and COFFER_ACCESS_KEY")
	}
	return cl, nil
}

// inProject returns the client in the project that is named, or in the only one
// that the caller can reach.
func (c *cli) inProject(ctx context.Context) (*client.Client, error) {
	cl, err := c.client()
	if err != nil || cl.ProjectID() != "" {
		return cl, err
	}
	projects, err := reachable(ctx, cl)
	if err != nil {
		return nil, err
	}
	if len(projects) != 1 {
		return nil, hinted(usageError{fmt.Errorf("these credentials reach %d projects", len(projects))}, "name one with --project or COFFER_PROJECT_ID")
	}
	return cl.WithProject(projects[0].ID), nil
}

// reachable returns the projects that the caller can reach.
func reachable(ctx context.Context, cl *client.Client) ([]project, error) {
	projects, err := listProjects(ctx, cl, "/v3/auth/projects")
	if err != nil {
		return nil, fmt.Errorf("looking up the project: %w", err)
	}
	return projects, nil
}

// call sends one request in the project.
func (c *cli) call(ctx context.Context, method, path string, in, out any) error {
	cl, err := c.inProject(ctx)
	if err != nil {
		return err
	}
	_, err = cl.Do(ctx, method, path, in, out)
	return err
}

// secretPath returns the path of a secret, and of what lies below it.
func secretPath(name string, below ...string) string {
	path := "/v1/{project_id}/secrets/" + url.PathEscape(name)
	for _, part := range below {
		path += "/" + url.PathEscape(part)
	}
	return path
}

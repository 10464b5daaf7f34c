package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"coffer/internal/client"
)

// newEnv prints what makes a client of another maker use this server (clients.md).
func newEnv(c *cli) *cobra.Command {
	var forWhom, region string
	names := make([]string, 0, len(clientSettings))
	for name := range clientSettings {
		names = append(names, name)
	}
	slices.Sort(names)
	cmd := &cobra.Command{
		Use: "env", Short: "Print the settings that point another client at the server", Args: noArgs,
		Long: `Print the exact settings with which a client uses this server, for the credentials and the
project of this command line. The secret key is part of what is printed.

For go, python, java, node and curl that is text for a shell; for terraform a provider block,
for dapr a component. "coffer doctor" checks the settings against the server.`,
		Example: `  eval "$(coffer env --for go)"
  coffer env --for terraform --region cn-north-4 > provider.tf`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings := clientSettings[forWhom]
			if settings == nil {
				return usageError{fmt.Errorf("--for is %q; it takes one of %s", forWhom, strings.Join(names, ", "))}
			}
			data, err := c.environment(cmd.Context(), region)
			if err != nil {
				return err
			}
			return settings.Execute(c.out, data)
		},
	}
	cmd.Flags().StringVar(&forWhom, "for", "", strings.Join(names, ", "))
	cmd.Flags().StringVar(&region, "region", "", "region that the client names (COFFER_REGION; else the name of the project)")
	_ = cmd.MarkFlagRequired("for")
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// environment is what the settings of any client are made of.
type environment struct {
	URL, Region, ProjectID string
	AccessKey, SecretKey   string
	SecurityToken          string // "" unless the key is a temporary one
	CA                     string // absolute path, "" for the roots of the system
}

// SDKRegion is the region as part of the name of a variable (clients.md section 2).
func (e *environment) SDKRegion() string {
	return strings.ReplaceAll(strings.ToUpper(e.Region), "-", "_")
}

// TLS reports whether the server is reached by https.
func (e *environment) TLS() bool { return strings.HasPrefix(e.URL, "https://") }

// Host is host and port of the server.
func (e *environment) Host() string {
	_, host, _ := strings.Cut(e.URL, "://")
	return host
}

// TrustStore is where the trust store of a Java program is made, beside the CA.
func (e *environment) TrustStore() string {
	return strings.TrimSuffix(e.CA, filepath.Ext(e.CA)) + ".p12"
}

// environment gathers what is known from flags and environment, and asks the server
// for the project and the region if one of them is not named.
func (c *cli) environment(ctx context.Context, region string) (*environment, error) {
	config := c.server()
	e := &environment{
		URL: strings.TrimRight(config.Endpoint, "/"), Region: c.setting(region, "COFFER_REGION"), ProjectID: config.ProjectID,
		SecurityToken: c.getenv("COFFER_SECURITY_TOKEN"),
	}
	e.AccessKey, e.SecretKey = c.accessKey()
	if e.AccessKey == "" || e.SecretKey == "" {
		return nil, hinted(usageError{errors.New("no access key")}, "set COFFER_ACCESS_KEY and COFFER_SECRET_KEY; a token alone is of no use to these clients")
	}
	if file := c.setting(c.caFile, "COFFER_CACERT"); file != "" {
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, fmt.Errorf("finding the CA certificate: %w", err)
		}
		e.CA = path
	}
	if e.Region != "" && e.ProjectID != "" {
		return e, nil
	}
	cl, err := c.inProject(ctx)
	if err != nil {
		return nil, err
	}
	e.ProjectID = cl.ProjectID()
	if e.Region == "" {
		e.Region, err = regionOf(ctx, cl)
	}
	return e, err
}

// accessKey returns the access key of the environment and its secret.
func (c *cli) accessKey() (access, secret string) {
	return c.setting("", "COFFER_ACCESS_KEY", "HUAWEICLOUD_SDK_AK", "CLOUD_SDK_AK"),
		c.setting("", "COFFER_SECRET_KEY", "HUAWEICLOUD_SDK_SK", "CLOUD_SDK_SK")
}

// project is one project, as the IAM lists it.
type project struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// regionOf returns the name of the project of cl, which is that of its region
// (auth.md section 1, decision 6).
func regionOf(ctx context.Context, cl *client.Client) (string, error) {
	projects, err := reachable(ctx, cl)
	if err != nil {
		return "", err
	}
	for _, p := range projects {
		if p.ID == cl.ProjectID() {
			return p.Name, nil
		}
	}
	return "", hinted(usageError{fmt.Errorf("these credentials do not reach the project %s", cl.ProjectID())}, `"coffer doctor" tells which they reach`)
}

// projectsNamed returns the projects that an SDK finds for the name of a region.
func projectsNamed(ctx context.Context, cl *client.Client, name string) ([]project, error) {
	return listProjects(ctx, cl, "/v3/projects?name="+url.QueryEscape(name))
}

func listProjects(ctx context.Context, cl *client.Client, path string) ([]project, error) {
	var list struct {
		Projects []project `json:"projects"`
	}
	_, err := cl.Do(ctx, "GET", path, nil, &list)
	return list.Projects, err
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"coffer/internal/client"
)

func newIAM(c *cli) *cobra.Command {
	return group(&cobra.Command{
		Use: "iam", Short: "Manage users, groups, access keys and policies of a running server",
		Long: `Manage the identities of a running server. Users are named by name or id. A user without a
policy may do nothing; the account owner may do everything.`,
	}, newUser(c), newUserGroup(c), newKey(c), newPolicy(c), newToken(c))
}

// iamCall sends a request that is in no project.
func (c *cli) iamCall(ctx context.Context, method, path string, in, out any) error {
	cl, err := c.client()
	if err != nil {
		return err
	}
	_, err = cl.Do(ctx, method, path, in, out)
	return err
}

type userView struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DomainID    string `json:"domain_id"`
	Enabled     bool   `json:"enabled"`
	Description string `json:"description"`
}

func (c *cli) printUsers(answer any, users ...userView) error {
	t := table{head: []string{"NAME", "ID", "ENABLED", "DESCRIPTION"}}
	for _, u := range users {
		t.rows = append(t.rows, []string{u.Name, u.ID, fmt.Sprint(u.Enabled), orDash(u.Description)})
	}
	return c.print(answer, t)
}

// userID returns the id of the user who is named by id or name.
func (c *cli) userID(ctx context.Context, user string) (string, error) {
	var list struct {
		Users []userView `json:"users"`
	}
	if err := c.iamCall(ctx, http.MethodGet, "/v3/users?name="+url.QueryEscape(user), nil, &list); err != nil {
		return "", err
	}
	for _, u := range list.Users {
		if u.Name == user {
			return u.ID, nil
		}
	}
	return user, nil
}

func newUser(c *cli) *cobra.Command {
	return group(&cobra.Command{Use: "user", Short: "Manage users"},
		newUserCreate(c), newUserList(c), newUserUpdate(c), newUserDelete(c))
}

func newUserCreate(c *cli) *cobra.Command {
	var in struct {
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
		Password    string `json:"password,omitempty"`
	}
	var passwordFile string
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a user without rights", Args: exactly(1),
		Example: `  coffer iam user create ci
  coffer iam user create alice --password-file -`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			in.Name = args[0]
			if in.Password, err = c.password(passwordFile); err != nil {
				return err
			}
			var answer struct {
				User userView `json:"user"`
			}
			if err := c.iamCall(cmd.Context(), http.MethodPost, "/v3/users", map[string]any{"user": in}, &answer); err != nil {
				return err
			}
			return c.printUsers(answer, answer.User)
		},
	}
	cmd.Flags().StringVar(&in.Description, "description", "", "text")
	cmd.Flags().StringVar(&passwordFile, "password-file", "", `file with the password; "-" is standard input (default: a user who only signs)`)
	return cmd
}

// password reads a password from a file, without the line break at its end.
func (c *cli) password(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := c.readFile(file)
	return string(bytes.TrimRight(b, "\r\n")), err
}

func newUserList(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List users", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer struct {
				Users []userView `json:"users"`
			}
			if err := c.iamCall(cmd.Context(), http.MethodGet, "/v3/users", nil, &answer); err != nil {
				return err
			}
			return c.printUsers(answer, answer.Users...)
		},
	}
}

func newUserUpdate(c *cli) *cobra.Command {
	var enabled bool
	var description, passwordFile string
	cmd := &cobra.Command{
		Use: "update USER", Short: "Change a user; a new password or --enabled=false makes his tokens void at once", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{}
			if cmd.Flags().Changed("enabled") {
				in["enabled"] = enabled
			}
			if cmd.Flags().Changed("description") {
				in["description"] = description
			}
			if passwordFile != "" {
				password, err := c.password(passwordFile)
				if err != nil {
					return err
				}
				in["password"] = password
			}
			id, err := c.userID(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			var answer struct {
				User userView `json:"user"`
			}
			if err := c.iamCall(cmd.Context(), http.MethodPatch, "/v3/users/"+url.PathEscape(id), map[string]any{"user": in}, &answer); err != nil {
				return err
			}
			return c.printUsers(answer, answer.User)
		},
	}
	cmd.Flags().BoolVar(&enabled, "enabled", true, "whether the user can log in and sign")
	cmd.Flags().StringVar(&description, "description", "", "text")
	cmd.Flags().StringVar(&passwordFile, "password-file", "", `file with the new password; "-" is standard input`)
	return cmd
}

func newUserDelete(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "delete USER", Short: "Delete a user with his access keys; his tokens are void at once", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := c.userID(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.iamCall(cmd.Context(), http.MethodDelete, "/v3/users/"+url.PathEscape(id), nil, nil)
		},
	}
}

type keyView struct {
	Access      string `json:"access"`
	Secret      string `json:"secret,omitempty"`
	CreateTime  string `json:"create_time"`
	Status      string `json:"status"`
	UserID      string `json:"user_id"`
	Description string `json:"description"`
}

const keyPath = "/v3.0/OS-CREDENTIAL/credentials"

func newKey(c *cli) *cobra.Command {
	status := func(use, short, to string) *cobra.Command {
		return &cobra.Command{Use: use + " ACCESS_KEY", Short: short, Args: exactly(1), RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{"credential": map[string]string{"status": to}}
			return c.iamCall(cmd.Context(), http.MethodPut, keyPath+"/"+url.PathEscape(args[0]), in, nil)
		}}
	}
	return group(&cobra.Command{Use: "key", Short: "Manage access keys"},
		newKeyCreate(c), newKeyList(c),
		status("activate", "Let an access key sign again", "active"),
		status("deactivate", "Refuse what an access key signs", "inactive"),
		&cobra.Command{Use: "delete ACCESS_KEY", Short: "Delete an access key", Args: exactly(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.iamCall(cmd.Context(), http.MethodDelete, keyPath+"/"+url.PathEscape(args[0]), nil, nil)
		}})
}

func newKeyCreate(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "create USER", Short: "Make an access key; its secret is shown once", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := c.userID(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			var answer struct {
				Credential keyView `json:"credential"`
			}
			in := map[string]any{"credential": map[string]string{"user_id": id}}
			if err := c.iamCall(cmd.Context(), http.MethodPost, keyPath, in, &answer); err != nil {
				return err
			}
			k := answer.Credential
			return c.print(answer, table{head: []string{"ACCESS KEY", "SECRET KEY"}, rows: [][]string{{k.Access, k.Secret}}})
		},
	}
}

func newKeyList(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "list [USER]", Short: "List the access keys of a user, or one's own", Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := keyPath
			if len(args) == 1 {
				id, err := c.userID(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				path += "?user_id=" + url.QueryEscape(id)
			}
			var answer struct {
				Credentials []keyView `json:"credentials"`
			}
			if err := c.iamCall(cmd.Context(), http.MethodGet, path, nil, &answer); err != nil {
				return err
			}
			t := table{head: []string{"ACCESS KEY", "STATUS", "USER", "CREATED", "DESCRIPTION"}}
			for _, k := range answer.Credentials {
				t.rows = append(t.rows, []string{k.Access, k.Status, k.UserID, k.CreateTime, orDash(k.Description)})
			}
			return c.print(answer, t)
		},
	}
}

// newToken prints a token for use with curl.
func newToken(c *cli) *cobra.Command {
	var user, domain, passwordFile string
	cmd := &cobra.Command{
		Use: "token", Short: "Get a token for a user name and password, and print it", Args: noArgs,
		Example: `  export COFFER_TOKEN=$(coffer iam token --user alice --domain coffer --password-file pw)`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if user == "" || domain == "" {
				return usageError{errors.New("--user and --domain must be given")}
			}
			password, err := c.password(passwordFile)
			if err == nil && passwordFile == "" {
				password, err = c.prompt("Password: ", "--password-file")
			}
			if err != nil {
				return err
			}
			return c.issueToken(cmd.Context(), user, domain, password)
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "name of the user")
	cmd.Flags().StringVar(&domain, "domain", "", "name of the domain (account)")
	cmd.Flags().StringVar(&passwordFile, "password-file", "", `file with the password; "-" is standard input`)
	return cmd
}

// issueToken prints a token for the project that is named, or else for the only one
// that the user can reach.
func (c *cli) issueToken(ctx context.Context, user, domain, password string) error {
	cl, err := c.anonymous()
	if err != nil {
		return err
	}
	ask := map[string]any{"identity": map[string]any{
		"methods":  []string{"password"},
		"password": map[string]any{"user": map[string]any{"name": user, "password": password, "domain": map[string]string{"name": domain}}},
	}}
	project := cl.ProjectID()
	token, answer, err := login(ctx, cl, ask, project)
	if err != nil {
		return err
	}
	if project == "" {
		if token, answer, err = c.scoped(ctx, token, answer, ask); err != nil {
			return err
		}
	}
	if c.output == "json" {
		return c.print(answer, table{})
	}
	_, err = fmt.Fprintln(c.out, token)
	return err
}

// login asks for a token; one without a project is for the IAM only.
func login(ctx context.Context, cl *client.Client, ask map[string]any, project string) (token string, answer json.RawMessage, err error) {
	if project != "" {
		ask["scope"] = map[string]any{"project": map[string]string{"id": project}}
	}
	header, err := cl.Do(ctx, http.MethodPost, "/v3/auth/tokens?nocatalog=true", map[string]any{"auth": ask}, &answer)
	return header.Get("X-Subject-Token"), answer, err
}

// scoped asks again for the project, if there is just one; else the token that is
// there will do.
func (c *cli) scoped(ctx context.Context, token string, answer json.RawMessage, ask map[string]any) (string, json.RawMessage, error) {
	config := c.server()
	config.Token = token
	cl, err := c.connect(config)
	if err != nil {
		return "", nil, err
	}
	projects, err := reachable(ctx, cl)
	if err != nil || len(projects) != 1 {
		return token, answer, err
	}
	anonymous, err := c.anonymous()
	if err != nil {
		return "", nil, err
	}
	return login(ctx, anonymous, ask, projects[0].ID)
}

package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

type groupView struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DomainID    string `json:"domain_id"`
	Description string `json:"description"`
}

func newUserGroup(c *cli) *cobra.Command {
	return group(&cobra.Command{
		Use: "group", Short: "Manage groups of users and the policies assigned to them",
		Long: `Manage groups of users. A group is named by name or id. What is assigned to a group counts for
its members from their next request on: everywhere, or in one place with --in-project or --on-domain.`,
	}, newGroupCreate(c), newGroupList(c), newGroupDelete(c), newGroupMembers(c),
		newGroupMember(c, "add", "Add a user to a group", http.MethodPut),
		newGroupMember(c, "remove", "Take a user out of a group", http.MethodDelete),
		newGroupPolicy(c, "assign", "Assign a policy to a group", http.MethodPut),
		newGroupPolicy(c, "unassign", "Take a policy from a group", http.MethodDelete))
}

func (c *cli) printGroups(answer any, groups ...groupView) error {
	t := table{head: []string{"NAME", "ID", "DESCRIPTION"}}
	for _, g := range groups {
		t.rows = append(t.rows, []string{g.Name, g.ID, orDash(g.Description)})
	}
	return c.print(answer, t)
}

// findGroup returns the group that is named by name or id.
func (c *cli) findGroup(ctx context.Context, name string) (groupView, error) {
	var list struct {
		Groups []groupView `json:"groups"`
	}
	if err := c.iamCall(ctx, http.MethodGet, "/v3/groups?name="+url.QueryEscape(name), nil, &list); err != nil {
		return groupView{}, err
	}
	if len(list.Groups) == 1 {
		return list.Groups[0], nil
	}
	var answer struct {
		Group groupView `json:"group"`
	}
	err := c.iamCall(ctx, http.MethodGet, "/v3/groups/"+url.PathEscape(name), nil, &answer)
	return answer.Group, err
}

func newGroupCreate(c *cli) *cobra.Command {
	var in struct {
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
	}
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a group without members", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Name = args[0]
			var answer struct {
				Group groupView `json:"group"`
			}
			if err := c.iamCall(cmd.Context(), http.MethodPost, "/v3/groups", map[string]any{"group": in}, &answer); err != nil {
				return err
			}
			return c.printGroups(answer, answer.Group)
		},
	}
	cmd.Flags().StringVar(&in.Description, "description", "", "text")
	return cmd
}

func newGroupList(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List groups", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer struct {
				Groups []groupView `json:"groups"`
			}
			if err := c.iamCall(cmd.Context(), http.MethodGet, "/v3/groups", nil, &answer); err != nil {
				return err
			}
			return c.printGroups(answer, answer.Groups...)
		},
	}
}

func newGroupDelete(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "delete GROUP", Short: "Delete a group; its members stay and lose what it gave them", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := c.findGroup(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.iamCall(cmd.Context(), http.MethodDelete, "/v3/groups/"+url.PathEscape(g.ID), nil, nil)
		},
	}
}

func newGroupMembers(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "members GROUP", Short: "List the users in a group", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := c.findGroup(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			var answer struct {
				Users []userView `json:"users"`
			}
			if err := c.iamCall(cmd.Context(), http.MethodGet, "/v3/groups/"+url.PathEscape(g.ID)+"/users", nil, &answer); err != nil {
				return err
			}
			return c.printUsers(answer, answer.Users...)
		},
	}
}

// newGroupMember makes the commands that add and remove a user.
func newGroupMember(c *cli, use, short, method string) *cobra.Command {
	return &cobra.Command{
		Use: use + " GROUP USER", Short: short, Args: exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := c.findGroup(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			id, err := c.userID(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			return c.iamCall(cmd.Context(), method, "/v3/groups/"+url.PathEscape(g.ID)+"/users/"+url.PathEscape(id), nil, nil)
		},
	}
}

// newGroupPolicy makes the commands that assign and take a policy.
func newGroupPolicy(c *cli, use, short, method string) *cobra.Command {
	var project string
	var onDomain bool
	cmd := &cobra.Command{
		Use: use + " GROUP POLICY", Short: short, Args: exactly(2),
		Example: `  coffer iam group ` + use + ` operators 'CSMS FullAccess'
  coffer iam group ` + use + ` operators read_prod --in-project c0ffeec0ffeec0ffeec0ffeec0ffee00`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if project != "" && onDomain {
				return usageError{errors.New("--in-project and --on-domain exclude each other")}
			}
			g, err := c.findGroup(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			policy, err := c.policyID(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			roles := "/groups/" + url.PathEscape(g.ID) + "/roles/" + url.PathEscape(policy)
			path := "/v3/OS-INHERIT/domains/" + url.PathEscape(g.DomainID) + roles + "/inherited_to_projects"
			switch {
			case project != "":
				path = "/v3/projects/" + url.PathEscape(project) + roles
			case onDomain:
				path = "/v3/domains/" + url.PathEscape(g.DomainID) + roles
			}
			return c.iamCall(cmd.Context(), method, path, nil, nil)
		},
	}
	cmd.Flags().StringVar(&project, "in-project", "", "id of the project that the policy counts in (default: everywhere)")
	cmd.Flags().BoolVar(&onDomain, "on-domain", false, "the policy counts for services without regions only, such as the IAM")
	return cmd
}

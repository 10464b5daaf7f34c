package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

type policyView struct {
	ID          string `json:"policy_id"`
	Name        string `json:"policy_name"`
	Type        string `json:"policy_type"`
	Description string `json:"description"`
	Document    string `json:"policy_document"`
}

type policyAnswer struct {
	Policy policyView `json:"policy"`
}

func newPolicy(c *cli) *cobra.Command {
	return group(&cobra.Command{
		Use: "policy", Short: "Manage policies and who has them",
		Long: `Manage policies. A policy is named by name or id. Its document is JSON of grammar 1.1 or 5.0:

  {"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:get","csms:secret:getVersion"],
   "Resource":["csms:*:*:secretName:prod_*"]}]}`,
	}, newPolicyCreate(c), newPolicyList(c), newPolicyShow(c), newPolicyUpdate(c), newPolicyDelete(c),
		newPolicyAttach(c, "attach", "Give a policy to a user", "attach-user"),
		newPolicyAttach(c, "detach", "Take a policy away from a user", "detach-user"))
}

func (c *cli) printPolicies(answer any, policies ...policyView) error {
	t := table{head: []string{"NAME", "TYPE", "ID", "DESCRIPTION"}}
	for _, p := range policies {
		t.rows = append(t.rows, []string{p.Name, p.Type, p.ID, orDash(p.Description)})
	}
	return c.print(answer, t)
}

func (c *cli) listPolicies(ctx context.Context) ([]policyView, error) {
	var list struct {
		Policies []policyView `json:"policies"`
	}
	err := c.iamCall(ctx, http.MethodGet, "/v5/policies", nil, &list)
	return list.Policies, err
}

// policyID returns the id of the policy that is named by name or id.
func (c *cli) policyID(ctx context.Context, policy string) (string, error) {
	policies, err := c.listPolicies(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range policies {
		if p.Name == policy {
			return p.ID, nil
		}
	}
	return policy, nil
}

// policyPath returns the path of the policy that is named by name or id, and of
// what lies below it.
func (c *cli) policyPath(ctx context.Context, policy, below string) (string, error) {
	id, err := c.policyID(ctx, policy)
	return "/v5/policies/" + url.PathEscape(id) + below, err
}

func newPolicyCreate(c *cli) *cobra.Command {
	var file, description string
	cmd := &cobra.Command{
		Use: "create NAME --file FILE", Short: "Make a policy", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := c.readFile(file)
			if err != nil {
				return err
			}
			in := map[string]string{"policy_name": args[0], "description": description, "policy_document": string(document)}
			var answer policyAnswer
			if err := c.iamCall(cmd.Context(), http.MethodPost, "/v5/policies", in, &answer); err != nil {
				return err
			}
			return c.printPolicies(answer, answer.Policy)
		},
	}
	documentFlag(cmd, &file)
	cmd.Flags().StringVar(&description, "description", "", "text")
	return cmd
}

func documentFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "file", "", `file with the document; "-" is standard input`)
	_ = cmd.MarkFlagRequired("file") // it was defined just now
}

func newPolicyList(c *cli) *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use: "list", Short: "List policies, built-in ones too, or those of a user", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			policies, err := c.policiesOf(cmd.Context(), user)
			if err != nil {
				return err
			}
			return c.printPolicies(map[string]any{"policies": policies}, policies...)
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "only what is attached to this user")
	return cmd
}

func (c *cli) policiesOf(ctx context.Context, user string) ([]policyView, error) {
	if user == "" {
		return c.listPolicies(ctx)
	}
	id, err := c.userID(ctx, user)
	if err != nil {
		return nil, err
	}
	var list struct {
		Policies []policyView `json:"attached_policies"`
	}
	err = c.iamCall(ctx, http.MethodGet, "/v5/users/"+url.PathEscape(id)+"/attached-policies", nil, &list)
	return list.Policies, err
}

func newPolicyShow(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "show POLICY", Short: "Print the document of a policy", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.policyPath(cmd.Context(), args[0], "")
			if err != nil {
				return err
			}
			var answer policyAnswer
			if err := c.iamCall(cmd.Context(), http.MethodGet, path, nil, &answer); err != nil {
				return err
			}
			if c.output == "json" {
				return c.print(answer, table{})
			}
			_, err = fmt.Fprintln(c.out, answer.Policy.Document)
			return err
		},
	}
}

func newPolicyUpdate(c *cli) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "update POLICY --file FILE", Short: "Replace the document of a policy; it counts from the next request on", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := c.readFile(file)
			if err != nil {
				return err
			}
			path, err := c.policyPath(cmd.Context(), args[0], "/versions")
			if err != nil {
				return err
			}
			in := map[string]any{"policy_document": string(document), "set_as_default": true}
			return c.iamCall(cmd.Context(), http.MethodPost, path, in, nil)
		},
	}
	documentFlag(cmd, &file)
	return cmd
}

func newPolicyDelete(c *cli) *cobra.Command {
	return &cobra.Command{
		Use: "delete POLICY", Short: "Delete a policy that nobody has", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.policyPath(cmd.Context(), args[0], "")
			if err != nil {
				return err
			}
			return c.iamCall(cmd.Context(), http.MethodDelete, path, nil, nil)
		},
	}
}

// newPolicyAttach makes the commands that give and take a policy.
func newPolicyAttach(c *cli, use, short, action string) *cobra.Command {
	return &cobra.Command{
		Use: use + " POLICY USER", Short: short, Args: exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.policyPath(cmd.Context(), args[0], "/"+action)
			if err != nil {
				return err
			}
			id, err := c.userID(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			return c.iamCall(cmd.Context(), http.MethodPost, path, map[string]string{"user_id": id}, nil)
		},
	}
}

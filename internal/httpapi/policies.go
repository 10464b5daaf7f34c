package httpapi

import (
	"encoding/json"

	"coffer/internal/service/identity"
)

// Policies and their attachment to users, with the paths and names of IAM 5.0. A
// policy has one version, so what the cloud calls a new default version replaces the
// document.

// policy is a policy on the wire of IAM 5.0. The document is a member of the answer,
// which in the cloud takes a second call.
type policy struct {
	ID          string `json:"policy_id"`
	Name        string `json:"policy_name"`
	Type        string `json:"policy_type"`
	Description string `json:"description"`
	Document    string `json:"policy_document"`
	CreatedAt   string `json:"created_at,omitempty"`
	UpdatedAt   string `json:"updated_at,omitempty"`
}

func newPolicy(p identity.PolicyInfo) policy {
	return policy{
		ID: p.ID, Name: p.Name, Type: p.Type, Description: p.Description, Document: string(p.Document),
		CreatedAt: p.CreateTime, UpdatedAt: p.UpdateTime,
	}
}

type policyAnswer struct {
	Policy policy `json:"policy"`
}

func answerPolicy(p identity.PolicyAnswer, err error) (any, error) {
	return policyAnswer{newPolicy(p.Policy)}, err
}

func policyList(list identity.PolicyList) []policy {
	out := make([]policy, 0, len(list.Policies))
	for _, p := range list.Policies {
		out = append(out, newPolicy(p))
	}
	return out
}

// policyRequest is the body of operations that write a policy.
type policyRequest struct {
	Name        string  `json:"policy_name"`
	Description *string `json:"description"`
	Document    string  `json:"policy_document"`
}

func createPolicy(a *API, x *exchange) (any, error) {
	var body policyRequest
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return answerPolicy(a.Identity.CreatePolicy(x.ctx, &x.who, identity.NewPolicy{
		Name: body.Name, Description: value(body.Description), Document: json.RawMessage(body.Document),
	}))
}

func listPolicies(a *API, x *exchange) (any, error) {
	list, err := a.Identity.ListPolicies(x.ctx, &x.who)
	return map[string]any{"policies": policyList(list)}, err
}

func showPolicy(a *API, x *exchange) (any, error) {
	return answerPolicy(a.Identity.ShowPolicy(x.ctx, &x.who, x.r.PathValue("policy_id")))
}

// createPolicyVersion replaces the document of a policy.
func createPolicyVersion(a *API, x *exchange) (any, error) {
	var body policyRequest
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return answerPolicy(a.Identity.UpdatePolicy(x.ctx, &x.who, x.r.PathValue("policy_id"), identity.PolicyPatch{
		Description: body.Description, Document: json.RawMessage(body.Document),
	}))
}

func deletePolicy(a *API, x *exchange) (any, error) {
	return noContent{}, a.Identity.DeletePolicy(x.ctx, &x.who, x.r.PathValue("policy_id"))
}

// attachment is the body of attach-user and detach-user.
type attachment struct {
	UserID string `json:"user_id"`
}

func attachPolicy(a *API, x *exchange) (any, error) {
	var body attachment
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return struct{}{}, a.Identity.AttachPolicy(x.ctx, &x.who, body.UserID, x.r.PathValue("policy_id"))
}

func detachPolicy(a *API, x *exchange) (any, error) {
	var body attachment
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return struct{}{}, a.Identity.DetachPolicy(x.ctx, &x.who, body.UserID, x.r.PathValue("policy_id"))
}

func listAttachedPolicies(a *API, x *exchange) (any, error) {
	list, err := a.Identity.ListAttachedPolicies(x.ctx, &x.who, x.r.PathValue("user_id"))
	return map[string]any{"attached_policies": policyList(list)}, err
}

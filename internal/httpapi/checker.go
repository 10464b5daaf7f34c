package httpapi

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/password"
	"coffer/internal/wire"
)

type checkSecretsRequest struct{ checkType string }

func (q *checkSecretsRequest) bind(x *exchange) error {
	var body wire.CheckSecretsRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.Type == nil || !body.Data {
		return csms.Invalidf("type and data must be given.")
	}
	q.checkType = *body.Type
	return nil
}

func (a *API) checkSecrets(ctx context.Context, who *iam.Caller, q *checkSecretsRequest) (wire.CheckSecretsAnswer, error) {
	return wire.CheckSecretsAnswer{Type: q.checkType}, a.Service.CheckSecrets(ctx, who, q.checkType)
}

// projectRef is the request of operations that need nothing but the project.
type projectRef struct{}

func (*projectRef) bind(*exchange) error { return nil }

func (a *API) showSecretsConfig(ctx context.Context, who *iam.Caller, _ *projectRef) (wire.SecretsConfig, error) {
	checking, err := a.Service.ShowSecretsConfig(ctx, who)
	return wire.SecretsConfig{CheckingSecretStrength: checking}, err
}

type updateSecretsConfigRequest struct{ checking *bool }

func (q *updateSecretsConfigRequest) bind(x *exchange) error {
	var body wire.UpdateSecretsConfigRequest
	err := x.decode(&body)
	q.checking = body.CheckingSecretStrength
	return err
}

func (a *API) updateSecretsConfig(ctx context.Context, who *iam.Caller, q *updateSecretsConfigRequest) (wire.SecretsConfig, error) {
	checking, err := a.Service.UpdateSecretsConfig(ctx, who, q.checking)
	return wire.SecretsConfig{CheckingSecretStrength: checking}, err
}

type generatePasswordRequest struct {
	policyName string
	rules      password.Rules
}

// bind takes an absent body as an empty object (W3).
func (q *generatePasswordRequest) bind(x *exchange) error {
	var body wire.GeneratePasswordRequest
	if len(x.body) > 0 {
		if err := x.decode(&body); err != nil {
			return err
		}
	}
	q.policyName = value(body.PasswordPolicyName)
	q.rules = password.Rules{
		Length: password.DefaultLength, ExcludeCharacters: body.ExcludeCharacters,
		ExcludeLowercase: body.ExcludeLowercase, ExcludeUppercase: body.ExcludeUppercase,
		ExcludeNumbers: body.ExcludeNumbers, ExcludePunctuation: body.ExcludePunctuation,
		IncludeSpace: body.IncludeSpace, RequireEachIncludedType: body.RequireEachIncludedType,
	}
	if body.Length != nil {
		q.rules.Length = *body.Length
	}
	return refuseEmpty(given{"password_policy_name", body.PasswordPolicyName})
}

func (a *API) generateRandomPassword(ctx context.Context, who *iam.Caller, q *generatePasswordRequest) (*wire.PasswordAnswer, error) {
	text, err := a.Service.GenerateRandomPassword(ctx, who, q.policyName, q.rules)
	if err != nil {
		return nil, err
	}
	return &wire.PasswordAnswer{Password: text}, nil
}

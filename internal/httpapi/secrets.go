package httpapi

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

// secretRef is the request of operations that need nothing but the secret's name.
type secretRef struct{ name string }

func (q *secretRef) bind(x *exchange) error {
	q.name = x.secretName()
	return nil
}

type createSecretRequest struct{ in service.NewSecret }

func (q *createSecretRequest) bind(x *exchange) error {
	var body wire.CreateSecretRequest
	err := x.decode(&body)
	q.in = newSecret(&body)
	if err != nil {
		return err
	}
	return checkGiven(&body)
}

// newSecret returns what the body of CreateSecret asks for, complete or not.
func newSecret(body *wire.CreateSecretRequest) service.NewSecret {
	return service.NewSecret{
		Text: csms.Plaintext(body.SecretString), Binary: csms.Plaintext(body.SecretBinary),
		Creation: csms.Creation{
			Name: value(body.Name), Type: csms.Type(value(body.SecretType)), KMSKeyID: value(body.KMSKeyID), Description: body.Description,
			Rotation:           csms.Rotation{Auto: body.AutoRotation, Period: body.RotationPeriod, Config: body.RotationConfig, FuncURN: body.RotationFuncURN},
			EventSubscriptions: body.EventSubscriptions, EnterpriseProjectID: value(body.EnterpriseProjectID),
		},
	}
}

func checkGiven(body *wire.CreateSecretRequest) error {
	return refuseEmpty(
		given{"name", body.Name}, given{"kms_key_id", body.KMSKeyID},
		given{"secret_type", body.SecretType}, given{"enterprise_project_id", body.EnterpriseProjectID})
}

// Wipe overwrites the value that was sent.
func (q *createSecretRequest) Wipe() {
	q.in.Text.Wipe()
	q.in.Binary.Wipe()
}

func (a *API) createSecret(ctx context.Context, who *iam.Caller, q *createSecretRequest) (wire.SecretAnswer, error) {
	return secretAnswer(a.Service.CreateSecret(ctx, who, q.in))
}

func secretAnswer(s *csms.Secret, err error) (wire.SecretAnswer, error) {
	if err != nil {
		return wire.SecretAnswer{}, err
	}
	return wire.SecretAnswer{Secret: wire.NewSecret(s)}, nil
}

type listSecretsRequest struct{ listing service.Listing }

func (q *listSecretsRequest) bind(x *exchange) error {
	query, err := x.query()
	if err != nil {
		return err
	}
	q.listing.Marker, q.listing.EventName = query.Get("marker"), query.Get("event_name")
	q.listing.Limit, err = limit(query)
	return err
}

func (a *API) listSecrets(ctx context.Context, who *iam.Caller, q *listSecretsRequest) (wire.SecretList, error) {
	page, err := a.Service.ListSecrets(ctx, who, q.listing)
	if err != nil {
		return wire.SecretList{}, err
	}
	list := wire.SecretList{Secrets: make([]wire.Secret, 0, len(page.Items))}
	for _, s := range page.Items {
		list.Secrets = append(list.Secrets, wire.NewSecret(s))
	}
	list.PageInfo = pageInfo(list.Secrets, page.More, func(s wire.Secret) string { return s.Name })
	return list, nil
}

// pageInfo describes a page of items that are addressed by name.
func pageInfo[T any](items []T, more bool, name func(T) string) wire.PageInfo {
	if len(items) == 0 {
		return wire.PageInfo{}
	}
	return wire.NewPageInfo(name(items[0]), name(items[len(items)-1]), len(items), more)
}

func (a *API) showSecret(ctx context.Context, who *iam.Caller, q *secretRef) (wire.SecretAnswer, error) {
	return secretAnswer(a.Service.ShowSecret(ctx, who, q.name))
}

type updateSecretRequest struct {
	secretRef
	patch csms.Patch
}

func (q *updateSecretRequest) bind(x *exchange) error {
	q.name = x.secretName()
	var body wire.UpdateSecretRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.patch = csms.Patch{
		KMSKeyID: body.KMSKeyID, Description: body.Description, AutoRotation: body.AutoRotation,
		RotationPeriod: body.RotationPeriod, RotationFuncURN: body.RotationFuncURN,
	}
	if body.EventSubscriptions.Set {
		q.patch.EventSubscriptions = &body.EventSubscriptions.Items
	}
	return nil
}

func (a *API) updateSecret(ctx context.Context, who *iam.Caller, q *updateSecretRequest) (wire.SecretAnswer, error) {
	return secretAnswer(a.Service.UpdateSecret(ctx, who, q.name, q.patch))
}

func (a *API) deleteSecret(ctx context.Context, who *iam.Caller, q *secretRef) (noContent, error) {
	return noContent{}, a.Service.DeleteSecret(ctx, who, q.name)
}

type scheduleRequest struct {
	secretRef
	days int
}

// bind takes an absent window, and an absent body, as the default (DEL3).
func (q *scheduleRequest) bind(x *exchange) error {
	q.name, q.days = x.secretName(), csms.DefaultRecoveryDays
	if len(x.body) == 0 {
		return nil
	}
	var body wire.ScheduleRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.RecoveryWindowInDays != nil {
		q.days = *body.RecoveryWindowInDays
	}
	return nil
}

func (a *API) deleteSecretForSchedule(ctx context.Context, who *iam.Caller, q *scheduleRequest) (wire.SecretAnswer, error) {
	return secretAnswer(a.Service.DeleteSecretForSchedule(ctx, who, q.name, q.days))
}

func (a *API) restoreSecret(ctx context.Context, who *iam.Caller, q *secretRef) (wire.SecretAnswer, error) {
	return secretAnswer(a.Service.RestoreSecret(ctx, who, q.name))
}

type batchDeleteRequest struct{ in service.BatchDeletion }

func (q *batchDeleteRequest) bind(x *exchange) error {
	var body wire.BatchDeleteRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.in = service.BatchDeletion{InstanceID: body.InstanceID, InstanceType: body.InstanceType}
	return nil
}

func (a *API) batchDeleteSecrets(ctx context.Context, who *iam.Caller, q *batchDeleteRequest) (wire.BatchDeleteAnswer, error) {
	out, err := a.Service.BatchDeleteSecrets(ctx, who, q.in)
	if err != nil {
		return wire.BatchDeleteAnswer{}, err
	}
	answer := wire.BatchDeleteAnswer{
		Total: len(out.Deleted) + len(out.Failed), SuccessSecrets: append([]string{}, out.Deleted...), FailedSecrets: []wire.FailedSecret{},
	}
	for _, f := range out.Failed {
		answer.FailedSecrets = append(answer.FailedSecrets, failedSecret(f))
	}
	return answer, nil
}

func failedSecret(f service.FailedDeletion) wire.FailedSecret {
	return wire.FailedSecret{Name: f.Name, ErrorCode: string(csms.CodeOf(f.Err)), ErrorMsg: message(f.Err)}
}

// message returns the text of an error that a caller may see.
func message(err error) string {
	if e := (*csms.Error)(nil); errors.As(err, &e) {
		return cut(e.Msg)
	}
	return ""
}

// given is a member of a body that may be absent but, if it is there, not empty.
type given struct {
	name string
	text *string
}

// refuseEmpty reports a member that is there and empty, as CSMS.0002.
func refuseEmpty(members ...given) error {
	for _, m := range members {
		if m.text != nil && *m.text == "" {
			return csms.Invalidf("%s is empty.", m.name)
		}
	}
	return nil
}

func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

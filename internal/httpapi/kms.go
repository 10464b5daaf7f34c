package httpapi

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/kms"
	"coffer/internal/wire"
)

// The KMS API (neighbours.md 1.5). Its paths are POST with one word for each
// operation, and the id of the key stands in the body; its errors are wrapped and have
// codes of their own.

// keyBinder is a binder that knows the key of its request, as far as it was read.
type keyBinder[Q any] interface {
	binder[Q]
	key() string
}

// kmsEndpoint is endpoint for the operations of the KMS API.
func kmsEndpoint[Q any, P keyBinder[Q], A any](op func(*API, context.Context, *iam.Caller, *Q) (A, error)) handler {
	return func(a *API, x *exchange) error {
		if err := a.authenticate(x); err != nil {
			return kmsError(err)
		}
		var q Q
		if w, ok := any(&q).(wiper); ok {
			defer w.Wipe()
		}
		if err := P(&q).bind(x); err != nil {
			if denied := a.KMS.Authorize(x.ctx, &x.who, x.route.Op, P(&q).key()); denied != nil {
				return kmsError(denied)
			}
			return err
		}
		answer, err := op(a, x.ctx, &x.who, &q)
		if err != nil {
			return kmsError(err)
		}
		return x.reply(answer)
	}
}

// kmsError gives an error the code that it has in the KMS API. The end of the time of
// a request stays what it is: the gateway answers it.
func kmsError(err error) error {
	e := (*csms.Error)(nil)
	switch {
	case errors.As(err, &e) && e.Code == csms.CodeForbidden:
		return &csms.Error{Code: csms.CodeKMSForbidden, Msg: e.Msg, Err: e.Err}
	case errors.As(err, &e), errors.Is(err, context.DeadlineExceeded):
		return err
	default:
		return &csms.Error{Code: csms.CodeKMSInternal, Msg: "Internal error.", Err: err}
	}
}

// decodeKMS reads the body; what is wrong with it has the code of the KMS API.
func (x *exchange) decodeKMS(v any) error {
	err := x.decode(v)
	if e := (*csms.Error)(nil); errors.As(err, &e) {
		return &csms.Error{Code: csms.CodeKMSBadBody, Msg: e.Msg}
	}
	return err
}

// require reports the first member without text as missing.
func require(members ...given) error {
	for _, m := range members {
		if m.text == nil || *m.text == "" {
			return csms.Errorf(csms.CodeKMSMissing, "%s must be given.", m.name)
		}
	}
	return nil
}

func digits(n wire.Digits) *string { return (*string)(&n) }

// keyRef is the request of operations that need nothing but a key.
type keyRef struct{ keyID string }

func (q *keyRef) key() string { return q.keyID }

func (q *keyRef) bind(x *exchange) error {
	var body wire.KeyRef
	err := x.decodeKMS(&body)
	q.keyID = body.KeyID
	if err != nil {
		return err
	}
	return require(given{"key_id", &q.keyID})
}

// keyPath is the request of operations whose path names the key.
type keyPath struct{ keyRef }

func (q *keyPath) bind(x *exchange) error {
	q.keyID = x.r.PathValue("key_id")
	return nil
}

// noKey is a request that addresses no key.
type noKey struct{}

func (noKey) key() string { return "" }

type createKeyRequest struct {
	noKey
	in kms.NewKey
}

func (q *createKeyRequest) bind(x *exchange) error {
	var body wire.CreateKeyRequest
	if err := x.decodeKMS(&body); err != nil {
		return err
	}
	q.in = kms.NewKey{
		Alias: body.KeyAlias, Spec: body.KeySpec, Usage: body.KeyUsage, Description: body.KeyDescription,
		Origin: body.Origin, EnterpriseProjectID: body.EnterpriseProjectID, KeystoreID: string(body.KeystoreID),
	}
	return require(given{"key_alias", &q.in.Alias})
}

func (a *API) createKey(ctx context.Context, who *iam.Caller, q *createKeyRequest) (wire.KeyInfo, error) {
	id, err := a.KMS.CreateKey(ctx, who, q.in)
	return wire.KeyInfo{Key: wire.NewKey{KeyID: id, DomainID: who.DomainID}}, err
}

func (a *API) describeKey(ctx context.Context, who *iam.Caller, q *keyRef) (wire.KeyInfo, error) {
	key, err := a.KMS.DescribeKey(ctx, who, q.keyID)
	return wire.KeyInfo{Key: a.keyDetails(key)}, err
}

// keyDetails returns the wire form of a key.
func (a *API) keyDetails(k kms.Key) wire.KeyDetails {
	flag := "0"
	if k.Default {
		flag = "1"
	}
	return wire.KeyDetails{
		KeyID: k.ID, DomainID: k.DomainID, KeyAlias: k.Alias, Realm: a.KMS.Region(), KeySpec: k.Spec, KeyUsage: k.Usage,
		KeyDescription: k.Description, CreationDate: wire.TextMillis(k.CreateTime), ScheduledDeletionDate: wire.TextMillis(k.DeletionTime),
		KeyState: stateText(k.State), DefaultKeyFlag: flag, KeyType: "1", Origin: "kms", KeyRotationEnabled: wire.TextBool(k.Rotated),
		SysEnterpriseProjectID: k.EnterpriseProjectID, KeystoreID: "0",
	}
}

// stateText returns the digit of a state.
func stateText(s kms.KeyState) string { return string(rune('0' + s)) }

type listKeysRequest struct {
	noKey
	listing kms.Listing
}

// bind takes an absent body as one without filters.
func (q *listKeysRequest) bind(x *exchange) error {
	var body wire.ListKeysRequest
	if len(x.body) > 0 {
		if err := x.decodeKMS(&body); err != nil {
			return err
		}
	}
	q.listing = kms.Listing{
		Limit: body.Limit.Or(kms.MaxKeys), Marker: body.Marker.Or(0), State: string(body.KeyState),
		Spec: body.KeySpec, EnterpriseProjectID: body.EnterpriseProjectID,
	}
	return nil
}

func (a *API) listKeys(ctx context.Context, who *iam.Caller, q *listKeysRequest) (wire.KeyList, error) {
	page, err := a.KMS.ListKeys(ctx, who, q.listing)
	list := wire.KeyList{Keys: []string{}, KeyDetails: []wire.KeyDetails{}, Total: page.Total}
	for _, key := range page.Keys {
		list.Keys = append(list.Keys, key.ID)
		list.KeyDetails = append(list.KeyDetails, a.keyDetails(key))
	}
	if page.Next > 0 {
		list.NextMarker, list.Truncated = decimal(page.Next), true
	}
	return list, err
}

func (a *API) enableKey(ctx context.Context, who *iam.Caller, q *keyRef) (wire.KeyInfo, error) {
	state, err := a.KMS.EnableKey(ctx, who, q.keyID)
	return wire.KeyInfo{Key: wire.KeyState{KeyID: q.keyID, KeyState: stateText(state)}}, err
}

func (a *API) disableKey(ctx context.Context, who *iam.Caller, q *keyRef) (wire.KeyInfo, error) {
	state, err := a.KMS.DisableKey(ctx, who, q.keyID)
	return wire.KeyInfo{Key: wire.KeyState{KeyID: q.keyID, KeyState: stateText(state)}}, err
}

type scheduleKeyRequest struct {
	keyRef
	days int
}

func (q *scheduleKeyRequest) bind(x *exchange) error {
	var body wire.ScheduleKeyDeletionRequest
	err := x.decodeKMS(&body)
	q.keyID, q.days = body.KeyID, body.PendingDays.Or(-1)
	if err != nil {
		return err
	}
	return require(given{"key_id", &q.keyID}, given{"pending_days", digits(body.PendingDays)})
}

func (a *API) scheduleKeyDeletion(ctx context.Context, who *iam.Caller, q *scheduleKeyRequest) (wire.KeyState, error) {
	state, err := a.KMS.ScheduleKeyDeletion(ctx, who, q.keyID, q.days)
	return wire.KeyState{KeyID: q.keyID, KeyState: stateText(state)}, err
}

func (a *API) cancelKeyDeletion(ctx context.Context, who *iam.Caller, q *keyRef) (wire.KeyState, error) {
	state, err := a.KMS.CancelKeyDeletion(ctx, who, q.keyID)
	return wire.KeyState{KeyID: q.keyID, KeyState: stateText(state)}, err
}

type updateKeyAliasRequest struct {
	keyRef
	alias string
}

func (q *updateKeyAliasRequest) bind(x *exchange) error {
	var body wire.UpdateKeyAliasRequest
	err := x.decodeKMS(&body)
	q.keyID, q.alias = body.KeyID, body.KeyAlias
	if err != nil {
		return err
	}
	return require(given{"key_id", &q.keyID}, given{"key_alias", &q.alias})
}

func (a *API) updateKeyAlias(ctx context.Context, who *iam.Caller, q *updateKeyAliasRequest) (wire.KeyInfo, error) {
	err := a.KMS.UpdateKeyAlias(ctx, who, q.keyID, q.alias)
	return wire.KeyInfo{Key: wire.KeyAlias{KeyID: q.keyID, KeyAlias: q.alias}}, err
}

type updateKeyDescriptionRequest struct {
	keyRef
	description string
}

// bind takes an empty description, which takes the old one away, and no absent one.
func (q *updateKeyDescriptionRequest) bind(x *exchange) error {
	var body wire.UpdateKeyDescriptionRequest
	err := x.decodeKMS(&body)
	q.keyID, q.description = body.KeyID, value(body.KeyDescription)
	if err != nil {
		return err
	}
	if body.KeyDescription == nil {
		return require(given{"key_id", &q.keyID}, given{name: "key_description"})
	}
	return require(given{"key_id", &q.keyID})
}

func (a *API) updateKeyDescription(ctx context.Context, who *iam.Caller, q *updateKeyDescriptionRequest) (wire.KeyInfo, error) {
	err := a.KMS.UpdateKeyDescription(ctx, who, q.keyID, q.description)
	return wire.KeyInfo{Key: wire.KeyDescription{KeyID: q.keyID, KeyDescription: q.description}}, err
}

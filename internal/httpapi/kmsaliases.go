package httpapi

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/kms"
	"coffer/internal/wire"
)

// Aliases of KMS keys.

type keyAliasRequest struct {
	keyRef
	alias string
}

type createKeyAliasRequest struct{ keyAliasRequest }

func (q *createKeyAliasRequest) bind(x *exchange) error {
	var body wire.CreateAliasRequest
	err := x.decodeKMS(&body)
	q.keyID, q.alias = body.KeyID, body.Alias
	if err != nil {
		return err
	}
	return require(given{"key_id", &q.keyID}, given{"alias", &q.alias})
}

func (a *API) createKeyAlias(ctx context.Context, who *iam.Caller, q *createKeyAliasRequest) (wire.AliasEntity, error) {
	alias, err := a.KMS.CreateKeyAlias(ctx, who, q.keyID, q.alias)
	return aliasEntity(&alias), err
}

type associateKeyAliasRequest struct{ keyAliasRequest }

func (q *associateKeyAliasRequest) bind(x *exchange) error {
	var body wire.AssociateAliasRequest
	err := x.decodeKMS(&body)
	q.keyID, q.alias = body.TargetKeyID, body.Alias
	if err != nil {
		return err
	}
	return require(given{"target_key_id", &q.keyID}, given{"alias", &q.alias})
}

func (a *API) associateKeyAlias(ctx context.Context, who *iam.Caller, q *associateKeyAliasRequest) (wire.AliasEntity, error) {
	alias, err := a.KMS.AssociateKeyAlias(ctx, who, q.keyID, q.alias)
	return aliasEntity(&alias), err
}

func aliasEntity(a *kms.Alias) wire.AliasEntity {
	return wire.AliasEntity{
		DomainID: a.DomainID, KeyID: a.KeyID, Alias: a.Alias, AliasURN: a.URN,
		CreateTime: wire.TextMillis(a.CreateTime), UpdateTime: wire.TextMillis(a.UpdateTime),
	}
}

type deleteKeyAliasesRequest struct {
	keyRef
	aliases []string
}

func (q *deleteKeyAliasesRequest) bind(x *exchange) error {
	var body wire.DeleteAliasesRequest
	err := x.decodeKMS(&body)
	q.keyID, q.aliases = body.KeyID, body.Aliases
	if err != nil {
		return err
	}
	return require(given{"key_id", &q.keyID})
}

func (a *API) deleteKeyAliases(ctx context.Context, who *iam.Caller, q *deleteKeyAliasesRequest) (noContent, error) {
	return noContent{}, a.KMS.DeleteKeyAliases(ctx, who, q.keyID, q.aliases)
}

type listKeyAliasesRequest struct {
	keyRef
	listing kms.AliasListing
}

func (q *listKeyAliasesRequest) bind(x *exchange) error {
	values, err := x.query()
	if err != nil {
		return csms.Errorf(csms.CodeKMSBadURL, "The query of the request is not valid.")
	}
	q.keyID = values.Get("key_id")
	q.listing = kms.AliasListing{KeyID: q.keyID, Limit: kms.MaxAliases, Marker: values.Get("marker")}
	if values.Has("limit") {
		q.listing.Limit = wire.Digits(values.Get("limit")).Or(-1)
	}
	return nil
}

func (a *API) listKeyAliases(ctx context.Context, who *iam.Caller, q *listKeyAliasesRequest) (wire.AliasList, error) {
	page, next, err := a.KMS.ListKeyAliases(ctx, who, q.listing)
	list := wire.AliasList{Aliases: make([]wire.AliasEntity, 0, len(page)), PageInfo: wire.AliasPage{NextMarker: next, CurrentCount: len(page)}}
	for i := range page {
		list.Aliases = append(list.Aliases, aliasEntity(&page[i]))
	}
	return list, err
}

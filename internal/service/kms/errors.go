package kms

import (
	"errors"

	"coffer/internal/csms"
	"coffer/internal/seal"
	"coffer/internal/seal/localkms"
)

// refusals is the one table from what package localkms refuses to the code and text
// of the KMS API (neighbours.md 1.5).
var refusals = []struct {
	err  error
	code csms.Code
	msg  string
}{
	{seal.ErrKeyDisabled, csms.CodeKMSKeyDisabled, "The key is disabled."},
	{seal.ErrKeyPendingDeletion, csms.CodeKMSKeyPending, "The key is scheduled for deletion."},
	{localkms.ErrDefaultKey, csms.CodeKMSDefaultKey, "This is not allowed on a default key."},
	{localkms.ErrAliasTaken, csms.CodeKMSAliasTaken, "The alias belongs to a key already."},
	{localkms.ErrNotDisabled, csms.CodeKMSNotDisabled, "The key is not disabled."},
	{localkms.ErrNotEnabled, csms.CodeKMSNotEnabled, "The key is not enabled."},
	{localkms.ErrAlreadyPending, csms.CodeKMSAlreadyPending, "The deletion of the key is scheduled already."},
	{localkms.ErrNotPending, csms.CodeKMSNotPending, "The deletion of the key is not scheduled."},
	{localkms.ErrTooManyTags, csms.CodeKMSTagQuota, "The key would have more than 20 tags."},
	{localkms.ErrTooManyGrants, csms.CodeKMSGrantQuota, "The key has 100 grants, which is the most; revoke one first."},
	{localkms.ErrNoGrant, csms.CodeKMSGrantNotFound, "The key has no such grant."},
	{localkms.ErrTooManyAliases, csms.CodeKMSInvalid, "The key would have more than 50 aliases."},
	{localkms.ErrNoAlias, csms.CodeKMSAliasNotFound, "The alias does not exist."},
	{seal.ErrTampered, csms.CodeKMSCipherText, "cipher_text was changed, or was not made with this key and these additional_authenticated_data."},
}

// coded puts a refusal into its code; any other error stays as it is.
func coded(err error, keyID string) error {
	if errors.Is(err, seal.ErrKeyNotFound) {
		return notFound(keyID)
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return &csms.Error{Code: r.code, Msg: r.msg, Err: err}
		}
	}
	return err
}

func notFound(keyID string) error {
	return csms.Errorf(csms.CodeKMSKeyNotFound, "The key %s does not exist.", keyID)
}

func missing(member string) error {
	return csms.Errorf(csms.CodeKMSMissing, "%s must be given.", member)
}

// forbidden gives a refusal of iam the code that it has in the KMS API.
func forbidden(err error) error { return recoded(err, csms.CodeForbidden, csms.CodeKMSForbidden) }

// recoded returns an error of the code from as one of the code to, with its text; any
// other error stays as it is.
func recoded(err error, from, to csms.Code) error {
	e := (*csms.Error)(nil)
	if errors.As(err, &e) && e.Code == from {
		return &csms.Error{Code: to, Msg: e.Msg, Err: e.Err}
	}
	return err
}

// notOffered refuses what the KMS API has and this server does not: asymmetric keys,
// imported material, key stores (neighbours.md 1.5).
func notOffered(what string) error {
	return csms.Errorf(csms.CodeNoSuchAPI, "The API does not exist or has not been published in the environment: %s.", what)
}

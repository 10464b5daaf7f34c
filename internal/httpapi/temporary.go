package httpapi

import (
	"net/http"

	"coffer/internal/service/identity"
)

// createTemporaryAccessKey is POST /v3.0/OS-CREDENTIAL/securitytokens (auth.md 3.5): a key of
// the caller or, by the method assume_role, of an agency. The
// token stands in the header or, as the SDKs send it after a login with an ID token,
// in the body.
func createTemporaryAccessKey(a *API, x *exchange) error {
	if err := x.readBody(a.BodyLimit); err != nil {
		return err
	}
	var body identity.TemporaryKeyRequest
	unread := x.decodeIAM(&body)
	if token := body.Auth.Identity.Token.ID; unread == nil && token != "" && x.r.Header.Get("X-Auth-Token") == "" && x.r.Header.Get("Authorization") == "" {
		x.r.Header.Set("X-Auth-Token", string(token))
	}
	who, err := a.Authenticator.Authenticate(x.ctx, x.r, x.body)
	if err != nil {
		return err
	}
	if x.who = who; unread != nil {
		return unread
	}
	create := a.Identity.CreateTemporaryAccessKeyByToken
	if body.ByAgency() {
		create = a.Identity.CreateTemporaryAccessKeyByAgency
	}
	answer, err := create(x.ctx, &x.who, body)
	if err != nil {
		return err
	}
	return x.replyWith(http.StatusCreated, answer)
}

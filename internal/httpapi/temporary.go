package httpapi

import "coffer/internal/service/identity"

// createTemporaryAccessKey is POST /v3.0/OS-CREDENTIAL/securitytokens (auth.md 3.5).
func createTemporaryAccessKey(a *API, x *exchange) (any, error) {
	var body identity.TemporaryKeyRequest
	if err := x.decodeIAM(&body); err != nil {
		return nil, err
	}
	return a.Identity.CreateTemporaryAccessKeyByToken(x.ctx, &x.who, body)
}

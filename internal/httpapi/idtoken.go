package httpapi

import (
	"net/http"
	"strings"

	"coffer/internal/service/identity"
	"coffer/internal/wire"
)

// tokenForIDToken is POST /v3.0/OS-AUTH/id-token/tokens: what the SDKs of Go, Python
// and Java ask with an ID token (auth.md 3.5).
func tokenForIDToken(a *API, x *exchange) error {
	if err := x.readBody(a.BodyLimit); err != nil {
		return err
	}
	var in struct {
		Auth struct {
			IDToken struct {
				ID identity.Credential `json:"id"`
			} `json:"id_token"`
			Scope identity.Scope `json:"scope"`
		} `json:"auth"`
	}
	if err := wire.Decode(x.body, &in); err != nil {
		return &identity.KeystoneError{Code: http.StatusBadRequest, Title: "Bad Request", Message: "Expecting to find auth.id_token.id, and a scope of a project or a domain if any."}
	}
	return a.sendToken(x, identity.IDTokenAsk{Issuer: x.r.Header.Get("X-Idp-Id"), IDToken: in.Auth.IDToken.ID, Scope: in.Auth.Scope, NoCatalog: x.noCatalog()})
}

// unscopedTokenForIDToken is POST /v3/OS-FEDERATION/.../auth: what the Node SDK asks.
// The protocol says nothing, for there is but one.
func unscopedTokenForIDToken(a *API, x *exchange) error {
	if err := x.readBody(a.BodyLimit); err != nil {
		return err
	}
	scheme, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return identity.Unauthorized()
	}
	return a.sendToken(x, identity.IDTokenAsk{Issuer: x.r.PathValue("idp_id"), IDToken: identity.Credential(token), NoCatalog: true})
}

// sendToken answers with the token that an ID token buys.
func (a *API) sendToken(x *exchange, q identity.IDTokenAsk) error {
	q.Source, q.BaseURL = a.Authenticator.Source(x.r), a.base(x)
	issued, err := a.Identity.IssueTokenForIDToken(x.ctx, q)
	if err != nil {
		return err
	}
	body, err := wire.Marshal(issued.Body)
	if err != nil {
		return err
	}
	x.tokenHeaders(string(issued.Subject))
	return x.send(http.StatusCreated, body)
}

// assumePodIdentity is the URL for HC_CONTAINER_CREDENTIALS_FULL_URI of the SDKs. They
// send the token of the service account as it is, without a scheme; with one is fine.
func assumePodIdentity(a *API, x *exchange) error {
	if err := x.readBody(a.BodyLimit); err != nil {
		return err
	}
	token := strings.TrimSpace(x.r.Header.Get("Authorization"))
	if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	answer, err := a.Identity.AssumePodIdentity(x.ctx, identity.Credential(token), a.Authenticator.Source(x.r))
	if err != nil {
		return err
	}
	return x.reply(answer)
}

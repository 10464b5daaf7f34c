package httpapi

import (
	"net/http"

	"coffer/internal/service/identity"
	"coffer/internal/wire"
)

// issueToken is POST /v3/auth/tokens: the one operation that needs no credentials,
// because it is where they are shown.
func issueToken(a *API, x *exchange) error {
	if err := x.readBody(a.BodyLimit); err != nil {
		return err
	}
	request, err := identity.ParseTokenRequest(x.body)
	if err != nil {
		return err
	}
	issued, err := a.issue(x, identity.TokenAsk{
		Request: request, Token: identity.Credential(x.r.Header.Get("X-Auth-Token")),
		Source: a.Authenticator.Source(x.r), BaseURL: a.base(x), NoCatalog: x.noCatalog(),
	})
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

// issue makes the token. Who wants one of an agency has credentials already and shows
// them like for any other operation.
func (a *API) issue(x *exchange, ask identity.TokenAsk) (identity.IssuedToken, error) {
	if !ask.Request.AssumesAgency() {
		return a.Identity.IssueToken(x.ctx, ask)
	}
	who, err := a.Authenticator.Authenticate(x.ctx, x.r, x.body)
	if err != nil {
		return identity.IssuedToken{}, err
	}
	x.who = who
	return a.Identity.IssueAgencyToken(x.ctx, &x.who, ask)
}

// tokenHeaders sets what goes with the description of a token.
func (x *exchange) tokenHeaders(subject string) {
	x.Header().Set("X-Subject-Token", subject)
	x.Header().Set("Vary", "X-Auth-Token")
}

func (x *exchange) noCatalog() bool { return x.r.URL.Query().Has("nocatalog") }

// validateToken is GET and HEAD /v3/auth/tokens.
func validateToken(a *API, x *exchange) error {
	if err := a.identify(x); err != nil {
		return err
	}
	subject := x.r.Header.Get("X-Subject-Token")
	answer, err := a.Identity.ValidateToken(x.ctx, &x.who, subject, a.base(x), x.noCatalog())
	if err != nil {
		return err
	}
	x.tokenHeaders(subject)
	return x.reply(answer)
}

// revokeToken is DELETE /v3/auth/tokens.
func revokeToken(a *API, x *exchange) error {
	if err := a.identify(x); err != nil {
		return err
	}
	if err := a.Identity.RevokeToken(x.ctx, &x.who, x.r.Header.Get("X-Subject-Token")); err != nil {
		return err
	}
	return x.reply(noContent{})
}

// versions is GET /: the document that clients without /v3 in their URL ask for
// first (auth.md 3.1).
func versions(a *API, x *exchange) error {
	body, err := wire.Marshal(map[string]any{"versions": map[string]any{"values": []any{a.versionDocument(x)}}})
	if err != nil {
		return err
	}
	return x.send(http.StatusMultipleChoices, body)
}

// showVersion is GET /v3.
func showVersion(a *API, x *exchange) error {
	return x.reply(map[string]any{"version": a.versionDocument(x)})
}

func (a *API) versionDocument(x *exchange) any {
	type link struct {
		Rel  string `json:"rel"`
		Href string `json:"href"`
	}
	type mediaType struct {
		Base string `json:"base"`
		Type string `json:"type"`
	}
	return struct {
		ID         string      `json:"id"`
		Status     string      `json:"status"`
		Updated    string      `json:"updated"`
		Links      []link      `json:"links"`
		MediaTypes []mediaType `json:"media-types"`
	}{
		"v3.14", "stable", "2020-04-07T00:00:00Z",
		[]link{{"self", a.base(x) + "/v3/"}},
		[]mediaType{{"application/json", "application/vnd.openstack.identity-v3+json"}},
	}
}

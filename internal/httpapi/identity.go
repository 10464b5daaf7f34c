package httpapi

import (
	"errors"
	"net/http"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/service/identity"
	"coffer/internal/wire"
)

// The operations of the embedded IAM. Those on tokens answer errors as Keystone does
// (IE1); the others flat, with codes of IAM and the request id (auth.md 3.6).

// authenticated is what the operations of the IAM have in common: they are in no
// project of the path, and answer 200, or as status says.
func authenticated(status int, op func(*API, *exchange) (any, error)) handler {
	return func(a *API, x *exchange) error {
		if err := a.identify(x); err != nil {
			return err
		}
		answer, err := op(a, x)
		if err != nil {
			return err
		}
		return x.replyWith(status, answer)
	}
}

// lookUp is an operation that reads.
func lookUp(op func(*API, *exchange) (any, error)) handler {
	return authenticated(http.StatusOK, op)
}

// identify reads the body and finds out who calls.
func (a *API) identify(x *exchange) error {
	if err := x.readBody(a.BodyLimit); err != nil {
		return err
	}
	who, err := a.Authenticator.Authenticate(x.ctx, x.r, x.body)
	x.who = who
	return err
}

// replyWith writes an answer with a status of its own.
func (x *exchange) replyWith(status int, answer any) error {
	if status == http.StatusNoContent || status == http.StatusOK {
		return x.reply(answer)
	}
	body, err := wire.Marshal(answer)
	if err != nil {
		return err
	}
	return x.send(status, body)
}

// base returns the URL that clients reach the server under, without a slash at the
// end: the configured one, or the one this client used.
func (a *API) base(x *exchange) string {
	if a.PublicURL != "" {
		return strings.TrimRight(a.PublicURL, "/")
	}
	if x.r.TLS == nil {
		return "http://" + x.r.Host
	}
	return "https://" + x.r.Host
}

// keystone returns the Keystone form of err on an operation on tokens; ok is false
// for what has none.
func keystone(x *exchange, err error) (e *identity.KeystoneError, ok bool) {
	if errors.As(err, &e) {
		return e, true
	}
	if x.route.Keystone && csms.CodeOf(err) == csms.CodeUnauthenticated {
		_ = errors.As(identity.Unauthorized(), &e)
		return e, true
	}
	return nil, false
}

// failKeystone answers an error of a token operation.
func (a *API) failKeystone(x *exchange, e *identity.KeystoneError) {
	if e.Code == http.StatusUnauthorized {
		x.Header().Set("WWW-Authenticate", `Keystone uri="`+a.base(x)+`/v3"`)
	}
	body, err := wire.Marshal(map[string]any{"error": e})
	if err != nil {
		body = []byte(`{"error":{"code":500,"message":"Internal error.","title":"Internal Server Error"}}`)
	}
	_ = x.send(e.Code, body)
}

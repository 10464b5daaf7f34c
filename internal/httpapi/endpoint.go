package httpapi

import (
	"context"
	"net/url"
	"strconv"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

// handler answers one exchange, or returns the error to be answered.
type handler func(*API, *exchange) error

// binder fills a request from an exchange: path, query, body. It reports what is
// wrong with the syntax.
type binder[Q any] interface {
	*Q
	bind(x *exchange) error
}

// endpoint is all that the CSMS operations have in common: authenticate, enter the
// project of the path, bind, operate, reply. A syntax error is told only to a caller
// who may perform the operation (S7).
func endpoint[Q any, P binder[Q], A any](op func(*API, context.Context, *iam.Caller, *Q) (A, error)) handler {
	return func(a *API, x *exchange) error {
		if err := a.authenticate(x); err != nil {
			return err
		}
		var q Q
		if w, ok := any(&q).(wiper); ok {
			defer w.Wipe()
		}
		if err := P(&q).bind(x); err != nil {
			if denied := a.permitted(x); denied != nil {
				return denied
			}
			return err
		}
		answer, err := op(a, x.ctx, &x.who, &q)
		if err != nil {
			return err
		}
		return x.reply(answer)
	}
}

// permitted reports whether the caller may perform the operation of the route on the
// secret of the path.
func (a *API) permitted(x *exchange) error {
	if id := x.r.PathValue("secret_id"); id != "" {
		return a.Service.AuthorizeByID(x.ctx, &x.who, x.route.Op, id)
	}
	return a.Service.Authorize(x.ctx, &x.who, x.route.Op, x.secretName())
}

// authenticate reads the body, finds out who calls, and lets him into the project
// of the path.
func (a *API) authenticate(x *exchange) error {
	if err := x.readBody(a.BodyLimit); err != nil {
		return err
	}
	who, err := a.Authenticator.Authenticate(x.ctx, x.r, x.body)
	if err != nil {
		return err
	}
	x.who = who
	return a.Authenticator.EnterProject(x.ctx, &x.who, x.r.PathValue("project_id"))
}

func (x *exchange) secretName() string { return x.r.PathValue("secret_name") }

// decode reads the body as a JSON object into v.
func (x *exchange) decode(v any) error { return wire.Decode(x.body, v) }

// query returns the query parameters; what cannot be decoded is CSMS.0003.
func (x *exchange) query() (url.Values, error) {
	if x.r.URL.RawQuery == "" {
		return nil, nil
	}
	q, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return nil, csms.Errorf(csms.CodeBadURL, "The query of the request is not valid.")
	}
	return q, nil
}

// page reads size and marker of a page, which is all that most lists take.
func (x *exchange) page() (size int, marker string, err error) {
	query, err := x.query()
	if err != nil {
		return 0, "", err
	}
	size, err = limit(query)
	return size, query.Get("marker"), err
}

// limit reads the page size: 1 to 4 digits, by default 50 (P1, V12).
func limit(q url.Values) (int, error) {
	if !q.Has("limit") {
		return service.DefaultPage, nil
	}
	text := q.Get("limit")
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || len(text) > 4 {
		return 0, service.CheckLimit(0)
	}
	return int(n), service.CheckLimit(int(n))
}

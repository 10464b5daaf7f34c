// Package httpapi is the edge: it turns HTTP requests into operations of the
// services and their results into answers.
//
// The rule that keeps it honest: every operation is one row of the route table and
// one short function; whatever all of them need (request id, limits, credentials,
// envelopes, log, metrics) is done once, here. Internal text never leaves.
//
//	request ─▶ gateway checks ─▶ route ─▶ authenticate ─▶ bind ─▶ operation ─▶ answer
//	             API.ServeHTTP    table      endpoint      endpoint   service     reply
package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"coffer/internal/auth"
	"coffer/internal/csms"
	"coffer/internal/service"
	"coffer/internal/service/eps"
	"coffer/internal/service/identity"
	"coffer/internal/service/kms"
	"coffer/internal/service/smn"
)

// Options are the parts of an API.
type Options struct {
	Service       *service.Service
	Identity      *identity.Service
	KMS           *kms.Service
	SMN           *smn.Service
	EPS           *eps.Service
	Authenticator *auth.Authenticator
	Logger        *slog.Logger
	Access        *slog.Logger     // one line per request; nil for none
	Metrics       *Metrics         // nil for none
	Ready         func() error     // why the server cannot serve; nil error when it can
	PublicURL     string           // under which clients reach the server; "" takes the one they used
	NewRequestID  func() string    // 32 hex digits, unique
	WallNow       func() time.Time // for durations in log and metrics
	BodyLimit     int64            // bytes; over it 413
	Timeout       time.Duration    // of one operation; over it 504
	Dev           *Dev             // the controls of dev mode; nil elsewhere
	Rate          int              // requests per second of each operation; 0 for no bound
}

// API is the handler of every path that Coffer answers.
type API struct {
	Options
	mux      *http.ServeMux
	throttle throttle
}

// New returns the API over o.
func New(o Options) *API {
	a := &API{Options: o, mux: http.NewServeMux(), throttle: newThrottle(o.Rate)}
	for i := range routes {
		a.handle(&routes[i])
	}
	if o.Dev != nil {
		for _, rt := range o.Dev.routes() {
			a.handle(&rt)
		}
	}
	a.mux.HandleFunc("GET /healthz", a.healthz)
	a.mux.HandleFunc("GET /readyz", a.readyz)
	a.handleDocs()
	if o.Metrics != nil {
		metrics := o.Metrics.Handler()
		a.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
			asProbe(w)
			metrics.ServeHTTP(w, r)
		})
	}
	a.handle(&route{Pattern: "/", handler: func(*API, *exchange) error { return noSuchAPI() }})
	return a
}

// handle registers one row of the route table.
func (a *API) handle(rt *route) {
	a.throttle.add(rt)
	a.mux.HandleFunc(rt.Pattern, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		x.r, x.route = r, rt
		if err := a.throttle.admit(x, a.WallNow()); err != nil {
			a.fail(x, err)
			return
		}
		ctx, cancel := a.limited(r)
		defer cancel()
		x.ctx = &requestContext{ctx, x.requestID}
		if err := rt.handler(a, x); err != nil {
			a.fail(x, err)
		}
	})
}

// limited returns the context of an operation, which ends after Timeout. A read
// waits for nothing that could be cut short, so it goes without a timer.
func (a *API) limited(r *http.Request) (context.Context, context.CancelFunc) {
	if r.Method == http.MethodGet {
		return r.Context(), func() {}
	}
	return context.WithTimeout(r.Context(), a.Timeout)
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, r: r, route: &unrouted, requestID: a.NewRequestID(), ctx: r.Context()}
	start := a.WallNow()
	w.Header().Set("X-Request-Id", x.requestID)
	defer func() {
		x.release()
		a.account(x, a.WallNow().Sub(start))
	}()
	defer func() {
		if p := recover(); p != nil {
			a.recovered(x, p)
		}
	}()
	routed, err := gateway(r)
	if err != nil {
		a.fail(x, err)
		return
	}
	a.mux.ServeHTTP(x, routed)
}

// recovered answers a request whose handler panicked, which is a bug of ours. The
// panic of a client that went away is passed on, as net/http wants it.
func (a *API) recovered(x *exchange, p any) {
	if p == http.ErrAbortHandler { //nolint:errorlint // the documented way to recognise it
		panic(p)
	}
	a.fail(x, fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack()))
}

// maxURI bounds the request line, which the cloud gateway bounds too (414).
const maxURI = 32 << 10

// maxHeader bounds all headers together, which the cloud gateway bounds too (494).
const maxHeader = 64 << 10

// gateway checks what the cloud's gateway checks before any service sees a request,
// and returns the request with the path to route by.
func gateway(r *http.Request) (*http.Request, error) {
	if len(r.RequestURI) > maxURI {
		return nil, csms.Errorf(csms.CodeURITooLarge, "Request URI too large.")
	}
	if headerSize(r) > maxHeader {
		return nil, csms.Errorf(csms.CodeHeadersTooLarge, "Request headers too large.")
	}
	if name, ok := placeholder(r.URL.Path); ok {
		return nil, csms.Errorf(csms.CodeBadRequest, "API request error: the path holds the placeholder {%s}; %s missing in client configuration.",
			name, strings.ReplaceAll(name, "_", " "))
	}
	return routed(r, r.URL.EscapedPath())
}

// headerSize returns the bytes of all headers, as HTTP/1.1 writes them.
func headerSize(r *http.Request) int {
	const around = len(": \r\n")
	n := len("Host") + len(r.Host) + around
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + around
		}
	}
	return n
}

// placeholder finds a path parameter that the client did not fill in (N13, T13).
func placeholder(path string) (string, bool) {
	_, rest, _ := strings.Cut(path, "{")
	name, _, closed := strings.Cut(rest, "}")
	return name, closed && isParameter(name)
}

func isParameter(name string) bool {
	return len(name) > 0 && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// routed returns r with doubled slashes collapsed and one trailing slash dropped,
// for routing only: the signature is checked over the path as it came (RT3, S4). A
// path with dot segments is no path of this API; the mux would answer a redirect,
// which no SDK follows (S6).
func routed(r *http.Request, escaped string) (*http.Request, error) {
	clean := escaped
	for strings.Contains(clean, "//") {
		clean = strings.ReplaceAll(clean, "//", "/")
	}
	if clean = strings.TrimSuffix(clean, "/"); clean == "" {
		clean = "/" // the target of the absolute form may have no path at all
	}
	if strings.Contains(clean, "/.") && hasDots(clean+"/") {
		return nil, noSuchAPI()
	}
	if clean == escaped {
		return r, nil
	}
	u, err := r.URL.Parse("http://x" + clean)
	if err != nil {
		return nil, noSuchAPI()
	}
	to, url := *r, *r.URL
	url.Path, url.RawPath = u.Path, u.RawPath
	to.URL = &url
	return &to, nil
}

func hasDots(path string) bool {
	return strings.Contains(path, "/./") || strings.Contains(path, "/../")
}

func noSuchAPI() error {
	return csms.Errorf(csms.CodeNoSuchAPI, "The API does not exist or has not been published in the environment.")
}

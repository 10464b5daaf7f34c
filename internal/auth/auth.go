// Package auth finds out who calls: it turns the token or the signature of a
// request into an iam.Caller.
//
// The rule that keeps it honest: it proves identity and collects rights, and
// decides nothing else. Every refusal is a csms.Error of the gateway whose text
// says no more than the cloud's; what is behind it goes to the log. An access key
// that is unknown, inactive or without a working owner costs the same work and gets
// the same answer as any (N5).
//
//	Authorization ─▶ parse ─▶ date ─▶ key ─▶ verify ─┐
//	                                                 ├─▶ user, domain ─▶ policies ─▶ Caller
//	X-Auth-Token ──▶ hash ──▶ record ─▶ expiry ──────┘
//
// Nothing here is trusted for longer than the records it rests on: compiled
// policies and keyed signatures are kept, but looked up records decide each time.
// The contract is auth.md sections 5, 6 and 8.
package auth

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"coffer/internal/auth/signature"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// Options are the settings of an Authenticator. Region, Now and WallNow are
// required.
type Options struct {
	Region        string
	RegionAliases []string // other region names that V11-HMAC-SHA256 may be derived for
	AnyRegion     bool     // any region name will do

	Window  time.Duration      // how far X-Sdk-Date may be off, either side; 0 means 15 minutes
	Now     func() csms.Millis // business time: judges tokens and temporary keys
	WallNow func() time.Time   // wall time: judges X-Sdk-Date

	// AllowUnsignedPayload accepts X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD everywhere;
	// else only where an unsigned body does no harm (A4, auth.md 5.4).
	AllowUnsignedPayload bool
	// TrustedProxies are the peers whose X-Forwarded-For, -Host and -Proto count.
	TrustedProxies []netip.Prefix
	// DebugSignatures adds the canonical request, credentials masked, to the answer to
	// a wrong signature (auth.md section 8).
	DebugSignatures bool

	Keystone Keystone // who else issues tokens

	Logger    *slog.Logger                 // nil for none
	RequestID func(context.Context) string // request id for the log; nil for none
}

// DefaultWindow is the clock tolerance of the cloud (A7).
const DefaultWindow = 15 * time.Minute

// Authenticator authenticates requests. It is safe for concurrent use.
type Authenticator struct {
	store    *store.Store
	o        Options
	unsigned signature.UnsignedPayload
	keys     keyring
	grants   grants
	agencies agencyGrants
}

// New returns an Authenticator over st. The box opens the secrets of access keys,
// as the identity service seals them.
func New(st *store.Store, box *seal.Box, o Options) *Authenticator {
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Authenticator{store: st, o: o, unsigned: signature.LimitUnsigned}
	if o.AllowUnsignedPayload {
		a.unsigned = signature.AcceptUnsigned
	}
	a.keys = newKeyring(box)
	a.grants = newGrants(st)
	a.agencies = newAgencyGrants(&a.grants)
	return a
}

// Authenticate returns who sent r, whose complete body is given. r.RequestURI must
// be the request line as received; r.PathValue("project_id") the project of the
// path, if it has one. With both credentials the signature decides (A1).
//
// The caller has no project yet but the one his token is scoped to, or that
// X-Project-Id names and he may act in; see EnterProject. A token without a scope
// identifies its user and carries no rights.
//
// Errors are APIGW.0301, CSMS.0302 for an X-Project-Id or X-Domain-Id out of reach
// (N7), or internal.
func (a *Authenticator) Authenticate(ctx context.Context, r *http.Request, body []byte) (iam.Caller, error) {
	t := attempt{r: r, now: a.o.Now()}
	t.locate(a.o.TrustedProxies)
	c, err := a.identify(ctx, &t, body)
	if err == nil {
		err = a.bound(ctx, &c, r)
	}
	a.report(ctx, &t, err)
	if err != nil {
		return iam.Caller{}, err
	}
	return c, nil
}

// identify chooses the credential.
func (a *Authenticator) identify(ctx context.Context, t *attempt, body []byte) (iam.Caller, error) {
	signed, token := t.r.Header["Authorization"], t.r.Header["X-Auth-Token"]
	switch {
	case len(signed) > 0 && (len(token) == 0 || isSignature(signed[0])):
		t.method = "signature"
		return a.bySignature(ctx, t, signed, body)
	case len(token) > 0 && token[0] != "":
		t.method = "token"
		return a.byToken(ctx, t, token)
	default:
		return iam.Caller{}, t.refuse("x-auth-token not found")
	}
}

// bound holds the caller against the headers that repeat his scope. They are hints
// (auth.md section 6): they choose among what he may do anyway, or refuse.
func (a *Authenticator) bound(ctx context.Context, c *iam.Caller, r *http.Request) error {
	for _, domain := range r.Header["X-Domain-Id"] {
		if domain != "" && domain != c.DomainID {
			return outOfReach("X-Domain-Id")
		}
	}
	for _, project := range r.Header["X-Project-Id"] {
		if project == "" || c.ProjectID == "" && c.AccessKey == "" {
			continue // a token without a project does not get one from a header
		}
		if err := a.enter(ctx, c, project); err != nil {
			return err
		}
	}
	return nil
}

// attempt is one request on its way through an Authenticator, with what the log is
// told of it.
type attempt struct {
	r       *http.Request
	now     csms.Millis
	source  netip.Addr
	secure  bool
	proxied bool // the peer is a trusted proxy

	method    string // signature or token
	accessKey string
	prefix    uint32 // of the signature, which makes a replay visible (auth.md 5.5)
	userID    string
	agencyID  string // of an assumed agency; userID is then who assumed it
	taskID    string // of a rotation task; userID is then ""
	reason    string // why it was refused
}

// refuse returns APIGW.0301 and notes the reason.
func (t *attempt) refuse(tail string) error {
	t.reason = tail
	return unauthenticated(tail)
}

func unauthenticated(tail string) error {
	return csms.Errorf(csms.CodeUnauthenticated, "Incorrect IAM authentication information: %s", tail)
}

// report logs the result. Nothing it names is secret.
func (a *Authenticator) report(ctx context.Context, t *attempt, err error) {
	level, text := slog.LevelDebug, "authenticated"
	if err != nil {
		level, text = slog.LevelInfo, "not authenticated"
	}
	if !a.o.Logger.Enabled(ctx, level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 8),
		slog.String("method", t.method), slog.String("user_id", t.userID), slog.String("source", t.source.String()))
	if t.agencyID != "" {
		attrs = append(attrs, slog.String("agency_id", t.agencyID))
	}
	if t.taskID != "" {
		attrs = append(attrs, slog.String("rotation_task_id", t.taskID))
	}
	if t.accessKey != "" {
		attrs = append(attrs, slog.String("access_key", t.accessKey), slog.String("signature", hex32(t.prefix)))
	}
	if a.o.RequestID != nil {
		attrs = append(attrs, slog.String("request_id", a.o.RequestID(ctx)))
	}
	if err != nil {
		if t.reason == "" {
			t.reason = err.Error()
		}
		attrs = append(attrs, slog.String("reason", t.reason))
	}
	a.o.Logger.LogAttrs(ctx, level, text, attrs...) //nolint:sloglint // one of two constants
}

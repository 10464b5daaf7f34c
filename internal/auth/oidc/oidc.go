// Package oidc checks the ID tokens of OpenID Connect issuers, such as the tokens of
// Kubernetes service accounts (auth.md 3.5).
//
// The rule that keeps it honest: a token counts only if an issuer of the configuration
// signed it for our audience and it is in force now; what it says then is handed on,
// and who that is here is for others to decide.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	coreos "github.com/coreos/go-oidc/v3/oidc"

	"coffer/internal/outgoing"
)

// ErrInvalid wraps what is wrong with a token. Its text is for the log.
var ErrInvalid = errors.New("oidc: the token is not valid")

// ErrUnavailable wraps what kept the keys of the issuer from being read.
var ErrUnavailable = errors.New("oidc: no answer of the issuer")

// MaxToken bounds what is looked at, in bytes; tokens of Kubernetes have about 1000.
const MaxToken = 16 << 10

// Options of an Issuer. All but JWKSURL are required.
type Options struct {
	URL      string           // as the tokens have it in iss
	Audience string           // one of aud
	JWKSURL  string           // of its keys; "" to ask its discovery document
	Client   *outgoing.Client // is not closed
	Now      func() time.Time // wall time, as the issuer has it
}

// Issuer checks the tokens of one issuer. It is safe for concurrent use.
type Issuer struct {
	o Options

	mu       sync.Mutex
	verifier *coreos.IDTokenVerifier // nil until its keys were found
}

// New returns an Issuer. It asks nothing yet, so that a server starts while its issuer
// is down.
func New(o Options) *Issuer { return &Issuer{o: o} }

// Verify returns the claims of a token. Errors wrap ErrInvalid, ErrUnavailable, or that
// of ctx.
func (i *Issuer) Verify(ctx context.Context, token string) (map[string]any, error) {
	if token == "" || len(token) > MaxToken {
		return nil, fmt.Errorf("%w: its length is %d", ErrInvalid, len(token))
	}
	verifier, err := i.ready(ctx)
	if err != nil {
		return nil, err
	}
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", kind(ctx, err), err)
	}
	claims := map[string]any{}
	if err := verified.Claims(&claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return claims, nil
}

// kind tells a token that is wrong from keys that could not be fetched, which the
// library has in its text only.
func kind(ctx context.Context, err error) error {
	if ctx.Err() != nil || strings.Contains(err.Error(), "fetching keys") {
		return ErrUnavailable
	}
	return ErrInvalid
}

// ready returns the verifier, and finds the keys of the issuer if that has not been
// done. Whoever comes meanwhile waits: the call is bounded.
func (i *Issuer) ready(ctx context.Context) (*coreos.IDTokenVerifier, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.verifier != nil {
		return i.verifier, nil
	}
	// The library keeps the context for the time it lives; only the client counts.
	kept := coreos.ClientContext(context.WithoutCancel(ctx), i.o.Client.HTTP())
	config := &coreos.Config{ClientID: i.o.Audience, Now: i.o.Now}
	if i.o.JWKSURL != "" {
		i.verifier = coreos.NewVerifier(i.o.URL, coreos.NewRemoteKeySet(kept, i.o.JWKSURL), config)
		return i.verifier, nil
	}
	provider, err := coreos.NewProvider(kept, i.o.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	i.verifier = provider.VerifierContext(kept, config)
	return i.verifier, nil
}

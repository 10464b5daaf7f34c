package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"coffer/internal/auth/oidc"
	"coffer/internal/outgoing"
	"coffer/internal/service/identity"
)

// IssuerConfig is an OpenID Connect issuer (auth.md 3.5).
type IssuerConfig struct {
	ID       string       `yaml:"id" doc:"Name by which clients call it: HUAWEICLOUD_SDK_IDP_ID of the SDKs."`
	URL      string       `yaml:"url" doc:"Issuer, just as its tokens have it in iss."`
	Audience string       `yaml:"audience" doc:"What its tokens must have in aud."`
	JWKSURL  string       `yaml:"jwks_url" doc:"URL of its keys. When empty its discovery document tells."`
	CAFile   string       `yaml:"ca_file" doc:"PEM file with the CA of the issuer, instead of those of the system."`
	Rules    []IssuerRule `yaml:"rules" doc:"Who a token is here. The first rule that fits counts; a token that none fits is refused."`
}

// IssuerRule makes whoever has a claim a user.
type IssuerRule struct {
	Claim string `yaml:"claim" doc:"Claim to look at; sub when empty."`
	Value string `yaml:"value" doc:"What it must be, such as system:serviceaccount:NAMESPACE:NAME."`
	User  string `yaml:"user" doc:"Name of the user in the domain of the server."`
}

// checkIssuers reports what cannot work, naming its key.
func (c *Config) checkIssuers() error {
	var errs []error
	ids, urls := map[string]bool{}, map[string]bool{}
	for i := range c.Issuers {
		is := &c.Issuers[i]
		for key, address := range map[string]string{"url": is.URL, "jwks_url": is.JWKSURL} {
			if address == "" && key == "jwks_url" {
				continue
			}
			if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
				errs = append(errs, fmt.Errorf("issuers[%d]: %s is %q; it takes a URL, such as https://issuer.example.org", i, key, address))
			}
		}
		if is.ID == "" || is.Audience == "" || len(is.Rules) == 0 {
			errs = append(errs, fmt.Errorf("issuers[%d]: id, audience and rules must all be given", i))
		}
		if ids[is.ID] || urls[is.URL] {
			errs = append(errs, fmt.Errorf("issuers[%d]: its id or its url belongs to another one", i))
		}
		ids[is.ID], urls[is.URL] = true, true
		for j, r := range is.Rules {
			if r.Value == "" || r.User == "" {
				errs = append(errs, fmt.Errorf("issuers[%d].rules[%d]: value and user must both be given", i, j))
			}
		}
	}
	return errors.Join(errs...)
}

// openIssuers returns the issuers by their ids. None of them is asked anything yet.
func (s *Server) openIssuers() (map[string]identity.Issuer, error) {
	if len(s.config.Issuers) == 0 {
		return nil, nil //nolint:nilnil // no issuers is no error
	}
	allow, err := parseNetworks("outgoing.allow_networks", s.config.Outgoing.AllowNetworks)
	if err != nil {
		return nil, err
	}
	issuers := map[string]identity.Issuer{}
	for i := range s.config.Issuers {
		c := &s.config.Issuers[i]
		roots, err := readRoots(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("issuers[%d]: %w", i, err)
		}
		issuer := oidc.New(oidc.Options{
			URL: c.URL, Audience: c.Audience, JWKSURL: c.JWKSURL, Now: time.Now,
			Client: outgoing.New(outgoing.Options{Allow: allow, Roots: roots}),
		})
		issuers[c.ID] = identity.Issuer{
			URL: c.URL, Rules: c.rules(),
			Verify:  func(ctx context.Context, token string) (map[string]any, error) { return issuer.Verify(ctx, token) },
			Invalid: func(err error) bool { return errors.Is(err, oidc.ErrInvalid) },
		}
	}
	return issuers, nil
}

func (c *IssuerConfig) rules() []identity.IssuerRule {
	rules := make([]identity.IssuerRule, len(c.Rules))
	for i, r := range c.Rules {
		rules[i] = identity.IssuerRule{Claim: r.Claim, Value: r.Value, User: r.User}
		if r.Claim == "" {
			rules[i].Claim = "sub"
		}
	}
	return rules
}

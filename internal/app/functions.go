package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"coffer/internal/notify/webhook"
	"coffer/internal/outgoing"
	"coffer/internal/rotate"
	"coffer/internal/rotate/function"
)

// FunctionConfig binds one function URN to one URL.
type FunctionConfig struct {
	URN        string `yaml:"urn" doc:"The rotation_func_urn of secrets, such as urn:fss:self-1:PROJECT:function:default:rotate:latest."`
	URL        string `yaml:"url" doc:"Where to post the request. The function answers when the rotation is done, within 300 seconds."`
	SecretFile string `yaml:"secret_file" doc:"File, mode 0600, with the signing secret: whsec_ and base64 of at least 24 bytes. Without one, requests are not signed."`
	SecretEnv  string `yaml:"secret_env" doc:"Name of an environment variable with that secret, instead of a file."`
	CAFile     string `yaml:"ca_file" doc:"PEM file with the CA of the function, instead of those of the system."`

	OwnCredential bool `yaml:"own_credential" doc:"The function has an access key of its own. Otherwise each request brings a temporary key for the one secret, which ends with the rotation, after 15 minutes at most."`
}

// ParseFunction reads a function of `coffer dev --function`: its URN, and behind an
// equals sign the URL that is called.
func ParseFunction(text string) (FunctionConfig, error) {
	urn, url, _ := strings.Cut(text, "=")
	c := Config{Functions: []FunctionConfig{{URN: urn, URL: url}}}
	if err := c.checkFunctions(); err != nil {
		return c.Functions[0], fmt.Errorf("function %q: %w; give URN=http://HOST/PATH", text, err)
	}
	return c.Functions[0], nil
}

// checkFunctions reports what is wrong with the functions without opening anything.
func (c *Config) checkFunctions() error {
	var errs []error
	seen := map[string]bool{}
	for i, f := range c.Functions {
		_, builtin := builtinEngine(f.URN)
		switch {
		case f.URN == "" || f.URL == "":
			errs = append(errs, fmt.Errorf("functions[%d]: urn and url must be given", i))
		case builtin:
			errs = append(errs, fmt.Errorf("functions[%d]: the urn %s is that of a built-in engine", i, f.URN))
		case seen[f.URN]:
			errs = append(errs, fmt.Errorf("functions[%d]: the urn %s is bound already", i, f.URN))
		case f.SecretFile != "" && f.SecretEnv != "":
			errs = append(errs, fmt.Errorf("functions[%d]: secret_file and secret_env are both given; give one", i))
		case !f.OwnCredential && !private(f.URL):
			errs = append(errs, fmt.Errorf("functions[%d]: url is http, and each request brings a key; take https, or own_credential", i))
		}
		seen[f.URN] = true
	}
	return errors.Join(errs...)
}

// private reports whether what is sent to a URL can be read by nobody on the way.
func private(target string) bool {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" {
		return true // what is wrong with it is told when it is opened
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
}

// functions are the functions of the configuration by URN.
type functions map[string]*function.Function

// openFunctions opens every function. The address of the server must be known: it is
// where a function calls back.
func (s *Server) openFunctions() (functions, error) {
	opened := functions{}
	for i := range s.config.Functions {
		c := &s.config.Functions[i]
		f, err := s.openFunction(c)
		if err != nil {
			opened.close()
			return nil, fmt.Errorf("opening the function %s: %w", c.URN, err)
		}
		opened[c.URN] = f
	}
	return opened, nil
}

func (s *Server) openFunction(c *FunctionConfig) (*function.Function, error) {
	allow, err := parseNetworks("outgoing.allow_networks", s.config.Outgoing.AllowNetworks)
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(c.CAFile)
	if err != nil {
		return nil, err
	}
	var secret []byte
	if c.SecretFile != "" || c.SecretEnv != "" {
		text, err := readSecret("the signing secret", c.SecretFile, c.SecretEnv)
		if err != nil {
			return nil, err
		}
		if secret, err = webhook.ParseSecret(text); err != nil {
			return nil, err
		}
	}
	o := function.Options{
		URL: c.URL, Secret: secret, Client: outgoing.New(outgoing.Options{Allow: allow, Roots: roots, Timeout: function.Timeout}),
		Now: time.Now, Endpoint: s.URL(), // receivers judge the signature by wall time
	}
	if !c.OwnCredential {
		o.Credential = s.rotationKey
	}
	return function.New(o)
}

// rotationKey makes the key for a call of a function.
func (s *Server) rotationKey(ctx context.Context, r *rotate.Rotation) (*function.Credential, error) {
	key, err := s.current().identity.RotationKey(ctx, r.TaskID, r.DomainID)
	return &function.Credential{Access: key.Access, Secret: key.Secret, SecurityToken: key.SecurityToken, ExpiresAt: key.ExpiresAt}, err
}

// close ends idle connections.
func (f functions) close() {
	for _, one := range f {
		one.Close()
	}
}

// or returns the function that a secret names, and otherwise what other finds.
func (f functions) or(other rotate.Engines) rotate.Engines {
	return func(ctx context.Context, r *rotate.Rotation) (rotate.Engine, error) {
		if bound, ok := f[r.FuncURN]; ok {
			return bound, nil
		}
		return other(ctx, r)
	}
}

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
	"coffer/internal/rotate/exec"
	"coffer/internal/rotate/function"
	"coffer/internal/rotate/huawei"
)

// FunctionConfig binds one function URN to what does the work. Which keys a type needs
// and takes stands in functionTypes.
type FunctionConfig struct {
	URN        string `yaml:"urn" doc:"The rotation_func_urn of secrets, such as urn:fss:self-1:PROJECT:function:default:rotate:latest."`
	Type       string `yaml:"type" doc:"http, which an empty text means: a POST. huawei-fgs: the function of that URN in FunctionGraph of the cloud. exec: a program of this host, with the request on its standard input."`
	URL        string `yaml:"url" doc:"http: where to post the request. The function answers when the rotation is done, within 300 seconds. huawei-fgs: endpoint, such as https://functiongraph.cn-north-4.myhuaweicloud.com."`
	AccessKey  string `yaml:"access_key" doc:"huawei-fgs: access key to sign with."`
	SecretFile string `yaml:"secret_file" doc:"File, mode 0600, with a secret. http: the signing secret, whsec_ and base64 of at least 24 bytes; without one, requests are not signed. huawei-fgs: secret key."`
	SecretEnv  string `yaml:"secret_env" doc:"Name of an environment variable with that secret, instead of a file."`
	CAFile     string `yaml:"ca_file" doc:"PEM file with the CA of the function, instead of those of the system."`

	Path        string        `yaml:"path" doc:"exec: absolute path of the program, which only its owner may write."`
	Arguments   []string      `yaml:"arguments" doc:"exec: arguments of the program. No shell reads them."`
	Environment []string      `yaml:"environment" doc:"exec: KEY=VALUE, beside PATH and LANG. Nothing is inherited."`
	Timeout     time.Duration `yaml:"timeout" doc:"exec: after this the program is killed with all it has started; 0 means 300s."`

	OwnCredential bool `yaml:"own_credential" doc:"http, exec: the function has an access key of its own. Otherwise each request brings a temporary key for the one secret, which ends with the rotation, after 15 minutes at most."`
}

// functionType is one type of function.
type functionType struct {
	needs, takes []string // keys, beside urn and type
	open         func(*Server, *FunctionConfig) (rotate.Engine, error)
}

// functionTypes are the types of functions by name.
var functionTypes = map[string]functionType{
	"":           httpFunction,
	"http":       httpFunction,
	"huawei-fgs": {needs: []string{"url", "access_key"}, takes: []string{"secret_file", "secret_env", "ca_file"}, open: (*Server).openFunctionGraph},
	"exec":       {needs: []string{"path"}, takes: []string{"arguments", "environment", "timeout", "own_credential"}, open: (*Server).openProgram},
}

var httpFunction = functionType{needs: []string{"url"}, takes: []string{"secret_file", "secret_env", "ca_file", "own_credential"}, open: (*Server).openHTTPFunction}

// check reports the first thing that is wrong with c without opening anything.
func (c *FunctionConfig) check() error {
	if c.URN == "" {
		return errors.New("urn must be given")
	}
	if _, builtin := builtinEngine(c.URN); builtin {
		return fmt.Errorf("the urn %s is that of a built-in engine", c.URN)
	}
	kind, known := functionTypes[c.Type]
	if !known {
		return fmt.Errorf("type is %q; it takes http, huawei-fgs or exec", c.Type)
	}
	if err := checkKeys(keysSet(*c, "urn", "type"), kind.needs, kind.takes, c.Type); err != nil {
		return err
	}
	switch {
	case c.SecretFile != "" && c.SecretEnv != "":
		return errors.New("secret_file and secret_env are both given; give one")
	case c.Type == "huawei-fgs" && c.SecretFile == "" && c.SecretEnv == "":
		return errors.New("secret_file or secret_env must be given")
	case c.Type != "huawei-fgs" && !c.OwnCredential && !private(c.URL):
		return errors.New("url is http, and each request brings a key; take https, or own_credential")
	case c.Timeout < 0:
		return errors.New("timeout must not be negative")
	}
	for _, pair := range c.Environment {
		if name, _, found := strings.Cut(pair, "="); !found || name == "" {
			return errors.New("environment takes KEY=VALUE")
		}
	}
	return nil
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
	for i := range c.Functions {
		f := &c.Functions[i]
		if err := f.check(); err != nil {
			errs = append(errs, fmt.Errorf("functions[%d]: %w", i, err))
		}
		if seen[f.URN] {
			errs = append(errs, fmt.Errorf("functions[%d]: the urn %s is bound already", i, f.URN))
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
type functions map[string]rotate.Engine

// openFunctions opens every function. The address of the server must be known: it is
// where a function calls back.
func (s *Server) openFunctions() (functions, error) {
	opened := functions{}
	for i := range s.config.Functions {
		c := &s.config.Functions[i]
		f, err := functionTypes[c.Type].open(s, c)
		if err != nil {
			opened.close()
			return nil, fmt.Errorf("opening the function %s: %w", c.URN, err)
		}
		opened[c.URN] = f
	}
	return opened, nil
}

func (s *Server) openHTTPFunction(c *FunctionConfig) (rotate.Engine, error) {
	client, err := s.outgoing(c.CAFile, function.Timeout)
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
	o := function.Options{URL: c.URL, Secret: secret, Client: client, Now: time.Now, Endpoint: s.URL()} // receivers judge the signature by wall time
	if !c.OwnCredential {
		o.Credential = s.rotationKey
	}
	return function.New(o)
}

func (s *Server) openProgram(c *FunctionConfig) (rotate.Engine, error) {
	o := exec.Options{Path: c.Path, Args: c.Arguments, Environment: c.Environment, Timeout: c.Timeout, Endpoint: s.URL()}
	if !c.OwnCredential {
		o.Credential = s.rotationKey
	}
	return exec.New(o)
}

func (s *Server) openFunctionGraph(c *FunctionConfig) (rotate.Engine, error) {
	parts := strings.Split(c.URN, ":")
	if len(parts) < 7 || parts[0] != "urn" || parts[1] != "fss" || parts[4] != "function" {
		return nil, errors.New("urn must be urn:fss:<region>:<project>:function:<group>:<name>:<version>")
	}
	client, err := s.huaweiClient(c.URL, parts[3], cloudKey{c.AccessKey, c.SecretFile, c.SecretEnv, c.CAFile}, function.Timeout)
	if err != nil {
		return nil, err
	}
	return huawei.NewFunctionGraph(client, c.URN, s.URL()), nil
}

// outgoing returns a client that trusts the CAs of a file, or those of the system.
func (s *Server) outgoing(caFile string, timeout time.Duration) (*outgoing.Client, error) {
	allow, err := parseNetworks("outgoing.allow_networks", s.config.Outgoing.AllowNetworks)
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(caFile)
	if err != nil {
		return nil, err
	}
	return outgoing.New(outgoing.Options{Allow: allow, Roots: roots, Timeout: timeout}), nil
}

// rotationKey makes the key for a call of a function.
func (s *Server) rotationKey(ctx context.Context, r *rotate.Rotation) (*function.Credential, error) {
	key, err := s.current().identity.RotationKey(ctx, r.TaskID, r.DomainID)
	return &function.Credential{Access: key.Access, Secret: key.Secret, SecurityToken: key.SecurityToken, ExpiresAt: key.ExpiresAt}, err
}

// close ends idle connections.
func (f functions) close() {
	for _, one := range f {
		if c, open := one.(interface{ Close() }); open {
			c.Close()
		}
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

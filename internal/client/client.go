// Package client talks to a Coffer server, or to any server of the same API, for
// the command line.
//
// The rule that keeps it honest: it knows how to sign, send and read an answer, and
// nothing of single operations; shapes are those of package wire. A value is never
// part of an error.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"coffer/internal/auth/signature"
	"coffer/internal/wire"
)

// Config says where the server is and who calls. Either Token, or AccessKey and
// SecretKey.
type Config struct {
	Endpoint      string // scheme, host and port, without a path
	ProjectID     string // "" for calls that are in no project
	Token         string
	AccessKey     string
	SecretKey     string
	SecurityToken string // goes with a temporary access key
	CACert        []byte // PEM; nil for the roots of the system
	SignHost      bool   // sign the Host header too, as the Python, Java and Node SDKs do
	Timeout       time.Duration
	Now           func() time.Time // dates signatures
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	config Config
	http   *http.Client
	key    *signature.Key // nil with a token
}

// New returns a client for c. It reports an endpoint or a CA that cannot be used.
func New(c Config) (*Client, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("the endpoint is not a URL of scheme, host and port, such as https://127.0.0.1:9443")
	}
	c.Endpoint = u.Scheme + "://" + u.Host
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if c.CACert != nil {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(c.CACert) {
			return nil, errors.New("the CA certificate holds no PEM certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	cl := &Client{config: c, http: &http.Client{
		Transport: transport, Timeout: c.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c.Token == "" && c.AccessKey != "" {
		if cl.key, err = signature.NewKey(c.AccessKey, []byte(c.SecretKey)); err != nil {
			return nil, fmt.Errorf("using the access key: %w", err)
		}
	}
	return cl, nil
}

// ProjectID returns the project that {project_id} stands for.
func (c *Client) ProjectID() string { return c.config.ProjectID }

// WithProject returns a client that acts in another project.
func (c *Client) WithProject(id string) *Client {
	to := *c
	to.config.ProjectID = id
	return &to
}

// ErrUnreachable is wrapped by the errors of requests that got no answer. Whether the
// server has carried them out is unknown.
var ErrUnreachable = errors.New("reaching the server")

// Error is an answer that is no success.
type Error struct {
	Status    int
	Code, Msg string // as the server gave them; Code may be empty
	RequestID string
}

// Error tells message, status, code and request id. Control characters of the
// message, which would reach a terminal, become blanks.
func (e *Error) Error() string {
	text := strings.TrimSuffix(e.Msg, ".")
	if text == "" {
		text = http.StatusText(e.Status)
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text) + fmt.Sprintf(" (HTTP %d", e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.RequestID != "" {
		text += ", request " + e.RequestID
	}
	return text + ")"
}

// Do sends in as the JSON body, unless it is nil, and reads the answer into out,
// unless that is nil. A {project_id} in the path is filled in; other parts must be
// escaped by the caller. It returns the header of the answer. An answer that is no
// success is an *Error; without an answer the error wraps ErrUnreachable.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) (http.Header, error) {
	body, err := encode(in)
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("%w: reading its answer: %w", ErrUnreachable, err)
	}
	defer clear(answer)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, failure(resp, answer)
	}
	if out == nil || len(answer) == 0 {
		return resp.Header, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, fmt.Errorf("reading the answer: it is not the JSON that was expected; is %s a Coffer server?", c.config.Endpoint)
	}
	return resp.Header, nil
}

func encode(in any) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	return wire.Marshal(in)
}

func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	path = strings.Replace(path, "{project_id}", url.PathEscape(c.config.ProjectID), 1)
	req, err := http.NewRequestWithContext(ctx, method, c.config.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	h := req.Header
	h.Set("User-Agent", "coffer-cli")
	h.Set("Content-Type", "application/json")
	if c.config.ProjectID != "" {
		h.Set("X-Project-Id", c.config.ProjectID)
	}
	return req, c.authorize(req, body)
}

// authorize adds the credentials.
func (c *Client) authorize(req *http.Request, body []byte) error {
	if c.config.Token != "" {
		req.Header.Set("X-Auth-Token", c.config.Token)
	}
	if c.key == nil {
		return nil
	}
	if c.config.SecurityToken != "" {
		req.Header.Set("X-Security-Token", c.config.SecurityToken)
	}
	m := signature.NewMessage(req, signature.BodyHash(body))
	var signed []string
	if c.config.SignHost {
		signed = []string{"host", "x-sdk-date"}
	}
	authorization, err := c.key.Sign(&m, signed, c.config.Now())
	if err != nil {
		return fmt.Errorf("signing the request: %w", err)
	}
	req.Header.Set(signature.AuthorizationHeader, authorization)
	return nil
}

// failure reads whichever envelope the server used: flat, wrapped, or that of
// Keystone.
func failure(resp *http.Response, body []byte) error {
	var envelope struct {
		wire.Error
		Wrapped struct {
			wire.Error
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &envelope)
	e := &Error{Status: resp.StatusCode, Code: envelope.Code, Msg: envelope.Msg, RequestID: resp.Header.Get("X-Request-Id")}
	if e.Code == "" {
		e.Code, e.Msg = envelope.Wrapped.Code, envelope.Wrapped.Msg+envelope.Wrapped.Message
	}
	return e
}

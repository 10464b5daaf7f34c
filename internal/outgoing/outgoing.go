// Package outgoing is the one HTTP client for calls that Coffer makes to others
// (P5): no redirects, a bounded time and answer, and no way to an address that a name
// must not lead to.
//
// The rule that keeps it honest: an address is judged after the name was resolved,
// at the moment of the connection, so a name that changes its mind gains nothing. No
// proxy is used, whatever the environment says.
package outgoing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Bounds of a call (P5).
const (
	Timeout       = 10 * time.Second
	ResponseLimit = 64 << 10
)

// ErrAddress is the refusal of an address that nothing may be sent to.
var ErrAddress = errors.New("outgoing: the address is in a range that must be allowed first")

// Options of a client.
type Options struct {
	Allow []netip.Prefix // networks that are reached although they are in a refused range
	Roots *x509.CertPool // nil for those of the system

	Timeout time.Duration // of a call; 0 for the constant
}

// Dialer returns a dialer that refuses addresses as the client does.
func Dialer(allow []netip.Prefix) *net.Dialer {
	return &net.Dialer{
		Timeout: Timeout,
		Control: func(_, address string, _ syscall.RawConn) error { return check(address, allow) },
	}
}

// Client makes calls. It is safe for concurrent use.
type Client struct{ http *http.Client }

// New returns a client.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = Timeout
	}
	return &Client{&http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			DialContext: Dialer(o.Allow).DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4,
			TLSHandshakeTimeout: Timeout, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: ResponseLimit,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Answer is what came back. Of the body there are at most ResponseLimit bytes.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends r and returns the status and at most ResponseLimit bytes of the answer.
func (c *Client) Do(ctx context.Context, r *http.Request) (status int, body []byte, err error) {
	answer, err := c.Send(ctx, r)
	if err != nil {
		return 0, nil, err
	}
	return answer.Status, answer.Body, nil
}

// Send sends r and returns the answer.
func (c *Client) Send(ctx context.Context, r *http.Request) (*Answer, error) {
	resp, err := c.http.Do(r.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("calling %s: %w", r.URL.Host, cause(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, ResponseLimit))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", r.URL.Host, err)
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// HTTP returns the client itself, for libraries that make calls of their own. It sends
// where Do sends, and bounds answers by cutting them off.
func (c *Client) HTTP() *http.Client {
	bounded := *c.http
	bounded.Transport = limited{c.http.Transport}
	return &bounded
}

// limited cuts bodies off after ResponseLimit bytes.
type limited struct{ http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, ResponseLimit), resp.Body}
	return resp, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// cause takes the URL out of an error of net/http: its path or query may be a
// credential.
func cause(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

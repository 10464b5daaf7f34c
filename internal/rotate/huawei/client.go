// Package huawei rotates through services of Huawei Cloud: a function of FunctionGraph
// that is invoked, and passwords of accounts that RDS and TaurusDB set
// (neighbours.md 3.2 and 4.1).
//
// The rule that keeps it honest: what the cloud answers is told by its codes. Its texts
// may repeat a request, and the request of a database holds a password.
package huawei

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"coffer/internal/auth/signature"
	"coffer/internal/outgoing"
)

// Options of a client. All are required.
type Options struct {
	Endpoint string // such as https://rds.cn-north-4.myhuaweicloud.com
	Project  string // id of the project in the cloud
	Key      *signature.Key
	Client   *outgoing.Client
	Now      func() time.Time // wall time: signatures are dated
}

// Client makes signed calls to one service in one project.
type Client struct {
	o    Options
	base string
	host string
}

// NewClient returns a client for o. It owns o.Client.
func NewClient(o Options) (*Client, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, errors.New("huawei: url must be scheme and host, such as https://rds.cn-north-4.myhuaweicloud.com")
	}
	if o.Project == "" {
		return nil, errors.New("huawei: the project of the cloud must be named")
	}
	return &Client{o: o, base: u.Scheme + "://" + u.Host, host: u.Host}, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.o.Client.Close() }

// call sends a signed request and returns the answer. body is nil for none; the caller
// wipes it.
func (c *Client) call(ctx context.Context, method, path string, header http.Header, body []byte) (*outgoing.Answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("huawei: making the request: %w", err)
	}
	for name := range header {
		r.Header.Set(name, header.Get(name))
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Project-Id", c.o.Project)
	message := signature.NewMessage(r, signature.BodyHash(body))
	authorization, err := c.o.Key.Sign(&message, nil, c.o.Now())
	if err != nil {
		return nil, fmt.Errorf("huawei: signing the request: %w", err)
	}
	r.Header.Set(signature.AuthorizationHeader, authorization)
	answer, err := c.o.Client.Send(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("huawei: %w", err)
	}
	return answer, nil
}

// codeForm is that of the codes of the cloud, such as DBS.200001 and FSS.0404.
var codeForm = regexp.MustCompile(`^[A-Za-z]{2,16}\.[0-9A-Za-z]{2,16}$`)

// errorCode returns the code in an error answer, "" for none.
func errorCode(body []byte) string {
	var said struct {
		Code   string `json:"error_code"`
		Legacy string `json:"errCode"`
	}
	_ = json.Unmarshal(body, &said)
	for _, code := range []string{said.Code, said.Legacy} {
		if codeForm.MatchString(code) {
			return code
		}
	}
	return ""
}

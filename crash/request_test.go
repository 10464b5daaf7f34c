package crash

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coffer/internal/auth/signature"
)

// request is one HTTP request as the test wants it, right or wrong.
type request struct {
	method, path string
	header       http.Header
	body         string
	signer       *signature.Key // nil for none
	late         http.Header    // added after the signature
}

type response struct {
	status int
	header http.Header
	body   string
}

// send sends a request on a connection of its own.
func send(ctx context.Context, p *process, q request) (response, error) {
	r, err := q.http(ctx, p.url())
	if err != nil {
		return response{}, err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}).Do(r)
	if err != nil {
		return response{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return response{answer.StatusCode, answer.Header, string(body)}, err
}

func (q *request) http(ctx context.Context, url string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, url+q.path, strings.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	for name, values := range q.header {
		r.Header[name] = values
	}
	if q.body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.signer != nil {
		m := signature.NewMessage(r, signature.BodyHash([]byte(q.body)))
		authorization, err := q.signer.Sign(&m, nil, time.Now())
		if err != nil {
			return nil, err
		}
		r.Header.Set(signature.AuthorizationHeader, authorization)
	}
	for name, values := range q.late {
		r.Header[name] = values
	}
	return r, nil
}

// signer returns the signing key of an account.
func (a account) signer(t *testing.T) *signature.Key {
	t.Helper()
	key, err := signature.NewKey(a.accessKey, []byte(a.secretKey))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

package client

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/service/identity"
	"coffer/internal/testkit"
)

// serve answers every request with a status and a body, and keeps the last request.
func serve(t *testing.T, status int, header http.Header, body string) (*httptest.Server, *http.Request) {
	t.Helper()
	var last http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		last = *r
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s, &last
}

func newClient(t *testing.T, c Config) *Client {
	t.Helper()
	if c.Now == nil {
		c.Now = time.Now
	}
	cl, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

// TestEndpointsThatCannotBe are refused at once, and not repeated: a URL may hold a
// password.
func TestEndpointsThatCannotBe(t *testing.T) {
	for _, endpoint := range []string{"", "127.0.0.1:9180", "ftp://h", "http://", "https://:443", "http://h/v3", "http://h?x=y", "http://user:planted@h", "http://a b"} {
		if _, err := New(Config{Endpoint: endpoint}); err == nil || strings.Contains(err.Error(), "planted") {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
	for _, endpoint := range []string{"http://h", "https://h:1/", "https://[::1]:9443"} {
		if _, err := New(Config{Endpoint: endpoint}); err != nil {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
	if _, err := New(Config{Endpoint: "https://h", CACert: []byte("x")}); err == nil {
		t.Error("a CA that is none is taken")
	}
	if _, err := New(Config{Endpoint: "https://h", AccessKey: "a\nb", SecretKey: "x"}); err == nil {
		t.Error("an access key that breaks the header is taken")
	}
}

// TestErrorsOfAnyEnvelope: code, message and request id are found in the flat form,
// the wrapped one and that of Keystone (W7, W8, IE1), and where there is none.
func TestErrorsOfAnyEnvelope(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       Error
		text       string
	}{
		{"flat", `{"error_code":"CSMS.0106","error_msg":"Gone."}`, Error{404, "CSMS.0106", "Gone.", "r1"}, "Gone (HTTP 404 CSMS.0106, request r1)"},
		{"wrapped", `{"error":{"error_code":"CSMS.0005","error_msg":"Gone."}}`, Error{404, "CSMS.0005", "Gone.", "r1"}, "Gone (HTTP 404 CSMS.0005, request r1)"},
		{"keystone", `{"error":{"code":404,"message":"Gone.","title":"Not Found"}}`, Error{404, "", "Gone.", "r1"}, "Gone (HTTP 404, request r1)"},
		{"page", `<html>no</html>`, Error{404, "", "", "r1"}, "Not Found (HTTP 404, request r1)"},
		{"empty", ``, Error{404, "", "", "r1"}, "Not Found (HTTP 404, request r1)"},
		{"control_characters", `{"error_code":"CSMS.0106","error_msg":"a\u001b[31m\nb"}`, Error{404, "CSMS.0106", "a\x1b[31m\nb", "r1"}, "a [31m b (HTTP 404 CSMS.0106, request r1)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := serve(t, 404, http.Header{"X-Request-Id": {"r1"}}, tc.body)
			_, err := newClient(t, Config{Endpoint: s.URL}).Do(t.Context(), "GET", "/", nil, nil)
			got := (*Error)(nil)
			if !errors.As(err, &got) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, *got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Error() != tc.text {
				t.Errorf("text %q, want %q", got.Error(), tc.text)
			}
		})
	}
	s, _ := serve(t, 502, nil, "")
	if _, err := newClient(t, Config{Endpoint: s.URL}).Do(t.Context(), "GET", "/", nil, nil); err == nil || err.Error() != "Bad Gateway (HTTP 502)" {
		t.Errorf("an answer of a proxy: %v", err)
	}
}

// TestRedirectsAreNotFollowed: a signature and a token are for one server (S6).
func TestRedirectsAreNotFollowed(t *testing.T) {
	target, last := serve(t, 200, nil, "{}")
	s, _ := serve(t, 307, http.Header{"Location": {target.URL}}, "")
	_, err := newClient(t, Config{Endpoint: s.URL, Token: "planted"}).Do(t.Context(), "GET", "/", nil, nil)
	if e := (*Error)(nil); !errors.As(err, &e) || e.Status != 307 {
		t.Errorf("a redirect: %v", err)
	}
	if last.Method != "" {
		t.Error("it was followed")
	}
}

// TestWithoutAnAnswer: nobody knows whether the request was carried out.
func TestWithoutAnAnswer(t *testing.T) {
	gone, _ := serve(t, 200, nil, "")
	gone.Close()
	broken, _ := serve(t, 200, http.Header{"Content-Length": {"100"}}, "{")
	for name, endpoint := range map[string]string{"refused": gone.URL, "cut": broken.URL} {
		_, err := newClient(t, Config{Endpoint: endpoint}).Do(t.Context(), "GET", "/", nil, nil)
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	page, _ := serve(t, 200, nil, "<html>planted</html>")
	var out struct{}
	_, err := newClient(t, Config{Endpoint: page.URL}).Do(t.Context(), "GET", "/", nil, &out)
	if err == nil || errors.Is(err, ErrUnreachable) || strings.Contains(err.Error(), "planted") || !strings.Contains(err.Error(), "is "+page.URL+" a Coffer server?") {
		t.Errorf("a page instead of JSON: %v", err)
	}
}

// TestCredentials: a token goes before a key; without either nothing is sent.
func TestCredentials(t *testing.T) {
	for name, tc := range map[string]struct {
		config         Config
		token, signed  bool
		wantPath, hint string
	}{
		"token": {Config{Token: "t", AccessKey: "AK", SecretKey: "SK", ProjectID: "p"}, true, false, "/v1/p/secrets", "p"},
		"key":   {Config{AccessKey: "AK", SecretKey: "SK", ProjectID: "p/q"}, false, true, "/v1/p%2Fq/secrets", "p/q"},
		"none":  {Config{}, false, false, "/v1//secrets", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, last := serve(t, 204, nil, "")
			tc.config.Endpoint = s.URL + "/"
			if _, err := newClient(t, tc.config).Do(t.Context(), "GET", "/v1/{project_id}/secrets", nil, nil); err != nil {
				t.Fatal(err)
			}
			h := last.Header
			if (h.Get("X-Auth-Token") != "") != tc.token || strings.HasPrefix(h.Get("Authorization"), "SDK-HMAC-SHA256 Access=AK,") != tc.signed {
				t.Errorf("header %v", h)
			}
			if last.URL.EscapedPath() != tc.wantPath || h.Get("X-Project-Id") != tc.hint {
				t.Errorf("path %s, hint %q", last.URL.EscapedPath(), h.Get("X-Project-Id"))
			}
		})
	}
}

// TestAgainstTheServer: what is signed here is accepted there, over TLS with a CA of
// one's own and no other.
func TestAgainstTheServer(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Identities: []identity.Identity{{
		Name: "cli", AccessKey: "CLIACCESSKEY00000001", SecretKey: "cliSecretKey00000001", Policies: []identity.Document{"CSMS FullAccess", "KMS CMKFullAccess"},
	}}})
	s := httptest.NewUnstartedServer(kit.API)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is to fail
	s.StartTLS()
	defer s.Close()
	config := Config{
		Endpoint: s.URL, ProjectID: testkit.ProjectID, AccessKey: "CLIACCESSKEY00000001", SecretKey: "cliSecretKey00000001",
		CACert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
	}
	c := newClient(t, config)
	in := map[string]string{"name": "db", "secret_string": "<&> ü"}
	if _, err := c.Do(t.Context(), "POST", "/v1/{project_id}/secrets", in, nil); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Version struct {
			Text string `json:"secret_string"`
		}
	}
	header, err := c.Do(t.Context(), "GET", "/v1/{project_id}/secrets/db/versions/latest?x=%20y", nil, &answer)
	if err != nil || answer.Version.Text != "<&> ü" || header.Get("X-Request-Id") == "" {
		t.Errorf("read %q, %v, header %v", answer.Version.Text, err, header)
	}
	_, err = c.WithProject("other").Do(t.Context(), "GET", "/v1/{project_id}/secrets", nil, nil)
	if e := (*Error)(nil); !errors.As(err, &e) || e.Status != http.StatusForbidden || c.ProjectID() != testkit.ProjectID {
		t.Errorf("another project: %v", err)
	}
	config.CACert = nil
	_, err = newClient(t, config).Do(t.Context(), "GET", "/v1/{project_id}/secrets", nil, nil)
	if !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("without its CA: %v", err)
	}
}

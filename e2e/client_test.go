package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/global"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
)

// signedClient is the SDK with an access key.
func (s *server) signedClient(t *testing.T) *csms.CsmsClient {
	return s.keyClient(t, devAccessKey, devSecretKey, "")
}

// tokenClient is the SDK with a token that a password bought.
func (s *server) tokenClient(t *testing.T) *csms.CsmsClient {
	credentials := &token{s.token(t)}
	return s.sdk(t, csms.CsmsClientBuilder().WithCredentialsType("e2e.token").WithCredential(credentials))
}

// temporaryClient is the SDK with a temporary access key, which it signs with
// together with the security token.
func (s *server) temporaryClient(t *testing.T) *csms.CsmsClient {
	resp := s.send(t, s.httpClient(t), "/v3.0/OS-CREDENTIAL/securitytokens", map[string]any{"auth": map[string]any{"identity": map[string]any{
		"methods": []string{"token"}, "token": map[string]any{"duration_seconds": 86400},
	}}}, http.Header{"X-Auth-Token": {s.token(t)}})
	var answer struct {
		Credential struct{ Access, Secret, SecurityToken string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("temporary key: %s, %v", resp.Status, err)
	}
	k := answer.Credential
	return s.keyClient(t, k.Access, k.Secret, k.SecurityToken)
}

// token gets a token for the password of dev mode.
func (s *server) token(t *testing.T) string {
	resp := s.post(t, s.httpClient(t), "/v3/auth/tokens?nocatalog=true", map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{"user": map[string]any{
			"name": "dev", "password": "dev-Passw0rd", "domain": map[string]string{"name": "coffer-dev"},
		}}},
		"scope": map[string]any{"project": map[string]string{"name": "cn-north-4"}},
	}})
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("token: %s", resp.Status)
	}
	return resp.Header.Get("X-Subject-Token")
}

// token is a credential of the SDK that sends a token.
type token struct{ text string }

func (k *token) ProcessAuthParams(*impl.DefaultHttpClient, string) (auth.ICredential, error) {
	return k, nil
}

func (k *token) ProcessAuthRequest(_ *impl.DefaultHttpClient, r *request.DefaultHttpRequest) (*request.DefaultHttpRequest, error) {
	return r.Builder().AddAutoFilledPathParam("project_id", devProject).AddHeaderParam("X-Auth-Token", k.text).Build(), nil
}

// keyClient is the SDK with an access key in the project of dev mode.
func (s *server) keyClient(t *testing.T, access, secret, securityToken string) *csms.CsmsClient {
	t.Helper()
	return s.sdk(t, csms.CsmsClientBuilder().WithCredential(inProject(t, access, secret, securityToken)))
}

func (s *server) sdk(t *testing.T, builder *core.HcHttpClientBuilder) *csms.CsmsClient {
	t.Helper()
	return csms.NewCsmsClient(s.connect(t, builder))
}

// inProject is an access key for the project of dev mode. The security token is that of
// a temporary one, else "".
func inProject(t *testing.T, access, secret, securityToken string) auth.ICredential {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(access).WithSk(secret).WithSecurityToken(securityToken).WithProjectId(devProject).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return credential
}

// onDomain is the access key of the owner for the services without regions.
func onDomain(t *testing.T) auth.ICredential {
	t.Helper()
	credential, err := global.NewCredentialsBuilder().WithAk(devAccessKey).WithSk(devSecretKey).WithDomainId(devDomain).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return credential
}

// connect is what the client of any service talks through.
func (s *server) connect(t *testing.T, builder *core.HcHttpClientBuilder) *core.HcHttpClient {
	t.Helper()
	client, err := builder.
		WithRegion(region.NewRegion("cn-north-4", s.url)).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpTransport(s.transport(t))).
		SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (s *server) httpClient(t *testing.T) *http.Client {
	return &http.Client{Transport: s.transport(t)}
}

// transport trusts the CA of the server. In a program of its own SSL_CERT_FILE does
// that, as the sample shows; a test process has read its roots already.
func (s *server) transport(t *testing.T) *http.Transport {
	t.Helper()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(tr.CloseIdleConnections)
	if s.ca == "" {
		return tr
	}
	pem, err := os.ReadFile(s.ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	tr.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return tr
}

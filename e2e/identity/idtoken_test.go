package identity

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/provider"
	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// account is a Coffer that trusts an issuer, with a user for its service account.
func account(t *testing.T, i *issuer) *coffer {
	t.Helper()
	c := startCoffer(t, fmt.Sprintf(`issuers:
  - id: cluster
    url: %s
    audience: coffer
    rules:
      - {value: "system:serviceaccount:prod:api", user: api}
      - {claim: email, value: ops@example.org, user: nobody}
`, i.url))
	resp, body := call(t, http.MethodPost, c.url+"/v3/users", c.token, map[string]any{"user": map[string]any{"name": "api", "password": "api-Passw0rd"}})
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("making the user: %d %s", resp.StatusCode, body)
	}
	var made struct{ User struct{ ID string } }
	if err := json.Unmarshal(body, &made); err != nil {
		t.Fatal(err)
	}
	resp, body = call(t, http.MethodPost, c.url+"/v5/policies", c.token, map[string]any{
		"policy_name": "readers", "policy_document": `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:list"]}]}`,
	})
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("making the policy: %d %s", resp.StatusCode, body)
	}
	var policy struct {
		Policy struct {
			ID string `json:"policy_id"`
		}
	}
	if err := json.Unmarshal(body, &policy); err != nil {
		t.Fatal(err)
	}
	resp, body = call(t, http.MethodPost, c.url+"/v5/policies/"+policy.Policy.ID+"/attach-user", c.token, map[string]string{"user_id": made.User.ID})
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		t.Fatalf("attaching the policy: %d %s", resp.StatusCode, body)
	}
	want(t, c, http.MethodPost, c.token, http.StatusOK, `"db"`)
	return c
}

// TestIDTokenLogin: the official SDK of Go with an ID token in a file, as a pod of
// Kubernetes has it, reads what the user of its service account may read.
func TestIDTokenLogin(t *testing.T) {
	i := startIssuer(t)
	c := account(t, i)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(i.token(t, nil)), 0o600); err != nil {
		t.Fatal(err)
	}
	credentials, err := basic.NewCredentialsBuilder().WithIdpId("cluster").WithIdTokenFile(file).
		WithProjectId(c.project).WithIamEndpointOverride(c.url).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	hc, err := csms.CsmsClientBuilder().WithEndpoints([]string{c.url}).WithCredential(credentials).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	list, err := csms.NewCsmsClient(hc).ListSecrets(&model.ListSecretsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if list.Secrets == nil || len(*list.Secrets) != 1 {
		t.Errorf("secrets: %v", list)
	}
	login(t, i, c)
}

// login sends ID tokens that are wrong, each in its way; there is one answer to them.
func login(t *testing.T, i *issuer, c *coffer) {
	old := i.token(t, nil)
	for name, step := range map[string]struct {
		issuer, token string
	}{
		"no such issuer":  {"other", old},
		"no token":        {"cluster", ""},
		"no JWT":          {"cluster", "a.b.c"},
		"expired":         {"cluster", i.token(t, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()})},
		"other audience":  {"cluster", i.token(t, map[string]any{"aud": "vault"})},
		"other issuer":    {"cluster", i.token(t, map[string]any{"iss": "https://evil.example.org"})},
		"other account":   {"cluster", i.token(t, map[string]any{"sub": "system:serviceaccount:dev:api"})},
		"no such user":    {"cluster", i.token(t, map[string]any{"sub": "x", "email": "ops@example.org"})},
		"claim is a list": {"cluster", i.token(t, map[string]any{"sub": []string{"system:serviceaccount:prod:api"}})},
		"changed":         {"cluster", old[:len(old)-8] + "AAAAAAAA"},
		"algorithm none":  {"cluster", part(t, map[string]string{"alg": "none"}) + "." + strings.Split(old, ".")[1] + "."},
	} {
		if status, body := ask(t, c, step.issuer, step.token); status != http.StatusUnauthorized || !strings.Contains(body, "requires authentication") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := ask(t, c, "cluster", old); status != http.StatusCreated {
		t.Errorf("a token that is right: %d %s", status, body)
	}
	// Another key of the issuer counts at once. While it is down nothing new can be judged.
	i.rotate(t)
	if status, body := ask(t, c, "cluster", i.token(t, nil)); status != http.StatusCreated {
		t.Errorf("after the issuer changed its key: %d %s", status, body)
	}
	i.rotate(t)
	i.down.Store(true)
	if status, body := ask(t, c, "cluster", i.token(t, nil)); status != http.StatusServiceUnavailable {
		t.Errorf("while the issuer is down: %d %s", status, body)
	}
	i.down.Store(false)
}

func ask(t *testing.T, c *coffer, issuer, token string) (int, string) {
	t.Helper()
	r := request(t, http.MethodPost, c.url+"/v3.0/OS-AUTH/id-token/tokens", "", map[string]any{"auth": map[string]any{
		"id_token": map[string]string{"id": token}, "scope": map[string]any{"project": map[string]string{"id": c.project}},
	}})
	r.Header.Set("X-Idp-Id", issuer)
	resp, body := do(t, r)
	return resp.StatusCode, string(body)
}

// TestUnscopedLogin is the form of the Node SDK: the token has no scope, and buys one.
func TestUnscopedLogin(t *testing.T) {
	i := startIssuer(t)
	c := account(t, i)
	r := request(t, http.MethodPost, c.url+"/v3/OS-FEDERATION/identity_providers/cluster/protocols/oidc/auth", "", nil)
	r.Header.Set("Authorization", "Bearer "+i.token(t, nil))
	resp, body := do(t, r)
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	resp, body = call(t, http.MethodPost, c.url+"/v3/auth/tokens?nocatalog=true", "", map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"token"}, "token": map[string]string{"id": resp.Header.Get("X-Subject-Token")}},
		"scope":    map[string]any{"project": map[string]string{"id": c.project}},
	}})
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	want(t, c, http.MethodGet, resp.Header.Get("X-Subject-Token"), http.StatusOK, `"db"`)
	want(t, c, http.MethodPost, resp.Header.Get("X-Subject-Token"), http.StatusForbidden, "csms:secret:create")
}

// TestPodIdentity: the provider of the SDK gets a temporary key for the token of a
// service account, and signs with it.
func TestPodIdentity(t *testing.T) {
	i := startIssuer(t)
	c := account(t, i)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(i.token(t, nil)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HC_CONTAINER_CREDENTIALS_FULL_URI", c.url+"/pod-identity/credentials")
	t.Setenv("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", file)
	credentials, err := provider.BasicCredentialPodIdentityProvider().GetCredentials()
	if err != nil {
		t.Fatal(err)
	}
	credentials.(*basic.Credentials).ProjectId = c.project
	hc, err := csms.CsmsClientBuilder().WithEndpoints([]string{c.url}).WithCredential(credentials).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	list, err := csms.NewCsmsClient(hc).ListSecrets(&model.ListSecretsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if list.Secrets == nil || len(*list.Secrets) != 1 {
		t.Errorf("secrets: %v", list)
	}
	pod(t, i, c)
}

// pod sends the request itself.
func pod(t *testing.T, i *issuer, c *coffer) {
	for token, wanted := range map[string]int{
		i.token(t, nil): 200, "Bearer " + i.token(t, nil) + "\n": 200, "": 401, "a.b.c": 401,
		i.token(t, map[string]any{"iss": "https://evil.example.org"}): 401, i.token(t, map[string]any{"sub": "x"}): 401,
	} {
		r := request(t, http.MethodPost, c.url+"/pod-identity/credentials", "", map[string]any{})
		r.Header.Set("Authorization", strings.TrimRight(token, "\n"))
		resp, body := do(t, r)
		if resp.StatusCode != wanted {
			t.Errorf("%.20q: %d %s", token, resp.StatusCode, body)
		}
		if wanted == 200 && !strings.Contains(string(body), `"subject":{"namespace":"prod","serviceAccount":"api"}`) {
			t.Errorf("the answer does not name the service account")
		}
	}
}

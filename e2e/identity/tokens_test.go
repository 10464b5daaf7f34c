package identity

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestTokensOfKeystone: the roles of a token grant what they say, in its project and
// in no other, and what is not valid gets the answer of the cloud.
func TestTokensOfKeystone(t *testing.T) {
	k := startKeystone(t)
	payroll := k.make(t, "project", map[string]any{"name": "payroll", "domain_id": "default"})
	other := k.make(t, "project", map[string]any{"name": "other", "domain_id": "default"})
	passwords := map[string]string{
		"mia": k.user(t, "mia", payroll, "member"), "rob": k.user(t, "rob", payroll, "reader"),
		"ann": k.user(t, "ann", payroll, "admin"), "zoe": k.user(t, "zoe", payroll, "auditor"), "tom": k.user(t, "tom", other, "member"),
	}
	service := k.user(t, "coffer", payroll, "admin")
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte(service+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mapped := fmt.Sprintf("keystone:\n  url: %s\n  projects: [{keystone_id: %s, project_id: PROJECT}]\n", k.proxy, payroll)
	withUser := mapped + fmt.Sprintf("  user: coffer\n  project: payroll\n  password_file: %s\n", secret)

	for name, config := range map[string]string{"service user": withUser, "by itself": mapped} {
		t.Run(name, func(t *testing.T) {
			c := startCoffer(t, config)
			as := func(user, project string) string { return k.token(t, user, passwords[user], project) }
			want(t, c, http.MethodPost, as("mia", "payroll"), http.StatusOK, `"name":"db"`)
			want(t, c, http.MethodGet, as("rob", "payroll"), http.StatusOK, `"db"`)
			want(t, c, http.MethodPost, as("rob", "payroll"), http.StatusForbidden, "csms:secret:create")
			want(t, c, http.MethodGet, as("ann", "payroll"), http.StatusOK, `"db"`)
			want(t, c, http.MethodGet, as("zoe", "payroll"), http.StatusForbidden, "csms:secret:list")
			want(t, c, http.MethodGet, as("tom", "other"), http.StatusForbidden, "out of reach")
			want(t, c, http.MethodGet, as("mia", ""), http.StatusUnauthorized, "not scoped to a project")
			want(t, c, http.MethodGet, "gAAAAABnonsense", http.StatusUnauthorized, "decrypt token fail")
			ended := as("mia", "payroll")
			k.revoke(t, ended)
			want(t, c, http.MethodGet, ended, http.StatusUnauthorized, "decrypt token fail")
			want(t, c, http.MethodGet, c.token, http.StatusOK, `"db"`)
			kept := as("rob", "payroll")
			want(t, c, http.MethodGet, kept, http.StatusOK, `"db"`)
			t.Run("down", func(t *testing.T) { outage(t, k, c, kept, as("mia", "payroll")) })
			t.Run("many at once", func(t *testing.T) { together(t, k, c, as("mia", "payroll")) })
			if name == "service user" {
				renewal(t, k, c, as("mia", "payroll"), as("rob", "payroll"))
			}
		})
	}
}

// want sends a request for the secrets and checks the answer.
func want(t *testing.T, c *coffer, method, token string, status int, text string) {
	t.Helper()
	var in any
	if method == http.MethodPost {
		in = map[string]string{"name": "db", "secret_string": "x"}
	}
	resp, body := call(t, method, c.secrets(), token, in)
	if resp.StatusCode != status || !strings.Contains(string(body), text) {
		t.Errorf("%s: %d %s, want %d with %q", method, resp.StatusCode, body, status, text)
	}
}

// outage: with Keystone down a token that is known goes on, a new one is told to come
// again, and tokens of our own are not concerned.
func outage(t *testing.T, k *keystone, c *coffer, known, fresh string) {
	k.setDown(true)
	want(t, c, http.MethodGet, known, http.StatusOK, `"db"`)
	want(t, c, http.MethodGet, fresh, http.StatusServiceUnavailable, "APIGW.0613")
	want(t, c, http.MethodGet, c.token, http.StatusOK, `"db"`)
	k.setDown(false)
	want(t, c, http.MethodGet, fresh, http.StatusOK, `"db"`)
}

// together: many requests with one token ask Keystone once.
func together(t *testing.T, k *keystone, c *coffer, token string) {
	before, _ := k.asked()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { want(t, c, http.MethodGet, token, http.StatusOK, `"db"`) })
	}
	all.Wait()
	if after, _ := k.asked(); after != before+1 {
		t.Errorf("20 requests with one token asked %d times", after-before)
	}
}

// renewal: a service user whose own token has ended logs in again.
func renewal(t *testing.T, k *keystone, c *coffer, first, second string) {
	want(t, c, http.MethodGet, first, http.StatusOK, `"db"`)
	_, asker := k.asked()
	if asker == "" || asker == first {
		t.Fatal("the token of the service user was not used")
	}
	k.revoke(t, asker)
	want(t, c, http.MethodGet, second, http.StatusOK, `"db"`)
	if _, renewed := k.asked(); renewed == asker {
		t.Error("the revoked token was used again")
	}
}

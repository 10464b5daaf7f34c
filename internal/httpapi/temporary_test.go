package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coffer/internal/auth/signature"
	"coffer/internal/testkit"
)

// temporary is a temporary access key as the answer has it.
type temporary struct {
	Credential struct {
		Access, Secret, SecurityToken string
		ExpiresAt                     string `json:"expires_at"`
	} `json:"credential"`
}

// auth.md 3.5: a temporary key signs like a permanent one together with its security
// token, has the rights of its maker less what its policy leaves out, and ends.
func TestTemporaryAccessKey(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	for _, name := range []string{"prod_db", "test_db"} {
		if w := k.Do(testkit.Owner, "POST", path("secrets"), `{"name":"`+name+`","secret_string":"v"}`); w.Code != http.StatusOK {
			t.Fatal(w.Body)
		}
	}
	policy := `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:get"],"Resource":["csms:*:*:secretName:prod_*"]}]}`
	limited := makeTemporary(t, k, `{"auth":{"identity":{"methods":["token"],"token":{"duration_seconds":"900"},"policy":`+policy+`}}}`)
	if !strings.HasSuffix(limited.Credential.ExpiresAt, "000Z") { // T12
		t.Errorf("expires_at = %s", limited.Credential.ExpiresAt)
	}
	check := func(what string, w *httptest.ResponseRecorder, want int) {
		t.Helper()
		if w.Code != want {
			t.Errorf("%s: %d %s; want %d", what, w.Code, w.Body, want)
		}
	}
	check("allowed by the session policy", sendTemporary(t, k, limited, "GET", path("secrets/prod_db"), ""), 200)
	check("another secret", sendTemporary(t, k, limited, "GET", path("secrets/test_db"), ""), 403)
	check("another operation", sendTemporary(t, k, limited, "DELETE", path("secrets/prod_db"), ""), 403)
	check("another key", sendTemporary(t, k, limited, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", `{"auth":{"identity":{"methods":["token"]}}}`), 403)

	full := makeTemporary(t, k, `{"auth":{"identity":{"methods":["token"]}}}`)
	check("without a policy", sendTemporary(t, k, full, "GET", path("secrets/test_db"), ""), 200)
	foreign := full
	foreign.Credential.SecurityToken = limited.Credential.SecurityToken
	check("a foreign security token", sendTemporary(t, k, foreign, "GET", path("secrets/test_db"), ""), 401) // N6
	foreign.Credential.SecurityToken = ""
	check("no security token", sendTemporary(t, k, foreign, "GET", path("secrets/test_db"), ""), 401)

	if err := k.Advance(t.Context(), 900*time.Second); err != nil {
		t.Fatal(err)
	}
	check("expired", sendTemporary(t, k, full, "GET", path("secrets/test_db"), ""), 401)
}

func TestTemporaryAccessKeyRefusals(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	for body, want := range map[string]string{
		`{"auth":{"identity":{"methods":["hw_ak_sk"]}}}`:                                 "methods",
		`{"auth":{"identity":{"methods":["token","assume_role"]}}}`:                      "methods",
		`{"auth":{"identity":{"methods":[]}}}`:                                           "methods",
		`{"auth":{"identity":{"methods":["token"],"token":{"duration_seconds":899}}}}`:   "900 to 86400",
		`{"auth":{"identity":{"methods":["token"],"token":{"duration_seconds":86401}}}}`: "900 to 86400",
		`{"auth":{"identity":{"methods":["token"],"policy":{"Version":"9"}}}}`:           "Version",
		`{"auth":{"identity":{"methods":["token"],"token":{"duration_seconds":"x"}}}}`:   "duration_seconds",
		`nonsense`: "JSON",
	} {
		w := k.Do(testkit.Owner, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", body)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), "IAM.0011") {
			t.Errorf("%s: %d %s; want 400 IAM.0011 about %s", body, w.Code, w.Body, want)
		}
	}
}

func path(below string) string { return "/v1/" + testkit.ProjectID + "/" + below }

func makeTemporary(t *testing.T, k *testkit.Kit, body string) temporary {
	t.Helper()
	w := k.Do(testkit.Owner, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", body)
	if w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var key temporary
	if err := json.Unmarshal(w.Body.Bytes(), &key); err != nil {
		t.Fatal(err)
	}
	return key
}

func sendTemporary(t *testing.T, k *testkit.Kit, key temporary, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if key.Credential.SecurityToken != "" {
		r.Header.Set("X-Security-Token", key.Credential.SecurityToken)
	}
	signer, err := signature.NewKey(key.Credential.Access, []byte(key.Credential.Secret))
	if err != nil {
		t.Fatal(err)
	}
	m := signature.NewMessage(r, signature.BodyHash([]byte(body)))
	authorization, err := signer.Sign(&m, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(signature.AuthorizationHeader, authorization)
	return k.Send(r)
}

// TestTemporaryAccessKeyForATokenInTheBody: the SDKs send the token that an ID token
// bought in the body alone (auth.md 3.5); a header goes before it.
func TestTemporaryAccessKeyForATokenInTheBody(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	login := k.Do("", "POST", "/v3/auth/tokens?nocatalog=true", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"`+testkit.Owner+`","password":"`+testkit.OwnerPassword+`","domain":{"name":"acme"}}}}}}`)
	token := login.Header().Get("X-Subject-Token")
	if token == "" {
		t.Fatal(login.Body)
	}
	for name, c := range map[string]struct {
		header, body string
		status       int
	}{
		"in the body": {"", token, http.StatusCreated},
		"wrong":       {"", "x", http.StatusUnauthorized},
		"nowhere":     {"", "", http.StatusUnauthorized},
		"both":        {"x", token, http.StatusUnauthorized},
	} {
		r := httptest.NewRequest("POST", "/v3.0/OS-CREDENTIAL/securitytokens", strings.NewReader(`{"auth":{"identity":{"methods":["token"],"token":{"id":"`+c.body+`","duration_seconds":3600}}}}`))
		r.Header.Set("Content-Type", "application/json")
		if c.header != "" {
			r.Header.Set("X-Auth-Token", c.header)
		}
		if w := k.Send(r); w.Code != c.status {
			t.Errorf("%s: %d, want %d", name, w.Code, c.status)
		}
	}
}

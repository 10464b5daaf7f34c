package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coffer/internal/testkit"
)

// signedAt sends a request that was signed so long ago, or will be.
func signedAt(kit *testkit.Kit, ago time.Duration) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, projectPath+"secrets", nil)
	kit.SignAt(testkit.Owner, r, "", time.Now().Add(-ago))
	return kit.Send(r)
}

// TestClockTolerance protects A7, and the held clock: the date of a signature is
// judged by wall time, however far business time has moved.
func TestClockTolerance(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	kit.Move(1000 * time.Hour)
	for _, ago := range []time.Duration{0, 14 * time.Minute, -14 * time.Minute} {
		checkAnswer(t, signedAt(kit, ago), 200, "")
	}
	for _, ago := range []time.Duration{16 * time.Minute, -16 * time.Minute, 24 * time.Hour} {
		w := signedAt(kit, ago)
		checkAnswer(t, w, 401, "APIGW.0301")
		if !strings.Contains(w.Body.String(), "calc aksk signature fail:signature expired, signature time:") {
			t.Errorf("section 17.2: %s", w.Body)
		}
	}
}

// TestRefusedCredentials protects the tails of APIGW.0301 of section 17.2 (GWE1,
// GWE2), and A2, A6: whatever is wrong, it is 401.
func TestRefusedCredentials(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	tests := map[string]struct {
		change func(h map[string]string)
		tail   string
	}{
		"none":                 {func(h map[string]string) { delete(h, "Authorization") }, "x-auth-token not found"},
		"an unknown key":       {func(h map[string]string) { replace(h, "OWNERACCESSKEY000001", "STRANGERACCESSKEY001") }, "ak STRANGERACCESSKEY001 not exist"},
		"a wrong signature":    {func(h map[string]string) { h["Authorization"] = flip(h["Authorization"]) }, "verify aksk signature fail"},
		"no date":              {func(h map[string]string) { delete(h, "X-Sdk-Date") }, "calc aksk signature fail:"},
		"the date unsigned":    {func(h map[string]string) { replace(h, "x-sdk-date", "host") }, ""},
		"a token that is none": {func(h map[string]string) { delete(h, "Authorization"); h["X-Auth-Token"] = "x" }, "decrypt token fail"},
		"another scheme":       {func(h map[string]string) { h["Authorization"] = "Basic b3duZXI6eA==" }, ""},
		"half a header":        {func(h map[string]string) { h["Authorization"] = "SDK-HMAC-SHA256 Access=OWNERACCESSKEY000001" }, "calc aksk signature fail:"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			signed := httptest.NewRequest(http.MethodGet, projectPath+"secrets", nil)
			kit.Sign(testkit.Owner, signed, "")
			headers := map[string]string{}
			for name := range signed.Header {
				headers[name] = signed.Header.Get(name)
			}
			tt.change(headers)
			r := httptest.NewRequest(http.MethodGet, projectPath+"secrets", nil)
			for name, value := range headers {
				r.Header.Set(name, value)
			}
			w := kit.Send(r)
			checkAnswer(t, w, 401, "APIGW.0301")
			if want := "Incorrect IAM authentication information: " + tt.tail; !strings.Contains(w.Body.String(), want) {
				t.Errorf("answer %s; want %s", w.Body, want)
			}
		})
	}
}

func replace(h map[string]string, from, to string) {
	h["Authorization"] = strings.Replace(h["Authorization"], from, to, 1)
}

// flip changes the last digit of a signature.
func flip(value string) string {
	last := byte('0')
	if value[len(value)-1] == '0' {
		last = '1'
	}
	return value[:len(value)-1] + string(last)
}

// TestSignatureAndToken protects A1: with both, the signature decides.
func TestSignatureAndToken(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Identities: corpusUsers})
	token := issue(t, kit, `{"project":{"id":"`+testkit.ProjectID+`"}}`)
	send := func(user, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, projectPath+"secrets", nil)
		kit.Sign(user, r, "")
		r.Header.Set("X-Auth-Token", token)
		return kit.Send(r)
	}
	checkAnswer(t, send(testkit.Owner, "no token"), 200, "")
	checkAnswer(t, send("nobody", token), 403, "CSMS.0302")
	checkAnswer(t, send("", token), 200, "")
}

// TestSignedBody protects A3 and A4: the body is signed, on GET too, and cannot be
// declared unsigned on a JSON operation.
func TestSignedBody(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	const body = `{"name":"a","secret_string":"x"}`
	r := httptest.NewRequest(http.MethodPost, projectPath+"secrets", strings.NewReader(body))
	kit.Sign(testkit.Owner, r, `{"name":"b","secret_string":"x"}`)
	checkAnswer(t, kit.Send(r), 401, "APIGW.0301")

	r = httptest.NewRequest(http.MethodGet, projectPath+"secrets", strings.NewReader(`{}`))
	kit.Sign(testkit.Owner, r, "")
	checkAnswer(t, kit.Send(r), 401, "APIGW.0301")

	r = httptest.NewRequest(http.MethodPost, projectPath+"secrets", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")
	kit.Sign(testkit.Owner, r, body)
	checkAnswer(t, kit.Send(r), 401, "APIGW.0301")
}

// TestSecurityTokenOfAPermanentKey protects A8: only a temporary key has one.
func TestSecurityTokenOfAPermanentKey(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	r := httptest.NewRequest(http.MethodGet, projectPath+"secrets", nil)
	r.Header.Set("X-Security-Token", "x")
	kit.Sign(testkit.Owner, r, "")
	checkAnswer(t, kit.Send(r), 401, "APIGW.0301")
}

// TestTokenOfAnotherScope protects A1 and S7: a token acts in the project it was
// issued for, and one without a project in none.
func TestTokenOfAnotherScope(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	for scope, answer := range map[string]struct {
		status int
		code   string
	}{
		`{"project":{"id":"` + testkit.ProjectID + `"}}`:      {200, ""},
		`{"project":{"id":"` + testkit.OtherProjectID + `"}}`: {403, "CSMS.0302"},
		`{"domain":{"id":"` + testkit.DomainID + `"}}`:        {403, "CSMS.0302"},
		`"unscoped"`: {401, "APIGW.0301"},
	} {
		r := httptest.NewRequest(http.MethodGet, projectPath+"secrets", nil)
		r.Header.Set("X-Auth-Token", issue(t, kit, scope))
		w := kit.Send(r)
		checkAnswer(t, w, answer.status, answer.code)
	}
}

// TestExpiredToken protects the tail of section 17.2; a token is judged by business
// time.
func TestExpiredToken(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	token := issue(t, kit, `{"project":{"id":"`+testkit.ProjectID+`"}}`)
	kit.Move(24 * time.Hour)
	r := httptest.NewRequest(http.MethodGet, projectPath+"secrets", nil)
	r.Header.Set("X-Auth-Token", token)
	w := kit.Send(r)
	checkAnswer(t, w, 401, "APIGW.0301")
	if !strings.Contains(w.Body.String(), "token expires, expires_at: 2026-01-02T00:00:00") {
		t.Errorf("answer: %s", w.Body)
	}
}

// TestProjectLookUp protects A10: SDKs need exactly one project of the region's name.
func TestProjectLookUp(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	var list struct {
		Projects []struct {
			ID string `json:"id"`
		} `json:"projects"`
	}
	decodeAnswer(t, kit.Do(testkit.Owner, "GET", "/v3/projects?name="+testkit.Region, ""), &list)
	if len(list.Projects) != 1 || list.Projects[0].ID != testkit.ProjectID {
		t.Errorf("projects of the region: %v", list.Projects)
	}
	decodeAnswer(t, kit.Do(testkit.Owner, "GET", "/v3/projects?name=mars-1", ""), &list)
	if len(list.Projects) != 0 {
		t.Errorf("projects of an unknown region: %v", list.Projects)
	}
}

// TestKeystoneErrors protects IE1: the token endpoint answers in the Keystone form,
// other IAM calls flat, with an IAM code and the request id.
func TestKeystoneErrors(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	for _, tt := range []struct{ user, method, path, body, want string }{
		{"", "POST", "/v3/auth/tokens", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"x","password":"y","domain":{"name":"acme"}}}}}}`, `{"error":{"code":401,"message":"`},
		{"", "POST", "/v3/auth/tokens", `{`, `{"error":{"code":400,"message":"`},
		{"", "GET", "/v3/auth/tokens", ``, `{"error":{"code":401,"message":"`},
		{testkit.Owner, "GET", "/v3/auth/tokens", ``, `{"error":{"code":`},
		{testkit.Owner, "POST", "/v3/projects", `{`, `{"error_code":"IAM.0011","error_msg":"The request body is not one JSON object.","request_id":"`},
		{testkit.Owner, "GET", "/v3/projects/nothing", ``, `{"error_code":"IAM.0004","error_msg":"`},
		{"", "GET", "/v3/projects", ``, `{"error_code":"APIGW.0301","error_msg":"`},
	} {
		w := kit.Do(tt.user, tt.method, tt.path, tt.body)
		if !strings.HasPrefix(w.Body.String(), tt.want) || w.Code < 400 || w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s %s: %d %s; want %s", tt.method, tt.path, w.Code, w.Body, tt.want)
		}
	}
}

package httpapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/service/identity"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// assumeUsers are an operator who may assume the agencies of his team, a user with the
// built-in policy for assuming, and one without rights. All have passwords.
var assumeUsers = []identity.Identity{
	{
		Name: "operator", AccessKey: "OPERATORACCESSKEY001", SecretKey: "operatorSecretKey012345678901234567890123", Password: "operator-Passw0rd",
		Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["sts:agencies:assume"],"Resource":["iam::` + testkit.DomainID + `:agency:team-*"]}]}`},
	},
	{Name: "agent", AccessKey: "AGENTACCESSKEY000001", SecretKey: "agentSecretKey01234567890123456789012345", Password: "agent-Passw0rd", Policies: []identity.Document{"Agent Operator"}},
	{Name: "nobody", AccessKey: "NOBODYACCESSKEY00001", SecretKey: "nobodySecretKey0123456789012345678901234", Password: "nobody-Passw0rd"},
}

// assumption is a kit with two secrets in its project and the agency team-a, which may
// read the values there.
type assumption struct {
	*testkit.Kit
	t      *testing.T
	agency identity.AgencyInfo
}

func newAssumption(t *testing.T) *assumption {
	t.Helper()
	a := &assumption{Kit: testkit.New(t, testkit.Options{Identities: assumeUsers}), t: t}
	for _, name := range []string{"prod_db", "test_db"} {
		askOwner(t, a.Kit, "POST", path("secrets"), `{"name":"`+name+`","secret_string":"v"}`, 200, nil)
	}
	a.agency = makeAgency(t, a.Kit, "team-a")
	a.assign(testkit.ProjectID, "CSMS SecretReader")
	return a
}

func (a *assumption) assign(scope, policy string) {
	a.t.Helper()
	askOwner(a.t, a.Kit, "PUT", roleTarget(scope, a.agency.ID, policy), "", 204, nil)
}

// key takes a temporary key of the agency as a user, with more members of assume_role
// and identity.
func (a *assumption) key(user, more, beside string) temporary {
	a.t.Helper()
	var key temporary
	askAs(a.t, a.Kit, user, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", assumeBody("team-a", more, beside), 201, &key)
	return key
}

func assumeBody(agency, more, beside string) string {
	return `{"auth":{"identity":{"methods":["assume_role"],"assume_role":{"agency_name":"` + agency + `","domain_name":"acme"` + more + `}` + beside + `}}}`
}

// send sends a request with a key and wants a status.
func (a *assumption) send(what string, key temporary, method, target, body string, status int) *httptest.ResponseRecorder {
	a.t.Helper()
	w := sendTemporary(a.t, a.Kit, key, method, target, body)
	if w.Code != status {
		a.t.Errorf("%s: %d %s; want %d", what, w.Code, w.Body, status)
	}
	return w
}

// auth.md 3.5 and 7.1: a key of an agency has what is assigned to the agency and nothing
// of the user who took it; log and caller identity name both.
func TestKeyByAgency(t *testing.T) {
	a := newAssumption(t)
	key := a.key("operator", `,"duration_seconds":3600,"session_user":{"name":"batch-7"}`, "")
	if key.Credential.ExpiresAt != "2026-01-01T01:00:00.000000Z" || !strings.HasPrefix(key.Credential.Access, "HSTA") {
		t.Errorf("key %s until %s", key.Credential.Access, key.Credential.ExpiresAt)
	}
	a.send("a value", key, "GET", path("secrets/prod_db/versions/latest"), "", 200)
	a.send("another operation", key, "DELETE", path("secrets/prod_db"), "", 403)
	a.send("another project", key, "GET", strings.Replace(path("secrets"), testkit.ProjectID, testkit.OtherProjectID, 1), "", 403)
	a.send("a project out of reach", key, "GET", strings.Replace(path("secrets"), testkit.ProjectID, testkit.ForeignProjectID, 1), "", 403)
	w := a.send("caller identity", key, "GET", "/v5/caller-identity", "", 200)
	want := `{"account_id":"` + testkit.DomainID + `","principal_id":"` + a.agency.ID + `:batch-7","principal_urn":"sts::` + testkit.DomainID + `:assumed-agency:team-a/batch-7"}`
	if w.Body.String() != want {
		t.Errorf("caller identity: %s; want %s", w.Body, want)
	}
	user, lines := userID(t, a.Kit, "operator"), 0
	for _, line := range strings.Split(a.Log.String(), "\n") {
		if !strings.Contains(line, "msg=request ") || !strings.Contains(line, key.Credential.Access) {
			continue
		}
		lines++
		if !strings.Contains(line, "user_id="+user) || !strings.Contains(line, "agency_id="+a.agency.ID) || !strings.Contains(line, "agency_session=batch-7") {
			t.Errorf("log: %s", line)
		}
	}
	if lines != 5 {
		t.Errorf("the log has %d lines of requests with the key; want 5", lines)
	}
	if strings.Contains(a.Log.String(), key.Credential.Secret) || strings.Contains(a.Log.String(), key.Credential.SecurityToken) {
		t.Error("the log holds a credential")
	}

	askAs(t, a.Kit, "operator", "GET", path("secrets/prod_db"), "", 403, nil) // his own rights did not grow
	a.Move(time.Hour)
	a.send("expired", key, "GET", path("secrets/prod_db"), "", 401)
}

func userID(t *testing.T, k *testkit.Kit, name string) string {
	t.Helper()
	u, err := k.Store.UserByName(t.Context(), testkit.DomainID, name)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

// auth.md 3.5: the policy of the request leaves out, and adds nothing.
func TestKeyByAgencyWithSessionPolicy(t *testing.T) {
	a := newAssumption(t)
	key := a.key("operator", "", `,"policy":{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:getVersion","csms:secret:delete"],"Resource":["csms:*:*:secretName:prod_*"]}]}`)
	a.send("allowed by both", key, "GET", path("secrets/prod_db/versions/latest"), "", 200)
	a.send("left out by the resource", key, "GET", path("secrets/test_db/versions/latest"), "", 403)
	a.send("left out by the action", key, "GET", path("secrets/prod_db"), "", 403)
	a.send("not of the agency", key, "DELETE", path("secrets/prod_db"), "", 403)
}

// auth.md 7.1: what is assigned to an agency counts in its scope, and a change counts
// at the next request.
func TestScopesOfAnAgency(t *testing.T) {
	a := newAssumption(t)
	key := a.key("agent", "", "")
	other := strings.Replace(path("secrets"), testkit.ProjectID, testkit.OtherProjectID, 1)
	a.send("before", key, "GET", other, "", 403)
	a.assign("domain", "Tenant Administrator")
	a.send("the IAM, by the assignment in the domain", key, "GET", "/v3.0/OS-AGENCY/agencies", "", 200)
	a.send("a project, by the assignment in the domain", key, "GET", other, "", 403)
	a.assign("all", "CSMS ReadOnlyAccess")
	a.send("a project, by the assignment in all", key, "GET", other, "", 200)
	askOwner(t, a.Kit, "DELETE", roleTarget("all", a.agency.ID, "CSMS ReadOnlyAccess"), "", 204, nil)
	a.send("taken away", key, "GET", other, "", 403)

	var custom struct {
		Policy struct {
			ID string `json:"policy_id"`
		}
	}
	document := func(action string) string {
		return `"policy_document":"{\"Version\":\"1.1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"` + action + `\"]}]}"`
	}
	askOwner(t, a.Kit, "POST", "/v5/policies", `{"policy_name":"one",`+document("csms:secret:list")+`}`, 201, &custom)
	a.assign("all", custom.Policy.ID)
	a.send("a policy of the account", key, "GET", other, "", 200)
	askOwner(t, a.Kit, "POST", "/v5/policies/"+custom.Policy.ID+"/versions", `{`+document("csms:secret:get")+`}`, 201, nil)
	a.send("its new document", key, "GET", other, "", 403)
}

// auth.md 3.5: an agency that ends takes its keys and tokens with it at the next
// request, and so does the user who took them.
func TestEndOfAnAssumption(t *testing.T) {
	for name, end := range map[string]func(*assumption){
		"the agency is deleted": func(a *assumption) {
			askOwner(a.t, a.Kit, "DELETE", "/v3.0/OS-AGENCY/agencies/"+a.agency.ID, "", 204, nil)
		},
		"the agency is made anew": func(a *assumption) {
			askOwner(a.t, a.Kit, "DELETE", "/v3.0/OS-AGENCY/agencies/"+a.agency.ID, "", 204, nil)
			makeAgency(a.t, a.Kit, "team-a")
		},
		"the trust ends": func(a *assumption) {
			askOwner(a.t, a.Kit, "PUT", "/v3.0/OS-AGENCY/agencies/"+a.agency.ID, `{"agency":{"trust_domain_name":"foreign"}}`, 200, nil)
		},
		"the agency expires": func(a *assumption) {
			err := a.Store.Update(a.t.Context(), func(tx *store.Tx) error {
				agency, err := tx.Agency(a.agency.ID)
				if err != nil {
					return err
				}
				agency.ExpireTime = a.Now()
				return tx.PutAgency(agency)
			})
			if err != nil {
				a.t.Fatal(err)
			}
		},
		"the user is disabled": func(a *assumption) {
			askOwner(a.t, a.Kit, "PATCH", "/v3/users/"+userID(a.t, a.Kit, "operator"), `{"user":{"enabled":false}}`, 200, nil)
		},
		"the user is deleted": func(a *assumption) {
			askOwner(a.t, a.Kit, "DELETE", "/v3/users/"+userID(a.t, a.Kit, "operator"), "", 204, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAssumption(t)
			key := a.key("operator", "", "")
			token := a.token("operator", `{"project":{"id":"`+testkit.ProjectID+`"}}`)
			a.send("before", key, "GET", path("secrets/prod_db"), "", 200)
			a.sendToken("before", token, "GET", path("secrets/prod_db"), "", 200)
			end(a)
			a.send("after", key, "GET", path("secrets/prod_db"), "", 401)
			a.sendToken("after", token, "GET", path("secrets/prod_db"), "", 401)
		})
	}
}

// A key lives no longer than its agency.
func TestKeyEndsWithTheLifeOfTheAgency(t *testing.T) {
	a := newAssumption(t)
	askOwner(t, a.Kit, "PUT", "/v3.0/OS-AGENCY/agencies/"+a.agency.ID, `{"agency":{"duration":"ONEDAY"}}`, 200, nil)
	a.Move(23*time.Hour + 30*time.Minute)
	key := a.key("operator", `,"duration_seconds":7200`, "")
	token := a.token("operator", `{"project":{"id":"`+testkit.ProjectID+`"}}`)
	if key.Credential.ExpiresAt != "2026-01-02T00:00:00.000000Z" || token.Token.ExpiresAt != "2026-01-02T00:00:00.000000Z" {
		t.Errorf("key until %s, token until %s", key.Credential.ExpiresAt, token.Token.ExpiresAt)
	}
	a.send("before", key, "GET", path("secrets/prod_db"), "", 200)
	a.Move(30 * time.Minute)
	a.send("after", key, "GET", path("secrets/prod_db"), "", 401)
	w := askAs(t, a.Kit, "operator", "POST", "/v3.0/OS-CREDENTIAL/securitytokens", assumeBody("team-a", "", ""), 403, nil)
	if !strings.Contains(w.Body.String(), "does not exist or does not trust") {
		t.Errorf("an agency that has expired: %s", w.Body)
	}
}

// A right over an agency of the account is none over one of that name elsewhere, and an
// agency of another account that trusts this one is assumed there.
func TestAgencyOfAnotherAccount(t *testing.T) {
	a := newAssumption(t)
	p, err := a.Store.Project(t.Context(), testkit.ForeignProjectID)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &store.Agency{
		ID: "e0000000000000000000000000000001", DomainID: p.DomainID, Name: "team-a", TrustDomainID: testkit.DomainID, TrustDomainName: "acme",
		Assignments: []store.Assignment{{PolicyID: "CSMS ReadOnlyAccess", Scope: store.ScopeAll}},
	}
	if err := a.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.PutAgency(elsewhere) }); err != nil {
		t.Fatal(err)
	}
	body := strings.Replace(assumeBody("team-a", "", ""), "acme", "foreign", 1)
	if w := askAs(t, a.Kit, "operator", "POST", "/v3.0/OS-CREDENTIAL/securitytokens", body, 403, nil); !strings.Contains(w.Body.String(), "iam:tokens:assume") {
		t.Errorf("operator: %s", w.Body)
	}
	var key temporary
	askAs(t, a.Kit, "agent", "POST", "/v3.0/OS-CREDENTIAL/securitytokens", body, 201, &key)
	a.send("there", key, "GET", "/v1/"+testkit.ForeignProjectID+"/secrets", "", 200)
	a.send("here", key, "GET", path("secrets"), "", 403)
	w := a.send("the look-up of projects", key, "GET", "/v3/projects", "", 200)
	if !strings.Contains(w.Body.String(), testkit.ForeignProjectID) || strings.Contains(w.Body.String(), testkit.ProjectID) {
		t.Errorf("projects: %s", w.Body)
	}
}

// Each refusal of auth.md 3.5 with its code. Who may not assume an agency does not hear
// whether it exists (S7).
func TestKeyByAgencyRefusals(t *testing.T) {
	a := newAssumption(t)
	askOwner(t, a.Kit, "POST", "/v3.0/OS-AGENCY/agencies", `{"agency":{"name":"team-ecs","trust_domain_name":"op_svc_ecs"}}`, 201, nil)
	askOwner(t, a.Kit, "POST", "/v3.0/OS-AGENCY/agencies", `{"agency":{"name":"team-away","trust_domain_name":"foreign"}}`, 201, nil)
	makeAgency(t, a.Kit, "other")
	const untrusted, denied = "does not exist or does not trust", "iam:tokens:assume"
	for _, c := range []struct {
		user, body  string
		status      int
		code, about string
	}{
		{"operator", assumeBody("team-b", "", ""), 403, "IAM.0002", untrusted},
		{"operator", assumeBody("team-ecs", "", ""), 403, "IAM.0002", untrusted},
		{"operator", assumeBody("team-away", "", ""), 403, "IAM.0002", untrusted},
		{"operator", assumeBody("other", "", ""), 403, "IAM.0002", denied},
		{"operator", assumeBody("unknown", "", ""), 403, "IAM.0002", denied},
		{"operator", strings.Replace(assumeBody("team-a", "", ""), "acme", "nowhere", 1), 403, "IAM.0002", denied},
		{"agent", strings.Replace(assumeBody("team-a", "", ""), "acme", "nowhere", 1), 403, "IAM.0002", untrusted},
		{"nobody", assumeBody("team-a", "", ""), 403, "IAM.0002", denied},
		{"nobody", assumeBody("unknown", "", ""), 403, "IAM.0002", denied},
		{"", assumeBody("team-a", "", ""), 401, "APIGW.0301", ""},
		{"operator", `{"auth":{"identity":{"methods":["assume_role"]}}}`, 400, "IAM.0011", "assume_role"},
		{"operator", `{"auth":{"identity":{"methods":["assume_role"],"assume_role":{"domain_name":"acme"}}}}`, 400, "IAM.0011", "agency_name"},
		{"operator", `{"auth":{"identity":{"methods":["assume_role"],"assume_role":{"agency_name":"team-a"}}}}`, 400, "IAM.0011", "domain_id or domain_name"},
		{"operator", assumeBody("team-a", `,"duration_seconds":899`, ""), 400, "IAM.0011", "900 to 86400"},
		{"operator", assumeBody("team-a", `,"duration_seconds":86401`, ""), 400, "IAM.0011", "900 to 86400"},
		{"operator", assumeBody("team-a", `,"session_user":{"name":"four"}`, ""), 400, "IAM.0011", "session_user.name"},
		{"operator", assumeBody("team-a", `,"session_user":{"name":"7batch"}`, ""), 400, "IAM.0011", "session_user.name"},
		{"operator", assumeBody("team-a", `,"session_user":{"name":"batch:7"}`, ""), 400, "IAM.0011", "session_user.name"},
		{"operator", assumeBody("team-a", `,"session_user":{"name":"`+strings.Repeat("b", 65)+`"}`, ""), 400, "IAM.0011", "session_user.name"},
		{"operator", assumeBody("team-a", "", `,"policy":{"Version":"9"}`), 400, "IAM.0011", "Version"},
	} {
		w := askAs(t, a.Kit, c.user, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", c.body, c.status, nil)
		if text := w.Body.String(); !strings.Contains(text, c.code) || !strings.Contains(text, c.about) {
			t.Errorf("%s %s: %s; want %s about %s", c.user, c.body, text, c.code, c.about)
		}
	}
	for _, more := range []string{`,"duration_seconds":900`, `,"duration_seconds":"86400"`, `,"session_user":{}`, `,"session_user":{"name":"batch"}`, `,"xrole_name":"x","domain_id":"` + testkit.DomainID + `"`} {
		a.key("operator", more, "")
	}
	askAs(t, a.Kit, "operator", "POST", "/v3.0/OS-CREDENTIAL/securitytokens", strings.Replace(assumeBody("team-a", "", ""), "agency_name", "xrole_name", 1), 201, nil)
}

// Who acts as an agency makes no keys, assumes no other agency and changes no password,
// so that nothing outlives the assumption.
func TestAnAgencyMakesNoCredentials(t *testing.T) {
	a := newAssumption(t)
	a.assign("all", "Tenant Administrator")
	key := a.key("operator", "", "")
	token := a.token("operator", `{"project":{"id":"`+testkit.ProjectID+`"}}`)
	for name, c := range map[string][2]string{
		"a key of its own":      {"/v3.0/OS-CREDENTIAL/securitytokens", `{"auth":{"identity":{"methods":["token"]}}}`},
		"a key of an agency":    {"/v3.0/OS-CREDENTIAL/securitytokens", assumeBody("team-a", "", "")},
		"a key by STS":          {"/v5/agencies/assume", `{"agency_urn":"` + a.agency.URN + `","agency_session_name":"s2"}`},
		"a token of an agency":  {"/v3/auth/tokens", assumeBody("team-a", "", "")},
		"a password of its own": {"/v1/csms/users/change-password", `{"old_password":"x","password":"another-Passw0rd"}`},
	} {
		a.send(name, key, "POST", c[0], c[1], 403)
		a.sendToken(name, token, "POST", c[0], c[1], 403)
	}
}

// auth.md 3.5, the form of STS.
func TestAssumeAgency(t *testing.T) {
	a := newAssumption(t)
	ask := func(user, more string, status int) identity.AssumeAgencyAnswer {
		t.Helper()
		var got identity.AssumeAgencyAnswer
		askAs(t, a.Kit, user, "POST", "/v5/agencies/assume", `{"agency_urn":"`+a.agency.URN+`","agency_session_name":"batch-7"`+more+`}`, status, &got)
		return got
	}
	policy, err := json.Marshal(`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:get"]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	got := ask("operator", `,"policy":`+string(policy), 200)
	want := identity.AssumedAgency{URN: "sts::" + testkit.DomainID + ":assumed-agency:team-a/batch-7", ID: a.agency.ID + ":batch-7"}
	if diff := cmp.Diff(want, got.AssumedAgency); diff != "" || got.Credentials.Expiration != "2026-01-01T01:00:00.000000Z" {
		t.Errorf("%s until %s (-want +got):\n%s", got.Credentials.AccessKeyID, got.Credentials.Expiration, diff)
	}
	var key temporary
	key.Credential.Access, key.Credential.Secret, key.Credential.SecurityToken = got.Credentials.AccessKeyID, got.Credentials.SecretAccessKey, got.Credentials.SecurityToken
	a.send("allowed by both", key, "GET", path("secrets/prod_db"), "", 200)
	a.send("left out by the policy", key, "GET", path("secrets/prod_db/versions/latest"), "", 403)

	ask("nobody", "", 403)
	ask("operator", `,"policy_ids":[]`, 200)
	for more, about := range map[string]string{
		`,"duration_seconds":899`: "900 to 43200", `,"duration_seconds":43201`: "900 to 43200", `,"policy_ids":["x"]`: "policy_ids",
		`,"policy":"{}"`: "Version", `,"agency_urn":"team-a"`: "agency_urn", `,"agency_urn":"iam::x:agency:"`: "agency_urn",
		`,"agency_session_name":"s"`: "agency_session_name", `,"agency_session_name":"a/b"`: "agency_session_name", `,"agency_session_name":"` + strings.Repeat("s", 129) + `"`: "128",
	} {
		w := askAs(t, a.Kit, "operator", "POST", "/v5/agencies/assume", `{"agency_urn":"`+a.agency.URN+`","agency_session_name":"batch-7"`+more+`}`, 400, nil)
		if text := w.Body.String(); !strings.Contains(text, "IAM.0011") || !strings.Contains(text, about) {
			t.Errorf("%s: %s; want IAM.0011 about %s", more, text, about)
		}
	}
}

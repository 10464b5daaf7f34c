package httpapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/service/identity"
	"coffer/internal/testkit"
)

// agencyToken is a token with its description.
type agencyToken struct {
	identity.TokenAnswer
	subject string
}

// login returns a token of a user in a scope.
func (a *assumption) login(user, scope string) string {
	a.t.Helper()
	w := askAs(a.t, a.Kit, "", "POST", "/v3/auth/tokens?nocatalog=1", `{"auth":{"identity":{"methods":["password"],"password":{"user":{
		"name":"`+user+`","password":"`+user+`-Passw0rd","domain":{"name":"acme"}}}},"scope":`+scope+`}}`, 201, nil)
	return w.Header().Get("X-Subject-Token")
}

// token takes a token of the agency for a token of a user.
func (a *assumption) token(user, scope string) agencyToken {
	a.t.Helper()
	w := a.ask(a.login(user, `{"domain":{"name":"acme"}}`), "team-a", scope)
	if w.Code != 201 {
		a.t.Fatalf("%d %s", w.Code, w.Body)
	}
	out := agencyToken{subject: w.Header().Get("X-Subject-Token")}
	if err := json.Unmarshal(w.Body.Bytes(), &out.TokenAnswer); err != nil {
		a.t.Fatal(err)
	}
	return out
}

// ask asks for a token of an agency.
func (a *assumption) ask(token, agency, scope string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/v3/auth/tokens?nocatalog=1", strings.NewReader(
		`{"auth":{"identity":{"methods":["assume_role"],"assume_role":{"agency_name":"`+agency+`","domain_name":"acme"}},"scope":`+scope+`}}`))
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	return a.Send(r)
}

// sendToken sends a request with a token of the agency and wants a status.
func (a *assumption) sendToken(what string, token agencyToken, method, target, body string, status int) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", token.subject)
	w := a.Send(r)
	if w.Code != status {
		a.t.Errorf("%s: %d %s; want %d", what, w.Code, w.Body, status)
	}
	return w
}

// auth.md 3.2: the description of a token of an agency names the agency as its user and
// the user as who assumed it.
func TestTokenByAgency(t *testing.T) {
	a := newAssumption(t)
	a.assign("all", "CSMS ReadOnlyAccess")
	a.assign("domain", "Security Administrator")
	acme := identity.NamedID{ID: testkit.DomainID, Name: "acme"}
	want := identity.TokenBody{
		Methods: []string{"assume_role"}, IssuedAt: "2026-01-01T00:00:00.000000Z", ExpiresAt: "2026-01-02T00:00:00.000000Z",
		User:      identity.TokenUser{ID: a.agency.ID, Name: "acme/team-a", Domain: acme},
		AssumedBy: &identity.AssumedBy{User: identity.TokenUser{ID: userID(t, a.Kit, "operator"), Name: "operator", Domain: acme}},
		Project:   &identity.TokenProject{ID: testkit.ProjectID, Name: testkit.Region, Domain: acme},
		Roles:     []identity.NamedID{{ID: "0", Name: "CSMS SecretReader"}, {ID: "0", Name: "CSMS ReadOnlyAccess"}},
	}
	got := a.token("operator", `{"project":{"name":"`+testkit.Region+`"}}`)
	want.AuditIDs = got.Token.AuditIDs
	if diff := cmp.Diff(want, got.Token); diff != "" {
		t.Errorf("project (-want +got):\n%s", diff)
	}
	a.sendToken("a value", got, "GET", path("secrets/prod_db/versions/latest"), "", 200)
	a.sendToken("another operation", got, "DELETE", path("secrets/prod_db"), "", 403)

	domain := a.token("operator", `{"domain":{"name":"acme"}}`)
	want.Project, want.Domain, want.AuditIDs = nil, &acme, domain.Token.AuditIDs
	want.Roles = []identity.NamedID{{ID: "0", Name: "CSMS ReadOnlyAccess"}, {ID: "0", Name: "Security Administrator"}}
	if diff := cmp.Diff(want, domain.Token); diff != "" {
		t.Errorf("domain (-want +got):\n%s", diff)
	}
	a.sendToken("the IAM", domain, "GET", "/v3.0/OS-AGENCY/agencies", "", 200)
	a.sendToken("a project with a token of the domain", domain, "GET", path("secrets"), "", 403)

	unscoped := a.token("operator", `{}`)
	a.sendToken("the IAM without a scope", unscoped, "GET", "/v3.0/OS-AGENCY/agencies", "", 403)
	a.sendToken("a project without a scope", unscoped, "GET", path("secrets"), "", 401)
}

// The member delegated_project is the scope where there is no other.
func TestDelegatedProject(t *testing.T) {
	a := newAssumption(t)
	r := httptest.NewRequest("POST", "/v3/auth/tokens", strings.NewReader(
		`{"auth":{"identity":{"methods":["assume_role"],"assume_role":{"agency_name":"team-a","domain_id":"`+testkit.DomainID+`","delegated_project":"`+testkit.Region+`"}}}}`))
	r.Header.Set("X-Auth-Token", a.login("operator", `{"domain":{"name":"acme"}}`))
	w := a.Send(r)
	if w.Code != 201 || !strings.Contains(w.Body.String(), `"project":{"id":"`+testkit.ProjectID) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// auth.md 3.3: the session itself and its user may ask about the token and revoke it,
// others need the right in the account of the agency.
func TestValidateTokenOfAnAgency(t *testing.T) {
	a := newAssumption(t)
	token := a.token("operator", `{"project":{"id":"`+testkit.ProjectID+`"}}`)
	others := a.token("agent", `{"project":{"id":"`+testkit.ProjectID+`"}}`)
	validate := func(what, asker, subject string, status int) {
		t.Helper()
		r := httptest.NewRequest("GET", "/v3/auth/tokens?nocatalog=1", nil)
		r.Header.Set("X-Auth-Token", asker)
		r.Header.Set("X-Subject-Token", subject)
		w := a.Send(r)
		if w.Code != status {
			t.Fatalf("%s: %d %s; want %d", what, w.Code, w.Body, status)
		}
		var got identity.TokenAnswer
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if subject == token.subject && status == 200 {
			if diff := cmp.Diff(token.Token, got.Token); diff != "" {
				t.Errorf("%s (-issued +validated):\n%s", what, diff)
			}
		}
	}
	operator := a.login("operator", `{"domain":{"name":"acme"}}`)
	validate("itself", token.subject, token.subject, 200)
	validate("the user", operator, token.subject, 200)
	validate("the same agency of another user", others.subject, token.subject, 403)
	validate("the agency about its user", token.subject, operator, 403)
	validate("somebody else", a.login("nobody", `{"domain":{"name":"acme"}}`), token.subject, 403)
	r := httptest.NewRequest("DELETE", "/v3/auth/tokens", nil)
	r.Header.Set("X-Auth-Token", operator)
	r.Header.Set("X-Subject-Token", token.subject)
	if w := a.Send(r); w.Code != 204 {
		t.Errorf("revoking: %d %s", w.Code, w.Body)
	}
	a.sendToken("revoked", token, "GET", path("secrets/prod_db"), "", 401)
	askOwner(t, a.Kit, "DELETE", "/v3.0/OS-AGENCY/agencies/"+a.agency.ID, "", 204, nil)
	validate("of an agency that is gone", operator, others.subject, 404)
}

// A token of an agency is exchanged for one of the same agency in another scope, and
// never for one of its user. It lives no longer than the tokens it was got for.
func TestRescopingATokenOfAnAgency(t *testing.T) {
	a := newAssumption(t)
	login := a.login("operator", `{"domain":{"name":"acme"}}`)
	a.Move(23 * time.Hour)
	w := a.ask(login, "team-a", `{"domain":{"name":"acme"}}`)
	first := w.Header().Get("X-Subject-Token")
	r := httptest.NewRequest("POST", "/v3/auth/tokens?nocatalog=1", strings.NewReader(
		`{"auth":{"identity":{"methods":["token"],"token":{"id":"`+first+`"}},"scope":{"project":{"id":"`+testkit.ProjectID+`"}}}}`))
	w = a.Send(r)
	var got agencyToken
	if err := json.Unmarshal(w.Body.Bytes(), &got.TokenAnswer); err != nil || w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	got.subject = w.Header().Get("X-Subject-Token")
	if got.Token.User.ID != a.agency.ID || got.Token.AssumedBy == nil || got.Token.ExpiresAt != "2026-01-02T00:00:00.000000Z" ||
		!cmp.Equal(got.Token.Methods, []string{"token", "assume_role"}) {
		t.Errorf("%+v", got.Token)
	}
	a.sendToken("a value", got, "GET", path("secrets/prod_db/versions/latest"), "", 200)
	a.Move(time.Hour)
	a.sendToken("expired", got, "GET", path("secrets/prod_db/versions/latest"), "", 401)
}

// Each refusal of auth.md 3.2, in the form of Keystone.
func TestTokenByAgencyRefusals(t *testing.T) {
	a := newAssumption(t)
	askOwner(t, a.Kit, "POST", "/v3.0/OS-AGENCY/agencies", `{"agency":{"name":"team-away","trust_domain_name":"foreign"}}`, 201, nil)
	operator, nobody := a.login("operator", `{"domain":{"name":"acme"}}`), a.login("nobody", `{"domain":{"name":"acme"}}`)
	for name, c := range map[string]struct {
		token, agency, scope string
		status               int
	}{
		"no token":                {"", "team-a", `{}`, 401},
		"a token that is none":    {"x", "team-a", `{}`, 401},
		"without the right":       {nobody, "team-a", `{}`, 403},
		"an unknown agency":       {operator, "team-b", `{}`, 403},
		"an agency without trust": {operator, "team-away", `{}`, 403},
		"no agency":               {operator, "", `{}`, 400},
		"an unknown project":      {operator, "team-a", `{"project":{"id":"x"}}`, 401},
		"a project elsewhere":     {operator, "team-a", `{"project":{"id":"` + testkit.ForeignProjectID + `"}}`, 401},
		"another domain":          {operator, "team-a", `{"domain":{"name":"foreign"}}`, 401},
		"two scopes":              {operator, "team-a", `{"domain":{"name":"acme"},"project":{"id":"x"}}`, 400},
	} {
		w := a.ask(c.token, c.agency, c.scope)
		var e struct {
			Error struct {
				Code           int
				Message, Title string
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != c.status || e.Error.Code != c.status || e.Error.Message == "" || e.Error.Title == "" {
			t.Errorf("%s: %d %s; want %d in the form of Keystone", name, w.Code, w.Body, c.status)
		}
		if w.Header().Get("X-Subject-Token") != "" {
			t.Errorf("%s: a token", name)
		}
	}
}

package httpapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/service/identity"
	"coffer/internal/testkit"
)

// askOwner sends a request of the owner, wants that status, and reads the answer into v,
// unless it is nil.
func askOwner(t *testing.T, k *testkit.Kit, method, target, body string, status int, v any) *httptest.ResponseRecorder {
	t.Helper()
	return askAs(t, k, testkit.Owner, method, target, body, status, v)
}

func askAs(t *testing.T, k *testkit.Kit, user, method, target, body string, status int, v any) *httptest.ResponseRecorder {
	t.Helper()
	w := k.Do(user, method, target, body)
	if w.Code != status {
		t.Fatalf("%s %s %s: %d %s; want %d", method, target, body, w.Code, w.Body, status)
	}
	if v != nil {
		if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
			t.Fatalf("%s: %v", w.Body, err)
		}
	}
	return w
}

// makeAgency makes an agency that trusts the account of the kit.
func makeAgency(t *testing.T, k *testkit.Kit, name string) identity.AgencyInfo {
	t.Helper()
	var out identity.AgencyAnswer
	askOwner(t, k, "POST", "/v3.0/OS-AGENCY/agencies", `{"agency":{"name":"`+name+`","domain_id":"`+testkit.DomainID+`","trust_domain_name":"acme"}}`, 201, &out)
	return out.Agency
}

// auth.md section 2: an agency is made, shown, listed, changed and deleted with the
// paths and shapes of the cloud.
func TestAgencyLife(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	var made, shown, changed identity.AgencyAnswer
	askOwner(t, k, "POST", "/v3.0/OS-AGENCY/agencies",
		`{"agency":{"name":"deployer","domain_id":"`+testkit.DomainID+`","trust_domain_name":"acme","description":"d","duration":"FOREVER"}}`, 201, &made)
	want := identity.AgencyInfo{
		ID: made.Agency.ID, Name: "deployer", DomainID: testkit.DomainID, TrustDomainID: testkit.DomainID, TrustDomainName: "acme",
		Description: "d", Duration: "FOREVER", CreateTime: "2026-01-01T00:00:00.000000Z", URN: "iam::" + testkit.DomainID + ":agency:deployer",
	}
	if diff := cmp.Diff(want, made.Agency); diff != "" || len(want.ID) != 32 {
		t.Fatalf("created (-want +got):\n%s", diff)
	}
	target := "/v3.0/OS-AGENCY/agencies/" + want.ID
	askOwner(t, k, "GET", target, "", 200, &shown)
	if diff := cmp.Diff(made, shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	askOwner(t, k, "PUT", target, `{"agency":{"trust_domain_name":"op_svc_ecs","description":"","duration":2}}`, 200, &changed)
	expires := "2026-01-03T00:00:00.000000Z"
	want.TrustDomainID, want.TrustDomainName, want.Description, want.Duration, want.ExpireTime = "", "op_svc_ecs", "", "48", &expires
	if diff := cmp.Diff(want, changed.Agency); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	askOwner(t, k, "DELETE", target, "", 204, nil)
	for _, method := range []string{"GET", "DELETE"} {
		if w := askOwner(t, k, method, target, "", 404, nil); !strings.Contains(w.Body.String(), "IAM.0004") {
			t.Errorf("%s of what is gone: %s", method, w.Body)
		}
	}
}

// A life in days is text or number; giving the same life again leaves the end as it is.
func TestAgencyDuration(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	a := makeAgency(t, k, "deployer")
	target := "/v3.0/OS-AGENCY/agencies/" + a.ID
	for _, c := range []struct{ duration, want, expires string }{
		{`"ONEDAY"`, "24", "2026-01-02T00:00:00.000000Z"},
		{`"1"`, "24", "2026-01-02T00:00:00.000000Z"}, // begun an hour later
		{`20`, "480", "2026-01-21T02:00:00.000000Z"},
		{`36500`, "876000", ""},
		{`null`, "876000", ""}, // as if it were not given
		{`"FOREVER"`, "FOREVER", ""},
	} {
		var got identity.AgencyAnswer
		askOwner(t, k, "PUT", target, `{"agency":{"description":"x","duration":`+c.duration+`}}`, 200, &got)
		if got.Agency.Duration != c.want || c.expires != "" && (got.Agency.ExpireTime == nil || *got.Agency.ExpireTime != c.expires) {
			t.Errorf("%s: %s until %v; want %s until %s", c.duration, got.Agency.Duration, got.Agency.ExpireTime, c.want, c.expires)
		}
		if c.want == "FOREVER" && got.Agency.ExpireTime != nil {
			t.Errorf("for ever until %s", *got.Agency.ExpireTime)
		}
		k.Move(3_600_000_000_000)
	}
}

func TestAgencyList(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	for _, name := range []string{"c", "a", "b"} {
		makeAgency(t, k, name)
	}
	askOwner(t, k, "POST", "/v3.0/OS-AGENCY/agencies", `{"agency":{"name":"ecs","trust_domain_name":"op_svc_ecs"}}`, 201, nil)
	for query, want := range map[string]string{
		"": "a b c ecs", "?domain_id=" + testkit.DomainID: "a b c ecs", "?name=b": "b", "?name=x": "",
		"?trust_domain_id=" + testkit.DomainID: "a b c", "?page=1&per_page=3": "a b c", "?page=2&per_page=3": "ecs", "?page=3&per_page=3": "",
	} {
		var got identity.AgencyList
		askOwner(t, k, "GET", "/v3.0/OS-AGENCY/agencies"+query, "", 200, &got)
		var names []string
		for _, a := range got.Agencies {
			names = append(names, a.Name)
		}
		if text := strings.Join(names, " "); text != want || got.Agencies == nil {
			t.Errorf("%q: %q; want %q", query, text, want)
		}
	}
}

// roleTarget is the path that assigns a policy to an agency in a scope.
func roleTarget(scope, agencyID, policyID string) string {
	policyID = strings.ReplaceAll(policyID, " ", "%20")
	switch scope {
	case "all":
		return "/v3.0/OS-INHERIT/domains/" + testkit.DomainID + "/agencies/" + agencyID + "/roles/" + policyID + "/inherited_to_projects"
	case "domain":
		return "/v3.0/OS-AGENCY/domains/" + testkit.DomainID + "/agencies/" + agencyID + "/roles/" + policyID
	}
	return "/v3.0/OS-AGENCY/projects/" + scope + "/agencies/" + agencyID + "/roles/" + policyID
}

// listTarget is the path that lists what is assigned to an agency in a scope.
func listTarget(scope, agencyID string) string {
	return strings.Replace(roleTarget(scope, agencyID, "X"), "/X", "", 1)
}

// Policies are assigned to an agency in each of the three scopes, apart from each other.
func TestAgencyRoles(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	a := makeAgency(t, k, "deployer")
	var custom struct {
		Policy struct {
			ID string `json:"policy_id"`
		}
	}
	askOwner(t, k, "POST", "/v5/policies", `{"policy_name":"one","policy_document":"{\"Version\":\"1.1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"csms:secret:get\"]}]}"}`, 201, &custom)
	scopes := []string{"all", "domain", testkit.ProjectID}
	listed := func(scope string) string {
		t.Helper()
		var got identity.RoleList
		askOwner(t, k, "GET", listTarget(scope, a.ID), "", 200, &got)
		var names []string
		for _, r := range got.Roles {
			names = append(names, r.DisplayName)
			if r.ID == "" || r.Type == "" || len(r.Policy) < 10 {
				t.Errorf("%+v lacks what clients read", r)
			}
		}
		return strings.Join(names, ", ")
	}
	for _, scope := range scopes {
		for _, policy := range []string{"CSMS SecretReader", custom.Policy.ID} {
			target := roleTarget(scope, a.ID, policy)
			askOwner(t, k, "HEAD", target, "", 404, nil)
			askOwner(t, k, "DELETE", target, "", 404, nil)
			askOwner(t, k, "PUT", target, "", 204, nil)
			askOwner(t, k, "PUT", target, "", 204, nil)
			askOwner(t, k, "HEAD", target, "", 204, nil)
			askOwner(t, k, "GET", target, "", 204, nil)
		}
		if got := listed(scope); got != "CSMS SecretReader, one" {
			t.Errorf("%s: %s", scope, got)
		}
	}
	if w := askOwner(t, k, "DELETE", "/v5/policies/"+custom.Policy.ID, "", 409, nil); !strings.Contains(w.Body.String(), "agencies") {
		t.Errorf("a policy that agencies have: %s", w.Body)
	}
	askOwner(t, k, "DELETE", roleTarget("domain", a.ID, custom.Policy.ID), "", 204, nil)
	for i, want := range []string{"CSMS SecretReader, one", "CSMS SecretReader", "CSMS SecretReader, one"} {
		if got := listed(scopes[i]); got != want {
			t.Errorf("%s after a deletion in the domain: %s; want %s", scopes[i], got, want)
		}
	}
	if got := listed(testkit.OtherProjectID); got != "" {
		t.Errorf("another project: %s", got)
	}
}

// What CreateAgency of CSMS gives an agency is seen and taken like a policy of all
// projects (RO12).
func TestRolesOfRotation(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	askOwner(t, k, "POST", "/v1/csms/agencies", `{"secret_type":"RDS-FG"}`, 200, nil)
	var list identity.AgencyList
	askOwner(t, k, "GET", "/v3.0/OS-AGENCY/agencies?name=CSMSAccessFunctionGraph", "", 200, &list)
	if len(list.Agencies) != 1 || list.Agencies[0].TrustDomainName != "op_svc_kms" {
		t.Fatalf("%+v", list)
	}
	target := roleTarget("all", list.Agencies[0].ID, "CSMSAccessFunctionGraph")
	askOwner(t, k, "HEAD", target, "", 204, nil)
	askOwner(t, k, "DELETE", target, "", 204, nil)
	askOwner(t, k, "HEAD", target, "", 404, nil)
	if w := askOwner(t, k, "GET", "/v1/csms/agencies?secret_type=RDS-FG", "", 200, nil); !strings.Contains(w.Body.String(), `"false"`) {
		t.Errorf("without its rights: %s", w.Body)
	}
}

// Each request that is refused says why, with the code of IAM (IE1), and writes nothing.
func TestAgencyRefusals(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	a := makeAgency(t, k, "deployer")
	const agencies = "/v3.0/OS-AGENCY/agencies"
	one := agencies + "/" + a.ID
	for _, c := range []struct {
		method, target, body string
		status               int
		code, about          string
	}{
		{"POST", agencies, `{"agency":{"trust_domain_name":"acme"}}`, 400, "IAM.0011", "name"},
		{"POST", agencies, `{"agency":{"name":"a/b","trust_domain_name":"acme"}}`, 400, "IAM.0011", "name"},
		{"POST", agencies, `{"agency":{"name":"` + strings.Repeat("n", 65) + `","trust_domain_name":"acme"}}`, 400, "IAM.0011", "64"},
		{"POST", agencies, `{"agency":{"name":"new"}}`, 400, "IAM.0011", "trust_domain"},
		{"POST", agencies, `{"agency":{"name":"new","trust_domain_name":"nobody"}}`, 404, "IAM.0004", "nobody"},
		{"POST", agencies, `{"agency":{"name":"new","trust_domain_id":"x"}}`, 404, "IAM.0004", "domain"},
		{"POST", agencies, `{"agency":{"name":"new","trust_domain_name":"op_svc_a/b"}}`, 400, "IAM.0011", "trust_domain_name"},
		{"POST", agencies, `{"agency":{"name":"new","trust_domain_name":"acme","domain_id":"x"}}`, 404, "IAM.0004", "domain"},
		{"POST", agencies, `{"agency":{"name":"new","trust_domain_name":"acme","description":"` + strings.Repeat("d", 256) + `"}}`, 400, "IAM.0011", "description"},
		{"POST", agencies, `{"agency":{"name":"new","trust_domain_name":"acme","duration":0}}`, 400, "IAM.0011", "duration"},
		{"POST", agencies, `{"agency":{"name":"new","trust_domain_name":"acme","duration":"soon"}}`, 400, "IAM.0011", "duration"},
		{"POST", agencies, `{"agency":{"name":"new","trust_domain_name":"acme","duration":36501}}`, 400, "IAM.0011", "duration"},
		{"POST", agencies, `{"agency":{"name":"deployer","trust_domain_name":"acme"}}`, 409, "IAM.0009", "deployer"},
		{"POST", agencies, `nonsense`, 400, "IAM.0011", "JSON"},
		{"PUT", one, `{"agency":{}}`, 400, "IAM.0011", "must be given"},
		{"PUT", one, `{"agency":{"trust_domain_name":"nobody"}}`, 404, "IAM.0004", "nobody"},
		{"PUT", one, `{"agency":{"description":"` + strings.Repeat("d", 256) + `"}}`, 400, "IAM.0011", "description"},
		{"PUT", agencies + "/x", `{"agency":{"description":"d"}}`, 404, "IAM.0004", "agency"},
		{"GET", agencies + "?domain_id=x", "", 404, "IAM.0004", "domain"},
		{"GET", agencies + "?page=1", "", 400, "IAM.0011", "per_page"},
		{"GET", agencies + "?page=0&per_page=1", "", 400, "IAM.0011", "page"},
		{"GET", agencies + "?page=1&per_page=501", "", 400, "IAM.0011", "500"},
		{"PUT", roleTarget("all", a.ID, "unknown"), "", 404, "IAM.0004", "role"},
		{"PUT", roleTarget("all", "x", "te_admin"), "", 404, "IAM.0004", "agency"},
		{"PUT", roleTarget(testkit.ForeignProjectID, a.ID, "te_admin"), "", 404, "IAM.0004", "project"},
		{"PUT", "/v3.0/OS-AGENCY/domains/x/agencies/" + a.ID + "/roles/te_admin", "", 404, "IAM.0004", "domain"},
		{"GET", "/v3.0/OS-AGENCY/domains/x/agencies/" + a.ID + "/roles", "", 404, "IAM.0004", "domain"},
		{"DELETE", "/v3.0/OS-AGENCY/domains/x/agencies/" + a.ID + "/roles/te_admin", "", 404, "IAM.0004", "domain"},
	} {
		w := askOwner(t, k, c.method, c.target, c.body, c.status, nil)
		if text := w.Body.String(); !strings.Contains(text, c.code) || !strings.Contains(text, c.about) {
			t.Errorf("%s %s %s: %s; want %s about %s", c.method, c.target, c.body, text, c.code, c.about)
		}
	}
	var list identity.AgencyList
	askOwner(t, k, "GET", agencies, "", 200, &list)
	if diff := cmp.Diff([]identity.AgencyInfo{a}, list.Agencies); diff != "" {
		t.Errorf("something was written (-want +got):\n%s", diff)
	}
}

// An account has so many agencies, and an agency so many assignments, and no more.
func TestAgencyQuotas(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	var last identity.AgencyInfo
	for range identity.MaxAgencies {
		last = makeAgency(t, k, "a"+strings.Repeat("x", len(last.Name)))
	}
	if w := askOwner(t, k, "POST", "/v3.0/OS-AGENCY/agencies", `{"agency":{"name":"more","trust_domain_name":"acme"}}`, 409, nil); !strings.Contains(w.Body.String(), "50 agencies") {
		t.Errorf("one more agency: %s", w.Body)
	}
}

// Every operation on agencies takes a right of its own, which a policy may limit to the
// names of agencies; who lacks it does not hear whether the agency exists (S7).
func TestAgencyRights(t *testing.T) {
	k := testkit.New(t, testkit.Options{Identities: []identity.Identity{
		{Name: "nobody", AccessKey: "NOBODYACCESSKEY00001", SecretKey: "nobodySecretKey0123456789012345678901234"},
		{
			Name: "limited", AccessKey: "LIMITEDACCESSKEY0001", SecretKey: "limitedSecretKey012345678901234567890123",
			Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["iam:agencies:*"],"Resource":["iam::` + testkit.DomainID + `:agency:team-*"]}]}`},
		},
		{
			Name: "older", AccessKey: "OLDERACCESSKEY000001", SecretKey: "olderSecretKey01234567890123456789012345",
			Policies: []identity.Document{`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["iam:agencies:createAgency","iam:permissions:grantRoleToAgencyOnProject"]}]}`},
		},
	}})
	team, other := makeAgency(t, k, "team-a"), makeAgency(t, k, "other")
	for right, c := range map[string][3]string{
		"iam:agencies:createV5":               {"POST", "/v3.0/OS-AGENCY/agencies", `{"agency":{"name":"other-b","trust_domain_name":"acme"}}`},
		"iam:agencies:listV5":                 {"GET", "/v3.0/OS-AGENCY/agencies", ""},
		"iam:agencies:getV5":                  {"GET", "/v3.0/OS-AGENCY/agencies/" + other.ID, ""},
		"iam:agencies:updateV5":               {"PUT", "/v3.0/OS-AGENCY/agencies/" + other.ID, `{}`},
		"iam:agencies:deleteV5":               {"DELETE", "/v3.0/OS-AGENCY/agencies/" + other.ID, ""},
		"iam:agencies:attachPolicyV5":         {"PUT", roleTarget("all", other.ID, "te_admin"), ""},
		"iam:agencies:detachPolicyV5":         {"DELETE", roleTarget("domain", other.ID, "te_admin"), ""},
		"iam:agencies:listAttachedPoliciesV5": {"GET", roleTarget(testkit.ProjectID, other.ID, "te_admin"), ""},
	} {
		for _, user := range []string{"nobody", "limited"} {
			for _, target := range []string{c[1], strings.ReplaceAll(c[1], other.ID, "unknown")} {
				w := askAs(t, k, user, c[0], target, c[2], 403, nil)
				if text := w.Body.String(); !strings.Contains(text, "IAM.0002") || !strings.Contains(text, right) {
					t.Errorf("%s %s %s: %s; want IAM.0002 about %s", user, c[0], target, text, right)
				}
			}
		}
		askAs(t, k, "", c[0], c[1], c[2], 401, nil)
	}
	askAs(t, k, "limited", "GET", "/v3.0/OS-AGENCY/agencies/"+team.ID, "", 200, nil)
	askAs(t, k, "limited", "PUT", roleTarget(testkit.ProjectID, team.ID, "CSMS SecretReader"), "", 204, nil)
	askAs(t, k, "limited", "POST", "/v3.0/OS-AGENCY/agencies", `{"agency":{"name":"team-b","trust_domain_name":"acme"}}`, 201, nil)
	askAs(t, k, "older", "POST", "/v3.0/OS-AGENCY/agencies", `{"agency":{"name":"older","trust_domain_name":"acme"}}`, 201, nil)
	askAs(t, k, "older", "PUT", roleTarget(testkit.ProjectID, team.ID, "te_admin"), "", 204, nil)
}

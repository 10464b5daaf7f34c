package iam

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"coffer/internal/csms"
)

// callerWith is a plain caller with policies of one document each.
func callerWith(t testing.TB, documents ...string) *Caller {
	t.Helper()
	c := &Caller{DomainID: "d1", UserID: "u1", UserName: "alice", ProjectID: "p1", ProjectName: "cn-north-4", Now: noon}
	for i, document := range documents {
		p, err := ParsePolicy(fmt.Sprint("policy-", i), []byte(document))
		if err != nil {
			t.Fatal(err)
		}
		c.Policies = append(c.Policies, p)
	}
	return c
}

func request(op Op, name string) *Request {
	return &Request{Op: op, Region: "cn-north-4", Domain: "d1", Project: "p1", SecretName: name}
}

func allow(action, resource string) string {
	return statement50(fmt.Sprintf(`"Effect":"Allow","Action":[%q],"Resource":[%q]`, action, resource))
}

func deny(action, resource string) string {
	return statement50(fmt.Sprintf(`"Effect":"Deny","Action":[%q],"Resource":[%q]`, action, resource))
}

// TestAuthorize_names_the_action protects IE2 and 7.5.
func TestAuthorize_names_the_action(t *testing.T) {
	c := callerWith(t, allow("csms:secretVersion:get", "csms:*:*:secretName:prod_*"))
	if err := c.Authorize(request(ShowSecretVersion, "prod_db")); err != nil {
		t.Errorf("allowed by the alias: %v", err)
	}
	err := c.Authorize(request(ShowSecretVersion, "test_db"))
	var e *csms.Error
	if !errors.As(err, &e) || e.Code != csms.CodeForbidden || e.Msg != "Policy doesn't allow csms:secret:getVersion to be performed." {
		t.Errorf("refusal = %v", err)
	}
}

// TestEvaluate_orders_deny_allow_default protects the order of 7.1.
func TestEvaluate_orders_deny_allow_default(t *testing.T) {
	tests := []struct {
		name      string
		policies  []string
		want      Reason
		policy    string
		statement int
	}{
		{"nothing", nil, NotAllowed, "", -1},
		{"other action", []string{allow("csms:secret:get", "*")}, NotAllowed, "", -1},
		{"allow", []string{allow("csms:secret:get", "*"), allow("csms:secret:getVersion", "*")}, ByStatement, "policy-1", 0},
		{"the first allow is told", []string{allow("csms:secret:*", "*"), allow("*", "*")}, ByStatement, "policy-0", 0},
		{"allow then deny", []string{allow("csms:*:*", "*"), deny("csms:secret:getVersion", "*")}, Denied, "policy-1", 0},
		{"deny then allow", []string{deny("csms:secretVersion:get", "*"), allow("csms:*:*", "*")}, Denied, "policy-0", 0},
		{"deny of another secret", []string{deny("*", "csms:*:*:secretName:test_*"), allow("csms:*:*", "*")}, ByStatement, "policy-1", 0},
		{"second statement", []string{`{"Version":"1.1","Statement":[
			{"Effect":"Allow","Action":["csms:secret:get"]},{"Effect":"Allow","Action":["csms:secret:getVersion"]}]}`}, ByStatement, "policy-0", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Evaluate(callerWith(t, tt.policies...), request(ShowSecretVersion, "prod_db"))
			name := ""
			if d.Policy != nil {
				name = d.Policy.Name()
			}
			if d.Reason != tt.want || name != tt.policy || d.Statement != tt.statement || d.Layer != Identity {
				t.Errorf("decision = %v (statement %d of %q)", &d, d.Statement, name)
			}
			if d.Allowed != (tt.want == ByStatement) || d.ExplicitDeny() != (tt.want == Denied) || (d.Err() == nil) != d.Allowed {
				t.Errorf("decision contradicts itself: %+v", d)
			}
		})
	}
}

// TestResources protects the five parts of 7.2 and the URN of 7.3.
func TestResources(t *testing.T) {
	tests := []struct {
		resource string
		op       Op
		name     string
		want     bool
	}{
		{"*", ShowSecret, "prod_db", true},
		{"csms:*:*:secretName:prod_*", ShowSecret, "prod_db", true},
		{"csms:*:*:secretName:prod_*", ShowSecret, "Prod_db", false}, // names are case-sensitive
		{"csms:*:*:secretName:prod_*", ShowSecret, "my_prod_db", false},
		{"csms:*:*:secretName:*_db", ShowSecret, "prod_db", true},
		{"csms:*:*:secretName:p*_d*", ShowSecret, "prod_db", true},
		{"csms:cn-north-4:d1:secretName:prod_db", ShowSecret, "prod_db", true},
		{"csms:cn-*:d1:secretName:prod_db", ShowSecret, "prod_db", true},
		{"csms:cn-south-1:d1:secretName:prod_db", ShowSecret, "prod_db", false},
		{"csms:*:d2:secretName:*", ShowSecret, "prod_db", false},
		{"CSMS:*:*:SecretName:*", ShowSecret, "prod_db", true}, // OBS:*:*:bucket:x is how people write it
		{"csms::d1:secretName:*", ShowSecret, "prod_db", false},
		{"*:*:*:*:*", ShowSecret, "prod_db", true},
		{"kms:*:*:KeyId:*", ShowSecret, "prod_db", false},
		{"csms:*:*:event:*", ShowSecret, "prod_db", false},
		{"csms:*:*:secretName:*:x", ShowSecret, "prod_db", false},

		// A list has no name: only a right over all names covers it.
		{"csms:*:*:secretName:*", ListSecrets, "", true},
		{"csms:*:*:secretName:prod_*", ListSecrets, "", false},
		{"csms:*:*:secretName:prod_*", CreateSecret, "prod_new", true},
		{"csms:*:*:secretName:prod_*", CreateSecret, "", false},
		{"csms:*:*:secretName:prod_*", BatchShowSecretVersion, "prod_db", true}, // 7.4: per name
		{"csms:*:*:secretName:prod_*", BatchShowSecretVersion, "test_db", false},

		// An operation without resource needs all resources.
		{"*", CreateSecretEvent, "", true},
		{"csms:*:*:*:*", CreateSecretEvent, "", true},
		{"csms:*:*:secretName:*", CreateSecretEvent, "", false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.op, " ", tt.name, " in ", tt.resource), func(t *testing.T) {
			c := callerWith(t, allow("*", tt.resource))
			if d := Evaluate(c, request(tt.op, tt.name)); d.Allowed != tt.want {
				t.Errorf("decision = %v, want allowed %v", &d, tt.want)
			}
			c = callerWith(t, allow("*", "*"), deny("*", tt.resource))
			if d := Evaluate(c, request(tt.op, tt.name)); d.ExplicitDeny() != tt.want {
				t.Errorf("decision with a deny = %v, want denied %v", &d, tt.want)
			}
		})
	}
}

// TestNotAction_and_NotResource protects 7.3.
func TestNotAction_and_NotResource(t *testing.T) {
	tests := []struct {
		statement string
		op        Op
		name      string
		want      Reason
	}{
		{`"Effect":"Allow","NotAction":["iam:*:*","csms:secret:delete"]`, ShowSecret, "a", ByStatement},
		{`"Effect":"Allow","NotAction":["iam:*:*","csms:secret:delete"]`, DeleteSecret, "a", NotAllowed},
		{`"Effect":"Allow","NotAction":["csms:secretVersion:get"]`, ShowSecretVersion, "a", NotAllowed}, // named by its alias
		{`"Effect":"Deny","NotAction":["csms:*:*"]`, ListTraces, "", Denied},
		{`"Effect":"Deny","NotAction":["csms:*:*"]`, ShowSecret, "a", NotAllowed},
		{`"Effect":"Allow","Action":["*"],"NotResource":["csms:*:*:secretName:prod_*"]`, ShowSecret, "test_a", ByStatement},
		{`"Effect":"Allow","Action":["*"],"NotResource":["csms:*:*:secretName:prod_*"]`, ShowSecret, "prod_a", NotAllowed},
		{`"Effect":"Deny","Action":["*"],"NotResource":["csms:*:*:secretName:a","csms:*:*:secretName:b"]`, ShowSecret, "c", Denied},
		{`"Effect":"Deny","Action":["*"],"NotResource":["csms:*:*:secretName:a","csms:*:*:secretName:b"]`, ShowSecret, "b", NotAllowed},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.op, tt.name, tt.statement), func(t *testing.T) {
			if d := Evaluate(callerWith(t, statement50(tt.statement)), request(tt.op, tt.name)); d.Reason != tt.want {
				t.Errorf("decision = %v", &d)
			}
		})
	}
}

// TestOwner protects 7.1: everything in his domain, nothing outside it, and the
// session of a temporary key limits him too.
func TestOwner(t *testing.T) {
	owner := callerWith(t, deny("*", "*"))
	owner.Owner = true
	for _, op := range Operations() {
		r := request(op, "a")
		r.Resource = "x"
		if d := Evaluate(owner, r); !d.Allowed || d.Reason != ByOwnership {
			t.Errorf("%v: %v", op, &d)
		}
		r.Domain = "d2"
		if d := Evaluate(owner, r); d.Allowed || d.Reason != OtherDomain {
			t.Errorf("%v in another domain: %v", op, &d)
		}
	}
	owner.Session = mustParse(t, allow("csms:secret:get", "*"))
	if err := owner.Authorize(request(ShowSecret, "a")); err != nil {
		t.Errorf("inside the session: %v", err)
	}
	if d := Evaluate(owner, request(ShowSecretVersion, "a")); d.Allowed || d.Layer != Session {
		t.Errorf("outside the session: %v", &d)
	}
}

// TestSession_and_boundary protects "intersected with" in 7.1.
func TestSession_and_boundary(t *testing.T) {
	tests := []struct {
		name     string
		session  string
		boundary []string
		want     Reason
		layer    Layer
	}{
		{"session allows", allow("csms:secret:get", "*"), nil, ByStatement, Identity},
		{"session silent", allow("csms:secret:list", "*"), nil, NotAllowed, Session},
		{"session empty", `{"Version":"1.1","Statement":[]}`, nil, NotAllowed, Session},
		{"session denies", statement50(`"Effect":"Deny","Action":["csms:secret:get"]`), nil, Denied, Session},
		{"boundary allows", "", []string{allow("csms:*:*", "*")}, ByStatement, Identity},
		{"boundary silent", "", []string{allow("kms:*:*", "*")}, NotAllowed, Boundary},
		{"full access and a deny elsewhere", "", []string{allow("*", "*"), deny("csms:secret:delete", "*")}, ByStatement, Identity},
		{"full access and a deny", "", []string{allow("*", "*"), deny("csms:secret:get", "*")}, Denied, Boundary},
		{"session asked first", allow("csms:secret:list", "*"), []string{deny("*", "*")}, NotAllowed, Session},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := callerWith(t, allow("csms:*:*", "*"))
			if tt.session != "" {
				c.Session = mustParse(t, tt.session)
			}
			for _, document := range tt.boundary {
				c.Boundary = append(c.Boundary, mustParse(t, document))
			}
			d := Evaluate(c, request(ShowSecret, "a"))
			if d.Reason != tt.want || d.Layer != tt.layer {
				t.Errorf("decision = %v", &d)
			}
		})
	}
	t.Run("neither grants", func(t *testing.T) {
		c := callerWith(t)
		c.Session = mustParse(t, allow("*", "*"))
		c.Boundary = []*Policy{c.Session}
		if d := Evaluate(c, request(ShowSecret, "a")); d.Allowed || d.Layer != Identity {
			t.Errorf("decision = %v", &d)
		}
	})
}

// TestOpen_operations protects "none" of section 18: no grant is needed, but a deny
// of everything still counts.
func TestOpen_operations(t *testing.T) {
	for _, op := range []Op{GenerateRandomPassword, ShowAgency, ListSupportRegions, KeystoneListProjects} {
		if d := Evaluate(callerWith(t), request(op, "")); !d.Allowed || d.Reason != ByOpenness {
			t.Errorf("%v: %v", op, &d)
		}
		if d := Evaluate(callerWith(t, deny("*", "*")), request(op, "")); !d.ExplicitDeny() {
			t.Errorf("%v under a deny of everything: %v", op, &d)
		}
		stranger := request(op, "")
		stranger.Domain = "d2"
		if d := Evaluate(callerWith(t), stranger); d.Allowed {
			t.Errorf("%v in another domain: %v", op, &d)
		}
	}
}

// TestAdminOnly_operations protects IAM2.
func TestAdminOnly_operations(t *testing.T) {
	tests := []struct {
		name   string
		policy string
		op     Op
		want   bool
	}{
		{"nobody special updates the configuration", allow("csms:secret:*", "*"), UpdateSecretsConfig, false},
		{"full access does", allow("csms:*:*", "*"), UpdateSecretsConfig, true},
		{"and grants", allow("csms:*:*", "*"), CreateGrants, true},
		{"full access to some secrets does not", allow("csms:*:*", "csms:*:*:secretName:a*"), CreateGrants, false},
		{"deleting is not deleting in a batch", allow("csms:secret:delete", "*"), BatchDeleteSecrets, false},
		{"an administrator without it deletes none", allow("csms::administer", "*"), BatchDeleteSecrets, false},
		{"full access deletes in a batch", allow("csms:*:*", "*"), BatchDeleteSecrets, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := Evaluate(callerWith(t, tt.policy), request(tt.op, "")); d.Allowed != tt.want {
				t.Errorf("decision = %v, want allowed %v", &d, tt.want)
			}
		})
	}
	err := callerWith(t, allow("csms:secret:delete", "*")).Authorize(request(BatchDeleteSecrets, ""))
	if err == nil || !strings.Contains(err.Error(), "csms::administer") {
		t.Errorf("refusal = %v, want the missing right named", err)
	}
	err = callerWith(t, allow("csms:*:*", "*"), deny("csms::createGrants", "*")).Authorize(request(CreateGrants, ""))
	if err == nil || !strings.Contains(err.Error(), "csms::createGrants") {
		t.Errorf("refusal = %v, want the denied right named", err)
	}
}

// TestEvaluate_refuses_what_it_cannot_judge: no operation, no name, no region, no
// domain, another project.
func TestEvaluate_refuses_what_it_cannot_judge(t *testing.T) {
	everything := func() *Caller {
		c := callerWith(t, allow("*", "*"))
		c.Owner = true
		return c
	}
	tests := []struct {
		name   string
		change func(*Caller, *Request)
		want   Reason
	}{
		{"no operation", func(_ *Caller, r *Request) { r.Op = 0 }, Malformed},
		{"no such operation", func(_ *Caller, r *Request) { r.Op = opEnd }, Malformed},
		{"no name", func(_ *Caller, r *Request) { r.SecretName = "" }, Malformed},
		{"no region", func(_ *Caller, r *Request) { r.Region = "" }, Malformed},
		{"no region, no resource", func(_ *Caller, r *Request) { r.Op, r.Region = CreateSecretEvent, "" }, Malformed},
		{"key without id", func(_ *Caller, r *Request) { r.Op = DecryptDataKey }, Malformed},
		{"nobody", func(c *Caller, r *Request) { c.DomainID, r.Domain = "", "" }, OtherDomain},
		{"other domain", func(_ *Caller, r *Request) { r.Domain = "d2" }, OtherDomain},
		{"other project", func(_ *Caller, r *Request) { r.Project = "p2" }, OtherProject},
		{"project without scope", func(c *Caller, _ *Request) { c.ProjectID = "" }, OtherProject},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, r := everything(), request(ShowSecret, "a")
			tt.change(c, r)
			if d := Evaluate(c, r); d.Allowed || d.Reason != tt.want || d.Err() == nil {
				t.Errorf("decision = %v, want reason %d", &d, tt.want)
			}
		})
	}
	t.Run("a path without project", func(t *testing.T) {
		r := request(ShowSecret, "a")
		r.Project = ""
		if err := everything().Authorize(r); err != nil {
			t.Error(err)
		}
	})
	t.Run("a missing policy grants nothing", func(t *testing.T) {
		c := callerWith(t)
		c.Policies = []*Policy{nil}
		if d := Evaluate(c, request(ShowSecret, "a")); d.Allowed {
			t.Errorf("decision = %v", &d)
		}
	})
}

// TestAuthorizeKey protects 7.4: a customer-named key needs its own right, the
// default key none, and a refusal is CSMS.0401.
func TestAuthorizeKey(t *testing.T) {
	c := callerWith(t, allow("csms:*:*", "*"), allow("kms:dek:decrypt", "kms:*:*:KeyId:k1"))
	r := request(ShowSecretVersion, "a")
	if err := c.AuthorizeKey(DecryptDataKey, r, ""); err != nil {
		t.Errorf("default key: %v", err)
	}
	if err := c.AuthorizeKey(DecryptDataKey, r, "k1"); err != nil {
		t.Errorf("granted key: %v", err)
	}
	for _, tt := range []struct {
		op     Op
		id     string
		action string
	}{{DecryptDataKey, "k2", "kms:cmk:decryptDataKey"}, {CreateDataKey, "k1", "kms:cmk:createDataKey"}} {
		err := c.AuthorizeKey(tt.op, r, tt.id)
		if csms.CodeOf(err) != csms.CodeKey || !strings.Contains(err.Error(), "Policy doesn't allow "+tt.action+" to be performed.") {
			t.Errorf("%v of %s: %v", tt.op, tt.id, err)
		}
	}
}

func TestAuthorizeKey_keeps_the_attributes_of_the_request(t *testing.T) {
	c := callerWith(t, statement50(`"Effect":"Allow","Action":["csms:secret:getVersion","kms:cmk:decryptDataKey"],
		"Condition":{"StringEquals":{"g:EnterpriseProjectId":["ep1"]}}`))
	r := request(ShowSecretVersion, "a")
	r.EnterpriseProjectID = Known("ep1")
	if err := c.AuthorizeKey(DecryptDataKey, r, "k1"); err != nil {
		t.Error(err)
	}
	r.EnterpriseProjectID = Known("ep2")
	if err := c.AuthorizeKey(DecryptDataKey, r, "k1"); err == nil {
		t.Error("the enterprise project does not count")
	}
}

// TestGlobal_services have URNs without region and operations without project.
func TestGlobal_services(t *testing.T) {
	c := callerWith(t, allow("iam:users:*", "iam::d1:user:u2"))
	r := &Request{Op: DeleteUserV5, Domain: "d1", Resource: "u2"}
	if err := c.Authorize(r); err != nil {
		t.Error(err)
	}
	r.Region = "cn-north-4" // does not matter
	if err := c.Authorize(r); err != nil {
		t.Error(err)
	}
	r.Resource = "u3"
	if err := c.Authorize(r); err == nil {
		t.Error("another user is covered")
	}
}

func TestDecision_explains_itself(t *testing.T) {
	sid := statement50(`"Sid":"no-prod","Effect":"Deny","Action":["csms:secret:get"],"Resource":["csms:*:*:secretName:prod_*"]`)
	c := callerWith(t, allow("csms:*:*", "*"), sid)
	tests := []struct {
		c    func(*Caller)
		r    *Request
		want string
	}{
		{nil, request(ShowSecret, "a"), `csms:secret:get allowed: allowed by statement 0 of policy "policy-0"`},
		{nil, request(ShowSecret, "prod_a"), `csms:secret:get refused: denied by statement 0 of policy "policy-1" (no-prod)`},
		{nil, request(DecryptDataKey, ""), `kms:cmk:decryptDataKey refused: no such operation or no name of a resource`},
		{nil, &Request{Op: ListTraces, Region: "r", Domain: "d1"}, `cts:trace:list refused: no statement allows it`},
		{nil, &Request{Op: ListTraces, Region: "r", Domain: "d2"}, `cts:trace:list refused: the resource belongs to another domain`},
		{nil, &Request{Op: ListTraces, Region: "r", Domain: "d1", Project: "p2"}, `cts:trace:list refused: the request acts in another project`},
		{func(c *Caller) { c.Owner = true }, request(ShowSecret, "prod_a"), `csms:secret:get allowed: the caller owns the domain`},
		{func(c *Caller) { c.Policies = nil }, request(ListSupportRegions, ""), `csms::listSupportRegions allowed: the operation needs no grant`},
		{func(c *Caller) { c.Session = c.Policies[1] }, request(ShowSecret, "a"), `csms:secret:get refused: no statement of the session allows it`},
		{
			func(c *Caller) { c.Boundary, c.Policies = c.Policies, c.Policies[:1] }, request(ShowSecret, "prod_a"),
			`csms:secret:get refused: denied by statement 0 of policy "policy-1" (no-prod) of the boundary`,
		},
	}
	for _, tt := range tests {
		caller := *c
		if tt.c != nil {
			tt.c(&caller)
		}
		if d := Evaluate(&caller, tt.r); d.String() != tt.want {
			t.Errorf("got  %s\nwant %s", &d, tt.want)
		}
	}
}

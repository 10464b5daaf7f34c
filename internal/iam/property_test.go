package iam

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The vocabulary is small, so that random policies and requests meet.
var (
	someOps = []Op{ShowSecret, ShowSecretVersion, DeleteSecret, ListSecrets, RestoreSecret, CreateSecretEvent, ListTraces}

	someActions = []string{
		"*", "csms:*:*", "csms:secret:*", "csms:secretVersion:*", "csms:secret:get", "CSMS:SECRET:GET", "csms:SECRET:Get",
		"csms:secret:deleteCancelled", "csms:secret:restoreSecret", "csms::createEvent", "csms:event:*", "csms:*:delete*", "cts:*:*", "obs:*:*",
	}
	someResources = []string{
		"*", "csms:*:*:secretName:*", "csms:*:*:secretName:prod_*", "csms:*:*:secretName:*_db", "CSMS:cn-*:d1:secretname:prod_db",
		"csms:*:d2:*:*", "*:*:*:*:*", "csms:cn-south-1:*:secretName:*", "cts:*:*:*:*",
	}
	someNames = []string{"prod_db", "test_db", "prod_x"}
)

// genStatement draws a statement that may be saved.
func genStatement(effects ...string) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		s := map[string]any{"Effect": rapid.SampledFrom(effects).Draw(t, "effect")}
		action := rapid.SampledFrom([]string{"Action", "Action", "Action", "NotAction"}).Draw(t, "action")
		valid := rapid.SampledFrom(someActions).Filter(func(a string) bool { return checkAction(a) == nil })
		s[action] = rapid.SliceOfN(valid, 1, 3).Draw(t, "actions")
		if resource := rapid.SampledFrom([]string{"", "Resource", "Resource", "NotResource"}).Draw(t, "resource"); resource != "" {
			s[resource] = rapid.SliceOfN(rapid.SampledFrom(someResources), 1, 3).Draw(t, "resources")
		}
		if rapid.Bool().Draw(t, "conditional") {
			s["Condition"] = genCondition.Draw(t, "condition")
		}
		return s
	})
}

var genCondition = rapid.Custom(func(t *rapid.T) map[string]any {
	texts := []string{"a", "b", "A", "a*", "?", "", "true", "7", "-ci"}
	byFamily := map[string]struct{ keys, operators, values []string }{
		"text": {
			[]string{"g:UserName", "g:EnterpriseProjectId", "csms:Type", "g:ResourceTag/k", "g:TagKeys"},
			[]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringMatch", "StringNotMatch", "StringStartWith", "StringNotStartWith"},
			texts,
		},
		"number":  {[]string{"g:ResourceTag/k"}, []string{"NumberLessThan"}, []string{"8", "7", "-1.5"}},
		"date":    {[]string{"g:CurrentTime"}, []string{"DateGreaterThan"}, []string{"2026-11-21T11:00:00Z", "2026-11-21T13:00:00+01:00", "2027-01-01T00:00:00Z"}},
		"bool":    {[]string{"g:MFAPresent", "g:ResourceTag/k"}, []string{"Bool"}, []string{"true", "false"}},
		"address": {[]string{"g:SourceIp"}, []string{"IpAddress", "NotIpAddress"}, []string{"10.0.0.0/8", "10.1.2.3/32", "::/0", "192.168.0.0/16"}},
		"null":    {[]string{"csms:Type", "g:ResourceTag/k", "g:TagKeys", "g:EnterpriseProjectId"}, []string{"Null", "IsNullOrEmpty"}, []string{"true", "false"}},
	}
	block := map[string]any{}
	for range rapid.IntRange(1, 2).Draw(t, "operators") {
		name := rapid.SampledFrom([]string{"text", "text", "text", "number", "date", "bool", "address", "null"}).Draw(t, "family")
		f := byFamily[name]
		operator := rapid.SampledFrom(f.operators).Draw(t, "operator")
		if name != "null" {
			operator = rapid.SampledFrom([]string{"", "", "ForAnyValue:", "ForAllValues:"}).Draw(t, "set") + operator +
				rapid.SampledFrom([]string{"", "IfExists"}).Draw(t, "suffix")
		}
		key := rapid.SampledFrom(f.keys).Draw(t, "key")
		block[operator] = map[string]any{key: rapid.SliceOfN(rapid.SampledFrom(f.values), 1, 2).Draw(t, "values")}
	}
	return block
})

// genPolicy draws a policy of statements with one of the effects.
func genPolicy(effects ...string) *rapid.Generator[*Policy] {
	return rapid.Custom(func(t *rapid.T) *Policy {
		return compiled(t, rapid.SliceOfN(genStatement(effects...), 0, 3).Draw(t, "statements"))
	})
}

func compiled(t *rapid.T, statements []map[string]any) *Policy {
	if statements == nil {
		statements = []map[string]any{}
	}
	document, err := json.Marshal(map[string]any{"Version": "5.0", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePolicy("p", document)
	if err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return p
}

var genCaller = rapid.Custom(func(t *rapid.T) *Caller {
	c := &Caller{
		DomainID: "d1", ProjectID: "p1", Now: noon,
		UserName: rapid.SampledFrom([]string{"a", "b", "bob-ci"}).Draw(t, "user"),
		SourceIP: netip.MustParseAddr(rapid.SampledFrom([]string{"10.1.2.3", "192.168.1.1", "2001:db8::1"}).Draw(t, "source")),
		MFA:      rapid.Bool().Draw(t, "mfa"),
		Owner:    rapid.IntRange(0, 9).Draw(t, "owner") == 0,
		Policies: rapid.SliceOfN(genPolicy("Allow", "Allow", "Deny"), 0, 3).Draw(t, "policies"),
	}
	if rapid.IntRange(0, 3).Draw(t, "session") == 0 {
		c.Session = genPolicy("Allow", "Allow", "Deny").Draw(t, "session policy")
	}
	if rapid.IntRange(0, 3).Draw(t, "boundary") == 0 {
		c.Boundary = rapid.SliceOfN(genPolicy("Allow", "Allow", "Deny"), 1, 2).Draw(t, "boundary policies")
	}
	return c
})

var genRequest = rapid.Custom(func(t *rapid.T) *Request {
	maybe := func(name string) Value[string] {
		if rapid.Bool().Draw(t, name+" known") {
			return Known(rapid.SampledFrom([]string{"a", "b", "", "A"}).Draw(t, name))
		}
		return Value[string]{}
	}
	r := &Request{
		Op: rapid.SampledFrom(someOps).Draw(t, "op"), Region: "cn-north-4", Domain: "d1",
		Project: rapid.SampledFrom([]string{"p1", "p1", "p1", ""}).Draw(t, "project"),
	}
	r.Type, r.EnterpriseProjectID = maybe("type"), maybe("enterprise project")
	r.TagKeys = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "A"}), 0, 3).Draw(t, "tag keys")
	if rapid.Bool().Draw(t, "tagged") {
		r.ResourceTags = []Tag{{"k", rapid.SampledFrom([]string{"a", "7", "", "true"}).Draw(t, "tag")}}
	}
	if row := r.Op.Operation(); row.ResourceType != "" && !(row.Collection && rapid.Bool().Draw(t, "unnamed")) {
		r.SecretName = rapid.SampledFrom(someNames).Draw(t, "name")
	}
	return r
})

func TestEvaluate_agrees_with_the_reference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := genCaller.Draw(t, "caller")
		for range 8 {
			r := genRequest.Draw(t, "request")
			r.Granted = rapid.Bool().Draw(t, "granted")
			if d := Evaluate(c, r); d.Allowed != refAllowed(c, r) {
				t.Fatalf("%v, the reference says %v", &d, !d.Allowed)
			}
		}
	})
}

func TestEvaluate_deny_always_wins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, r := genCaller.Draw(t, "caller"), genRequest.Draw(t, "request")
		c.Owner = false
		everything := compiled(t, []map[string]any{{"Effect": "Allow", "Action": "*"}})
		deny := genPolicy("Deny").Draw(t, "deny")
		alone := *c
		alone.Policies = []*Policy{everything, deny}
		alone.Session, alone.Boundary = nil, nil
		if d := Evaluate(&alone, r); d.Allowed {
			return // this deny is about something else
		}
		c.Policies = append(c.Policies, deny, everything)
		if d := Evaluate(c, r); d.Allowed {
			t.Fatalf("%v in spite of a deny", &d)
		}
	})
}

func TestEvaluate_an_allow_never_takes_a_right_away(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, r := genCaller.Draw(t, "caller"), genRequest.Draw(t, "request")
		before := Evaluate(c, r)
		c.Policies = append(c.Policies, genPolicy("Allow").Draw(t, "more"))
		if after := Evaluate(c, r); before.Allowed && !after.Allowed {
			t.Fatalf("%v, before: %v", &after, &before)
		}
	})
}

func TestEvaluate_a_deny_session_or_boundary_never_adds_a_right(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, r := genCaller.Draw(t, "caller"), genRequest.Draw(t, "request")
		limited := *c
		limited.Policies = append(limited.Policies[:len(limited.Policies):len(limited.Policies)], genPolicy("Deny").Draw(t, "deny"))
		if c.Session == nil {
			limited.Session = genPolicy("Allow", "Deny").Draw(t, "session")
		}
		if c.Boundary == nil {
			limited.Boundary = []*Policy{genPolicy("Allow", "Deny").Draw(t, "boundary")}
		}
		before, after := Evaluate(c, r), Evaluate(&limited, r)
		if !before.Allowed && after.Allowed {
			t.Fatalf("%v, before: %v", &after, &before)
		}
	})
}

func TestEvaluate_order_does_not_matter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, r := genCaller.Draw(t, "caller"), genRequest.Draw(t, "request")
		statements := rapid.SliceOfN(genStatement("Allow", "Allow", "Deny"), 0, 4).Draw(t, "statements")
		c.Policies = append(c.Policies, compiled(t, statements))
		before := Evaluate(c, r)

		c.Policies[len(c.Policies)-1] = compiled(t, rapid.Permutation(statements).Draw(t, "statements in another order"))
		c.Policies = rapid.Permutation(c.Policies).Draw(t, "policies in another order")
		if after := Evaluate(c, r); after.Allowed != before.Allowed || after.ExplicitDeny() != before.ExplicitDeny() {
			t.Fatalf("%v, in the other order: %v", &before, &after)
		}
	})
}

// TestEvaluate_an_alias_decides_like_its_action protects 7.4, for every alias of the
// table, in both grammars, as Action and as NotAction.
func TestEvaluate_an_alias_decides_like_its_action(t *testing.T) {
	for _, op := range Operations() {
		for _, alias := range op.Operation().Aliases {
			for _, document := range []string{
				`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["%"]}]}`,
				`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["*"]},{"Effect":"Deny","Action":["%"]}]}`,
				`{"Version":"5.0","Statement":[{"Effect":"Allow","NotAction":["%"]}]}`,
			} {
				byAction := callerWith(t, strings.ReplaceAll(document, "%", op.Action()))
				byAlias := callerWith(t, strings.ReplaceAll(document, "%", alias))
				r := request(op, "a")
				r.Resource = "x"
				if a, b := Evaluate(byAction, r), Evaluate(byAlias, r); a.Reason != b.Reason {
					t.Errorf("%v by %s: %v, by %s: %v", op, op.Action(), &a, alias, &b)
				}
			}
		}
	}
}

func TestEvaluate_the_owner_may_everything_but_only_at_home(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, r := genCaller.Draw(t, "caller"), genRequest.Draw(t, "request")
		c.Owner, c.Session, c.Boundary = true, nil, nil
		if d := Evaluate(c, r); !d.Allowed {
			t.Fatal(&d)
		}
		session := genPolicy("Allow", "Deny").Draw(t, "session")
		c.Session = session
		other := &Caller{DomainID: "d1", ProjectID: "p1", UserName: c.UserName, SourceIP: c.SourceIP, MFA: c.MFA, Now: c.Now, Policies: []*Policy{session}}
		if owner, plain := Evaluate(c, r), Evaluate(other, r); owner.Allowed != plain.Allowed {
			t.Fatalf("owner under a session: %v, the session alone: %v", &owner, &plain)
		}
		r.Domain = "d2"
		if d := Evaluate(c, r); d.Allowed {
			t.Fatal(&d)
		}
	})
}

// TestPolicy_means_the_same_after_a_JSON_round_trip sends the document through maps,
// which reorders it, and through CompilePolicy.
func TestPolicy_means_the_same_after_a_JSON_round_trip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, p := genCaller.Draw(t, "caller"), genPolicy("Allow", "Deny").Draw(t, "policy")
		var tree any
		if err := json.Unmarshal(p.Document(), &tree); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		again, err := CompilePolicy("p", text)
		if err != nil || again.Problems() != nil {
			t.Fatal(err, again.Problems())
		}
		with, without := *c, *c
		with.Policies, without.Policies = []*Policy{p}, []*Policy{again}
		for range 4 {
			r := genRequest.Draw(t, "request")
			if a, b := Evaluate(&with, r), Evaluate(&without, r); a.Reason != b.Reason || a.Statement != b.Statement {
				t.Fatalf("%v, after the round trip: %v", &a, &b)
			}
		}
	})
}

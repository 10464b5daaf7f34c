package iam

import "testing"

// G4: a grant gives the reads of a secret and nothing else.
func TestEvaluate_a_grant_gives_reads(t *testing.T) {
	want := map[Op]bool{
		ShowSecret: true, ListSecretVersions: true, ShowSecretVersion: true, BatchShowSecretVersion: true,
		ShowSecretStage: true, ListSecretTags: true,
	}
	for _, op := range Operations() {
		r := request(op, "a")
		r.Resource, r.Granted = "a", true
		d := Evaluate(callerWith(t), r)
		if (d.Reason == ByGrant) != want[op] || want[op] != d.Allowed && !op.Operation().Open {
			t.Errorf("%v: %v", op, &d)
		}
		r.Granted = false
		if d := Evaluate(callerWith(t), r); d.Reason == ByGrant || want[op] && d.Allowed {
			t.Errorf("%v without a grant: %v", op, &d)
		}
	}
}

// G4: a deny in any layer stands, and a session must allow what a grant gives.
func TestEvaluate_a_grant_takes_no_limit_away(t *testing.T) {
	r := request(ShowSecretVersion, "a")
	r.Granted = true
	if d := Evaluate(callerWith(t, deny("csms:secret:getVersion", "*")), r); !d.ExplicitDeny() {
		t.Errorf("under a deny: %v", &d)
	}
	c := callerWith(t)
	c.Session = mustParse(t, allow("csms:secret:list", "*"))
	if d := Evaluate(c, r); d.Allowed || d.Layer != Session {
		t.Errorf("in a session without the right: %v", &d)
	}
	c.Session = mustParse(t, allow("csms:secret:getVersion", "*"))
	if d := Evaluate(c, r); !d.Allowed || d.Reason != ByGrant {
		t.Errorf("in a session with the right: %v", &d)
	}
	c.Boundary = []*Policy{mustParse(t, allow("csms:secret:list", "*"))}
	if d := Evaluate(c, r); d.Allowed || d.Layer != Boundary {
		t.Errorf("outside the boundary: %v", &d)
	}
	if d := Evaluate(callerWith(t), r); d.String() == "" {
		t.Error("a grant is not explained")
	}
}

// A grant on a key gives the operations that have a word in such grants and nothing
// else; that the service names the right ones is tested there.
func TestEvaluate_a_grant_on_a_key_gives_uses(t *testing.T) {
	want := map[Op]string{
		DescribeKey: "describe-key", CreateDataKey: "create-datakey", CreateDataKeyWithoutPlaintext: "create-datakey-without-plaintext",
		EncryptDataKey: "encrypt-datakey", DecryptDataKey: "decrypt-datakey", EncryptData: "encrypt-data", DecryptData: "decrypt-data",
		CreateKeyGrant: "create-grant", RetireKeyGrant: "retire-grant",
	}
	for _, op := range Operations() {
		r := request(op, "a")
		r.Resource, r.KeyGranted = "a", true
		d := Evaluate(callerWith(t), r)
		if granted := want[op] != ""; (d.Reason == ByGrant) != granted || granted != d.Allowed && !op.Operation().Open {
			t.Errorf("%v: %v", op, &d)
		}
		if got := op.Operation().KeyGrant; got != want[op] || InKeyGrant(got) != (got != "") {
			t.Errorf("%v: word %q, known: %v", op, got, InKeyGrant(got))
		}
	}
	for _, word := range []string{"", "sign", "DecryptData", "revoke-grant"} {
		if InKeyGrant(word) {
			t.Errorf("%q can be granted", word)
		}
	}
}

// A deny in any layer stands, a session must allow what a grant gives, and a grant on
// a secret gives no key, nor the other way round.
func TestAuthorizeKey_a_grant_takes_no_limit_away(t *testing.T) {
	r := request(ShowSecretVersion, "a")
	r.KeyGranted = true
	if err := callerWith(t).AuthorizeKey(DecryptDataKey, r, "k"); err != nil {
		t.Errorf("by the grant: %v", err)
	}
	if err := callerWith(t, deny("kms:cmk:decryptDataKey", "*")).AuthorizeKey(DecryptDataKey, r, "k"); err == nil {
		t.Error("a deny gave way to a grant")
	}
	c := callerWith(t)
	c.Session = mustParse(t, allow("csms:secret:getVersion", "*"))
	if err := c.AuthorizeKey(DecryptDataKey, r, "k"); err == nil {
		t.Error("a session gave way to a grant")
	}
	if d := Evaluate(callerWith(t), r); d.Allowed {
		t.Errorf("a grant on a key gave a secret: %v", &d)
	}
	r.KeyGranted, r.Granted = false, true
	if err := callerWith(t).AuthorizeKey(DecryptDataKey, r, "k"); err == nil {
		t.Error("a grant on a secret gave a key")
	}
}

// Whom no grant names: an agency as a user, and a user of another identity service.
func TestCaller_names_in_grants(t *testing.T) {
	for _, tt := range []struct {
		caller       Caller
		user, domain string
	}{
		{Caller{UserID: "u", DomainID: "d"}, "u", "d"},
		{Caller{DomainID: "d", PrincipalID: "agency:session"}, "", "d"},
		{Caller{UserID: "u", DomainID: "d", Foreign: true}, "", ""},
	} {
		if user, domain := tt.caller.GrantUser(), tt.caller.GrantDomain(); user != tt.user || domain != tt.domain {
			t.Errorf("%+v: user %q, domain %q", tt.caller, user, domain)
		}
	}
}

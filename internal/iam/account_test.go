package iam

import "testing"

// A pattern is held against the account of an agency in another domain, so that the
// right over an agency of one's own is none over one of its name elsewhere (auth.md 7.3).
func TestAccountOfAResource(t *testing.T) {
	for pattern, want := range map[string][2]bool{ // own account, other account
		"*": {true, true}, "iam::*:agency:deployer": {true, true},
		"iam::d1:agency:deployer": {true, false}, "iam::d2:agency:deployer": {false, true},
	} {
		p, err := ParsePolicy("p", []byte(`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["iam:tokens:assume"],"Resource":["`+pattern+`"]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		c := Caller{DomainID: "d1", UserID: "u", Policies: []*Policy{p}}
		for i, account := range []string{"", "d2"} {
			d := Evaluate(&c, &Request{Op: CreateTemporaryAccessKeyByAgency, Domain: "d1", Resource: "deployer", Account: account})
			if d.Allowed != want[i] {
				t.Errorf("%s, account %q: %v; want %v", pattern, account, d.Allowed, want[i])
			}
		}
	}
}

// Who acts as an agency has no grants, neither those of the user who assumed it nor those
// to every user of the account; the log has the user (auth.md 7.1).
func TestAnAgencyHasNoGrants(t *testing.T) {
	user := Caller{DomainID: "d1", UserID: "u"}
	agency := Caller{DomainID: "d1", Assumed: &Assumed{AgencyID: "a", UserID: "u"}}
	if user.GrantUser() != "u" || user.GrantDomain() != "d1" || user.ActorID() != "u" {
		t.Errorf("user: %q %q %q", user.GrantUser(), user.GrantDomain(), user.ActorID())
	}
	if agency.GrantUser() != "" || agency.GrantDomain() != "" || agency.ActorID() != "u" {
		t.Errorf("agency: %q %q %q", agency.GrantUser(), agency.GrantDomain(), agency.ActorID())
	}
}

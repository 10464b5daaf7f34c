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

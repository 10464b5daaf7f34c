package iam

import "testing"

// auth.md 7.1: what is assigned in a project counts there and nowhere else, a deny
// like an allow; what is assigned on the domain counts outside projects.
func TestPolicy_in_a_scope(t *testing.T) {
	allow := mustParse(t, statement50(`"Effect":"Allow","Action":["*"]`))
	deny := mustParse(t, statement50(`"Effect":"Deny","Action":["*"]`))
	inProject := &Request{Op: ShowSecret, Region: "r", Domain: "d", Project: "p", SecretName: "a"}
	admin := &Request{Op: ListGrants, Region: "r", Domain: "d", Project: "p"}
	outside := &Request{Op: ListUsersV5, Domain: "d"}
	cases := []struct {
		name     string
		policies []*Policy
		request  *Request
		want     bool
	}{
		{"in_the_project", []*Policy{allow.InProject("p")}, inProject, true},
		{"in_the_project_as_administrator", []*Policy{allow.InProject("p")}, admin, true},
		{"in_another_project", []*Policy{allow.InProject("q")}, inProject, false},
		{"in_a_project_and_asked_outside", []*Policy{allow.InProject("p")}, outside, false},
		{"denied_in_the_project", []*Policy{allow, deny.InProject("p")}, inProject, false},
		{"denied_in_another_project", []*Policy{allow, deny.InProject("q")}, inProject, true},
		{"on_the_domain", []*Policy{allow.OutsideProjects()}, outside, true},
		{"on_the_domain_and_asked_in_a_project", []*Policy{allow.OutsideProjects()}, inProject, false},
		{"on_the_domain_as_administrator_of_a_project", []*Policy{allow.OutsideProjects()}, admin, false},
		{"denied_on_the_domain", []*Policy{allow, deny.OutsideProjects()}, outside, false},
		{"denied_on_the_domain_and_asked_in_a_project", []*Policy{allow, deny.OutsideProjects()}, inProject, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := &Caller{DomainID: "d", UserID: "u", ProjectID: "p", Policies: tc.policies}
			if d := Evaluate(c, tc.request); d.Allowed != tc.want {
				t.Errorf("got %s", d.String())
			}
		})
	}
	if d := Evaluate(&Caller{DomainID: "d", ProjectID: "p", Policies: []*Policy{allow}}, inProject); !d.Allowed {
		t.Error("the scopes changed the policy they were made from")
	}
}

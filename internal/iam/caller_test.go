package iam

import "testing"

// A caller of the embedded IAM has the rights of his policies in every project of the
// domain, under the conditions that name it; his limits go with him.
func TestCaller_in_another_project(t *testing.T) {
	const there = "c0000000000000000000000000000007"
	r := request(ShowSecret, "a")
	r.Project = there
	c := callerWith(t, allow("csms:secret:get", "*"))
	if d := Evaluate(c, r); d.Reason != OtherProject {
		t.Errorf("from outside: %v", &d)
	}
	if d := Evaluate(c.InProject(there, "east"), r); !d.Allowed {
		t.Errorf("inside: %v", &d)
	}
	if c.ProjectID == there {
		t.Error("the caller himself moved")
	}
	limited := callerWith(t, allow("csms:secret:get", "*"))
	limited.Session = mustParse(t, allow("csms:secret:list", "*"))
	if d := Evaluate(limited.InProject(there, "east"), r); d.Allowed || d.Layer != Session {
		t.Errorf("in a session without the right: %v", &d)
	}
	named := `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:get"],"Condition":{"StringEquals":{"g:ProjectName":["east"]}}}]}`
	for project, want := range map[string]bool{"east": true, "north": false} {
		c := &Caller{DomainID: c.DomainID, UserID: c.UserID, Policies: []*Policy{mustParse(t, named)}}
		if d := Evaluate(c.InProject(there, project), r); d.Allowed != want {
			t.Errorf("in the project %s: %v", project, &d)
		}
	}
}

// The rights of a user of an external Keystone were given in one project.
func TestCaller_of_an_external_Keystone_in_another_project(t *testing.T) {
	r := request(ShowSecret, "a")
	r.Project = "c0000000000000000000000000000007"
	c := callerWith(t, allow("*:*:*", "*"))
	c.Foreign, c.Owner = true, true
	if d := Evaluate(c.InProject(r.Project, "east"), r); d.Allowed {
		t.Errorf("%v", &d)
	}
}

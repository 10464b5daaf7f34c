package iam

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAuthorizeList protects "filter the list by enterprise project when the grant
// is limited to one" (7.4).
func TestAuthorizeList(t *testing.T) {
	inProject := func(operator, ids string) string {
		return statement50(`"Effect":"Allow","Action":["csms:secret:list"],"Condition":{"` + operator + `":{"g:EnterpriseProjectId":` + ids + `}}`)
	}
	denyIn := statement50(`"Effect":"Deny","Action":["csms:secret:list"],"Condition":{"StringEquals":{"g:EnterpriseProjectId":["ep2"]}}`)
	scoped := mustParse(t, allow("csms:*:*", "*")).InEnterpriseProject("ep2")
	scopedDeny := mustParse(t, deny("csms:*:*", "*")).InEnterpriseProject("ep2")

	all := []string{"0", "ep1", "ep2"}
	tests := []struct {
		name     string
		policies []string
		more     []*Policy
		shown    []string // nil: refused
		all      bool
	}{
		{"no right", []string{allow("csms:secret:get", "*")}, nil, nil, false},
		{"unlimited", []string{allow("csms:secret:list", "*")}, nil, all, true},
		{"some secrets are not a list", []string{allow("csms:secret:list", "csms:*:*:secretName:a*")}, nil, nil, false},
		{"one project", []string{inProject("StringEquals", `["ep1"]`)}, nil, []string{"ep1"}, false},
		{"all but one", []string{inProject("StringNotEquals", `["ep1"]`)}, nil, []string{"0", "ep2"}, false},
		{"a pattern", []string{inProject("StringMatch", `["ep*"]`)}, nil, []string{"ep1", "ep2"}, false},
		{"a deny in one", []string{allow("csms:*:*", "*"), denyIn}, nil, []string{"0", "ep1"}, false},
		{"a deny of all", []string{inProject("StringEquals", `["ep1"]`), deny("*", "*")}, nil, nil, false},
		{"another condition still counts", []string{statement50(`"Effect":"Allow","Action":["csms:secret:list"],
			"Condition":{"StringEquals":{"g:EnterpriseProjectId":["ep1"],"g:UserName":["bob"]}}`)}, nil, nil, false},
		{"granted in one", nil, []*Policy{scoped}, []string{"ep2"}, false},
		{"denied in one", []string{allow("*", "*")}, []*Policy{scopedDeny}, []string{"0", "ep1"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := callerWith(t, tt.policies...)
			c.Policies = append(c.Policies, tt.more...)
			f, err := c.AuthorizeList(request(ListSecrets, ""))
			if (err == nil) != (tt.shown != nil) {
				t.Fatalf("error = %v", err)
			}
			var shown []string
			for _, id := range all {
				if err == nil && f.Allows(id) {
					shown = append(shown, id)
				}
			}
			if diff := cmp.Diff(tt.shown, shown); diff != "" || err == nil && f.All() != tt.all {
				t.Errorf("All = %v; shown (-want +got):\n%s", f.All(), diff)
			}
		})
	}
}

func TestAuthorizeList_under_session_boundary_and_IAM2(t *testing.T) {
	limited := mustParse(t, statement50(`"Effect":"Allow","Action":["csms:*:*"],"Condition":{"StringEquals":{"g:EnterpriseProjectId":["ep1"]}}`))
	for name, change := range map[string]func(*Caller){
		"session":  func(c *Caller) { c.Session = limited },
		"boundary": func(c *Caller) { c.Boundary = []*Policy{limited} },
		"owner":    func(c *Caller) { c.Owner, c.Policies, c.Session = true, nil, limited },
	} {
		c := callerWith(t, allow("*", "*"))
		change(c)
		f, err := c.AuthorizeList(request(ListSecrets, ""))
		if err != nil || f.All() || !f.Allows("ep1") || f.Allows("ep2") {
			t.Errorf("%s: %v, ep1 %v, ep2 %v", name, err, f.Allows("ep1"), f.Allows("ep2"))
		}
	}
	plain := callerWith(t, statement50(`"Effect":"Allow","Action":["csms:secret:*"],"Condition":{"StringEquals":{"g:EnterpriseProjectId":["ep1"]}}`))
	if _, err := plain.AuthorizeList(request(ListGrants, "")); err == nil {
		t.Error("an operation of administrators is listed by a plain caller")
	}
	if (&ListFilter{}).Allows("0") {
		t.Error("the zero filter shows something")
	}
}

// TestInEnterpriseProject: such a grant counts on resources of the project only, and
// not where the project is unknown.
func TestInEnterpriseProject(t *testing.T) {
	c := callerWith(t)
	c.Policies = []*Policy{mustParse(t, allow("csms:*:*", "*")).InEnterpriseProject("ep1")}
	r := request(ShowSecret, "a")
	if err := c.Authorize(r); err == nil {
		t.Error("counts where the project is unknown")
	}
	r.EnterpriseProjectID = Known("ep2")
	if err := c.Authorize(r); err == nil {
		t.Error("counts in another project")
	}
	r.EnterpriseProjectID = Known("ep1")
	if err := c.Authorize(r); err != nil {
		t.Error(err)
	}
}

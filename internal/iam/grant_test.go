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

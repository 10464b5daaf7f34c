package auth_test

import (
	"slices"
	"testing"

	"coffer/internal/auth"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

const groupID = "f0000000000000000000000000000001"

// putGroup stores the group with what is assigned to it.
func (f *fixture) putGroup(assignments ...store.Assignment) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		return tx.PutGroup(&store.Group{ID: groupID, DomainID: home, Name: "g", Assignments: assignments})
	})
}

// member returns the reader, who has nothing but what his groups give him.
func (f *fixture) member(groups ...string) {
	f.t.Helper()
	f.changeUser(reader, func(u *store.User) { u.PolicyIDs, u.Inline, u.GroupIDs = nil, nil, groups })
}

// Membership and assignments count from the next request on (auth.md 3.2: at once).
func TestAuthenticate_follows_groups(t *testing.T) {
	f := newFixture(t, auth.Options{})
	want := func(step string, may bool) {
		t.Helper()
		for range 2 { // the second time from what is kept
			if f.mayShow() != may {
				t.Fatalf("%s: may show is %v, want %v", step, !may, may)
			}
		}
	}
	everywhere := store.Assignment{PolicyID: policyID, Scope: store.ScopeAll}
	f.putPolicy(allowGet)
	f.putGroup()
	f.member(groupID)
	want("a group without policies", false)
	f.putGroup(everywhere)
	want("assigned", true)
	f.putPolicy(denyGet)
	want("the policy changed", false)
	f.putPolicy(allowGet)
	want("the policy changed back", true)
	f.member()
	want("left the group", false)
	f.member(groupID)
	want("joined again", true)
	f.changeUser(reader, func(u *store.User) { u.Inline = []store.InlinePolicy{{Name: "i", Document: store.Document(denyGet)}} })
	want("a deny of his own", false)
	f.member(groupID)
	f.putGroup()
	want("taken from the group", false)
	f.putGroup(everywhere)
	want("assigned again", true)
	f.update(func(tx *store.Tx) error { return tx.DeleteGroup(&store.Group{ID: groupID}) })
	want("the group deleted", false)
	f.update(func(tx *store.Tx) error {
		return tx.PutGroup(&store.Group{ID: groupID, DomainID: away, Name: "g", Assignments: []store.Assignment{everywhere}})
	})
	want("a group of another domain", false)
}

// auth.md 7.1: per project, or for the whole domain.
func TestAuthenticate_scopes_of_assignments(t *testing.T) {
	const both = `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:get","iam:users:listUsers"]}]}`
	tests := []struct {
		name                    string
		assigned                store.Assignment
		here, there, outsideAll bool // may show in vectorP, in the second project, may list users
	}{
		{"project", store.Assignment{PolicyID: policyID, Scope: store.ScopeProject, ScopeID: vectorP}, true, false, false},
		{"another_project", store.Assignment{PolicyID: policyID, Scope: store.ScopeProject, ScopeID: second}, false, true, false},
		{"domain", store.Assignment{PolicyID: policyID, Scope: store.ScopeDomain}, false, false, true},
		{"all", store.Assignment{PolicyID: policyID, Scope: store.ScopeAll}, true, true, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, auth.Options{})
			f.putPolicy(both)
			f.putGroup(tc.assigned)
			f.member(groupID)
			show := func(project string) bool {
				r := f.received(withToken(f.token(reader, toProject(project))))
				r.Header.Del("X-Project-Id")
				c, err := f.Authenticate(t.Context(), r, nil)
				if err == nil {
					err = f.EnterProject(t.Context(), &c, project)
				}
				if err != nil {
					t.Fatal(err)
				}
				return c.Authorize(&iam.Request{Op: iam.ShowSecret, Region: "self-1", Domain: home, Project: project, SecretName: "a"}) == nil
			}
			q := get()
			q.key = readerKey
			c, err := f.Authenticate(t.Context(), f.received(q), nil)
			if err != nil || !slices.Equal(c.GroupIDs, []string{groupID}) {
				t.Fatalf("groups %q, %v", c.GroupIDs, err)
			}
			outside := c.Authorize(&iam.Request{Op: iam.ListUsersV5, Domain: home}) == nil
			if show(vectorP) != tc.here || show(second) != tc.there || outside != tc.outsideAll {
				t.Errorf("here %v, there %v, outside %v", show(vectorP), show(second), outside)
			}
		})
	}
}

// A policy of a group that cannot be found or read may hold a deny, and so may one in
// a scope of a newer release.
func TestAuthenticate_fails_on_assignments_it_cannot_read(t *testing.T) {
	tests := map[string]store.Assignment{
		"missing":                             {PolicyID: "e0000000000000000000000000000009", Scope: store.ScopeAll},
		"unknown scope":                       {PolicyID: "CSMS FullAccess", Scope: "galaxy"},
		"a project without a name":            {PolicyID: "CSMS FullAccess", Scope: store.ScopeProject},
		"an enterprise project without an id": {PolicyID: "CSMS FullAccess", Scope: store.ScopeEnterprise},
		"a scope without any letter":          {PolicyID: "CSMS FullAccess"},
	}
	for name, a := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, auth.Options{})
			f.putGroup(a)
			f.member(groupID)
			q := get()
			q.key = readerKey
			if _, err := f.send(q, nil); csms.CodeOf(err) != csms.CodeInternal {
				t.Errorf("got %v, want an internal error", err)
			}
		})
	}
}

// auth.md 7.1: per enterprise project, to a user as to a group.
func TestAuthenticate_assignments_in_enterprise_projects(t *testing.T) {
	f := newFixture(t, auth.Options{})
	f.putPolicy(allowGet)
	assigned := store.Assignment{PolicyID: policyID, Scope: store.ScopeEnterprise, ScopeID: "blue"}
	may := func(enterprise string) bool {
		q := get()
		q.key = readerKey
		c, err := f.send(q, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := iam.Request{Op: iam.ShowSecret, Region: "self-1", Domain: home, Project: vectorP, SecretName: "a"}
		r.EnterpriseProjectID = iam.Known(enterprise)
		return c.Authorize(&r) == nil
	}
	want := func(step string, blue bool) {
		t.Helper()
		if may("blue") != blue || may("0") {
			t.Errorf("%s: in it %v, outside %v", step, may("blue"), may("0"))
		}
	}
	f.member(groupID)
	f.putGroup(assigned)
	want("of the group", true)
	f.putGroup()
	want("taken from the group", false)
	f.changeUser(reader, func(u *store.User) { u.Assignments = []store.Assignment{assigned} })
	want("of the user", true)
	f.changeUser(reader, func(u *store.User) { u.Assignments = nil })
	want("taken from the user", false)
}

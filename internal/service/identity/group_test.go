package identity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/identity"
	"coffer/internal/store"
)

// group makes a group and returns its id.
func (f *fixture) group(name string) string {
	f.t.Helper()
	made, err := f.CreateGroup(f.t.Context(), f.root(), identity.NewGroup{Name: name}, base)
	if err != nil {
		f.t.Fatal(err)
	}
	return made.Group.ID
}

// policy makes a policy and returns its id.
func (f *fixture) policy(name, document string) string {
	f.t.Helper()
	made, err := f.CreatePolicy(f.t.Context(), f.root(), identity.NewPolicy{Name: name, Document: json.RawMessage(document)})
	if err != nil {
		f.t.Fatal(err)
	}
	return made.Policy.ID
}

func inAll(group string) identity.Assigned {
	return identity.Assigned{Scope: identity.InAllProjects, ScopeID: domainID, GroupID: group}
}

func inProject(group string) identity.Assigned {
	return identity.Assigned{Scope: identity.InProject, ScopeID: projectID, GroupID: group}
}

// auth.md 7.1 and 3.2: what is assigned to a group counts for its members at once, and
// no longer than they are members, it is assigned, and the group is there.
func TestGroups_give_their_members_what_is_assigned(t *testing.T) {
	f := newFixture(t, identity.Options{})
	root, bob, group := f.root(), f.userID("bob"), f.group("ops")
	want := func(step string, err error, may bool) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if f.may(iam.ShowSecret) != may {
			t.Fatalf("%s: may show is %v", step, !may)
		}
	}
	policy := f.policy("get", allowGet)
	want("joined", f.AddUserToGroup(t.Context(), root, group, bob), false)
	want("assigned", f.AssignRole(t.Context(), root, inProject(group), policy), true)
	want("left", f.RemoveUserFromGroup(t.Context(), root, group, bob), false)
	want("joined again", f.AddUserToGroup(t.Context(), root, group, bob), true)
	want("taken", f.RemoveRole(t.Context(), root, inProject(group), policy), false)
	want("built in", f.AssignRole(t.Context(), root, inAll(group), "CSMS FullAccess"), true)
	want("deleted", f.DeleteGroup(t.Context(), root, group), false)
	if u, err := f.store.User(t.Context(), bob); err != nil || len(u.GroupIDs) != 0 {
		t.Errorf("bob is in %q, %v", u.GroupIDs, err)
	}
	if findings, err := f.store.Verify(t.Context()); err != nil || len(findings) > 0 {
		t.Errorf("findings %v, %v", findings, err)
	}
}

// A user who is deleted leaves nothing behind in his groups.
func TestDeleteUser_takes_his_memberships_along(t *testing.T) {
	f := newFixture(t, identity.Options{})
	root, bob, group := f.root(), f.userID("bob"), f.group("ops")
	if err := errors.Join(f.AddUserToGroup(t.Context(), root, group, bob), f.DeleteUser(t.Context(), root, bob)); err != nil {
		t.Fatal(err)
	}
	list, err := f.ListUsersForGroup(t.Context(), root, group, base)
	if err != nil || len(list.Users) != 0 {
		t.Errorf("members %+v, %v", list, err)
	}
	if findings, err := f.store.Verify(t.Context()); err != nil || len(findings) > 0 {
		t.Errorf("findings %v, %v", findings, err)
	}
}

// Nobody but the owner of the account changes the owner, his groups included; a group
// that he is in can be deleted all the same.
func TestGroups_of_the_owner(t *testing.T) {
	f := newFixture(t, identity.Options{})
	alice, group := f.userID("alice"), f.group("ops")
	wantCode(t, "root adds the owner", f.AddUserToGroup(t.Context(), f.root(), group, alice), csms.CodeIAMForbidden)
	wantCode(t, "the owner adds himself", f.AddUserToGroup(t.Context(), f.alice(), group, alice), "")
	wantCode(t, "root removes the owner", f.RemoveUserFromGroup(t.Context(), f.root(), group, alice), csms.CodeIAMForbidden)
	wantCode(t, "root deletes the group", f.DeleteGroup(t.Context(), f.root(), group), "")
}

// auth.md section 6: what belongs to another domain does not exist.
func TestGroups_of_another_domain(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	group, bob, other := f.group("ops"), f.userID("bob"), f.stranger()
	ctx := t.Context()
	_, show := f.ShowGroup(ctx, other, group, base)
	_, update := f.UpdateGroup(ctx, other, group, identity.GroupPatch{}, base)
	_, users := f.ListUsersForGroup(ctx, other, group, base)
	_, groups := f.ListGroupsForUser(ctx, other, bob, base)
	_, roles := f.ListAssignedRoles(ctx, other, identity.Assigned{Scope: identity.OnDomain, ScopeID: "away", GroupID: group}, base)
	for what, err := range map[string]error{
		"show": show, "update": update, "delete": f.DeleteGroup(ctx, other, group), "users": users, "groups": groups, "roles": roles,
		"add":                  f.AddUserToGroup(ctx, other, group, "stranger"),
		"assign":               f.AssignRole(ctx, other, identity.Assigned{Scope: identity.OnDomain, ScopeID: "away", GroupID: group}, "te_admin"),
		"a foreign policy":     f.AssignRole(ctx, f.root(), inAll(group), "foreign-policy"),
		"a foreign project":    f.AssignRole(ctx, f.root(), identity.Assigned{Scope: identity.InProject, ScopeID: "foreign", GroupID: group}, "te_admin"),
		"a foreign domain":     f.AssignRole(ctx, f.root(), identity.Assigned{Scope: identity.InAllProjects, ScopeID: "away", GroupID: group}, "te_admin"),
		"a foreign user":       f.AddUserToGroup(ctx, f.root(), group, "stranger"),
		"a foreign membership": f.CheckUserInGroup(ctx, f.root(), group, "stranger"),
	} {
		wantCode(t, what, err, csms.CodeIAMNotFound)
	}
	list, err := f.ListGroups(ctx, other, identity.GroupFilter{}, base)
	if err != nil || len(list.Groups) != 0 {
		t.Errorf("groups of the other domain: %+v, %v", list, err)
	}
}

// Groups hold up to MaxAssignments policies, counted over all scopes.
func TestAssignRole_the_most(t *testing.T) {
	f := newFixture(t, identity.Options{})
	group := f.group("ops")
	f.update(func(tx *store.Tx) error {
		g, err := tx.Group(group)
		if err != nil {
			return err
		}
		for i := range identity.MaxAssignments - 1 {
			g.Assignments = append(g.Assignments, store.Assignment{PolicyID: fmt.Sprint("p", i), Scope: store.ScopeAll})
		}
		return tx.PutGroup(g)
	})
	wantCode(t, "the last", f.AssignRole(t.Context(), f.root(), inAll(group), "te_admin"), "")
	wantCode(t, "again", f.AssignRole(t.Context(), f.root(), inAll(group), "te_admin"), "")
	wantCode(t, "one more", f.AssignRole(t.Context(), f.root(), inProject(group), "te_admin"), csms.CodeIAMConflict)
}

// The answer to a login names what the groups give in the scope of the token.
func TestTokens_name_the_roles_of_groups(t *testing.T) {
	f := newFixture(t, identity.Options{})
	root, bob, group := f.root(), f.userID("bob"), f.group("ops")
	err := errors.Join(
		f.AddUserToGroup(t.Context(), root, group, bob),
		f.AssignRole(t.Context(), root, inProject(group), f.policy("in project", allowGet)),
		f.AssignRole(t.Context(), root, inAll(group), "CSMS ReadOnlyAccess"),
		f.AssignRole(t.Context(), root, identity.Assigned{Scope: identity.OnDomain, ScopeID: domainID, GroupID: group}, f.policy("on domain", allowList)),
		f.AssignRole(t.Context(), root, identity.Assigned{Scope: identity.OnDomain, ScopeID: domainID, GroupID: group}, "CSMS ReadOnlyAccess"),
	)
	if err != nil {
		t.Fatal(err)
	}
	for scope, want := range map[string]string{aProject: "in project, CSMS ReadOnlyAccess", aDomain: "CSMS ReadOnlyAccess, on domain"} {
		issued := f.token("bob", "bob's password", scope)
		var names []string
		for _, role := range issued.Body.Token.Roles {
			names = append(names, role.Name)
		}
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("scope %s: roles %s, want %s", scope, got, want)
		}
		c, err := f.shown(issued.Subject)
		if err != nil {
			t.Fatal(err)
		}
		again, err := f.ValidateToken(t.Context(), &c, string(issued.Subject), base, true)
		if err != nil || asJSON(t, again.Token.Roles) != asJSON(t, issued.Body.Token.Roles) {
			t.Errorf("validated: %s, %v", asJSON(t, again.Token.Roles), err)
		}
	}
}

// However joining, leaving and deleting cross, nobody is left in a group that is gone.
func TestGroups_deleted_while_users_join(t *testing.T) {
	f := newFixture(t, identity.Options{})
	root, bob := f.root(), f.userID("bob")
	for i := range 20 {
		group := f.group(fmt.Sprint("g", i))
		var wait sync.WaitGroup
		var add, remove error
		wait.Go(func() { add = f.AddUserToGroup(t.Context(), root, group, bob) })
		wait.Go(func() { remove = f.DeleteGroup(t.Context(), root, group) })
		wait.Wait()
		if remove != nil || add != nil && csms.CodeOf(add) != csms.CodeIAMNotFound {
			t.Fatalf("add %v, delete %v", add, remove)
		}
	}
	if findings, err := f.store.Verify(t.Context()); err != nil || len(findings) > 0 {
		t.Errorf("findings %v, %v", findings, err)
	}
}

// A policy that is deleted and assigned at the same time ends as one of the two.
func TestDeletePolicy_while_it_is_assigned(t *testing.T) {
	f := newFixture(t, identity.Options{})
	root, bob, group := f.root(), f.userID("bob"), f.group("ops")
	if err := f.AddUserToGroup(t.Context(), root, group, bob); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		policy := f.policy(fmt.Sprint("p", i), allowGet)
		var wait sync.WaitGroup
		var assign, remove error
		wait.Go(func() { assign = f.AssignRole(t.Context(), root, inAll(group), policy) })
		wait.Go(func() { remove = f.DeletePolicy(t.Context(), root, policy) })
		wait.Wait()
		if (assign == nil) == (remove == nil) {
			t.Fatalf("assign %v, delete %v", assign, remove)
		}
		f.bob() // fails if a policy of his is missing
	}
}

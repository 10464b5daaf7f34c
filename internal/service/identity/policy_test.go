package identity_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/identity"
	"coffer/internal/store"
)

const (
	allowGet  = `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:get"]}]}`
	allowList = `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:list"]}]}`
)

// may reports whether bob may do op in the project.
func (f *fixture) may(op iam.Op) bool {
	f.t.Helper()
	c := f.bob()
	if err := f.auth.EnterProject(f.t.Context(), c, projectID); err != nil {
		f.t.Fatal(err)
	}
	return c.Authorize(&iam.Request{Op: op, Region: "self-1", Domain: domainID, Project: projectID, SecretName: "a"}) == nil
}

func TestPolicies_from_creation_to_deletion(t *testing.T) {
	f := newFixture(t, identity.Options{})
	root, bob := f.root(), f.userID("bob")
	made, err := f.CreatePolicy(t.Context(), root, identity.NewPolicy{Name: "get", Description: "d", Document: json.RawMessage("{\n" + allowGet[1:])})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Policy.ID
	if p := made.Policy; len(id) != 32 || p.Type != identity.PolicyCustom || string(p.Document) != allowGet || p.CreateTime != "2026-11-21T08:00:00.000000Z" {
		t.Errorf("got %+v", p)
	}
	if f.may(iam.ShowSecret) {
		t.Error("the policy grants without being attached")
	}
	for range 2 { // the second time changes nothing
		if err := f.AttachPolicy(t.Context(), root, bob, id); err != nil {
			t.Fatal(err)
		}
	}
	if !f.may(iam.ShowSecret) {
		t.Error("the attached policy does not grant")
	}
	f.now += 1000
	text := "new"
	changed, err := f.UpdatePolicy(t.Context(), root, id, identity.PolicyPatch{Description: &text, Document: json.RawMessage(allowList)})
	if err != nil || changed.Policy.UpdateTime != "2026-11-21T08:00:01.000000Z" || changed.Policy.Description != "new" {
		t.Errorf("got %+v and %v", changed.Policy, err)
	}
	if f.may(iam.ShowSecret) || !f.may(iam.ListSecrets) {
		t.Error("the changed policy does not count")
	}
	attached, err := f.ListAttachedPolicies(t.Context(), f.bob(), bob)
	if err != nil || len(attached.Policies) != 1 || asJSON(t, attached.Policies[0]) != asJSON(t, changed.Policy) {
		t.Errorf("attached: %s, %v", asJSON(t, attached), err)
	}
	wantCode(t, "deleting an attached policy", f.DeletePolicy(t.Context(), root, id), csms.CodeIAMConflict)
	if err := f.DetachPolicy(t.Context(), root, bob, id); err != nil {
		t.Fatal(err)
	}
	if f.may(iam.ListSecrets) {
		t.Error("the detached policy grants")
	}
	wantCode(t, "detaching twice", f.DetachPolicy(t.Context(), root, bob, id), csms.CodeIAMNotFound)
	if err := f.DeletePolicy(t.Context(), root, id); err != nil {
		t.Fatal(err)
	}
	_, err = f.ShowPolicy(t.Context(), root, id)
	wantCode(t, "showing a deleted policy", err, csms.CodeIAMNotFound)
}

// Built-in policies are there without being made, by display name or role name.
func TestPolicies_built_in(t *testing.T) {
	f := newFixture(t, identity.Options{})
	root, bob := f.root(), f.userID("bob")
	list, err := f.ListPolicies(t.Context(), root)
	if err != nil || len(list.Policies) != len(iam.BuiltinPolicies()) {
		t.Errorf("%d policies, %v", len(list.Policies), err)
	}
	for _, p := range list.Policies {
		shown, err := f.ShowPolicy(t.Context(), root, p.ID)
		if err != nil || asJSON(t, shown.Policy) != asJSON(t, p) || p.Type != identity.PolicySystem {
			t.Errorf("%s: got %s and %v", p.Name, asJSON(t, shown), err)
		}
	}
	if err := f.AttachPolicy(t.Context(), root, bob, "te_admin"); err != nil {
		t.Fatal(err)
	}
	if !f.may(iam.ShowSecret) {
		t.Error("the built-in policy does not grant")
	}
	attached, err := f.ListAttachedPolicies(t.Context(), root, bob)
	if err != nil || len(attached.Policies) != 1 || attached.Policies[0].Name != "Tenant Administrator" {
		t.Errorf("got %s and %v", asJSON(t, attached), err)
	}
	if roles := f.token("bob", "bob's password", aProject).Body.Token.Roles; len(roles) != 1 || roles[0] != (identity.NamedID{ID: "0", Name: "Tenant Administrator"}) {
		t.Errorf("roles: %v", roles)
	}
	if err := f.DetachPolicy(t.Context(), root, bob, "Tenant Administrator"); err != nil {
		t.Error(err)
	}
	_, err = f.UpdatePolicy(t.Context(), root, "CSMS FullAccess", identity.PolicyPatch{})
	wantCode(t, "changing a built-in policy", err, csms.CodeIAMForbidden)
	wantCode(t, "deleting a built-in policy", f.DeletePolicy(t.Context(), root, "te_admin"), csms.CodeIAMForbidden)
}

func TestPolicies_refuse_what_is_not_allowed(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	root, plain, bob := f.root(), f.bob(), f.userID("bob")
	if _, err := f.CreatePolicy(t.Context(), root, identity.NewPolicy{Name: "taken", Document: json.RawMessage(allowGet)}); err != nil {
		t.Fatal(err)
	}
	create := func(c *iam.Caller, name, document string) error {
		return second(f.CreatePolicy(t.Context(), c, identity.NewPolicy{Name: name, Document: json.RawMessage(document)}))
	}
	long := strings.Repeat("x", 256)
	for name, tt := range map[string]struct {
		err  error
		code csms.Code
	}{
		"create by a plain user":         {create(plain, "p", allowGet), csms.CodeIAMForbidden},
		"create with a name taken":       {create(root, "taken", allowGet), csms.CodeIAMConflict},
		"create with a built-in name":    {create(root, "CSMS FullAccess", allowGet), csms.CodeIAMConflict},
		"create with a role name":        {create(root, "te_admin", allowGet), csms.CodeIAMConflict},
		"create without a name":          {create(root, "", allowGet), csms.CodeIAMInvalid},
		"create without a document":      {create(root, "p", ""), csms.CodeIAMInvalid},
		"create with no policy":          {create(root, "p", `{}`), csms.CodeIAMInvalid},
		"create with unknown operator":   {create(root, "p", `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:get"],"Condition":{"Guess":{"g:UserName":["a"]}}}]}`), csms.CodeIAMInvalid},
		"create with a huge document":    {create(root, "p", `{"Version":"1.1","Statement":[]`+strings.Repeat(" ", 20000)+`}`), csms.CodeIAMInvalid},
		"create with a long description": {second(f.CreatePolicy(t.Context(), root, identity.NewPolicy{Name: "p", Description: long, Document: json.RawMessage(allowGet)})), csms.CodeIAMInvalid},
		"update by a plain user":         {second(f.UpdatePolicy(t.Context(), plain, "x", identity.PolicyPatch{})), csms.CodeIAMForbidden},
		"update an unknown one":          {second(f.UpdatePolicy(t.Context(), root, "x", identity.PolicyPatch{})), csms.CodeIAMNotFound},
		"update one of another domain":   {second(f.UpdatePolicy(t.Context(), root, "foreign-policy", identity.PolicyPatch{})), csms.CodeIAMNotFound},
		"update with a bad document":     {second(f.UpdatePolicy(t.Context(), root, "x", identity.PolicyPatch{Document: json.RawMessage(`{}`)})), csms.CodeIAMInvalid},
		"update with a long description": {second(f.UpdatePolicy(t.Context(), root, "x", identity.PolicyPatch{Description: &long})), csms.CodeIAMInvalid},
		"delete by a plain user":         {f.DeletePolicy(t.Context(), plain, "x"), csms.CodeIAMForbidden},
		"delete one of another domain":   {f.DeletePolicy(t.Context(), root, "foreign-policy"), csms.CodeIAMNotFound},
		"show by a plain user":           {second(f.ShowPolicy(t.Context(), plain, "CSMS FullAccess")), csms.CodeIAMForbidden},
		"show one of another domain":     {second(f.ShowPolicy(t.Context(), root, "foreign-policy")), csms.CodeIAMNotFound},
		"list by a plain user":           {second(f.ListPolicies(t.Context(), plain)), csms.CodeIAMForbidden},
		"attach to himself, plain user":  {f.AttachPolicy(t.Context(), plain, bob, "te_admin"), csms.CodeIAMForbidden},
		"attach an unknown one":          {f.AttachPolicy(t.Context(), root, bob, "x"), csms.CodeIAMNotFound},
		"attach one of another domain":   {f.AttachPolicy(t.Context(), root, bob, "foreign-policy"), csms.CodeIAMNotFound},
		"attach to a user elsewhere":     {f.AttachPolicy(t.Context(), root, "stranger", "te_admin"), csms.CodeIAMNotFound},
		"detach by a plain user":         {f.DetachPolicy(t.Context(), plain, bob, "x"), csms.CodeIAMForbidden},
		"attached ones of another user":  {second(f.ListAttachedPolicies(t.Context(), plain, f.userID("root"))), csms.CodeIAMForbidden},
		"attached ones elsewhere":        {second(f.ListAttachedPolicies(t.Context(), root, "stranger")), csms.CodeIAMNotFound},
	} {
		wantCode(t, name, tt.err, tt.code)
	}
}

func TestAttachPolicy_attaches_a_bounded_number(t *testing.T) {
	f := newFixture(t, identity.Options{})
	root, bob := f.root(), f.userID("bob")
	for i := range identity.MaxPolicies + 1 {
		made, err := f.CreatePolicy(t.Context(), root, identity.NewPolicy{Name: fmt.Sprint("p", i), Document: json.RawMessage(allowGet)})
		if err != nil {
			t.Fatal(err)
		}
		want := csms.Code("")
		if i == identity.MaxPolicies {
			want = csms.CodeIAMConflict
		}
		wantCode(t, made.Policy.Name, f.AttachPolicy(t.Context(), root, bob, made.Policy.ID), want)
	}
}

// A user whose policy is missing is refused, and the policy can be taken from him.
func TestDetachPolicy_takes_away_a_policy_that_is_missing(t *testing.T) {
	f := newFixture(t, identity.Options{})
	bob := f.userID("bob")
	f.update(func(tx *store.Tx) error {
		u, err := tx.User(bob)
		if err != nil {
			return err
		}
		u.PolicyIDs = []string{"missing"}
		return tx.PutUser(u)
	})
	_, err := f.signed("BOBACCESSKEY00000001", "bobSecretKey0123456789012345678901234567")
	wantCode(t, "request of the user", err, csms.CodeInternal)
	attached, err := f.ListAttachedPolicies(t.Context(), f.root(), bob)
	if err != nil || len(attached.Policies) != 1 || attached.Policies[0].ID != "missing" {
		t.Errorf("attached: %s, %v", asJSON(t, attached), err)
	}
	if err := f.DetachPolicy(t.Context(), f.root(), bob, "missing"); err != nil {
		t.Fatal(err)
	}
	f.bob()
}

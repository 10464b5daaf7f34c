package identity_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/identity"
)

func (f *fixture) names(c *iam.Caller, name string) []string {
	f.t.Helper()
	got, err := f.ListUsers(f.t.Context(), c, name, base)
	if err != nil {
		f.t.Fatal(err)
	}
	var names []string
	for _, u := range got.Users {
		names = append(names, u.Name)
	}
	return names
}

// Auth.md 3.4: plain users see themselves only.
func TestListUsers(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	unscoped, err := f.shown(f.token("alice", ownerPassword, "").Subject)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		c    *iam.Caller
		name string
		want []string
	}{
		"owner":                 {f.alice(), "", []string{"alice", "bob", "root"}},
		"administrator":         {f.root(), "", []string{"alice", "bob", "root"}},
		"by name":               {f.root(), "bob", []string{"bob"}},
		"of another domain":     {f.root(), "stranger", nil},
		"plain user":            {f.bob(), "", []string{"bob"}},
		"plain user, himself":   {f.bob(), "bob", []string{"bob"}},
		"plain user, another":   {f.bob(), "alice", nil},
		"owner without a scope": {&unscoped, "", []string{"alice"}},
	}
	for name, tt := range tests {
		if diff := cmp.Diff(tt.want, f.names(tt.c, tt.name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	got, err := f.ShowUser(t.Context(), f.bob(), f.userID("bob"), base)
	if err != nil {
		t.Fatal(err)
	}
	want := `{
 "user": {
  "id": "` + f.userID("bob") + `",
  "name": "bob",
  "domain_id": "` + domainID + `",
  "enabled": true,
  "password_expires_at": null,
  "description": "",
  "links": {
   "self": "` + base + `/v3/users/` + f.userID("bob") + `"
  }
 }
}`
	if diff := cmp.Diff(want, asJSON(t, got)); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	_, err = f.ShowUser(t.Context(), f.bob(), f.userID("alice"), base)
	wantCode(t, "another user by a plain one", err, csms.CodeIAMForbidden)
	_, err = f.ShowUser(t.Context(), f.bob(), "unknown", base)
	wantCode(t, "an unknown user by a plain one", err, csms.CodeIAMForbidden)
	_, err = f.ShowUser(t.Context(), f.root(), "stranger", base)
	wantCode(t, "a user of another domain", err, csms.CodeIAMNotFound)
}

func TestCreateUser(t *testing.T) {
	f := newFixture(t, identity.Options{})
	got, err := f.CreateUser(t.Context(), f.root(), identity.NewUser{Name: "carol", Password: "carol's password", Description: "ops"}, base)
	if err != nil {
		t.Fatal(err)
	}
	if u := got.User; len(u.ID) != 32 || u.Name != "carol" || !u.Enabled || u.Description != "ops" {
		t.Errorf("got %+v", u)
	}
	c, err := f.shown(f.token("carol", "carol's password", aProject).Subject)
	if err != nil || len(c.Policies) != 0 || c.Owner {
		t.Errorf("the new user is %+v, %v", c, err)
	}
	if _, err := f.CreateUser(t.Context(), f.alice(), identity.NewUser{Name: "signs only"}, base); err != nil {
		t.Errorf("a user without a password: %v", err)
	}
	for name, tt := range map[string]struct {
		c    *iam.Caller
		n    identity.NewUser
		code csms.Code
	}{
		"by a plain user":   {f.bob(), identity.NewUser{Name: "dave"}, csms.CodeIAMForbidden},
		"name taken":        {f.root(), identity.NewUser{Name: "carol"}, csms.CodeIAMConflict},
		"no name":           {f.root(), identity.NewUser{}, csms.CodeIAMInvalid},
		"name with a slash": {f.root(), identity.NewUser{Name: "a/b"}, csms.CodeIAMInvalid},
		"weak password":     {f.root(), identity.NewUser{Name: "dave", Password: "1234567"}, csms.CodeIAMInvalid},
		"name as password":  {f.root(), identity.NewUser{Name: "davedave", Password: "DaveDave"}, csms.CodeIAMInvalid},
		"long description":  {f.root(), identity.NewUser{Name: "dave", Description: strings.Repeat("x", 256)}, csms.CodeIAMInvalid},
		"odd description":   {f.root(), identity.NewUser{Name: "dave", Description: "a\nb"}, csms.CodeIAMInvalid},
	} {
		_, err := f.CreateUser(t.Context(), tt.c, tt.n, base)
		wantCode(t, name, err, tt.code)
	}
}

func TestUpdateUser(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	on, off, text, weak := true, false, "new text", identity.Credential("weak")
	bob := f.userID("bob")
	got, err := f.UpdateUser(t.Context(), f.root(), bob, identity.UserPatch{Description: &text, Enabled: &off}, base)
	if err != nil || got.User.Description != text || got.User.Enabled {
		t.Errorf("got %+v and %v", got.User, err)
	}
	_, err = f.signed("BOBACCESSKEY00000001", "bobSecretKey0123456789012345678901234567")
	wantCode(t, "key of a disabled user", err, csms.CodeUnauthenticated)
	if _, err = f.UpdateUser(t.Context(), f.root(), bob, identity.UserPatch{Enabled: &on}, base); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		c    *iam.Caller
		id   string
		p    identity.UserPatch
		code csms.Code
	}{
		"by himself, without the right": {f.bob(), bob, identity.UserPatch{Description: &text}, csms.CodeIAMForbidden},
		"weak password":                 {f.root(), bob, identity.UserPatch{Password: &weak}, csms.CodeIAMInvalid},
		"unknown user":                  {f.root(), "unknown", identity.UserPatch{}, csms.CodeIAMNotFound},
		"unknown user, plain caller":    {f.bob(), "unknown", identity.UserPatch{}, csms.CodeIAMForbidden},
		"user of another domain":        {f.root(), "stranger", identity.UserPatch{Enabled: &off}, csms.CodeIAMNotFound},
	} {
		_, err := f.UpdateUser(t.Context(), tt.c, tt.id, tt.p, base)
		wantCode(t, name, err, tt.code)
	}
}

func TestDeleteUser_takes_the_access_keys_with_him(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	bob := f.userID("bob")
	made, err := f.CreateAccessKey(t.Context(), f.alice(), identity.NewAccessKey{UserID: bob})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "by a plain user", f.DeleteUser(t.Context(), f.bob(), f.userID("root")), csms.CodeIAMForbidden)
	wantCode(t, "of another domain", f.DeleteUser(t.Context(), f.root(), "stranger"), csms.CodeIAMNotFound)
	if err := f.DeleteUser(t.Context(), f.root(), bob); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"BOBACCESSKEY00000001", made.Credential.Access} {
		if strings.Contains(f.stored(), key) {
			t.Errorf("the access key %s is left", key)
		}
	}
	wantCode(t, "twice", f.DeleteUser(t.Context(), f.root(), bob), csms.CodeIAMNotFound)

	// One of the same name is another user.
	again, err := f.CreateUser(t.Context(), f.root(), identity.NewUser{Name: "bob"}, base)
	if err != nil || again.User.ID == bob {
		t.Errorf("got id %s and %v", again.User.ID, err)
	}
}

// Whoever administers, the owner of the account keeps his way in: nobody else
// changes him, and nobody disables or deletes him.
func TestOwner_cannot_be_locked_out(t *testing.T) {
	f := newFixture(t, identity.Options{})
	off, text := false, "text"
	password, inactive := identity.Credential("another password"), identity.StatusInactive
	owner := f.userID("alice")
	ops := map[string]struct {
		run     func(*iam.Caller) error
		himself bool // the owner may do it to himself
	}{
		"disable": {func(c *iam.Caller) error {
			return second(f.UpdateUser(t.Context(), c, owner, identity.UserPatch{Enabled: &off}, base))
		}, false},
		"delete": {func(c *iam.Caller) error { return f.DeleteUser(t.Context(), c, owner) }, false},
		"describe": {func(c *iam.Caller) error {
			return second(f.UpdateUser(t.Context(), c, owner, identity.UserPatch{Description: &text}, base))
		}, true},
		"make a key": {func(c *iam.Caller) error {
			return second(f.CreateAccessKey(t.Context(), c, identity.NewAccessKey{UserID: owner}))
		}, true},
		"attach": {func(c *iam.Caller) error { return f.AttachPolicy(t.Context(), c, owner, "CSMS FullAccess") }, true},
		"detach": {func(c *iam.Caller) error { return f.DetachPolicy(t.Context(), c, owner, "CSMS FullAccess") }, true},
		"set password": {func(c *iam.Caller) error {
			return second(f.UpdateUser(t.Context(), c, owner, identity.UserPatch{Password: &password}, base))
		}, true},
		"stop a key": {func(c *iam.Caller) error {
			return second(f.UpdateAccessKey(t.Context(), c, ownerKey, identity.AccessKeyPatch{Status: &inactive}))
		}, true},
		"delete a key": {func(c *iam.Caller) error { return f.DeleteAccessKey(t.Context(), c, ownerKey) }, true},
	}
	order := []string{"disable", "delete", "describe", "make a key", "attach", "detach", "set password", "stop a key", "delete a key"}
	root, alice := f.root(), f.alice()
	before := f.stored()
	for _, name := range order {
		wantCode(t, name+" by an administrator", ops[name].run(root), csms.CodeIAMForbidden)
	}
	if f.stored() != before {
		t.Error("an administrator changed the owner")
	}
	for _, name := range order {
		want := csms.CodeIAMForbidden
		if ops[name].himself {
			want = ""
		}
		wantCode(t, name+" by himself", ops[name].run(alice), want)
	}
	f.token("alice", "another password", aProject)
}

// The owner without a password does not lock himself out either.
func TestOwner_keeps_his_last_way_in(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	owner := f.stranger()
	first, err := f.CreateAccessKey(t.Context(), owner, identity.NewAccessKey{UserID: owner.UserID})
	if err != nil {
		t.Fatal(err)
	}
	inactive, active := identity.StatusInactive, identity.StatusActive
	wantCode(t, "deleting the last key", f.DeleteAccessKey(t.Context(), owner, first.Credential.Access), csms.CodeIAMForbidden)
	_, err = f.UpdateAccessKey(t.Context(), owner, first.Credential.Access, identity.AccessKeyPatch{Status: &inactive})
	wantCode(t, "stopping the last key", err, csms.CodeIAMForbidden)

	other, err := f.CreateAccessKey(t.Context(), owner, identity.NewAccessKey{UserID: owner.UserID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.UpdateAccessKey(t.Context(), owner, first.Credential.Access, identity.AccessKeyPatch{Status: &inactive}); err != nil {
		t.Errorf("stopping one of two keys: %v", err)
	}
	wantCode(t, "deleting the only active key", f.DeleteAccessKey(t.Context(), owner, other.Credential.Access), csms.CodeIAMForbidden)
	if _, err := f.UpdateAccessKey(t.Context(), owner, first.Credential.Access, identity.AccessKeyPatch{Status: &active}); err != nil {
		t.Fatal(err)
	}
	if err := f.DeleteAccessKey(t.Context(), owner, other.Credential.Access); err != nil {
		t.Errorf("deleting one of two keys: %v", err)
	}
}

package identity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"coffer/internal/csms"
	"coffer/internal/service/identity"
)

func TestBootstrap_makes_the_given_account_once(t *testing.T) {
	f := newEmpty(t, identity.Options{})
	want := identity.Bootstrapped{
		Created: true, DomainID: domainID, ProjectID: projectID, UserName: "alice",
		Password: ownerPassword, AccessKey: ownerKey, SecretKey: ownerSecret,
	}
	first, err := f.Bootstrap(t.Context(), bootstrap())
	if err != nil {
		t.Fatal(err)
	}
	want.UserID = first.UserID
	if len(first.UserID) != 32 {
		t.Errorf("user id %q, want 32 hex digits", first.UserID)
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("first start (-want +got):\n%s", diff)
	}
	before := f.stored()
	again, err := f.Bootstrap(t.Context(), bootstrap())
	if err != nil {
		t.Fatal(err)
	}
	want.Created = false
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("second start (-want +got):\n%s", diff)
	}
	if f.stored() != before {
		t.Error("the second start changed the store")
	}
	if c := f.alice(); !c.Owner || c.UserName != "alice" || c.DomainName != "acme" {
		t.Errorf("the key belongs to %+v", c)
	}
	f.token("alice", ownerPassword, aProject)
}

func TestBootstrap_generates_what_is_not_given(t *testing.T) {
	f := newEmpty(t, identity.Options{})
	in := identity.BootstrapInput{DomainName: "acme", Region: "self-1", UserName: "admin"}
	first, err := f.Bootstrap(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.DomainID) != 32 || len(first.ProjectID) != 32 || len(first.AccessKey) != 20 || len(first.SecretKey) != 40 || len(first.Password) != 24 {
		t.Errorf("got lengths %d, %d, %d, %d, %d", len(first.DomainID), len(first.ProjectID), len(first.AccessKey), len(first.SecretKey), len(first.Password))
	}
	f.caller(first.AccessKey, first.SecretKey)
	f.token("admin", first.Password, aProject)

	again, err := f.Bootstrap(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := first
	want.Created, want.Password, want.AccessKey, want.SecretKey = false, "", "", ""
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("the second start tells more than ids (-want +got):\n%s", diff)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", first, first, first, first); strings.Contains(text, first.SecretKey) || strings.Contains(text, first.Password) {
		t.Errorf("it prints as %q", text)
	}
}

// A durable dev server that is started with other flags answers to them.
func TestBootstrap_makes_what_is_given_and_missing(t *testing.T) {
	f := newFixture(t, identity.Options{})
	old := f.token("alice", ownerPassword, aProject)
	in := bootstrap()
	in.Password, in.AccessKey, in.SecretKey = "another password", "ANOTHERACCESSKEY0001", "anotherSecretKey012345678901234567890123"
	if _, err := f.Bootstrap(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	f.caller(in.AccessKey, in.SecretKey)
	f.alice()
	f.token("alice", "another password", aProject)
	if _, err := f.shown(old.Subject); err == nil {
		t.Error("a token from before the new password is in force")
	}

	in.SecretKey = "yetAnotherSecretKey012345678901234567890"
	if _, err := f.Bootstrap(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	f.caller(in.AccessKey, in.SecretKey)

	in = bootstrap()
	in.Region, in.ProjectID = "self-2", ""
	second, err := f.Bootstrap(t.Context(), in)
	if err != nil || second.ProjectID == projectID || len(second.ProjectID) != 32 {
		t.Errorf("a new region got the project %s and %v", second.ProjectID, err)
	}
}

func TestBootstrap_refuses_what_does_not_fit(t *testing.T) {
	tests := map[string]func(*identity.BootstrapInput){
		"another domain name": func(in *identity.BootstrapInput) { in.DomainName = "other" },
		"another domain id":   func(in *identity.BootstrapInput) { in.DomainID = projectID },
		"another project id":  func(in *identity.BootstrapInput) { in.ProjectID = domainID },
		"project id of another project": func(in *identity.BootstrapInput) {
			in.Region = "self-2"
		},
		"key of another user":  func(in *identity.BootstrapInput) { in.AccessKey = "BOBACCESSKEY00000001" },
		"no domain name":       func(in *identity.BootstrapInput) { in.DomainName = "" },
		"no region":            func(in *identity.BootstrapInput) { in.Region = "" },
		"short password":       func(in *identity.BootstrapInput) { in.Password = "short" },
		"key without a secret": func(in *identity.BootstrapInput) { in.SecretKey = "" },
		"secret without a key": func(in *identity.BootstrapInput) { in.AccessKey = "" },
	}
	for name, change := range tests {
		f := newFixture(t, identity.Options{})
		before := f.stored()
		in := bootstrap()
		change(&in)
		if out, err := f.Bootstrap(t.Context(), in); err == nil {
			t.Errorf("%s: got %v, want an error", name, out)
		}
		if f.stored() != before {
			t.Errorf("%s: the store was changed", name)
		}
	}
}

// Nothing in the store or the log opens anything (DESIGN section 4 and 7).
func TestService_keeps_no_credential_in_the_clear(t *testing.T) {
	f := newFixture(t, identity.Options{})
	issued := f.token("alice", ownerPassword, aProject)
	created, err := f.CreateAccessKey(t.Context(), f.alice(), identity.NewAccessKey{UserID: f.userID("bob")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.byPassword("alice", "a wrong password", aProject); err == nil {
		t.Fatal("a wrong password was accepted")
	}
	if _, err := f.ask(`{"methods":["token"],"token":{"id":"`+string(issued.Subject)+`"}}`, aDomain); err != nil {
		t.Fatal(err)
	}
	kept := f.stored() + f.log.String() + fmt.Sprintf("%v %+v", issued, created)
	for what, secret := range map[string]string{
		"password": ownerPassword, "wrong password": "a wrong password", "secret key": ownerSecret,
		"made secret key": created.Credential.Secret, "token": string(issued.Subject), "password of bob": "bob's password",
	} {
		if strings.Contains(kept, secret) {
			t.Errorf("%s is kept in the clear", what)
		}
	}
	for _, want := range []string{`msg="token issued" methods=[password] user_id=` + f.userID("alice"), `msg="token refused"`, "account made"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("log lacks %s:\n%s", want, f.log.String())
		}
	}
}

func TestLoadIdentities_makes_users_of_the_file(t *testing.T) {
	f := newFixture(t, identity.Options{})
	entry := identity.Identity{
		Name: "reader", Password: "reader's password", AccessKey: "READERACCESSKEY00001", SecretKey: readerSecret,
		Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:get"]}]}`, "te_admin"},
	}
	if err := f.LoadIdentities(t.Context(), []identity.Identity{entry}); err != nil {
		t.Fatal(err)
	}
	c := f.caller(entry.AccessKey, entry.SecretKey)
	if c.UserName != "reader" || c.Owner || len(c.Policies) != 2 {
		t.Errorf("got %+v", c)
	}
	token := f.token("reader", "reader's password", aProject)

	before := f.stored()
	if err := f.LoadIdentities(t.Context(), []identity.Identity{entry}); err != nil {
		t.Fatal(err)
	}
	if f.stored() != before {
		t.Error("loading the same file again changed the store")
	}

	entry.Policies, entry.SecretKey = nil, "anotherSecretKey012345678901234567890123"
	if err := f.LoadIdentities(t.Context(), []identity.Identity{entry}); err != nil {
		t.Fatal(err)
	}
	if c := f.caller(entry.AccessKey, entry.SecretKey); len(c.Policies) != 0 {
		t.Errorf("%d policies that are no longer in the file are left", len(c.Policies))
	}
	if _, err := f.shown(token.Subject); err != nil {
		t.Errorf("a token was voided though the password is the same: %v", err)
	}
	entry.Password = "a new password"
	if err := f.LoadIdentities(t.Context(), []identity.Identity{entry}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.shown(token.Subject); err == nil {
		t.Error("a token from before the new password is in force")
	}
	f.bob() // he is not in the file, and stays
}

// The file is YAML; a policy is a document in YAML or JSON, or the name of a built-in
// one.
func TestIdentity_is_read_from_YAML(t *testing.T) {
	const file = `
- name: ci
  password: ci-Passw0rd
  access_key: CIACCESSKEY000000001
  secret_key: ciSecretKey01234567890123456789012345678
  policies:
    - Version: "1.1"
      Statement:
        - Effect: Allow
          Action: ["csms:secret:get"]
    - '{"Version":"5.0","Statement":[]}'
    - CSMS FullAccess
`
	var got []identity.Identity
	dec := yaml.NewDecoder(strings.NewReader(file))
	dec.KnownFields(true)
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := []identity.Identity{{
		Name: "ci", Password: "ci-Passw0rd", AccessKey: "CIACCESSKEY000000001", SecretKey: "ciSecretKey01234567890123456789012345678",
		Policies: []identity.Document{
			`{"Statement":[{"Action":["csms:secret:get"],"Effect":"Allow"}],"Version":"1.1"}`, `{"Version":"5.0","Statement":[]}`, "CSMS FullAccess",
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	f := newFixture(t, identity.Options{})
	if err := f.LoadIdentities(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if c := f.caller(got[0].AccessKey, got[0].SecretKey); len(c.Policies) != 3 {
		t.Errorf("got %d policies", len(c.Policies))
	}
	if err := yaml.Unmarshal([]byte("policies: [[1]]"), &got[0]); err == nil {
		t.Error("a list was taken for a policy")
	}
}

func TestLoadIdentities_names_the_entries_that_are_wrong(t *testing.T) {
	f := newFixture(t, identity.Options{})
	before := f.stored()
	good := func(name string) identity.Identity { return identity.Identity{Name: name} }
	err := f.LoadIdentities(t.Context(), []identity.Identity{
		good("fine"), good(""),
		{Name: "short", Password: "short"},
		{Name: "half", AccessKey: "HALFACCESSKEY0000001"},
		{Name: "bad", Policies: []identity.Document{`{"Version":"1.1","Statement":[]}`, `{"Version":"7"}`}},
		good("fine"),
		{Name: "one", AccessKey: "SHAREDACCESSKEY00001", SecretKey: readerSecret},
		{Name: "two", AccessKey: "SHAREDACCESSKEY00001", SecretKey: readerSecret},
	})
	if err == nil {
		t.Fatal("the file was accepted")
	}
	for _, want := range []string{
		`users[1] "": `, `users[2] "short": `, `users[3] "half": `, `users[4] "bad": policies[1]: `, `users[5] "fine": the name stands twice`,
		`users[7] "two": the access_key stands twice`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), readerSecret) {
		t.Error("the error holds a secret")
	}
	if f.stored() != before {
		t.Error("a file with errors changed the store")
	}
	for name, entry := range map[string]identity.Identity{
		"the owner":           good("alice"),
		"key of another user": {Name: "thief", AccessKey: ownerKey, SecretKey: ownerSecret},
	} {
		if err := f.LoadIdentities(t.Context(), []identity.Identity{entry}); err == nil || !strings.Contains(err.Error(), "users[0]") {
			t.Errorf("%s: got %v", name, err)
		}
		if f.stored() != before {
			t.Errorf("%s: the store was changed", name)
		}
	}
	if err := newEmpty(t, identity.Options{}).LoadIdentities(t.Context(), nil); err == nil {
		t.Error("identities were loaded before there was an account")
	}
}

// The keys of a disabled user of the file stay dead.
func TestLoadIdentities_leaves_a_disabled_user_disabled(t *testing.T) {
	f := newFixture(t, identity.Options{})
	off := false
	if _, err := f.UpdateUser(t.Context(), f.alice(), f.userID("bob"), identity.UserPatch{Enabled: &off}, base); err != nil {
		t.Fatal(err)
	}
	err := f.LoadIdentities(t.Context(), []identity.Identity{{Name: "bob", AccessKey: "BOBACCESSKEY00000001", SecretKey: "bobSecretKey0123456789012345678901234567"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.signed("BOBACCESSKEY00000001", "bobSecretKey0123456789012345678901234567")
	wantCode(t, "key of a disabled user", err, csms.CodeUnauthenticated)
	u, err := f.store.User(t.Context(), f.userID("bob"))
	if err != nil || u.Enabled {
		t.Errorf("got %v and %v", u.Enabled, err)
	}
}

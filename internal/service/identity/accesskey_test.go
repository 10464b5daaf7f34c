package identity_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/identity"
	"coffer/internal/store"
)

func TestCreateAccessKey_tells_the_secret_once(t *testing.T) {
	f := newFixture(t, identity.Options{})
	bob := f.userID("bob")
	made, err := f.CreateAccessKey(t.Context(), f.root(), identity.NewAccessKey{UserID: bob, Description: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	k := made.Credential
	if len(k.Access) != 20 || len(k.Secret) != 40 || k.CreateTime != "2026-11-21T08:00:00.000000Z" {
		t.Errorf("got %q with a secret of %d, made %s", k.Access, len(k.Secret), k.CreateTime)
	}
	if c := f.caller(k.Access, k.Secret); c.UserID != bob {
		t.Errorf("the key belongs to %s", c.UserID)
	}
	want := k
	want.Secret = ""
	shown, err := f.ShowAccessKey(t.Context(), f.root(), k.Access)
	if diff := cmp.Diff(want, shown.Credential); err != nil || diff != "" {
		t.Errorf("shown: %v (-want +got):\n%s", err, diff)
	}
	if text := asJSON(t, shown); strings.Contains(text, "secret") {
		t.Errorf("the secret is told again: %s", text)
	}
	for who, c := range map[string]*iam.Caller{"himself": f.bob(), "administrator": f.root()} {
		list, err := f.ListAccessKeys(t.Context(), c, bob)
		if err != nil || len(list.Credentials) != 2 || strings.Contains(asJSON(t, list), `"secret"`) {
			t.Errorf("%s lists %s, %v", who, asJSON(t, list), err)
		}
	}
	if list, err := f.ListAccessKeys(t.Context(), f.bob(), ""); err != nil || len(list.Credentials) != 2 {
		t.Errorf("his own without an id: %d and %v", len(list.Credentials), err)
	}
}

func TestAccessKeys_refuse_what_is_not_allowed(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	foreign, err := f.CreateAccessKey(t.Context(), f.stranger(), identity.NewAccessKey{UserID: "stranger"})
	if err != nil {
		t.Fatal(err)
	}
	f.temporary("HSTATEMPORARYKEY0001", f.userID("root"))
	bob, root, status := f.userID("bob"), f.userID("root"), "gone"
	create := func(c *iam.Caller, n identity.NewAccessKey) error {
		return second(f.CreateAccessKey(t.Context(), c, n))
	}
	update := func(c *iam.Caller, ak string, p identity.AccessKeyPatch) error {
		return second(f.UpdateAccessKey(t.Context(), c, ak, p))
	}
	none := identity.AccessKeyPatch{}
	for name, tt := range map[string]struct {
		err  error
		code csms.Code
	}{
		"create by a plain user for himself":  {create(f.bob(), identity.NewAccessKey{UserID: bob}), csms.CodeIAMForbidden},
		"create for an unknown user":          {create(f.root(), identity.NewAccessKey{UserID: "unknown"}), csms.CodeIAMNotFound},
		"create for no user":                  {create(f.root(), identity.NewAccessKey{}), csms.CodeIAMForbidden},
		"create for a user of another domain": {create(f.root(), identity.NewAccessKey{UserID: "stranger"}), csms.CodeIAMNotFound},
		"create with a long description":      {create(f.root(), identity.NewAccessKey{UserID: bob, Description: strings.Repeat("x", 256)}), csms.CodeIAMInvalid},
		"list of another user":                {second(f.ListAccessKeys(t.Context(), f.bob(), root)), csms.CodeIAMForbidden},
		"list of another domain":              {second(f.ListAccessKeys(t.Context(), f.root(), "stranger")), csms.CodeIAMNotFound},
		"show of another user":                {second(f.ShowAccessKey(t.Context(), f.bob(), "ROOTACCESSKEY0000001")), csms.CodeIAMForbidden},
		"show an unknown one, plain user":     {second(f.ShowAccessKey(t.Context(), f.bob(), "UNKNOWN")), csms.CodeIAMForbidden},
		"show an unknown one":                 {second(f.ShowAccessKey(t.Context(), f.root(), "UNKNOWN")), csms.CodeIAMNotFound},
		"show one of another domain":          {second(f.ShowAccessKey(t.Context(), f.root(), foreign.Credential.Access)), csms.CodeIAMNotFound},
		"show a temporary one":                {second(f.ShowAccessKey(t.Context(), f.root(), "HSTATEMPORARYKEY0001")), csms.CodeIAMNotFound},
		"update of another user":              {update(f.bob(), "ROOTACCESSKEY0000001", none), csms.CodeIAMForbidden},
		"update one of another domain":        {update(f.root(), foreign.Credential.Access, none), csms.CodeIAMNotFound},
		"update to an unknown status":         {update(f.root(), "BOBACCESSKEY00000001", identity.AccessKeyPatch{Status: &status}), csms.CodeIAMInvalid},
		"delete of another user":              {f.DeleteAccessKey(t.Context(), f.bob(), "ROOTACCESSKEY0000001"), csms.CodeIAMForbidden},
		"delete one of another domain":        {f.DeleteAccessKey(t.Context(), f.root(), foreign.Credential.Access), csms.CodeIAMNotFound},
		"delete a temporary one":              {f.DeleteAccessKey(t.Context(), f.root(), "HSTATEMPORARYKEY0001"), csms.CodeIAMNotFound},
	} {
		wantCode(t, name, tt.err, tt.code)
	}
}

// temporary stores a temporary key of a user.
func (f *fixture) temporary(accessKey, userID string) {
	f.t.Helper()
	k := &store.AccessKey{AccessKey: accessKey, UserID: userID, DomainID: domainID, Active: true, Temporary: &store.Temporary{ExpiresAt: f.now + 1000}}
	var err error
	if k.SealedSecret, err = credential.SealSecret(f.box, k, []byte(readerSecret)); err != nil {
		f.t.Fatal(err)
	}
	f.update(func(tx *store.Tx) error { return tx.PutAccessKey(k) })
}

func TestUpdateAccessKey_stops_and_starts_a_key(t *testing.T) {
	f := newFixture(t, identity.Options{})
	inactive, active, text := identity.StatusInactive, identity.StatusActive, "text"
	use := func() error {
		return second(f.signed("BOBACCESSKEY00000001", "bobSecretKey0123456789012345678901234567"))
	}
	got, err := f.UpdateAccessKey(t.Context(), f.root(), "BOBACCESSKEY00000001", identity.AccessKeyPatch{Status: &inactive, Description: &text})
	if err != nil || got.Credential.Status != inactive || got.Credential.Description != text {
		t.Errorf("got %+v and %v", got.Credential, err)
	}
	wantCode(t, "inactive", use(), csms.CodeUnauthenticated)
	if _, err := f.UpdateAccessKey(t.Context(), f.root(), "BOBACCESSKEY00000001", identity.AccessKeyPatch{Status: &active}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "active again", use(), "")
	if err := f.DeleteAccessKey(t.Context(), f.root(), "BOBACCESSKEY00000001"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "deleted", use(), csms.CodeUnauthenticated)
}

// Temporary keys do not count; those that ask at the same time do not get more.
func TestCreateAccessKey_makes_two_at_most(t *testing.T) {
	f := newFixture(t, identity.Options{})
	root, bob := f.root(), f.userID("bob") // bob has one
	f.temporary("HSTATEMPORARYKEY0001", bob)
	f.temporary("HSTATEMPORARYKEY0002", bob)
	errs := make([]error, 8)
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() { errs[i] = second(f.CreateAccessKey(t.Context(), root, identity.NewAccessKey{UserID: bob})) })
	}
	wait.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		if !errors.Is(err, csms.E(csms.CodeIAMConflict)) {
			t.Errorf("got %v", err)
		}
	}
	if list, err := f.ListAccessKeys(t.Context(), root, bob); made != 1 || err != nil || len(list.Credentials) != identity.MaxAccessKeys {
		t.Errorf("%d were made, and %d are listed, %v", made, len(list.Credentials), err)
	}
}

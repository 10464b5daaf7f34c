package identity_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/identity"
)

const bobsPassword = "bob's password"

func (f *fixture) changePassword(c *iam.Caller, from, to identity.Credential) error {
	f.t.Helper()
	return second(f.UpdateUserPassword(f.t.Context(), c, identity.PasswordChange{Password: to, OldPassword: from}))
}

// IAM2: a plain user changes his own password; his tokens end and his keys go on.
func TestUpdateUserPassword_ends_the_tokens(t *testing.T) {
	f := newFixture(t, identity.Options{})
	token := f.token("bob", bobsPassword, "")
	c, err := f.shown(token.Subject)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.changePassword(&c, bobsPassword, "another password"); err != nil {
		t.Fatal(err)
	}
	_, err = f.shown(token.Subject)
	wantCode(t, "the token that he called with", err, csms.CodeUnauthenticated)
	f.bob() // signs with his key
	if _, err := f.byPassword("bob", bobsPassword, ""); err == nil {
		t.Error("the old password still logs in")
	}
	f.token("bob", "another password", "")
}

func TestUpdateUserPassword_refuses(t *testing.T) {
	f := newFixture(t, identity.Options{})
	denied := *f.bob()
	deny, err := iam.ParsePolicy("deny", []byte(`{"Version":"5.0","Statement":[{"Effect":"Deny","Action":["csms::updateUserPassword"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	denied.Policies = append(denied.Policies, deny)
	agency, gone, foreign := *f.bob(), *f.bob(), *f.bob()
	agency.UserID, gone.UserID, foreign.Foreign = "", "gone", true
	for name, tt := range map[string]struct {
		caller   *iam.Caller
		from, to identity.Credential
		code     csms.Code
	}{
		"wrong old password":    {f.bob(), "bob's passworD", "another password", csms.CodeInvalid},
		"no old password":       {f.bob(), "", "another password", csms.CodeInvalid},
		"too short":             {f.bob(), bobsPassword, "1234567", csms.CodeInvalid},
		"the same":              {f.bob(), bobsPassword, bobsPassword, csms.CodeInvalid},
		"an agency":             {&agency, bobsPassword, "another password", csms.CodeForbidden},
		"a user of Keystone":    {&foreign, bobsPassword, "another password", csms.CodeForbidden},
		"a user who is gone":    {&gone, bobsPassword, "another password", csms.CodeInvalid},
		"denied by a policy":    {&denied, bobsPassword, "another password", csms.CodeForbidden},
		"password of another":   {f.bob(), "root's password", "another password", csms.CodeInvalid},
		"denied, wrong and all": {&denied, "", "", csms.CodeForbidden},
	} {
		wantCode(t, name, f.changePassword(tt.caller, tt.from, tt.to), tt.code)
	}
	f.token("bob", bobsPassword, "") // still his password
}

// A stolen key or token is no second way to guess the password: guesses count with
// failed logins.
func TestUpdateUserPassword_counts_guesses(t *testing.T) {
	f := newFixture(t, identity.Options{})
	bob := f.bob()
	for range 10 {
		wantCode(t, "guess", f.changePassword(bob, "guess", "another password"), csms.CodeInvalid)
	}
	wantCode(t, "one more, the right one", f.changePassword(bob, bobsPassword, "another password"), csms.CodeThrottled)
	if _, err := f.byPassword("bob", bobsPassword, ""); err == nil {
		t.Error("a login is let through")
	}
	f.now += 12_000
	wantCode(t, "later", f.changePassword(bob, bobsPassword, "another password"), "")
}

// Of changes that rest on one old password, one counts.
func TestUpdateUserPassword_takes_one_of_two(t *testing.T) {
	f := newFixture(t, identity.Options{})
	bob := f.bob()
	var changed atomic.Int32
	var wait sync.WaitGroup
	for _, to := range []identity.Credential{"first password", "second password", "third password"} {
		wait.Go(func() {
			if f.changePassword(bob, bobsPassword, to) == nil {
				changed.Add(1)
			}
		})
	}
	wait.Wait()
	if n := changed.Load(); n != 1 {
		t.Errorf("%d of 3 changes counted", n)
	}
}

package identity_test

import (
	"fmt"
	"strings"
	"testing"

	"coffer/internal/service/identity"
)

func TestResetOwner_gives_new_credentials_and_voids_the_old_ones(t *testing.T) {
	f := newFixture(t, identity.Options{})
	second, err := f.CreateAccessKey(t.Context(), f.alice(), identity.NewAccessKey{UserID: f.userID("alice")})
	if err != nil {
		t.Fatal(err)
	}
	old := f.token("alice", ownerPassword, aProject)
	other := f.token("bob", "bob's password", aProject)
	f.now++
	got, err := f.ResetOwner(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if got.Created || got.UserName != "alice" || got.UserID != f.userID("alice") || got.DomainID != domainID {
		t.Errorf("reset %v of %s", got, got.UserName)
	}
	if c := f.caller(got.AccessKey, got.SecretKey); !c.Owner {
		t.Errorf("the new key belongs to %+v", c)
	}
	for name, key := range map[string][2]string{"first": {ownerKey, ownerSecret}, "second": {second.Credential.Access, second.Credential.Secret}} {
		if _, err := f.signed(key[0], key[1]); err == nil {
			t.Errorf("the %s old key still signs", name)
		}
	}
	if _, err := f.shown(old.Subject); err == nil {
		t.Error("the old token is still valid")
	}
	if _, err := f.byPassword("alice", ownerPassword, aProject); err == nil {
		t.Error("the old password is still valid")
	}
	f.now++
	if _, err := f.shown(f.token("alice", got.Password, aProject).Subject); err != nil {
		t.Errorf("a token of the new password: %v", err)
	}
	if _, err := f.shown(other.Subject); err != nil {
		t.Errorf("the token of another user: %v", err)
	}
	f.bob()
	for _, secret := range []string{got.Password, got.SecretKey} {
		if strings.Contains(f.log.String(), secret) || strings.Contains(fmt.Sprintf("%v %+v", got, got), secret) || strings.Contains(f.stored(), secret) {
			t.Errorf("%q is in the log, the store, or what prints the answer", secret)
		}
	}
}

func TestResetOwner_refuses_another_store(t *testing.T) {
	f := newFixture(t, identity.Options{})
	before := f.stored()
	if _, err := f.ResetOwner(t.Context(), "other"); err == nil || !strings.Contains(err.Error(), "belongs to the domain acme, not to other") {
		t.Errorf("another account: %v", err)
	}
	if f.stored() != before {
		t.Error("a refusal changed the store")
	}
	f.alice()
	if _, err := newEmpty(t, identity.Options{}).ResetOwner(t.Context(), "acme"); err == nil || !strings.Contains(err.Error(), "no account yet") {
		t.Errorf("an empty store: %v", err)
	}
}

package service_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/kv"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// addUser stores a user of the domain of the kit.
func addUser(t *testing.T, k *testkit.Kit, id string) {
	t.Helper()
	u := &store.User{ID: id, DomainID: testkit.DomainID, Name: id, Enabled: true}
	if err := k.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.PutUser(u) }); err != nil {
		t.Fatal(err)
	}
}

func grantTo(sec *csms.Secret, user string, end csms.Millis) service.GrantRequest {
	q := service.GrantRequest{
		ResourceID: sec.ID, Target: csms.GrantSecret, Grantee: csms.Grantee{Type: csms.GranteeUser, ID: user},
	}
	if end != 0 {
		q.ValidityTime = fmt.Sprint(int64(end))
	}
	return q
}

func grant(t *testing.T, k *testkit.Kit, q service.GrantRequest) {
	t.Helper()
	if _, err := k.Service.CreateGrants(t.Context(), owner(), q); err != nil {
		t.Fatal(err)
	}
}

// granted returns a kit with a secret that the user called caller has a grant on.
func granted(t *testing.T, end csms.Millis) (*testkit.Kit, *csms.Secret) {
	t.Helper()
	k := testkit.New(t, testkit.Options{})
	addUser(t, k, "caller")
	sec := create(t, k, "db")
	grant(t, k, grantTo(sec, "caller", end))
	return k, sec
}

func readAs(t *testing.T, k *testkit.Kit, who *iam.Caller) error {
	t.Helper()
	v, err := k.Service.ShowSecretVersion(t.Context(), who, "db", csms.Latest)
	v.Value.Data.Wipe()
	return err
}

// G4: a grant gives access until its end, and its end ends it, to the millisecond.
func TestGrant_ends_at_its_instant(t *testing.T) {
	k, _ := granted(t, testkit.Epoch+5000)
	k.Move(4999 * time.Millisecond)
	if err := readAs(t, k, caller(t)); err != nil {
		t.Errorf("1 ms before the end: %v", err)
	}
	k.Move(time.Millisecond)
	refused(t, readAs(t, k, caller(t)), csms.CodeForbidden)
}

// G4: a grant gives what policies do not allow; it takes no limit away.
func TestGrant_gives_way_to_limits(t *testing.T) {
	k, _ := granted(t, 0)
	const denies = `{"Version":"5.0","Statement":[{"Effect":"Deny","Action":["csms:secret:getVersion"],"Resource":["csms:*:*:secretName:db"]}]}`
	const narrow = `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:list"]}]}`
	const wide = `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:getVersion"]}]}`
	policy := caller(t, narrow, wide).Policies
	for name, tt := range map[string]struct {
		change func(*iam.Caller)
		code   csms.Code
	}{
		"nothing else":              {func(*iam.Caller) {}, ""},
		"explicit deny":             {func(c *iam.Caller) { c.Policies = caller(t, denies).Policies }, csms.CodeForbidden},
		"temporary key without it":  {func(c *iam.Caller) { c.Session = policy[0] }, csms.CodeForbidden},
		"temporary key with it":     {func(c *iam.Caller) { c.Session = policy[1] }, ""},
		"organisation does not":     {func(c *iam.Caller) { c.Boundary = policy[:1] }, csms.CodeForbidden},
		"another user":              {func(c *iam.Caller) { c.UserID = "other" }, csms.CodeForbidden},
		"an agency":                 {func(c *iam.Caller) { c.UserID, c.PrincipalID = "", "caller" }, csms.CodeForbidden},
		"a user of Keystone":        {func(c *iam.Caller) { c.Foreign = true }, csms.CodeForbidden},
		"acting in another project": {func(c *iam.Caller) { c.ProjectID = testkit.OtherProjectID }, csms.CodeForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			c := caller(t)
			tt.change(c)
			refused(t, readAs(t, k, c), tt.code)
		})
	}
}

// G4: callers that policies allow, or that ask for what no grant gives, do not pay
// for grants: a damaged record does not reach them.
func TestGrants_are_read_for_those_that_policies_do_not_allow(t *testing.T) {
	k, sec := granted(t, 0)
	err := k.DB.Update(t.Context(), func(tx kv.Txn) error { return tx.Put([]byte("grant\x00"+sec.ID), []byte("damaged")) })
	if err != nil {
		t.Fatal(err)
	}
	const reads = `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:getVersion"]}]}`
	other, err := store.Open(t.Context(), k.DB, store.Options{}) // without what is cached
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Grants(t.Context(), sec.ID); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Fatalf("the record is not damaged: %v", err)
	}
	if err := readAs(t, k, caller(t, reads)); err != nil {
		t.Errorf("allowed by policy: %v", err)
	}
	_, err = k.Service.UpdateSecret(t.Context(), caller(t), "db", csms.Patch{})
	refused(t, err, csms.CodeForbidden)
}

// G4: grants go with their secret; another one of the same name has none.
func TestGrants_go_with_the_secret(t *testing.T) {
	for name, remove := range map[string]func(*testing.T, *testkit.Kit){
		"deleted at once": func(t *testing.T, k *testkit.Kit) {
			if err := k.Service.DeleteSecret(t.Context(), owner(), "db"); err != nil {
				t.Fatal(err)
			}
		},
		"as scheduled": func(t *testing.T, k *testkit.Kit) {
			if _, err := k.Service.DeleteSecretForSchedule(t.Context(), owner(), "db", 7); err != nil {
				t.Fatal(err)
			}
			if err := k.Advance(t.Context(), 7*24*time.Hour); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k, sec := granted(t, 0)
			remove(t, k)
			if _, err := k.Store.Grants(t.Context(), sec.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the record is there: %v", err)
			}
			create(t, k, "db")
			refused(t, readAs(t, k, caller(t)), csms.CodeForbidden)
		})
	}
}

// G4: no grant is left behind by a secret that goes while somebody grants.
func TestGrants_race_with_the_deletion_of_the_secret(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	addUser(t, k, "caller")
	for range 20 {
		sec := create(t, k, "db")
		var wait sync.WaitGroup
		wait.Go(func() {
			_, err := k.Service.CreateGrants(context.Background(), owner(), grantTo(sec, "caller", 0))
			if code := csms.CodeOf(err); err != nil && code != csms.CodeNotFound {
				t.Errorf("granting: %v", err)
			}
		})
		wait.Go(func() {
			if err := k.Service.DeleteSecret(context.Background(), owner(), "db"); err != nil {
				t.Errorf("deleting: %v", err)
			}
		})
		wait.Wait()
		if _, err := k.Store.Grants(t.Context(), sec.ID); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("a grant outlives its secret: %v", err)
		}
	}
}

// G4: the grants of users who are gone make room when a secret has as many as it takes.
func TestCreateGrants_drops_void_grants_when_full(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	sec := create(t, k, "db")
	for i := range csms.MaxGrantees {
		user := fmt.Sprint("user", i)
		addUser(t, k, user)
		grant(t, k, grantTo(sec, user, 0))
	}
	addUser(t, k, "caller")
	_, err := k.Service.CreateGrants(t.Context(), owner(), grantTo(sec, "caller", 0))
	refused(t, err, csms.CodeInvalid)
	gone := &store.User{ID: "user7"}
	if err := k.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.DeleteUser(gone) }); err != nil {
		t.Fatal(err)
	}
	grant(t, k, grantTo(sec, "caller", 0))
	gs, err := k.Store.Grants(t.Context(), sec.ID)
	if err != nil || len(gs.List) != csms.MaxGrantees || gs.Of(csms.Grantee{Type: csms.GranteeUser, ID: "user7"}) != nil {
		t.Errorf("the void grant stands: %v", err)
	}
	if err := readAs(t, k, caller(t)); err != nil {
		t.Errorf("the new grantee: %v", err)
	}
}

// G4: what is taken away gives nothing at once, though it was cached.
func TestDeleteGrant_ends_access(t *testing.T) {
	k, sec := granted(t, 0)
	for range 2 {
		if err := readAs(t, k, caller(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Service.DeleteGrant(t.Context(), owner(), sec.ID, "caller"); err != nil {
		t.Fatal(err)
	}
	refused(t, readAs(t, k, caller(t)), csms.CodeForbidden)
}

// G5, G1: users of another domain do not exist for an administrator of this one.
func TestUsers_of_another_domain_do_not_exist(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	sec := create(t, k, "db")
	u := &store.User{ID: "stranger", DomainID: "d0000000000000000000000000000009", Name: "stranger", Enabled: true}
	if err := k.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.PutUser(u) }); err != nil {
		t.Fatal(err)
	}
	_, err := k.Service.CreateGrants(t.Context(), owner(), grantTo(sec, "stranger", 0))
	refused(t, err, csms.CodeNotFound)
	_, err = k.Service.ShowUserDetail(t.Context(), owner(), "stranger")
	refused(t, err, csms.CodeNotFound)
	users, total, err := k.Service.ListUsers(t.Context(), owner(), service.UserListing{Limit: 100, UserInfo: "stranger"})
	if err != nil || total != 0 || len(users) != 0 {
		t.Errorf("listed: %v of %d, %v", users, total, err)
	}
}

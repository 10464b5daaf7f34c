package auth_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"coffer/internal/auth"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

const (
	allowGet = `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:get"]}]}`
	denyGet  = `{"Version":"1.1","Statement":[{"Effect":"Deny","Action":["csms:secret:get"]}]}`
	policyID = "e0000000000000000000000000000001"
)

// mayShow reports whether the reader may show a secret with the rights of now.
func (f *fixture) mayShow() bool {
	f.t.Helper()
	q := get()
	q.key = readerKey
	c, err := f.send(q, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	r := iam.Request{Op: iam.ShowSecret, Region: "self-1", Domain: home, Project: vectorP, SecretName: "a"}
	return c.Authorize(&r) == nil
}

func (f *fixture) putPolicy(document string) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		return tx.PutPolicy(&store.Policy{ID: policyID, DomainID: home, Name: "p", Document: store.Document(document)})
	})
}

// A change of rights counts from the next request on (auth.md 3.2: at once).
func TestAuthenticate_follows_changed_policies(t *testing.T) {
	f := newFixture(t, auth.Options{})
	want := func(step string, may bool) {
		t.Helper()
		for range 2 { // the second time from what is kept
			if f.mayShow() != may {
				t.Fatalf("%s: may show is %v, want %v", step, !may, may)
			}
		}
	}
	want("built-in policy attached", true)
	f.changeUser(reader, func(u *store.User) { u.PolicyIDs = nil })
	want("nothing attached", false)
	f.putPolicy(allowGet)
	f.changeUser(reader, func(u *store.User) { u.PolicyIDs = []string{policyID} })
	want("own policy attached", true)
	f.putPolicy(denyGet)
	want("own policy changed", false)
	f.putPolicy(allowGet)
	want("own policy changed back", true)
	f.changeUser(reader, func(u *store.User) { u.Inline = []store.InlinePolicy{{Name: "i", Document: store.Document(denyGet)}} })
	want("inline policy added", false)
	f.changeUser(reader, func(u *store.User) { u.Inline[0].Document = store.Document(allowGet) })
	want("inline policy changed", true)
}

// What cannot be found or read may hold a deny: it refuses, and grants nothing.
func TestAuthenticate_fails_on_policies_it_cannot_read(t *testing.T) {
	tests := map[string]func(*fixture){
		"missing": func(f *fixture) {
			f.changeUser(reader, func(u *store.User) { u.PolicyIDs = append(u.PolicyIDs, policyID) })
		},
		"gone after use": func(f *fixture) {
			f.putPolicy(allowGet)
			f.changeUser(reader, func(u *store.User) { u.PolicyIDs = []string{policyID} })
			if !f.mayShow() {
				f.t.Fatal("the policy does not grant")
			}
			f.update(func(tx *store.Tx) error { return tx.DeletePolicy(&store.Policy{ID: policyID}) })
		},
		"of another domain": func(f *fixture) {
			f.update(func(tx *store.Tx) error {
				return tx.PutPolicy(&store.Policy{ID: policyID, DomainID: away, Name: "p", Document: store.Document(allowGet)})
			})
			f.changeUser(reader, func(u *store.User) { u.PolicyIDs = []string{policyID} })
		},
		"unreadable": func(f *fixture) {
			f.changeUser(reader, func(u *store.User) { u.Inline = []store.InlinePolicy{{Name: "i", Document: store.Document("{")}} })
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, auth.Options{})
			spoil(f)
			q := get()
			q.key = readerKey
			if _, err := f.send(q, nil); csms.CodeOf(err) != csms.CodeInternal {
				t.Errorf("got %v, want an internal error", err)
			}
		})
	}
}

// Many users at once, while their policies change; the race detector watches.
func TestAuthenticate_serves_many_users_at_once(t *testing.T) {
	f := newFixture(t, auth.Options{})
	var keys []string
	for i := range 20 {
		id, key := fmt.Sprintf("b%031d", i), fmt.Sprintf("MANYUSERSACCESSK%04d", i)
		f.update(func(tx *store.Tx) error {
			return tx.PutUser(&store.User{ID: id, DomainID: home, Name: id, Enabled: true, Inline: []store.InlinePolicy{{Name: "i", Document: store.Document(allowGet)}}})
		})
		f.putKey(key, id, nil)
		keys = append(keys, key)
	}
	var wait sync.WaitGroup
	errs := make([]error, 8)
	for n := range errs {
		wait.Go(func() {
			for i := range 100 {
				q := get()
				q.key = keys[(i+n)%len(keys)]
				if c, err := f.send(q, nil); err != nil || c.AccessKey != q.key || len(c.Policies) != 1 {
					errs[n] = errors.Join(errs[n], fmt.Errorf("got %s and %w, want %s", c.AccessKey, err, q.key))
				}
			}
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

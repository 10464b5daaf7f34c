package auth

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"coffer/internal/auth/credential"
	"coffer/internal/kv/memkv"
	"coffer/internal/seal"
	"coffer/internal/store"
)

func testBox(t *testing.T) *seal.Box {
	t.Helper()
	box, err := seal.NewBox(rand.Reader, bytes.Repeat([]byte{7}, seal.KeySize), seal.PurposeAccessKey, 0)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestKeyring_keeps_a_bounded_number_of_keys(t *testing.T) {
	box := testBox(t)
	ring := newKeyring(box)
	for i := range maxKeyed + 100 {
		k := &store.AccessKey{AccessKey: fmt.Sprintf("AK%018d", i), UserID: "u", DomainID: "d"}
		var err error
		if k.SealedSecret, err = credential.SealSecret(box, k, []byte("secretKey0123456789")); err != nil {
			t.Fatal(err)
		}
		got, err := ring.get(k)
		if err != nil || got.record != k {
			t.Fatalf("got %v and %v", got, err)
		}
	}
	if len(ring.ready) != maxKeyed {
		t.Errorf("%d keys are kept, want %d", len(ring.ready), maxKeyed)
	}
}

func TestKeyring_forgets_the_key_of_a_record_that_is_gone(t *testing.T) {
	box := testBox(t)
	ring := newKeyring(box)
	k := &store.AccessKey{AccessKey: "AK000000000000000001", UserID: "u", DomainID: "d"}
	var err error
	if k.SealedSecret, err = credential.SealSecret(box, k, []byte("secretKey0123456789")); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.get(k); err != nil {
		t.Fatal(err)
	}
	ring.forget(k.AccessKey)
	if len(ring.ready) != 0 {
		t.Error("the secret is still kept")
	}
}

func TestGrants_keeps_a_bounded_number_of_bytes(t *testing.T) {
	g := newGrants(nil)
	g.bound = 100_000
	for i := range 1000 {
		g.keep(fmt.Sprint("user", i), &granted{bytes: 1000})
		g.keep("again", &granted{bytes: i})
	}
	sum := 0
	for _, k := range g.users {
		sum += k.bytes + perUser
	}
	if sum != g.bytes || g.bytes > g.bound+perUser {
		t.Errorf("%d bytes are kept and %d are counted; the bound is %d", sum, g.bytes, g.bound)
	}
	if len(g.users) < 50 || g.users["again"] == nil {
		t.Errorf("%d users are kept", len(g.users))
	}
}

// Several nodes over one engine have no cache in the store: every read is another
// pointer, and what is compiled counts all the same.
func TestGrants_and_keyring_serve_a_store_without_a_cache(t *testing.T) {
	st, err := store.Open(t.Context(), memkv.New(), store.Options{CacheBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	box := testBox(t)
	k := &store.AccessKey{AccessKey: "AK000000000000000001", UserID: "u", DomainID: "d", Temporary: &store.Temporary{ExpiresAt: 9}}
	if k.SealedSecret, err = credential.SealSecret(box, k, []byte("secretKey0123456789")); err != nil {
		t.Fatal(err)
	}
	document := store.Document(`{"Version":"1.1","Statement":[]}`)
	err = st.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.PutPolicy(&store.Policy{ID: "p", DomainID: "d", Name: "p", Document: document}); err != nil {
			return err
		}
		if err := tx.PutAccessKey(k); err != nil {
			return err
		}
		return tx.PutUser(&store.User{ID: "u", DomainID: "d", Name: "u", PolicyIDs: []string{"p"}, Inline: []store.InlinePolicy{{Name: "i", Document: document}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	ring, g := newKeyring(box), newGrants(st)
	var keys []*keyed
	var policies []any
	for range 2 {
		record, err := st.AccessKey(t.Context(), k.AccessKey)
		if err != nil {
			t.Fatal(err)
		}
		ready, err := ring.get(record)
		if err != nil {
			t.Fatal(err)
		}
		u, err := st.User(t.Context(), "u")
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := g.of(t.Context(), u)
		if err != nil || len(compiled.policies) != 2 {
			t.Fatalf("got %+v and %v", compiled, err)
		}
		keys, policies = append(keys, ready), append(policies, compiled.policies[0])
	}
	if keys[0] != keys[1] || policies[0] != policies[1] {
		t.Error("key or policies were made anew for records that are equal")
	}
}

// Whatever stands in X-Forwarded-For, the answer is an address that stands there or
// the peer, and never one in front of a stranger.
func FuzzForwardedFor(f *testing.F) {
	f.Add("1.2.3.4, 198.51.100.1, 10.0.0.2")
	f.Add("[::1]:80,,fe80::1%eth0")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, list string) {
		got := forwardedFor([]string{list}, peer, trusted)
		if !got.IsValid() {
			t.Fatalf("no address for %q", list)
		}
		strangers := 0
		for _, entry := range strings.Split(list, ",") {
			if addr, err := parseAddr(strings.TrimSpace(entry)); err == nil && !within(trusted, addr) {
				strangers++
			}
		}
		if !within(trusted, got) && strangers == 0 {
			t.Errorf("got %s from %q", got, list)
		}
	})
}

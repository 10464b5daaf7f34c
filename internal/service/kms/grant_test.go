package kms_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/kms"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// user is a caller without policies, who is in the store.
func user(t testing.TB, k *testkit.Kit, id string) *iam.Caller {
	t.Helper()
	u := &store.User{ID: id, DomainID: testkit.DomainID, Name: id, Enabled: true}
	if err := k.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.PutUser(u) }); err != nil {
		t.Fatal(err)
	}
	return &iam.Caller{DomainID: testkit.DomainID, UserID: id, ProjectID: testkit.ProjectID}
}

// A key that is destroyed takes its grants along: none of them is found again.
func TestGrantsGoWithTheirKey(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	grantee, keyID := user(t, k, "grantee"), newKey(t, k, "mine")
	in := kms.NewGrant{KeyID: keyID, Grantee: "grantee", Operations: []string{"describe-key", "retire-grant"}}
	id, err := k.Keys.CreateKeyGrant(t.Context(), owner(testkit.ProjectID), in)
	if err != nil || len(id) != 64 {
		t.Fatalf("id %q, %v", id, err)
	}
	if page, err := k.Keys.ListRetirableKeyGrants(t.Context(), grantee, kms.Page{Limit: 1}); err != nil || page.Total != 1 || page.Grants[0].KeyID != keyID {
		t.Errorf("retirable %+v, %v", page, err)
	}
	if _, err := k.Keys.ScheduleKeyDeletion(t.Context(), owner(testkit.ProjectID), keyID, 7); err != nil {
		t.Fatal(err)
	}
	if err := k.Advance(t.Context(), 7*24*3600*1e9); err != nil {
		t.Fatal(err)
	}
	if page, err := k.Keys.ListRetirableKeyGrants(t.Context(), grantee, kms.Page{Limit: 1}); err != nil || page.Total != 0 {
		t.Errorf("retirable %+v, %v", page, err)
	}
	_, err = k.Keys.DescribeKey(t.Context(), grantee, keyID)
	refused(t, "describe-key of a key that is gone", err, csms.CodeKMSForbidden)
}

// A deny in a policy stands against a grant.
func TestADenyStandsAgainstAGrant(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	user(t, k, "caller")
	keyID := newKey(t, k, "mine")
	in := kms.NewGrant{KeyID: keyID, Grantee: "caller", Operations: []string{"describe-key", "create-grant", "retire-grant"}}
	id, err := k.Keys.CreateKeyGrant(t.Context(), owner(testkit.ProjectID), in)
	if err != nil {
		t.Fatal(err)
	}
	who := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Deny","Action":["kms:*:*"]}]}`)
	_, err = k.Keys.DescribeKey(t.Context(), who, keyID)
	refused(t, "describe-key", err, csms.CodeKMSForbidden)
	_, err = k.Keys.CreateKeyGrant(t.Context(), who, in)
	refused(t, "create-grant", err, csms.CodeKMSForbidden)
	refused(t, "retire-grant", k.Keys.RetireKeyGrant(t.Context(), who, kms.GrantRef{KeyID: keyID, GrantID: id}), csms.CodeKMSForbidden)
	_, err = k.Keys.ListRetirableKeyGrants(t.Context(), who, kms.Page{Limit: 1})
	refused(t, "list-retirable-grants", err, csms.CodeKMSForbidden)
	who.Policies, who.Foreign = nil, true
	_, err = k.Keys.DescribeKey(t.Context(), who, keyID)
	refused(t, "a user of Keystone", err, csms.CodeKMSForbidden)
}

// words are the operations of a grant, with what asks for them.
var words = map[string]iam.Op{
	"create-datakey": iam.CreateDataKey, "create-datakey-without-plaintext": iam.CreateDataKeyWithoutPlaintext,
	"encrypt-datakey": iam.EncryptDataKey, "decrypt-datakey": iam.DecryptDataKey, "describe-key": iam.DescribeKey,
	"encrypt-data": iam.EncryptData, "decrypt-data": iam.DecryptData, "create-grant": iam.CreateKeyGrant,
}

// Of a random history of grants, a naive model says what each user may do: what a
// grant gives him that nobody took away. Nobody gives more than he has.
func TestGrantsGiveWhatTheModelSays(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	names := []string{"u1", "u2", "u3"}
	for _, name := range names {
		user(t, k, name)
	}
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		h := &grantHistory{rt: rt, kit: k, names: names}
		for i := range 2 {
			h.keys = append(h.keys, newKey(t, k, fmt.Sprint("key-", runs, "-", i)))
		}
		defer h.end(t)
		rt.Repeat(map[string]func(*rapid.T){"create": h.create, "take away": h.takeAway, "": h.check})
	})
}

// grantHistory is a random history of grants on two keys and what the model knows.
type grantHistory struct {
	rt    *rapid.T
	kit   *testkit.Kit
	names []string
	keys  []string
	live  []modelGrant
}

type modelGrant struct {
	id, key, grantee, issuer, retiring string
	words                              []string
}

func (h *grantHistory) caller(name string) *iam.Caller {
	return &iam.Caller{DomainID: testkit.DomainID, UserID: name, ProjectID: testkit.ProjectID, Owner: name == "owner"}
}

func (g *modelGrant) gives(name, word string) bool {
	return (g.grantee == name || g.grantee == testkit.DomainID) && slices.Contains(g.words, word)
}

// may reports whether a grant on the key gives a user the word, beside all of with.
func (h *grantHistory) may(name, key, word string, with ...string) bool {
	return name == "owner" || slices.ContainsFunc(h.live, func(g modelGrant) bool {
		for _, w := range append(with, word) {
			if !g.gives(name, w) {
				return false
			}
		}
		return g.key == key
	})
}

func (h *grantHistory) create(rt *rapid.T) {
	all := slices.Sorted(func(yield func(string) bool) {
		for w := range words {
			if !yield(w) {
				return
			}
		}
		yield("retire-grant")
	})
	issuer := rapid.SampledFrom(append([]string{"owner", "owner"}, h.names...)).Draw(rt, "issuer")
	g := modelGrant{
		key: rapid.SampledFrom(h.keys).Draw(rt, "key"), issuer: issuer,
		grantee:  rapid.SampledFrom(append([]string{testkit.DomainID}, h.names...)).Draw(rt, "grantee"),
		retiring: rapid.SampledFrom(append([]string{""}, h.names...)).Draw(rt, "retiring"),
		words:    rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 4, rapid.ID[string]).Draw(rt, "operations"),
	}
	in := kms.NewGrant{KeyID: g.key, Grantee: g.grantee, Operations: g.words, Retiring: g.retiring}
	if g.grantee == testkit.DomainID {
		in.GranteeType = "domain"
	}
	want := csms.Code("")
	switch {
	case !h.may(issuer, g.key, "create-grant"):
		want = csms.CodeKMSForbidden
	case slices.Equal(g.words, []string{"create-grant"}):
		want = csms.CodeKMSGrantAlone
	case slices.ContainsFunc(g.words, func(w string) bool { return !h.may(issuer, g.key, w, "create-grant") }):
		want = csms.CodeKMSForbidden
	}
	id, err := h.kit.Keys.CreateKeyGrant(h.rt.Context(), h.caller(issuer), in)
	if got := csms.CodeOf(err); got != want {
		rt.Fatalf("%s creates %+v: %v; want %q", issuer, g, err, want)
	}
	if g.id = id; err == nil {
		h.live = append(h.live, g)
	}
}

func (h *grantHistory) takeAway(rt *rapid.T) {
	if len(h.live) == 0 {
		return
	}
	i := rapid.IntRange(0, len(h.live)-1).Draw(rt, "grant")
	name := rapid.SampledFrom(append([]string{"owner"}, h.names...)).Draw(rt, "who")
	g := h.live[i]
	may := name == "owner"
	remove := h.kit.Keys.RevokeKeyGrant
	if rapid.Bool().Draw(rt, "retire") {
		remove, may = h.kit.Keys.RetireKeyGrant, may || g.issuer == name || g.retiring == name || g.gives(name, "retire-grant")
	}
	err := remove(h.rt.Context(), h.caller(name), kms.GrantRef{KeyID: g.key, GrantID: strings.ToUpper(g.id)})
	switch {
	case may != (err == nil), err != nil && csms.CodeOf(err) != csms.CodeKMSForbidden:
		rt.Fatalf("%s takes %+v away: %v", name, g, err)
	case err == nil:
		h.live = slices.Delete(h.live, i, i+1)
	}
}

func (h *grantHistory) check(rt *rapid.T) {
	for _, name := range h.names {
		for _, key := range h.keys {
			for word, op := range words {
				if err := h.kit.Keys.Authorize(h.rt.Context(), h.caller(name), op, key); (err == nil) != h.may(name, key, word) {
					rt.Fatalf("%s %s: %v; the model says %v of %+v", name, word, err, h.may(name, key, word), h.live)
				}
			}
		}
	}
}

// end takes away what is left, so that keys do not pile up with grants.
func (h *grantHistory) end(t *testing.T) {
	t.Helper()
	for _, g := range h.live {
		if err := h.kit.Keys.RevokeKeyGrant(t.Context(), h.caller("owner"), kms.GrantRef{KeyID: g.key, GrantID: g.id}); err != nil {
			t.Error(err)
		}
	}
}

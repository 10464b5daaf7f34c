package store

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The grants and aliases of a key stand in its record and go with it; its aliases are
// unique in the project together with the own aliases of keys.
func TestGrantsAndAliasesGoWithTheirKey(t *testing.T) {
	ctx := context.Background()
	s, _ := open(t, Options{})
	key := &Key{
		ID: "k1", ProjectID: "p1", Alias: "first", State: KeyEnabled, Versions: []KeyVersion{{1, Sealed("w"), 2}},
		Grants: []KeyGrant{
			{ID: "g1", GranteeType: PrincipalUser, GranteeID: "u1", Operations: []string{"describe-key"}, CreateTime: 1},
			{
				ID: "g2", Name: "n", GranteeType: PrincipalDomain, GranteeID: "d1", RetiringID: "u2", IssuingID: "u3",
				Operations: []string{"encrypt-data", "decrypt-data"}, CreateTime: 2,
			},
		},
		Aliases: []KeyAlias{{"alias/a", 1, 2}, {"alias/b", 3, 4}},
	}
	put := func(k *Key) error { return s.Update(ctx, func(tx *Tx) error { return tx.PutKey(k) }) }
	if err := put(key); err != nil {
		t.Fatal(err)
	}
	for _, alias := range []string{"first", "alias/a", "alias/b"} {
		got, err := s.KeyByAlias(ctx, "p1", alias)
		if diff := cmp.Diff(key, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", alias, err, diff)
		}
		if err := put(&Key{ID: "k2", ProjectID: "p1", Aliases: []KeyAlias{{alias, 1, 1}}}); !errors.Is(err, ErrTaken) {
			t.Errorf("%s for another key: %v", alias, err)
		}
	}
	key.Aliases = key.Aliases[1:]
	if err := put(key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.KeyByAlias(ctx, "p1", "alias/a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an alias that was taken away: %v", err)
	}
	if findings, err := s.Verify(ctx); err != nil || len(findings) > 0 {
		t.Errorf("verify: %v, %v", findings, err)
	}
	if err := s.Update(ctx, func(tx *Tx) error { return tx.DeleteKey(key) }); err != nil {
		t.Fatal(err)
	}
	if err := put(&Key{ID: "k2", ProjectID: "p1", Alias: "alias/b"}); err != nil {
		t.Errorf("an alias of a key that is gone: %v", err)
	}
}

func TestWhoIsNamedByAGrantOnAKey(t *testing.T) {
	key := &Key{Grants: []KeyGrant{
		{GranteeType: PrincipalUser, GranteeID: "same", Operations: []string{"describe-key"}},
		{GranteeType: PrincipalDomain, GranteeID: "d1", Operations: []string{"encrypt-data"}},
		{GranteeType: PrincipalUser, GranteeID: "", Operations: []string{"decrypt-data"}},
	}}
	for _, tt := range []struct {
		who       Principal
		operation string
		want      bool
	}{
		{Principal{"same", "d2"}, "describe-key", true},
		{Principal{"other", "same"}, "describe-key", false}, // a user's id is no domain's
		{Principal{"d1", "d2"}, "encrypt-data", false},      // nor the other way round
		{Principal{"any", "d1"}, "encrypt-data", true},
		{Principal{"same", "d1"}, "decrypt-data", false},
		{Principal{"", ""}, "decrypt-data", false},
		{Principal{"same", "d2"}, "", false},
	} {
		if got := key.Gives(tt.who, tt.operation); got != tt.want {
			t.Errorf("%+v %q: %v", tt.who, tt.operation, got)
		}
	}
}

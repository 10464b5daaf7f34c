package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The members of a group are those users whose records say so.
func TestUsersOfAGroup(t *testing.T) {
	s, _ := open(t, Options{})
	update(t, s, func(tx *Tx) error { return tx.PutGroup(&Group{ID: "g1", DomainID: "d1", Name: "readers"}) })
	members := func() (ids []string) {
		t.Helper()
		err := s.View(t.Context(), func(v *View) error {
			for u, err := range v.UsersOf("g1") {
				if err != nil {
					return err
				}
				ids = append(ids, u.ID)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	put := func(id string, groups ...string) {
		t.Helper()
		update(t, s, func(tx *Tx) error {
			return tx.PutUser(&User{ID: id, DomainID: "d1", Name: "name of " + id, GroupIDs: groups})
		})
	}
	put("u2", "g1")
	put("u1", "g2", "g1")
	put("u3", "g2")
	if diff := cmp.Diff([]string{"u1", "u2"}, members()); diff != "" {
		t.Error(diff)
	}
	put("u1", "g2")
	update(t, s, func(tx *Tx) error { return tx.DeleteUser(&User{ID: "u2"}) })
	if got := members(); got != nil {
		t.Errorf("after they left: %q", got)
	}
}

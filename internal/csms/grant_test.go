package csms_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

func grantee(id string) csms.Grantee { return csms.Grantee{Type: csms.GranteeUser, ID: id} }

// G4: a grant gives access before its end, and nothing from that instant on.
func TestGrant_Live(t *testing.T) {
	for _, tt := range []struct {
		validity, now csms.Millis
		want          bool
	}{{1000, 999, true}, {1000, 1000, false}, {1000, 1001, false}, {0, 1 << 50, true}} {
		g := csms.Grant{ValidityTime: tt.validity}
		if got := g.Live(tt.now); got != tt.want {
			t.Errorf("a grant until %d at %d: live = %v", tt.validity, tt.now, got)
		}
	}
}

// G4: one grant for each pair; granting again keeps its id and sets the end.
func TestGrants_hold_one_grant_for_each_grantee(t *testing.T) {
	gs := csms.Grants{SecretID: "s"}
	set := func(who csms.Grantee, id string, validity, now csms.Millis) {
		t.Helper()
		if _, err := gs.Set(who, id, validity, now); err != nil {
			t.Fatal(err)
		}
	}
	set(grantee("a"), "1", 0, 10)
	set(grantee("b"), "2", 90, 20)
	set(grantee("a"), "3", 80, 30)
	set(csms.Grantee{Type: csms.GranteeGroup, ID: "a"}, "4", 0, 40)
	want := []csms.Grant{
		{ID: "1", Grantee: grantee("a"), CreateTime: 10, UpdateTime: 30, ValidityTime: 80},
		{ID: "2", Grantee: grantee("b"), CreateTime: 20, UpdateTime: 20, ValidityTime: 90},
		{ID: "4", Grantee: csms.Grantee{Type: csms.GranteeGroup, ID: "a"}, CreateTime: 40, UpdateTime: 40},
	}
	if diff := cmp.Diff(want, gs.List); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}
	if err := gs.Remove("a"); err != nil || len(gs.List) != 1 || gs.Of(grantee("b")) == nil {
		t.Errorf("after removing a: %v, %v", gs.List, err)
	}
	if err := gs.Remove("a"); csms.CodeOf(err) != csms.CodeNotFound {
		t.Errorf("removing a again: %v", err)
	}
	for range 2 {
		if err := gs.Remove(""); err != nil || len(gs.List) != 0 {
			t.Errorf("removing all: %v, %v", gs.List, err)
		}
	}
	if _, err := gs.Change(grantee("b"), 0, 50); csms.CodeOf(err) != csms.CodeNotFound {
		t.Errorf("changing what is gone: %v", err)
	}
}

// A secret has at most MaxGrantees; those that it has can still be changed.
func TestGrants_are_bounded(t *testing.T) {
	gs := csms.Grants{SecretID: "s"}
	for i := range csms.MaxGrantees {
		if _, err := gs.Set(grantee(strconv.Itoa(i)), fmt.Sprint("g", i), 0, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := gs.Set(grantee("one more"), "g", 0, 2); csms.CodeOf(err) != csms.CodeInvalid {
		t.Errorf("one more: %v", err)
	}
	if g, err := gs.Set(grantee("0"), "g", 7, 2); err != nil || g.ValidityTime != 7 || len(gs.List) != csms.MaxGrantees {
		t.Errorf("one of them: %+v, %v", g, err)
	}
}

// TS7: whatever ParseValidity takes lies after now and is what the digits say.
func FuzzParseValidity(f *testing.F) {
	for _, text := range []string{"", "1000", "1001", "01001", "-1", "+1001", "9223372036854775807", "9223372036854775808", "1e9", " 2000", "２０００"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const now = 1000
		got, err := csms.ParseValidity(text, now)
		if text == "" {
			if got != 0 || err != nil {
				t.Fatalf("no end: %d, %v", got, err)
			}
			return
		}
		n, parseErr := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil && (csms.CodeOf(err) != csms.CodeInvalid || got != 0):
			t.Fatalf("%q: %d, %v", text, got, err)
		case err == nil && (parseErr != nil || int64(got) != n || got <= now):
			t.Fatalf("%q gives %d", text, got)
		}
	})
}

package rotation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// history returns all versions of a secret, the oldest first, with what they hold.
func (s *site) history(t *testing.T, name string) (all []version) {
	t.Helper()
	var list struct {
		Versions []struct{ ID string } `json:"version_metadatas"`
	}
	s.call(t, "GET", secretsPath+"/"+name+"/versions", nil, &list)
	for _, v := range list.Versions {
		all = append(all, s.read(t, name, v.ID))
	}
	slices.SortFunc(all, func(a, b version) int { return a.number() - b.number() })
	return all
}

func (v version) number() int {
	n, _ := strconv.Atoi(strings.TrimPrefix(v.ID, "v"))
	return n
}

// wantKnown demands that the password of each account, whichever it is now, stands in a
// version: none was set and is stored nowhere.
func (s *site) wantKnown(t *testing.T, name string, accounts []login) {
	t.Helper()
	all := s.history(t, name)
	for _, a := range accounts {
		if !slices.ContainsFunc(all, func(v version) bool { return v.Username == a.Username && s.works(t, v.login) }) {
			t.Errorf("no version holds the password of %s\n%s", a.Username, s.logs)
		}
	}
}

// wantRotatedFrom demands that a secret is as exactly one rotation has left it that began
// at before: one version more, labels moved by one, what was there as it was, and
// passwords that work (RO9).
func (s *site) wantRotatedFrom(t *testing.T, name string, before []version) {
	t.Helper()
	after := s.history(t, name)
	n := len(before)
	want := make([]version, 0, n+1)
	for i, v := range before {
		want = append(want, version{ID: fmt.Sprint("v", i+1), Stages: nil, login: v.login})
	}
	turn := before[0].Username // the other account of two, the only one of one
	if n > 1 {
		turn = before[n-2].Username
	}
	want = append(want, version{ID: fmt.Sprint("v", n+1), Stages: []string{"SYSCURRENT"}, login: login{Username: turn}})
	want[n-1].Stages = []string{"SYSPREVIOUS"}
	if len(after) == n+1 {
		want[n].Password = after[n].Password
	}
	if diff := cmp.Diff(want, after, cmp.AllowUnexported(version{}), cmp.Transformer("", stages)); diff != "" {
		t.Fatalf("%s after its rotation (-want +got):\n%s%s", name, diff, s.logs)
	}
	s.wantLogin(t, after[n].login, true)
	if multi := before[n-1].Username != turn; multi || s.kind.keeps {
		s.wantLogin(t, before[n-1].login, true)
	}
}

// stages compares labels without regard to nil.
func stages(all []string) string { return strings.Join(all, " ") }

package rotation

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// What a run under load consists of.
const (
	defaultRotations = 100 // of all secrets together
	loadSecrets      = 4   // that rotate side by side
	clientsOfSecret  = 3
	// A rotation comes up to five minutes after its time.
	fromOneToTheNext = 4*time.Hour + 5*time.Minute
)

// rotations returns how many rotations to make under load.
func rotations(t *testing.T) int {
	t.Helper()
	text := os.Getenv("COFFER_ROTATIONS")
	if text == "" {
		return defaultRotations
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("COFFER_ROTATIONS is %q; it takes a positive number", text)
	}
	return n
}

// TestLoad has the schedule rotate secrets while clients read them and log in. With two
// accounts no login fails, and with one none on a server that keeps the old password
// (RO9, RO10).
func TestLoad(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			db := k.start(t)
			s := newSite(t, k, db, nil, "*")
			for _, subType := range []string{multiUser, singleUser} {
				t.Run(subType, func(t *testing.T) {
					got := load(t, s, subType, rotations(t))
					if got.failed > 0 {
						t.Errorf("%d logins failed, the last one with: %v", got.failed, got.example)
					}
					if got.refused > 0 && (subType == multiUser || k.keeps) {
						t.Errorf("%d logins were refused", got.refused)
					}
				})
			}
		})
	}
}

// load makes that many rotations under clients, and demands that each took place.
func load(t *testing.T, s *site, subType string, count int) counts {
	t.Helper()
	var names []string
	accounts := map[string][]login{}
	for i := range loadSecrets {
		name := fmt.Sprintf("load_%s_%d", map[string]string{singleUser: "s", multiUser: "m"}[subType], i+1)
		names = append(names, name)
		accounts[name] = s.store(t, name, subType, true)
	}
	began := time.Now()
	c := startClients(t, s, names, clientsOfSecret)
	rounds := (count + loadSecrets - 1) / loadSecrets
	var rotating, settling time.Duration
	for round := range rounds {
		from := time.Now()
		c.settle()
		settled := time.Now()
		s.advance(t, fromOneToTheNext)
		settling, rotating = settling+settled.Sub(from), rotating+time.Since(settled)
		for _, name := range names {
			s.wantRotated(t, name, accounts[name], round+1)
		}
		if t.Failed() {
			break
		}
		if (round+1)%250 == 0 {
			t.Logf("%s: %d of %d rotations", time.Since(began).Round(time.Second), (round+1)*loadSecrets, count)
		}
	}
	c.settle()
	got := c.stop()
	t.Logf("%d rotations in %s (%s at work, %s until clients had logged in), %d logins, the longest %s: %d refused, %d failed",
		rounds*loadSecrets, time.Since(began).Round(time.Second/10), rotating.Round(time.Second/10), settling.Round(time.Second/10),
		got.logins, got.longest.Round(time.Millisecond), got.refused, got.failed)
	return got
}

// wantRotated demands that a secret has been rotated n times: its current version has
// the number that follows from it, and holds the account whose turn it was.
func (s *site) wantRotated(t *testing.T, name string, accounts []login, n int) {
	t.Helper()
	v := s.read(t, name, "latest")
	if want := "v" + strconv.Itoa(len(accounts)+n); v.ID != want {
		t.Errorf("%s: %s is current after %d rotations; want %s\n%s", name, v.ID, n, want, s.logs)
	}
	if want := accounts[(len(accounts)-1+n)%len(accounts)].Username; v.Username != want {
		t.Errorf("%s: %s is current after %d rotations; want %s", name, v.Username, n, want)
	}
}

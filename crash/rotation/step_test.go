package rotation

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/rotate/servertest"
)

// bench is a database on which rotations are broken off.
type bench struct {
	kind     kind
	database *servertest.Server
	made     int
}

// forEachKind runs a test for each kind of database.
func forEachKind(t *testing.T, run func(t *testing.T, b *bench)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { run(t, &bench{kind: k, database: k.start(t)}) })
	}
}

// subTypes are one account and two.
var subTypes = []string{singleUser, multiUser}

// forEach runs a test for each kind of database and each number of accounts.
func forEach(t *testing.T, run func(t *testing.T, b *bench, subType string)) {
	forEachKind(t, func(t *testing.T, b *bench) {
		for _, subType := range subTypes {
			t.Run(subType, func(t *testing.T) { run(t, b, subType) })
		}
	})
}

// attempt is one secret whose rotation is to be broken off.
type attempt struct {
	*site
	proxy    *proxy
	name     string
	accounts []login
	before   []version
	ended    chan struct{} // closed when the request has ended that carries the rotation out
}

// attempt makes a Coffer with a secret, and a proxy before the database.
func (b *bench) attempt(t *testing.T, subType string) *attempt {
	t.Helper()
	b.made++
	a := &attempt{proxy: newProxy(t, b.kind, b.database), name: fmt.Sprintf("step_%d", b.made)}
	a.site = newSite(t, b.kind, b.database, a.proxy, "*")
	a.accounts = a.store(t, a.name, subType, false)
	a.before = a.history(t, a.name)
	return a
}

// start begins a rotation and has it carried out meanwhile.
func (a *attempt) start(t *testing.T) {
	t.Helper()
	a.begin(t, a.name)
	p, ctx := a.process, t.Context()
	a.ended = make(chan struct{})
	go func() {
		defer close(a.ended)
		_ = p.tryAdvance(ctx, time.Millisecond) // it may be killed
	}()
}

// startUntil begins a rotation and returns when it has come to a point.
func (a *attempt) startUntil(t *testing.T, at point) *trap {
	t.Helper()
	trap := a.proxy.set(at, 1)
	a.start(t)
	trap.wait(t, a.site)
	return trap
}

// restart starts Coffer again on what it has left.
func (a *attempt) restart(t *testing.T) {
	t.Helper()
	a.kill()
	<-a.ended
	a.proxy.clear()
	a.process = serve(t, a.data)
}

// wantEnd demands that the rotation ends well, and that the next one does.
func (a *attempt) wantEnd(t *testing.T) {
	t.Helper()
	a.wantKnown(t, a.name, a.accounts)
	if diff := cmp.Diff(success, a.end(t, a.name)); diff != "" {
		t.Fatalf("the rotation (-want +got):\n%s%s", diff, a.logs)
	}
	if diff := cmp.Diff([]outcome{success}, a.tasks(t, a.name)); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	a.wantNext(t)
}

// wantNext demands that the secret is as one rotation has left it, and makes another.
func (a *attempt) wantNext(t *testing.T) {
	t.Helper()
	a.wantRotatedFrom(t, a.name, a.before)
	a.wantKnown(t, a.name, a.accounts)
	a.before = a.history(t, a.name)
	a.wantRotation(t, a.name, success)
	a.wantRotatedFrom(t, a.name, a.before)
}

// TestServerKilled: the server is killed at each step of a rotation. When it runs again,
// the same task ends the rotation, whatever the database knew by then.
func TestServerKilled(t *testing.T) {
	forEach(t, func(t *testing.T, b *bench, subType string) {
		for _, at := range points {
			t.Run(string(at), func(t *testing.T) {
				a := b.attempt(t, subType)
				a.startUntil(t, at)
				a.restart(t)
				a.wantEnd(t)
			})
		}
		t.Run("begun", func(t *testing.T) {
			a := b.attempt(t, subType)
			a.begin(t, a.name)
			a.ended = make(chan struct{})
			close(a.ended)
			a.restart(t)
			a.wantEnd(t)
		})
		t.Run("ended", func(t *testing.T) {
			a := b.attempt(t, subType)
			a.start(t)
			<-a.ended
			a.restart(t)
			a.wantEnd(t)
		})
	})
}

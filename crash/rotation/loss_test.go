package rotation

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestServerKilledAtSomeMoment: as TestServerKilled, at moments that nobody has chosen.
func TestServerKilledAtSomeMoment(t *testing.T) {
	const kills = 6
	choose := rand.New(rand.NewPCG(seed, 0))
	forEach(t, func(t *testing.T, b *bench, subType string) {
		a := b.attempt(t, subType)
		for range kills {
			a.before = a.history(t, a.name)
			a.start(t)
			select {
			case <-a.ended:
			case <-time.After(time.Duration(choose.Int64N(int64(60 * time.Millisecond)))):
			}
			a.restart(t)
			a.wantKnown(t, a.name, a.accounts)
			if diff := cmp.Diff(success, a.end(t, a.name)); diff != "" {
				t.Fatalf("the rotation (-want +got):\n%s%s", diff, a.logs)
			}
			a.wantRotatedFrom(t, a.name, a.before)
		}
	})
}

// TestDatabaseKilled: the database is killed when a rotation of one account and one of
// two have come to the same step. The try fails, the next one ends the rotation.
func TestDatabaseKilled(t *testing.T) {
	forEachKind(t, func(t *testing.T, b *bench) {
		for _, at := range points {
			t.Run(string(at), func(t *testing.T) {
				var attempts []*attempt
				var traps []*trap
				for _, subType := range subTypes {
					a := b.attempt(t, subType)
					attempts, traps = append(attempts, a), append(traps, a.startUntil(t, at))
				}
				b.database.Crash()
				for i, a := range attempts {
					traps[i].cut()
					<-a.ended
				}
				b.database.Start(t)
				for _, a := range attempts {
					a.wantEnd(t)
				}
			})
		}
	})
}

// TestConnectionLost: the connection breaks at each step of a rotation, once or twice,
// and nobody is killed. The third try ends the rotation at the latest.
func TestConnectionLost(t *testing.T) {
	forEach(t, func(t *testing.T, b *bench, subType string) {
		for _, at := range points {
			t.Run(string(at), func(t *testing.T) {
				a := b.attempt(t, subType)
				a.proxy.set(at, 2).cut()
				a.begin(t, a.name)
				a.wantEnd(t)
			})
		}
	})
}

// TestConnectionLostEachTime: a task whose connection broke in each of its tries has
// failed. The database may have the new password: it is kept, and the next task goes on
// with it.
func TestConnectionLostEachTime(t *testing.T) {
	forEach(t, func(t *testing.T, b *bench, subType string) {
		for _, at := range []point{connected, statementArrives, accountLogsIn, accountAccepted} {
			t.Run(string(at), func(t *testing.T) {
				a := b.attempt(t, subType)
				a.proxy.set(at, always).cut()
				a.begin(t, a.name)
				if diff := cmp.Diff(outcome{"FAILED", "SERVER_UNAVAILABLE"}, a.end(t, a.name)); diff != "" {
					t.Fatalf("the rotation (-want +got):\n%s%s", diff, a.logs)
				}
				a.proxy.clear()
				a.wantLabels(t)
				a.wantKnown(t, a.name, a.accounts)
				a.wantRotation(t, a.name, success)
				a.wantNext(t)
			})
		}
	})
}

// TestAnswerLostEachTime: that the statement was carried out is found out by a login, in
// the same try.
func TestAnswerLostEachTime(t *testing.T) {
	forEach(t, func(t *testing.T, b *bench, subType string) {
		a := b.attempt(t, subType)
		a.proxy.set(statementExecuted, always).cut()
		a.start(t)
		<-a.ended
		if diff := cmp.Diff([]outcome{success}, a.tasks(t, a.name)); diff != "" {
			t.Fatalf("tasks after the first try (-want +got):\n%s%s", diff, a.logs)
		}
		a.proxy.clear()
		a.wantNext(t)
	})
}

// wantLabels demands that SYSCURRENT and SYSPREVIOUS are where they were before a task
// that has failed (RO10).
func (a *attempt) wantLabels(t *testing.T) {
	t.Helper()
	var labels, want []string
	for _, v := range a.history(t, a.name)[:len(a.before)] {
		labels = append(labels, stages(v.Stages))
	}
	for _, v := range a.before {
		want = append(want, stages(v.Stages))
	}
	if diff := cmp.Diff(want, labels); diff != "" {
		t.Errorf("labels after a failed task (-want +got):\n%s", diff)
	}
}

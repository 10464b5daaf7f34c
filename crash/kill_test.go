package crash

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// TestKill kills the server again and again at random moments, while it starts,
// writes and stops, and holds what is on the disk against what was acknowledged:
// every acknowledged write is there, no write is half there, the store verifies
// clean. Two data directories live through all rounds.
func TestKill(t *testing.T) {
	begun, counts, n := time.Now(), &tally{}, rounds(t)
	server, dev := newSite(t, "server", false, counts), newSite(t, "dev", true, counts)
	choose := chance("kill")
	for round := range n {
		s, d := server, deaths[choose.IntN(len(deaths))]
		if round%5 == 4 {
			s = dev
		}
		if !t.Run(fmt.Sprintf("%03d_%s_%s", round, s.name, d.name), func(t *testing.T) { s.round(t, d) }) {
			return
		}
	}
	for _, s := range []*site{server, dev} {
		t.Run("end_"+s.name, s.end)
	}
	t.Logf("%d rounds: %d acknowledged writes are there; of those in flight %d happened and %d did not; %.1f s",
		n, counts.acknowledged.Load(), counts.happened.Load(), counts.lost.Load(), time.Since(begun).Seconds())
}

// death is a way for a server to end in the middle of its work.
type death struct {
	name string
	// strike ends p, on which b works; it returns when p has ended.
	strike func(t *testing.T, s *site, p *process, b *burst)
}

// deaths are all ways, the likelier ones more than once.
var deaths = []death{
	{"in_a_burst", afterSomeWrites},
	{"in_a_burst", afterSomeWrites},
	{"at_a_moment", afterSomeTime},
	{"at_a_moment", afterSomeTime},
	{"while_it_stops", whileStopping},
	{"by_a_stop", byStopping},
	{"with_a_torn_log", tearing},
	{"with_a_torn_log", tearing},
}

// round starts the server, compares what it has with what is known, lets it work,
// and ends it. One time in four it is killed while it starts, before that.
func (s *site) round(t *testing.T, d death) {
	if s.chance.IntN(4) == 0 {
		s.killStarting(t)
	}
	p := s.serve(t)
	s.check(t, p, false)
	b := s.burst(t.Context(), t, p, 1+s.chance.IntN(300))
	d.strike(t, s, p, b)
	b.wait(t)
	wantWhole(t, s.data)
}

// end compares everything, after an orderly start and before an orderly stop.
func (s *site) end(t *testing.T) {
	p := s.serve(t)
	s.check(t, p, true)
	p.stop(t)
	wantWhole(t, s.data)
}

// killStarting kills the server some time after it was started, ready or not.
func (s *site) killStarting(t *testing.T) {
	t.Helper()
	p := launch(t, s.logs, s.args...)
	wait(p, s.chance.Int64N(int64(80*time.Millisecond)))
	p.kill(t)
	wantWhole(t, s.data)
}

// wait lets a random time pass, or less if the process ends.
func wait(p *process, nanoseconds int64) {
	timer := time.NewTimer(time.Duration(nanoseconds))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ended:
	}
}

func afterSomeWrites(t *testing.T, _ *site, p *process, b *burst) {
	b.await(t, p)
	p.kill(t)
}

// await waits for the goal of the burst. A server that ends or refuses writes before
// is a finding.
func (b *burst) await(t *testing.T, p *process) {
	t.Helper()
	select {
	case <-b.reached:
	case <-b.ended:
		b.wait(t)
		t.Fatalf("all writers ended after %d writes; the log ends with:\n%s", b.acks.Load(), p.logs.tail())
	case <-time.After(patience):
		t.Fatalf("waited %s for %d writes; the log ends with:\n%s", patience, b.goal, p.logs.tail())
	}
}

func afterSomeTime(t *testing.T, s *site, p *process, _ *burst) {
	wait(p, s.chance.Int64N(int64(400*time.Millisecond)))
	p.kill(t)
}

func whileStopping(t *testing.T, s *site, p *process, b *burst) {
	b.await(t, p)
	p.signal(syscall.SIGTERM)
	wait(p, s.chance.Int64N(int64(40*time.Millisecond)))
	p.kill(t)
}

func byStopping(t *testing.T, _ *site, p *process, b *burst) {
	b.await(t, p)
	p.stop(t)
}

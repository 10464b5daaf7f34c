package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/client"
)

// site is one data directory that lives through many rounds, and all that is known
// to be in it.
type site struct {
	name      string
	data      string
	logs      string
	args      []string
	account   account
	chance    *rand.Rand
	writers   []*writer
	ledgers   []*ledger
	registrar *registrar
}

const (
	writersPerSite = 5
	ledgersPerSite = 2
)

// serverConfig goes with every configuration here: room for all secrets, and no log
// line for each request.
const serverConfig = "limits: {secrets_per_project: 100000}\nlog: {requests: false}\n"

// newSite makes a data directory under `coffer server`, or under `coffer dev` with
// dev, and what its writers need.
func newSite(t *testing.T, name string, dev bool, counts *tally) *site {
	t.Helper()
	dir := workDir(t)
	s := &site{name: name, data: filepath.Join(dir, "data"), logs: filepath.Join(dir, "log"), chance: chance(name)}
	s.args = []string{"server", "--config", writeConfig(t, dir, s.data, serverConfig)}
	domain := "coffer"
	if dev {
		s.args, s.account, domain = []string{"dev", "--listen", "127.0.0.1:0", "--log-level", "info", "--data", s.data}, devAccount, "coffer-dev"
	}
	for i := range writersPerSite {
		s.writers = append(s.writers, newWriter(fmt.Sprintf("%s-%d", name, i), counts))
	}
	for i := range ledgersPerSite {
		s.ledgers = append(s.ledgers, newLedger(fmt.Sprintf("ledger-%d", i), counts))
	}
	s.registrar = newRegistrar(counts)
	s.begin(t, domain)
	return s
}

// begin starts the server for the first time, which tells the credentials, and makes
// what the writers share.
func (s *site) begin(t *testing.T, domain string) {
	t.Helper()
	p := s.serve(t)
	if s.account == (account{}) {
		s.account = p.account()
	}
	c := p.client(t, s.account)
	for _, l := range s.ledgers {
		if err := l.create(t.Context(), c, s.chance); err != nil {
			t.Fatal(err)
		}
	}
	s.registrar.holder.begin(t.Context(), t, p, c, domain)
	p.stop(t)
}

func (s *site) serve(t *testing.T) *process {
	t.Helper()
	return serve(t, s.logs, s.args...)
}

// check holds everything that is known against the server, several writers at a time.
func (s *site) check(t *testing.T, p *process, full bool) {
	t.Helper()
	c := p.client(t, s.account)
	listed, err := listSecrets(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, len(s.writers)+len(s.ledgers)+1)
	var checking sync.WaitGroup
	for i, w := range s.writers {
		checking.Go(func() { errs[i] = w.check(t.Context(), p.client(t, s.account), listed, full) })
	}
	for i, l := range s.ledgers {
		checking.Go(func() { errs[len(s.writers)+i] = l.check(t.Context(), p.client(t, s.account)) })
	}
	checking.Go(func() { errs[len(errs)-1] = s.registrar.check(t, p, c) })
	checking.Wait()
	errs = append(errs, s.strangers(listed))
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("after the restart:\n%v", err)
	}
}

// strangers reports secrets that nobody has made.
func (s *site) strangers(listed map[string]*secret) error {
	for name := range listed {
		known := strings.HasPrefix(name, "ledger-")
		for _, w := range s.writers {
			known = known || w.owns(name)
		}
		if !known {
			return fmt.Errorf("the secret %s was made by nobody", name)
		}
	}
	return nil
}

// burst is writers at work, until the server dies or they are told to stop.
type burst struct {
	goal    int64 // acknowledged writes to wait for
	reached chan struct{}
	acks    atomic.Int64
	quiet   atomic.Bool
	working sync.WaitGroup
	ended   chan struct{}

	mu   sync.Mutex
	errs []error
}

func newBurst(goal int) *burst {
	return &burst{goal: int64(goal), reached: make(chan struct{}), ended: make(chan struct{})}
}

// add puts a worker to work. Its step returns nil for each acknowledged write; an
// error ends it.
func (b *burst) add(step func() error) {
	b.working.Go(func() {
		for !b.quiet.Load() {
			if err := step(); err != nil {
				b.report(err)
				return
			}
			if b.acks.Add(1) == b.goal {
				close(b.reached)
			}
		}
	})
}

// report keeps an answer that the server must not give. Other errors are those of
// a connection to a server that dies.
func (b *burst) report(err error) {
	if !errors.Is(err, errRefused) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.errs = append(b.errs, err)
}

// begin returns once all workers have been added; ended is closed when all are done.
func (b *burst) begin() {
	go func() {
		b.working.Wait()
		close(b.ended)
	}()
}

// wait returns when all workers are done, and fails for what was answered wrongly.
func (b *burst) wait(t *testing.T) {
	t.Helper()
	b.working.Wait()
	if err := errors.Join(b.errs...); err != nil {
		t.Fatalf("in the burst:\n%v", err)
	}
}

// burst lets everybody of the site work on p.
func (s *site) burst(ctx context.Context, t *testing.T, p *process, goal int) *burst {
	b := newBurst(goal)
	for _, w := range s.writers {
		c := p.client(t, s.account)
		b.add(func() error { return s.step(ctx, c, w) })
	}
	c := p.client(t, s.account)
	b.add(func() error { return s.registrar.step(ctx, p, c) })
	b.begin()
	return b
}

// step is one write of a writer: to one of its own secrets, or to one that all share.
func (s *site) step(ctx context.Context, c *client.Client, w *writer) error {
	if w.chance.IntN(6) == 0 {
		return s.ledgers[w.chance.IntN(len(s.ledgers))].add(ctx, c, aValue(w.chance))
	}
	return w.send(ctx, c, w.next())
}

package rotation

import (
	"context"
	"sync"
	"testing"
	"time"
)

// clients read secrets and log in with what they read, at a steady rate, whatever
// happens meanwhile.
type clients struct {
	site *site

	mu     sync.Mutex
	moved  *sync.Cond
	epoch  int
	since  []int // epoch in which the login of a client began that is under way; 0 for none
	counts counts

	cancel context.CancelFunc
	all    sync.WaitGroup
}

// counts are logins by how they ended.
type counts struct {
	logins  int
	refused int // the password was another
	failed  int // anything else went wrong
	longest time.Duration
	example error // of those that failed
}

// pause is how long after the beginning of a login of one client the next one begins, if
// it has ended.
const pause = 100 * time.Millisecond

// startClients starts count clients of each of those secrets.
func startClients(t *testing.T, s *site, names []string, count int) *clients {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &clients{site: s, epoch: 1, since: make([]int, count*len(names)), cancel: cancel}
	c.moved = sync.NewCond(&c.mu)
	for i := range c.since {
		c.all.Go(func() {
			ticks := time.NewTicker(pause)
			defer ticks.Stop()
			for ctx.Err() == nil {
				c.login(t, i, names[i%len(names)])
				select {
				case <-ticks.C:
				case <-ctx.Done():
				}
			}
		})
	}
	t.Cleanup(func() { c.stop() })
	return c
}

// login reads a secret and logs in with it, as client i.
func (c *clients) login(t *testing.T, i int, name string) {
	c.mu.Lock()
	c.since[i] = c.epoch
	c.mu.Unlock()
	began := time.Now()
	v, err := c.site.tryRead(t, name, "latest")
	if err == nil {
		err = c.site.kind.login(t.Context(), c.site.database, v.login)
	}
	took := time.Since(began)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since[i] = 0
	c.counts.add(err, took)
	c.moved.Broadcast()
}

func (c *counts) add(err error, took time.Duration) {
	c.logins++
	c.longest = max(c.longest, took)
	switch {
	case refused(err):
		c.refused++
	case err != nil:
		c.failed++
		c.example = err
	}
}

// settle returns once every login has ended that is under way now. New ones begin
// meanwhile. With two accounts a client has the time from one rotation to the next to log
// in with what it has read; the clock of these tests would leave it none.
func (c *clients) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for i := range c.since {
		for c.since[i] != 0 && c.since[i] < c.epoch {
			c.moved.Wait()
		}
	}
}

// stop ends the clients. It is idempotent.
func (c *clients) stop() counts {
	c.cancel()
	c.all.Wait()
	return c.counts
}

package kv

import (
	"math"
	"sync"
	"sync/atomic"
)

// Gate counts the running calls of an engine, so that Close can refuse new ones
// and wait for the rest. It takes no lock on the way in or out. The zero Gate is
// open.
type Gate struct {
	// calls is the number of calls inside; shutting adds math.MinInt64, so that a
	// negative number means shut and exactly MinInt64 means shut and empty.
	calls atomic.Int64

	shut  sync.Once
	empty sync.Once
	done  chan struct{} // made by Shut before calls turns negative; closed when empty
}

// Enter lets a call in, or returns ErrClosed once Shut has been called. Each
// successful Enter needs one Leave.
func (g *Gate) Enter() error {
	if g.calls.Add(1) > 0 {
		return nil
	}
	g.Leave()
	return ErrClosed
}

// Leave ends a call.
func (g *Gate) Leave() {
	if g.calls.Add(-1) == math.MinInt64 {
		g.empty.Do(func() { close(g.done) })
	}
}

// Shut refuses all later calls and returns when the last running one has left.
// Every call of Shut waits; only the first one returns true.
func (g *Gate) Shut() (first bool) {
	g.shut.Do(func() {
		first = true
		g.done = make(chan struct{})
		if g.calls.Add(math.MinInt64) == math.MinInt64 {
			g.empty.Do(func() { close(g.done) })
		}
	})
	<-g.done
	return first
}

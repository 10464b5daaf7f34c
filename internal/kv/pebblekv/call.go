package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"coffer/internal/kv"
)

// call is one Update between its caller and the committer.
//
//	queued -> withdrawn                    the caller gave up in time: nothing written
//	queued -> sealed                       its turn came and it was valid
//	queued -> again -> sealed              its turn came and fn ran a second time
//
// The committer owns the call from the moment it has taken it out of queued. Both
// sides hand over through channels, so the other fields need no lock.
type call struct {
	fn    func(kv.Txn) error
	txn   *txn
	state atomic.Int32

	wake  chan struct{} // to the caller: fn shall run again (rerun), or err is the answer
	ran   chan struct{} // to the committer: fn has run again and err is its error
	rerun bool
	err   error
}

const (
	queued int32 = iota
	withdrawn
	again
	sealed
)

// errUnfinished marks a second run that ended by a panic or by ending its
// goroutine. Nobody is left to read it.
var errUnfinished = errors.New("pebblekv: function did not return")

func newCall(fn func(kv.Txn) error, t *txn) *call {
	return &call{fn: fn, txn: t, wake: make(chan struct{}, 1)}
}

// take moves a queued call on. It returns false if the caller has withdrawn it.
func (c *call) take(state int32) bool {
	return c.state.CompareAndSwap(queued, state)
}

// await returns the answer of the committer. If ctx ends first, it withdraws the
// call; a call that is being written is left behind, with an unknown outcome.
func (c *call) await(ctx context.Context) error {
	cancelled := ctx.Done()
	for {
		select {
		case <-c.wake:
			if !c.rerun {
				return c.err
			}
			c.runAgain(ctx)
		case <-cancelled:
			if c.take(withdrawn) {
				return ctx.Err()
			}
			if c.state.Load() == sealed {
				return fmt.Errorf("waiting for the log: %w: %w", kv.ErrAmbiguous, ctx.Err())
			}
			// The committer waits for this goroutine to run fn again.
			cancelled = nil
		}
	}
}

// runAgain runs fn in its own goroutine, not in that of the committer, so that a
// panic or runtime.Goexit in it hits the caller alone, with his stack.
func (c *call) runAgain(ctx context.Context) {
	defer func() { c.ran <- struct{}{} }()
	c.err = errUnfinished
	err := c.txn.run(c.fn)
	if err == nil {
		err = ctx.Err()
	}
	c.err = err
}

// writes reports whether the last run of fn asks for a commit.
func (c *call) writes() bool {
	return c.err == nil && !c.txn.writes.empty()
}

// answer ends the call. The committer must not touch it afterwards.
func (c *call) answer(err error) {
	c.rerun, c.err = false, err
	c.wake <- struct{}{}
}

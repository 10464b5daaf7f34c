package app

import (
	"fmt"
	"sync/atomic"
	"time"

	"coffer/internal/csms"
)

// Clock is business time: wall time plus an offset that only grows. In server mode
// the offset stays zero; `coffer dev` moves it through /dev/clock. Signatures are
// judged by wall time all the same, because clients sign with theirs.
type Clock struct {
	offset atomic.Int64 // milliseconds
}

// Now returns business time.
func (c *Clock) Now() csms.Millis {
	return csms.Millis(time.Now().UnixMilli() + c.offset.Load())
}

// maxAdvance keeps the clock within what the wire can say (TS2).
const maxAdvance = 100 * 365 * 24 * time.Hour

// Advance moves the clock forward by d, which must be positive.
func (c *Clock) Advance(d time.Duration) error {
	if d <= 0 || d > maxAdvance || time.Duration(c.offset.Load())*time.Millisecond > maxAdvance-d {
		return fmt.Errorf("the clock moves forward only, by up to %s in all", maxAdvance)
	}
	c.offset.Add(d.Milliseconds())
	return nil
}

// Reset puts the clock back to wall time.
func (c *Clock) Reset() { c.offset.Store(0) }

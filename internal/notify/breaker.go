package notify

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrOpen is the outcome of a delivery that was not tried, because the target has
// failed too often in a row. Its class is Retry.
var ErrOpen = errors.New("notify: the target has failed repeatedly; it is left alone for a while")

// A target is left alone for openFor once it has failed maxFailures times in a row,
// so that one that hangs costs its timeout now and then, and not for every message.
const (
	maxFailures = 5
	openFor     = 10 * time.Second
)

// Breaker is a sink that leaves a failing target alone for a while (P5). After that
// one message at a time finds out whether the target is back.
type Breaker struct {
	sink Sink
	now  func() time.Time

	mu       sync.Mutex
	failures int // in a row, of class Retry
	until    time.Time
	probing  bool
}

// NewBreaker returns a breaker in front of sink, which it closes.
func NewBreaker(sink Sink, now func() time.Time) *Breaker { return &Breaker{sink: sink, now: now} }

// Deliver delivers m, or returns ErrOpen.
func (b *Breaker) Deliver(ctx context.Context, m *Message) error {
	if !b.enter() {
		return ErrOpen
	}
	err := b.sink.Deliver(ctx, m)
	b.leave(ClassOf(err) == Retry)
	return err
}

// Close closes the sink.
func (b *Breaker) Close() error { return b.sink.Close() }

// enter reports whether a delivery may be tried.
func (b *Breaker) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < maxFailures {
		return true
	}
	if b.probing || b.now().Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

// leave notes how a delivery ended. An answer of any kind shows that the target is
// there.
func (b *Breaker) leave(failed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if !failed {
		b.failures = 0
		return
	}
	if b.failures++; b.failures >= maxFailures {
		b.until = b.now().Add(openFor)
	}
}

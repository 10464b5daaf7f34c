package pebblekv

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"coffer/internal/kv"

	"github.com/cockroachdb/pebble/v2"
)

// Limits of one batch: a batch is one sync, and all in it wait for that sync.
const (
	maxBatchCalls = 512
	maxBatchBytes = 2 << 20
)

// committer makes transactions durable, one batch after the other, in the one
// goroutine that writes to the database.
type committer struct {
	db        *pebble.DB
	published *published
	stamps    *stamps
	space     *space
	log       *slog.Logger
	queue     chan *call
	stopped   chan struct{}
	pending   []*call // the batch that is being formed; its array is used again

	failure atomic.Pointer[error] // set once, when the log can no longer be trusted
	counts  counts
}

// counts are what Metrics reports of the committer.
type counts struct {
	transactions, batches, reruns, largest atomic.Int64
}

func newCommitter(db *pebble.DB, p *published, log *slog.Logger, sp *space) *committer {
	return &committer{
		db: db, published: p, stamps: newStamps(), space: sp, log: log,
		queue: make(chan *call, maxBatchCalls), stopped: make(chan struct{}),
	}
}

// submit queues a call and returns its outcome.
func (m *committer) submit(ctx context.Context, c *call) error {
	if err := m.failed(); err != nil {
		return err
	}
	select {
	case m.queue <- c:
		return c.await(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop returns when everything that was queued has been answered. Nobody may
// submit any more.
func (m *committer) stop() {
	close(m.queue)
	<-m.stopped
}

func (m *committer) run() {
	defer close(m.stopped)
	for first := range m.queue {
		m.collect(first)
		m.commit()
		clear(m.pending)
	}
}

// collect takes what is queued, up to the limits of a batch. While one batch is
// synced the next one gathers, so batches grow with the load and with the slowness
// of the disk, and nothing waits for a timer.
func (m *committer) collect(first *call) {
	m.pending = append(m.pending[:0], first)
	size := first.txn.writes.bytes
	for len(m.pending) < maxBatchCalls && size < maxBatchBytes {
		select {
		case next, ok := <-m.queue:
			if !ok {
				return
			}
			m.pending = append(m.pending, next)
			size += next.txn.writes.bytes
		default:
			return
		}
	}
}

// commit forms a batch of the pending calls, makes it durable, publishes it, and
// answers, in this order.
func (m *committer) commit() {
	g := m.form()
	defer g.close()
	if len(g.calls) == 0 {
		return
	}
	if err := m.admissible(g); err != nil {
		g.answer(err, err)
		return
	}
	if err := m.persist(g); err != nil {
		g.answer(fmt.Errorf("writing the log: %w: %w", kv.ErrAmbiguous, err), m.failed())
		return
	}
	g.answer(nil, nil)
}

// form admits the pending calls one after the other. Each is valid at its place:
// either nothing it read has changed since, or it has just been run there.
func (m *committer) form() *group {
	base := m.published.current.Load() // stays: only this goroutine replaces it
	g := &group{base: base, number: base.number + 1, batch: m.db.NewBatch()}
	for _, c := range m.pending {
		if m.stamps.changedSince(c.txn.reads, c.txn.start) {
			if !c.take(again) {
				continue
			}
			m.runAgain(g, c)
			c.state.Store(sealed)
		} else if !c.take(sealed) {
			continue
		}
		g.admit(c, m.stamps)
	}
	return g
}

// runAgain lets the caller run its function on the state that the batch has so
// far, and waits for it.
func (m *committer) runAgain(g *group, c *call) {
	m.counts.reruns.Add(1)
	c.txn = &txn{base: g.base, stamps: m.stamps, group: g}
	c.ran = make(chan struct{}, 1)
	c.rerun = true
	c.wake <- struct{}{}
	<-c.ran
}

// admissible refuses a group of which nothing has been written yet.
func (m *committer) admissible(g *group) error {
	if err := m.failed(); err != nil {
		return err
	}
	return m.space.admit(g.batch.Len())
}

// persist makes the group durable, then visible. After an error nobody knows what
// reached the disk, so the store is marked as failed: the kernel may have dropped
// the pages, and neither another sync nor another write could be trusted.
func (m *committer) persist(g *group) error {
	if g.transactions == 0 {
		return nil
	}
	// DB.Apply would pass a failed sync to Logger.Fatalf and then return nil. The
	// form that waits in a second call returns the error.
	err := m.db.ApplyNoSyncWait(g.batch, pebble.Sync)
	if err == nil {
		err = g.batch.SyncWait()
	}
	if err != nil {
		failure := fmt.Errorf("%w: %w", ErrFailed, err)
		m.failure.Store(&failure)
		m.log.Error("writing the log; no more writes until the store is opened again", slog.Any("error", err))
		return err
	}
	m.published.advance(g.number)
	m.counts.transactions.Add(int64(g.transactions))
	m.counts.batches.Add(1)
	m.counts.largest.Store(max(m.counts.largest.Load(), int64(g.transactions)))
	return nil
}

func (m *committer) failed() error {
	if err := m.failure.Load(); err != nil {
		return *err
	}
	return nil
}

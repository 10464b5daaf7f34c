package pebblekv

import "github.com/cockroachdb/pebble/v2"

// group is the set of calls that become durable by one sync, in commit order.
type group struct {
	base         *snapshot // the state before the group
	number       uint64    // of this commit
	batch        *pebble.Batch
	calls        []*call
	transactions int // calls that write
}

// admit adds a sealed call. One whose second run failed is kept too, without
// writes: its error may tell of a write of this group ("exists already"), so it
// must not be heard before that write is durable.
func (g *group) admit(c *call, s *stamps) {
	g.calls = append(g.calls, c)
	if !c.writes() {
		return
	}
	g.transactions++
	for i := range c.txn.writes.list {
		w := &c.txn.writes.list[i]
		s.last[w.slot] = g.number
		// A batch in memory has no error to give.
		if w.deleted {
			_ = g.batch.Delete(w.key, nil)
		} else {
			_ = g.batch.Set(w.key, w.value, nil)
		}
	}
}

// find returns the last write to key in this group, or nil.
func (g *group) find(key []byte, slot uint16, s *stamps) *write {
	if s.last[slot] != g.number {
		return nil
	}
	for i := len(g.calls) - 1; i >= 0; i-- {
		if c := g.calls[i]; c.writes() {
			if w := c.txn.writes.find(key); w != nil {
				return w
			}
		}
	}
	return nil
}

// answer tells every caller: outcome if it wrote, else other. What a call without
// writes has seen stands and falls with the writes before it in the group.
func (g *group) answer(outcome, other error) {
	for _, c := range g.calls {
		switch {
		case c.writes():
			c.answer(outcome)
		case other != nil:
			c.answer(other)
		default:
			c.answer(c.err)
		}
	}
}

// close gives the batch back to Pebble's pool.
func (g *group) close() {
	// Close has no error to give.
	_ = g.batch.Close()
}

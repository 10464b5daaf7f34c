package store

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
)

// cache holds decoded records under the keys they have in the engine. It is exact:
//
//   - Before a commit can become visible, every key it writes is marked as in
//     flight and its entry dropped (begin). Readers of such a key go to the engine
//     and leave nothing behind. So once one of them has seen the new record, none
//     can be served the old one.
//   - When the Update has ended, the mark goes (end). If its outcome is unknown the
//     mark stays for good, because the write may become visible at any later time;
//     such a key is read from the engine until the process ends.
//   - A reader who began before the mark may hold the old record. What he wants to
//     insert is refused, because the epoch of the shard has changed since.
//
// Only records that exist are kept; "not found" never is.
type cache struct {
	seed   maphash.Seed
	shards []shard
	mask   uint64
}

// shard is one part of the cache. It is bounded in bytes and evicts by second
// chance: whatever was read since the hand last came by stays once more.
type shard struct {
	mu       sync.RWMutex
	entries  map[string]*entry
	inFlight map[string]int // number of updates that are writing the key
	epoch    uint64         // counts the marks that were ever set
	closed   bool

	ring   []*entry // the entries, for the hand
	hand   int
	bytes  int64
	budget int64

	_ [64]byte // keeps the lock of the next shard out of this cache line
}

type entry struct {
	key   string
	value any // pointer to a record
	bytes int64
	place int // in the ring
	used  atomic.Bool
}

// ticket says whether, and on what condition, a read may leave its record behind.
type ticket struct {
	shard *shard
	epoch uint64
	admit bool
}

// bytesPerShard is the size of a shard that the number of shards is chosen by.
const bytesPerShard = 512 << 10

// newCache returns a cache of about limit bytes; a negative limit keeps nothing.
func newCache(limit int64) *cache {
	n := uint64(1)
	if limit > bytesPerShard {
		n = min(64, uint64(1)<<bits.Len64(uint64(limit/bytesPerShard)-1))
	}
	c := &cache{seed: maphash.MakeSeed(), shards: make([]shard, n), mask: n - 1}
	for i := range c.shards {
		sh := &c.shards[i]
		sh.entries, sh.inFlight = map[string]*entry{}, map[string]int{}
		sh.budget = max(limit, 0) / int64(n)
	}
	return c
}

// get returns the record under k, or nil. It keeps nothing of k.
func (c *cache) get(k []byte) any {
	sh := c.shard(maphash.Bytes(c.seed, k))
	sh.mu.RLock()
	e := sh.entries[string(k)]
	sh.mu.RUnlock()
	if e == nil {
		return nil
	}
	if !e.used.Load() {
		e.used.Store(true)
	}
	return e.value
}

// ticket must be drawn before the engine is read.
func (c *cache) ticket(k string) ticket {
	sh := c.shard(maphash.String(c.seed, k))
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return ticket{shard: sh, epoch: sh.epoch, admit: !sh.closed && sh.inFlight[k] == 0}
}

// put offers a record that was read under t, and returns the one to hand out: the
// same one to everybody, as long as it is kept.
func (t ticket) put(k string, value any, size int64) any {
	sh := t.shard
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if e := sh.entries[k]; e != nil {
		return e.value
	}
	size += int64(len(k)) + entryOverhead
	// A record that would drive out a good part of the shard is not worth it.
	if !t.admit || sh.closed || sh.epoch != t.epoch || size > sh.budget/4 {
		return value
	}
	for sh.bytes+size > sh.budget {
		sh.evict()
	}
	e := &entry{key: k, value: value, bytes: size, place: len(sh.ring)}
	sh.entries[k] = e
	sh.ring = append(sh.ring, e)
	sh.bytes += size
	return value
}

// entryOverhead is about what an entry costs beyond its key and record.
const entryOverhead = 160

// begin marks keys as being written.
func (c *cache) begin(keys []string) {
	for _, k := range keys {
		sh := c.shard(maphash.String(c.seed, k))
		sh.mu.Lock()
		sh.epoch++
		sh.inFlight[k]++
		if e := sh.entries[k]; e != nil {
			sh.drop(e)
		}
		sh.mu.Unlock()
	}
}

// end takes back the marks of one begin.
func (c *cache) end(keys []string) {
	for _, k := range keys {
		sh := c.shard(maphash.String(c.seed, k))
		sh.mu.Lock()
		if sh.inFlight[k]--; sh.inFlight[k] == 0 {
			delete(sh.inFlight, k)
		}
		sh.mu.Unlock()
	}
}

// clear drops every record, and those that are being read. With shut it also keeps
// nothing from now on.
func (c *cache) clear(shut bool) {
	for i := range c.shards {
		sh := &c.shards[i]
		sh.mu.Lock()
		sh.epoch++
		clear(sh.entries)
		clear(sh.ring)
		sh.ring, sh.hand, sh.bytes = sh.ring[:0], 0, 0
		sh.closed = sh.closed || shut
		sh.mu.Unlock()
	}
}

func (c *cache) shard(hash uint64) *shard { return &c.shards[hash&c.mask] }

// evict drops one entry; there is one.
func (sh *shard) evict() {
	for {
		sh.hand %= len(sh.ring)
		e := sh.ring[sh.hand]
		if !e.used.Swap(false) {
			sh.drop(e)
			return
		}
		sh.hand++
	}
}

func (sh *shard) drop(e *entry) {
	last := sh.ring[len(sh.ring)-1]
	sh.ring[e.place], last.place = last, e.place
	sh.ring[len(sh.ring)-1] = nil
	sh.ring = sh.ring[:len(sh.ring)-1]
	delete(sh.entries, e.key)
	sh.bytes -= e.bytes
}

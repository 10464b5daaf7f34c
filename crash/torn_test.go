package crash

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

// tearing kills the server while its writers create secrets of new names, and then
// damages the end of the log as a power cut can: what was written and not synced is
// there in part, or not at all, or something else is there. What was acknowledged
// was synced, so those bytes stay as they are.
func tearing(t *testing.T, s *site, p *process, b *burst) {
	b.await(t, p)
	b.quiet.Store(true)
	b.wait(t) // everything so far is acknowledged
	c := newBurst(1 + s.chance.IntN(40))
	answered := make([][]string, len(s.writers))
	for i, w := range s.writers {
		cl := p.client(t, s.account)
		c.add(func() error {
			name := w.newName()
			err := w.send(t.Context(), cl, w.creation(name))
			if err == nil {
				answered[i] = append(answered[i], name)
			}
			return err
		})
	}
	c.begin()
	c.await(t, p)
	wait(p, s.chance.Int64N(int64(5*time.Millisecond)))
	p.kill(t)
	c.wait(t)
	w := newestLog(t, s.data)
	tear(t, s.chance, w, w.unanswered(s.inFlight(), slices.Concat(answered...)))
}

// inFlight returns the names of the secrets whose creation was not answered.
func (s *site) inFlight() []string {
	var names []string
	for _, w := range s.writers {
		if w.pending != nil {
			names = append(names, w.pending.name)
		}
	}
	return names
}

// unanswered returns the offset from which the log holds nothing but writes that
// nobody was told of. A record that names none of them counts as told.
func (w *walFile) unanswered(inFlight, answered []string) int {
	start := w.end
	for _, r := range slices.Backward(w.records) {
		if !r.holds(inFlight) || r.holds(answered) {
			break
		}
		start = r.start
	}
	return start
}

// tear damages the log at or after the offset from.
func tear(t *testing.T, chance *rand.Rand, w *walFile, from int) {
	t.Helper()
	at := from + chance.IntN(w.end-from+1)
	data := slices.Clone(w.data)
	switch how := chance.IntN(4); how {
	case 0: // the file is shorter
		data = data[:at]
	case 1: // its length reached the disk, its end did not
		clear(data[at:])
	case 2: // one sector of the last record did not reach the disk, the others did
		last := max(from, w.lastStart())
		at = last + chance.IntN(w.end-last+1)
		clear(data[at:min(len(data), at+512)])
	default: // the next record was begun: what there was before shines through
		noise := make([]byte, 1+chance.IntN(3000))
		for i := range noise {
			noise[i] = byte(chance.Uint32())
		}
		data = append(data[:at], noise...)
	}
	t.Logf("%s: of %d bytes %d hold unanswered writes; damaged from %d", w.path, w.end, w.end-from, at)
	if err := os.WriteFile(w.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// lastStart returns where the last record begins.
func (w *walFile) lastStart() int {
	if len(w.records) == 0 {
		return w.end
	}
	return w.records[len(w.records)-1].start
}

package keystone

import (
	"sync"
	"time"
)

// maxAnswers bounds what is kept: at about half a kilobyte each, 8 MiB.
const maxAnswers = 16384

// answers are what Keystone has said, by the hash of the token.
type answers struct {
	mu   *sync.Mutex
	kept map[[32]byte]answer
}

// answer is a token, or nil for one that is not valid.
type answer struct {
	token *Token
	until time.Time
}

func newAnswers() answers {
	return answers{mu: &sync.Mutex{}, kept: map[[32]byte]answer{}}
}

// get returns what was said, if it is not too old.
func (a *answers) get(hash [32]byte, now time.Time) (*Token, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept, ok := a.kept[hash]
	if !ok || !now.Before(kept.until) {
		return nil, false
	}
	return kept.token, true
}

// put keeps what was said. While it is too much, others are forgotten: the order of a
// map is as good as any, for all of it is asked for again within a minute.
func (a *answers) put(hash [32]byte, t *Token, now time.Time) {
	until := now.Add(BadFor)
	if t != nil {
		until = now.Add(GoodFor)
		if t.ExpiresAt.Before(until) {
			until = t.ExpiresAt
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for some := range a.kept {
		if len(a.kept) < maxAnswers {
			break
		}
		delete(a.kept, some)
	}
	a.kept[hash] = answer{t, until}
}

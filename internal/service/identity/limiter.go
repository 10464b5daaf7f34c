package identity

import (
	"sync"

	"coffer/internal/csms"
)

// limiter counts failures by key, each as one drop in a bucket that leaks: burst
// failures at once, then one every interval. It remembers a bounded number of keys;
// for a new one it forgets an old one that failed long ago.
type limiter struct {
	burst    int64
	interval csms.Millis
	bound    int

	mu      sync.Mutex
	buckets map[string]csms.Millis // when the bucket will be empty
}

func newLimiter(burst int64, interval csms.Millis, bound int) *limiter {
	return &limiter{burst: burst, interval: interval, bound: bound, buckets: map[string]csms.Millis{}}
}

// blocked reports whether key has failed too often by now.
func (l *limiter) blocked(key string, now csms.Millis) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buckets[key] > now+csms.Millis(l.burst-1)*l.interval
}

// fail notes a failure of key at now.
func (l *limiter) fail(key string, now csms.Millis) {
	l.mu.Lock()
	defer l.mu.Unlock()
	empty, known := l.buckets[key]
	if !known && len(l.buckets) >= l.bound {
		l.forget(now)
	}
	l.buckets[key] = min(max(empty, now)+l.interval, now+csms.Millis(l.burst)*l.interval)
}

// forgive forgets the failures of key.
func (l *limiter) forgive(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.buckets, key)
}

// sampled is how many keys forget looks at, of which the order of a map makes a
// random choice.
const sampled = 16

// forget drops keys that are no longer of interest or, if the sample has none, the
// one that will be the first.
func (l *limiter) forget(now csms.Millis) {
	var oldest string
	var when csms.Millis
	looked := 0
	for key, empty := range l.buckets {
		if empty <= now {
			delete(l.buckets, key)
		} else if oldest == "" || empty < when {
			oldest, when = key, empty
		}
		if looked++; looked == sampled {
			break
		}
	}
	if len(l.buckets) >= l.bound {
		delete(l.buckets, oldest)
	}
}

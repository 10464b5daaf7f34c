package httpapi

import (
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"coffer/internal/csms"
)

// throttle bounds the requests per second of each operation, as the cloud's gateway
// does (behaviour.md section 15). It is asked before credentials are looked at, so a
// flood costs little.
type throttle struct {
	perSecond int // 0 bounds nothing
	buckets   map[*route]*rate.Limiter
}

func newThrottle(perSecond int) throttle {
	return throttle{perSecond: perSecond, buckets: map[*route]*rate.Limiter{}}
}

// add gives a route a bucket of its own, which holds the requests of one second.
func (t *throttle) add(rt *route) {
	if t.perSecond > 0 {
		t.buckets[rt] = rate.NewLimiter(rate.Limit(t.perSecond), t.perSecond)
	}
}

// admit answers 429 with Retry-After to a request over the bound.
func (t *throttle) admit(x *exchange, now time.Time) error {
	bucket := t.buckets[x.route]
	if bucket == nil || bucket.AllowN(now, 1) {
		return nil
	}
	x.Header().Set("Retry-After", strconv.Itoa(1))
	return csms.Errorf(csms.CodeThrottled, "The throttling threshold has been reached: %d requests per second for %s.", t.perSecond, x.route.Name)
}

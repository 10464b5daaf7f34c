package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"coffer/internal/csms"
)

// Section 15 and 17.2: over the bound a request is 429 APIGW.0308 with Retry-After;
// each operation has a bound of its own, and none by default.
func TestThrottle(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	list, read := &route{Name: "ListSecrets"}, &route{Name: "ShowSecret"}
	ask := func(th *throttle, rt *route, at time.Time) (http.Header, error) {
		x := &exchange{ResponseWriter: httptest.NewRecorder(), route: rt}
		err := th.admit(x, at)
		return x.Header(), err
	}
	bounded := newThrottle(2)
	bounded.add(list)
	bounded.add(read)
	for range 2 {
		if _, err := ask(&bounded, list, now); err != nil {
			t.Errorf("within the bound: %v", err)
		}
	}
	header, err := ask(&bounded, list, now)
	if csms.CodeOf(err) != csms.CodeThrottled || header.Get("Retry-After") != "1" {
		t.Errorf("over the bound: %v, Retry-After %q", err, header.Get("Retry-After"))
	}
	if _, err := ask(&bounded, read, now); err != nil {
		t.Errorf("another operation: %v", err)
	}
	if _, err := ask(&bounded, list, now.Add(time.Second)); err != nil {
		t.Errorf("a second later: %v", err)
	}
	open := newThrottle(0)
	open.add(list)
	for range 1000 {
		if _, err := ask(&open, list, now); err != nil {
			t.Fatalf("no bound: %v", err)
		}
	}
}

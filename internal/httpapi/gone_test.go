package httpapi_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"coffer/internal/testkit"
)

// A client that goes away before its write is committed is no failure of the server:
// nothing is logged as an error, and nothing is written.
func TestAClientThatGoesAwayIsNoFailure(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	body := `{"name":"db","secret_string":"v"}`
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "POST", path("secrets"), strings.NewReader(body))
	k.Sign(testkit.Owner, r, body)
	k.Send(r)
	if log := k.Log.String(); strings.Contains(log, "level=ERROR") || !strings.Contains(log, "status=499") {
		t.Errorf("log:\n%s", log)
	}
	if w := k.Do(testkit.Owner, "GET", path("secrets/db"), ""); w.Code != 404 {
		t.Errorf("the secret: %d", w.Code)
	}
}

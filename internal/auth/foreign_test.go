package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"coffer/internal/auth"
	"coffer/internal/auth/keystone"
	"coffer/internal/outgoing"
)

// A user of Keystone is marked as one, so that a user here with the same id stays
// somebody else (ADR 14). How Keystone itself answers is tested in e2e/identity.
func TestAuthenticate_marks_a_user_of_Keystone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write([]byte(`{"token":{"user":{"id":"` + owner + `","name":"mia","domain":{"id":"default"}},
			"expires_at":"2099-01-01T00:00:00.000000Z","project":{"id":"` + vectorP + `"}}}`)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	client := outgoing.New(outgoing.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer client.Close()
	f := newFixture(t, auth.Options{Keystone: auth.Keystone{
		Tokens: keystone.New(keystone.Options{URL: server.URL + "/v3", Client: client, Now: time.Now}),
	}})
	c, err := f.send(withToken("token-of-Keystone"), nil)
	if err != nil || c.UserID != "keystone:"+owner || !c.Foreign || c.Owner {
		t.Errorf("caller %+v, %v", c, err)
	}
	own, err := f.send(get(), nil)
	if err != nil || own.Foreign {
		t.Errorf("a user of our own: %+v, %v", own, err)
	}
}

package keystone

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAnswersAreKept protects auth.md section 10, 2: a minute for a valid token and
// never beyond its life, ten seconds for one that is not.
func TestAnswersAreKept(t *testing.T) {
	start := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		token *Token
		life  time.Duration
	}{
		"valid":      {&Token{UserID: "u", ExpiresAt: start.Add(time.Hour)}, time.Minute},
		"near end":   {&Token{UserID: "u", ExpiresAt: start.Add(7 * time.Second)}, 7 * time.Second},
		"not a good": {nil, 10 * time.Second},
	} {
		a := newAnswers()
		a.put([32]byte{1}, c.token, start)
		if got, known := a.get([32]byte{1}, start.Add(c.life-1)); !known || got != c.token {
			t.Errorf("%s: gone before %s", name, c.life)
		}
		if _, known := a.get([32]byte{1}, start.Add(c.life)); known {
			t.Errorf("%s: there after %s", name, c.life)
		}
		if _, known := a.get([32]byte{2}, start); known {
			t.Errorf("%s: known under another token", name)
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	a := newAnswers()
	for i := range maxAnswers + 100 {
		a.put([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, nil, now)
	}
	if len(a.kept) > maxAnswers {
		t.Errorf("%d answers are kept", len(a.kept))
	}
}

func TestParseToken(t *testing.T) {
	got, err := parseToken([]byte(`{"token":{"methods":["password"],"user":{"domain":{"id":"default","name":"Default"},"id":"u1","name":"mia"},
		"expires_at":"2026-11-25T13:14:11.000000Z","project":{"domain":{"id":"default"},"id":"p1","name":"payroll"},"roles":[{"id":"r","name":"member"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Token{
		UserID: "u1", UserName: "mia", DomainID: "default", ProjectID: "p1", Roles: []string{"member"},
		ExpiresAt: time.Date(2026, 11, 25, 13, 14, 11, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{``, `[]`, `{"token":{}}`, `{"token":{"user":{"id":"u"}}}`, `<html>`} {
		if _, err := parseToken([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// FuzzParseToken: whatever Keystone sends, a token that is read names its user and
// its end.
func FuzzParseToken(f *testing.F) {
	f.Add([]byte(`{"token":{"user":{"id":"u"},"expires_at":"2026-11-25T13:14:11Z"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, err := parseToken(body); err == nil && (got.UserID == "" || got.ExpiresAt.IsZero()) {
			t.Errorf("%q was read as %+v", body, got)
		}
	})
}

// TestTokensThatCannotBeSent: what cannot stand in a header is refused without a call,
// for the Client has none to call.
func TestTokensThatCannotBeSent(t *testing.T) {
	c := New(Options{URL: "http://127.0.0.1:1/v3", Now: time.Now})
	for _, token := range []string{"", "a b", "a\r\nX-Auth-Token: b", "ä", string(make([]byte, 10)), string([]byte{0x7f})} {
		if _, err := c.Token(t.Context(), token); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", token, err)
		}
	}
}

// TestTheLoginNamesItsDomains: a stock Keystone refuses a project without its domain.
func TestTheLoginNamesItsDomains(t *testing.T) {
	u := User{Name: "coffer", Domain: "Default", Project: "service", ProjectDomain: "Infra", Password: []byte(`p"w`)}
	body, err := u.request()
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	text := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"coffer","domain":{"name":"Default"},"password":"p\"w"}}},
		"scope":{"project":{"name":"service","domain":{"name":"Infra"}}}}}`
	if err := errors.Join(json.Unmarshal(body, &got), json.Unmarshal([]byte(text), &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

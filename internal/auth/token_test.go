package auth_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"coffer/internal/auth"
	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// withToken is a request that shows a token.
func withToken(token string) request {
	return request{method: "GET", target: "/v1/" + vectorP + "/secrets", header: []string{"X-Auth-Token", token}}
}

func TestAuthenticate_accepts_a_token(t *testing.T) {
	f := newFixture(t, auth.Options{})
	c, err := f.send(withToken(f.token(reader, toProject(vectorP))), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.UserID != reader || c.DomainID != home || c.ProjectID != vectorP || c.AccessKey != "" || c.Owner || len(c.Policies) != 1 {
		t.Errorf("got %+v", c)
	}
	if err := f.EnterProject(t.Context(), &c, vectorP); err != nil || c.ProjectName != "self-1" {
		t.Errorf("entering the project of the token: %v, name %q", err, c.ProjectName)
	}
}

func TestAuthenticate_refuses_requests_without_credentials(t *testing.T) {
	f := newFixture(t, auth.Options{})
	_, err := f.send(request{method: "GET", target: "/v1/" + vectorP + "/secrets"}, nil)
	wantRefusal(t, err, "x-auth-token not found")
	_, err = f.send(withToken(""), nil)
	wantRefusal(t, err, "x-auth-token not found")
}

func TestAuthenticate_refuses_tokens_without_force(t *testing.T) {
	never, _, err := credential.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(*fixture, string) string{
		"never issued": func(*fixture, string) string { return never },
		"not a token":  func(*fixture, string) string { return "MIIEgwYJKoZIhvcNAQcCoIIEdDCCBHACAQExDTALBglghkgBZQMEAgEw" },
		"revoked": func(f *fixture, token string) string {
			hash, _ := credential.HashToken(token)
			f.update(func(tx *store.Tx) error { return tx.DeleteToken(&store.Token{Hash: hash}) })
			return token
		},
		"user disabled": func(f *fixture, token string) string {
			f.changeUser(reader, func(u *store.User) { u.Enabled = false })
			return token
		},
		"user deleted": func(f *fixture, token string) string {
			f.update(func(tx *store.Tx) error { return tx.DeleteUser(&store.User{ID: reader}) })
			return token
		},
		"password changed": func(f *fixture, token string) string {
			f.changeUser(reader, func(u *store.User) { credential.VoidTokens(u, f.now) })
			return token
		},
		"domain disabled": func(f *fixture, token string) string {
			f.changeDomain(func(d *store.Domain) { d.Enabled = false })
			return token
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, auth.Options{})
			token := f.token(reader, toProject(vectorP))
			if _, err := f.send(withToken(token), nil); err != nil {
				t.Fatal(err)
			}
			_, err := f.send(withToken(spoil(f, token)), nil)
			wantRefusal(t, err, "decrypt token fail")
		})
	}
	t.Run("two tokens", func(t *testing.T) {
		f := newFixture(t, auth.Options{})
		token := f.token(reader, toProject(vectorP))
		_, err := f.send(withToken(token), func(r *http.Request) { r.Header.Add("X-Auth-Token", token) })
		wantRefusal(t, err, "decrypt token fail")
	})
}

// The life of a token is business time, which dev mode moves; wall time is not asked.
func TestAuthenticate_refuses_expired_tokens(t *testing.T) {
	f := newFixture(t, auth.Options{})
	token := f.token(reader, toProject(vectorP))
	f.now += 86_400_000 - 1
	if _, err := f.send(withToken(token), nil); err != nil {
		t.Fatal(err)
	}
	f.now++
	_, err := f.send(withToken(token), nil)
	wantRefusal(t, err, "token expires, expires_at: 2026-11-22T08:00:00.000000Z")
}

// The clock of dev mode can stand still: what is issued after a change holds, what
// was issued before does not, though the instant is the same.
func TestVoidTokens_tells_before_from_after_on_a_held_clock(t *testing.T) {
	f := newFixture(t, auth.Options{})
	issue := func() string {
		return f.token(reader, func(k *store.Token) {
			u, err := f.store.User(t.Context(), reader)
			if err != nil {
				t.Fatal(err)
			}
			k.ProjectID, k.IssuedAt = vectorP, credential.IssueTime(u, f.now)
		})
	}
	var old []string
	for range 3 {
		old = append(old, issue())
		f.changeUser(reader, func(u *store.User) { credential.VoidTokens(u, f.now) })
	}
	if _, err := f.send(withToken(issue()), nil); err != nil {
		t.Errorf("a token issued after the change: %v", err)
	}
	for _, token := range old {
		_, err := f.send(withToken(token), nil)
		wantRefusal(t, err, "decrypt token fail")
	}
}

// Auth.md section 6: an unscoped token is 401 on a project path, one of the domain
// is 403; the first carries no rights, the second all of its user.
func TestAuthenticate_honours_the_scope_of_a_token(t *testing.T) {
	f := newFixture(t, auth.Options{})
	onPath := func(token string) (iam.Caller, error) {
		return f.send(withToken(token), func(r *http.Request) { r.SetPathValue("project_id", vectorP) })
	}
	_, err := onPath(f.token(owner, unscoped))
	wantRefusal(t, err, "the token is not scoped to a project")

	c, err := onPath(f.token(owner, toDomain))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.EnterProject(t.Context(), &c, vectorP); csms.CodeOf(err) != csms.CodeForbidden {
		t.Errorf("entering with a token of the domain: got %v, want %s", err, csms.CodeForbidden)
	}

	admin := iam.Request{Op: iam.CreateUserV5, Domain: home}
	for name, tt := range map[string]struct {
		scope func(*store.Token)
		may   bool
	}{"unscoped": {unscoped, false}, "domain": {toDomain, true}, "project": {toProject(second), true}} {
		c, err := f.send(withToken(f.token(owner, tt.scope)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.UserID != owner || (c.Authorize(&admin) == nil) != tt.may {
			t.Errorf("%s: user %s may create users: %v, want %v", name, c.UserID, !tt.may, tt.may)
		}
	}
	c, err = f.send(withToken(f.token(owner, unscoped)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.EnterProject(t.Context(), &c, vectorP); csms.CodeOf(err) != csms.CodeForbidden {
		t.Errorf("entering with an unscoped token: got %v, want %s", err, csms.CodeForbidden)
	}
}

// A header names no project for a token that has none.
func TestAuthenticate_gives_a_token_no_project_from_a_header(t *testing.T) {
	f := newFixture(t, auth.Options{})
	for _, scope := range []func(*store.Token){toDomain, unscoped} {
		c, err := f.send(withToken(f.token(owner, scope)), func(r *http.Request) { r.Header.Set("X-Project-Id", vectorP) })
		if err != nil {
			t.Fatal(err)
		}
		if c.ProjectID != "" {
			t.Errorf("got project %s", c.ProjectID)
		}
		if err := f.EnterProject(t.Context(), &c, vectorP); csms.CodeOf(err) != csms.CodeForbidden {
			t.Errorf("entering: got %v, want %s", err, csms.CodeForbidden)
		}
	}
}

// Auth.md section 9: what is logged helps to find an intruder, and
// holds nothing that he could use.
func TestAuthenticate_logs_results_without_credentials(t *testing.T) {
	f := newFixture(t, auth.Options{})
	token := f.token(reader, toProject(vectorP))
	signed := f.received(get())
	for _, r := range []*http.Request{f.received(withToken(token)), signed} {
		if _, err := f.Authenticate(t.Context(), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	signed.Method = "PUT"
	if _, err := f.Authenticate(t.Context(), signed, nil); err == nil {
		t.Fatal("a wrong signature was accepted")
	}
	v := signed.Header.Get("Authorization")
	signature := v[strings.Index(v, "Signature=")+len("Signature="):]
	log := f.log.String()
	for _, want := range []string{
		"level=DEBUG msg=authenticated method=token user_id=" + reader,
		"level=DEBUG msg=authenticated method=signature user_id=" + owner,
		`level=INFO msg="not authenticated" method=signature user_id="" source=192.0.2.7 access_key=` + ownerKey +
			" signature=" + signature[:8] + ` reason="verify aksk signature fail"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %q:\n%s", want, log)
		}
	}
	for _, secret := range []string{token, vectorSecret, signature} {
		if strings.Contains(log, secret) {
			t.Errorf("log holds a credential:\n%s", log)
		}
	}
}

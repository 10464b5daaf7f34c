package identity_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/identity"
	"coffer/internal/store"
)

// The answer has the form of auth.md 3.2.
func TestIssueToken_describes_the_token(t *testing.T) {
	f := newFixture(t, identity.Options{Services: []string{"kms"}})
	issued := f.token("alice", ownerPassword, aProject)
	hash, ok := credential.HashToken(string(issued.Subject))
	if !ok {
		t.Fatalf("%q is no token", string(issued.Subject))
	}
	record, err := f.store.Token(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	catalog := issued.Body.Token.Catalog[0]
	want := `{
 "token": {
  "methods": [
   "password"
  ],
  "issued_at": "2026-11-21T08:00:00.000000Z",
  "expires_at": "2026-11-22T08:00:00.000000Z",
  "audit_ids": [
   "` + record.AuditID + `"
  ],
  "user": {
   "id": "` + f.userID("alice") + `",
   "name": "alice",
   "password_expires_at": "",
   "domain": {
    "id": "` + domainID + `",
    "name": "acme"
   }
  },
  "project": {
   "id": "` + projectID + `",
   "name": "self-1",
   "domain": {
    "id": "` + domainID + `",
    "name": "acme"
   }
  },
  "roles": [
   {
    "id": "0",
    "name": "te_admin"
   }
  ],
  "catalog": [
   {
    "id": "` + catalog.ID + `",
    "type": "kms",
    "name": "kms",
    "endpoints": [
     {
      "id": "` + catalog.Endpoints[0].ID + `",
      "interface": "public",
      "region": "self-1",
      "region_id": "self-1",
      "url": "` + base + `/v1.0/` + projectID + `"
     }
    ]
   }
  ]
 }
}`
	if diff := cmp.Diff(want, asJSON(t, issued.Body)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if len(catalog.ID) != 32 || len(record.AuditID) != 22 {
		t.Errorf("catalog id %q, audit id %q", catalog.ID, record.AuditID)
	}
	c, err := f.shown(issued.Subject)
	if err != nil || c.ProjectID != projectID || !c.Owner {
		t.Errorf("the token authenticates %+v, %v", c, err)
	}
}

// Auth.md 3.2, table of scopes.
func TestIssueToken_resolves_the_scope(t *testing.T) {
	f := newFixture(t, identity.Options{RegionAliases: []string{"cn-north-4"}})
	f.update(func(tx *store.Tx) error {
		return tx.PutProject(&store.Project{ID: "closed", DomainID: domainID, Name: "closed"})
	})
	f.away()
	tests := []struct {
		scope           string
		project, domain string // ids in the answer
		status          int    // 0 for success
	}{
		{scope: `{"project":{"id":"` + projectID + `"}}`, project: projectID},
		{scope: `{"project":{"name":"self-1"}}`, project: projectID},
		{scope: `{"project":{"name":"cn-north-4"}}`, project: projectID},
		{scope: `{"project":{"name":"self-1","domain":{"name":"acme"}}}`, project: projectID},
		{scope: `{"project":{"name":"self-1","domain":{"id":"` + domainID + `"}}}`, project: projectID},
		{scope: `{"domain":{"name":"acme"}}`, domain: domainID},
		{scope: `{"domain":{"id":"` + domainID + `"}}`, domain: domainID},
		{scope: ``},
		{scope: `null`},
		{scope: `{}`},
		{scope: `"unscoped"`},
		{scope: `{"project":null}`},

		{scope: `{"project":{"name":"cn-south-1"}}`, status: 401},
		{scope: `{"project":{"id":"unknown"}}`, status: 401},
		{scope: `{"project":{"id":"closed"}}`, status: 401},
		{scope: `{"project":{"id":"foreign"}}`, status: 401},
		{scope: `{"project":{"name":"self-1","domain":{"name":"other"}}}`, status: 401},
		{scope: `{"domain":{"name":"other"}}`, status: 401},
		{scope: `{"domain":{"name":"nowhere"}}`, status: 401},
		{scope: `{"domain":{"id":"` + domainID + `x","name":"acme"}}`, status: 401},

		{scope: `{"project":{"name":"self-1"},"domain":{"name":"acme"}}`, status: 400},
		{scope: `{"project":{}}`, status: 400},
		{scope: `{"project":{"name":"self-1","domain":{}}}`, status: 400},
		{scope: `{"domain":{}}`, status: 400},
		{scope: `{"system":{"all":true}}`, status: 400},
		{scope: `{"project":"self-1"}`, status: 400},
		{scope: `"project"`, status: 400},
		{scope: `7`, status: 400},
	}
	for _, tt := range tests {
		issued, err := f.byPassword("bob", "bob's password", tt.scope)
		if tt.status != 0 {
			wantKeystone(t, tt.scope, err, tt.status)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.scope, err)
			continue
		}
		got := issued.Body.Token
		if (got.Project == nil) != (tt.project == "") || got.Project != nil && got.Project.ID != tt.project ||
			(got.Domain == nil) != (tt.domain == "") || got.Domain != nil && got.Domain.ID != tt.domain {
			t.Errorf("%s: got project %v and domain %v", tt.scope, got.Project, got.Domain)
		}
		if scoped := tt.project != "" || tt.domain != ""; scoped != (got.Catalog != nil) {
			t.Errorf("%s: catalog with %d services", tt.scope, len(got.Catalog))
		}
		for _, service := range got.Catalog {
			if regional := service.Type == "kms" || service.Type == "csms"; regional && tt.project == "" {
				t.Errorf("%s: service %s without a project", tt.scope, service.Type)
			}
		}
	}
}

func TestParseTokenRequest_refuses_what_is_incomplete(t *testing.T) {
	for _, body := range []string{
		``, `{`, `[]`, `"auth"`, `{}`, `{"auth":null}`, `{"auth":{}}`, `{"auth":{"identity":{}}}`, `{"auth":{"identity":{"methods":[]}}}`,
		`{"auth":{"identity":{"methods":"password"}}}`,
		`{"auth":{"identity":{"methods":["password"]}}}`,
		`{"auth":{"identity":{"methods":["password"],"password":{}}}}`,
		`{"auth":{"identity":{"methods":["password"],"password":{"user":{}}}}}`,
		`{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":7,"password":"x"}}}}}`,
		`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"alice","password":"x"}}}}}`,
		`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"alice","domain":{},"password":"x"}}}}}`,
		`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"alice","domain":{"name":"acme"}}}}}}`,
		`{"auth":{"identity":{"methods":["token"]}}} x`,
	} {
		_, err := identity.ParseTokenRequest([]byte(body))
		wantKeystone(t, body, err, 400)
	}
}

// Whatever is sent, parsing ends in a request that IssueToken can take, or in 400.
func FuzzParseTokenRequest(f *testing.F) {
	f.Add([]byte(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"alice","password":"x","domain":{"id":"d"}}}},"scope":{"project":{"id":"p"}}}}`))
	f.Add([]byte(`{"auth":{"identity":{"methods":["token"],"token":{"id":"t"}},"scope":"unscoped"}}`))
	fx := newFixture(f, identity.Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := identity.ParseTokenRequest(body)
		if err != nil {
			wantKeystone(t, string(body), err, 400)
			return
		}
		_, err = fx.IssueToken(context.Background(), identity.TokenAsk{Request: q})
		if e := csms.CodeOf(err); err == nil || e != csms.CodeInternal {
			t.Errorf("got %v for %s", err, body)
		}
		if text := err.Error(); !strings.HasPrefix(text, "keystone 4") {
			t.Errorf("got %v for %s", err, body)
		}
	})
}

// One text for whatever fails (auth.md 3.2, section 9).
func TestIssueToken_tells_nothing_about_a_failed_login(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	off := false
	if _, err := f.UpdateUser(t.Context(), f.alice(), f.userID("root"), identity.UserPatch{Enabled: &off}, base); err != nil {
		t.Fatal(err)
	}
	user := func(members string) string { return `{"methods":["password"],"password":{"user":{` + members + `}}}` }
	proofs := map[string]string{
		"wrong password":         user(`"name":"alice","domain":{"name":"acme"},"password":"wrong"`),
		"unknown user":           user(`"name":"nobody","domain":{"name":"acme"},"password":"wrong"`),
		"unknown domain":         user(`"name":"alice","domain":{"name":"nowhere"},"password":"` + ownerPassword + `"`),
		"user of another domain": user(`"name":"alice","domain":{"name":"other"},"password":"` + ownerPassword + `"`),
		"unknown id":             user(`"id":"unknown","password":"wrong"`),
		"disabled user":          user(`"name":"root","domain":{"name":"acme"},"password":"root's password"`),
		"user without password":  user(`"name":"stranger","domain":{"name":"other"},"password":"any password"`),
		"unknown token":          `{"methods":["token"],"token":{"id":"cofft_0000"}}`,
		"method not enabled":     `{"methods":["saml2"],"saml2":{}}`,
		"hw_ak_sk":               `{"methods":["hw_ak_sk"],"hw_ak_sk":{"access":{"key":"` + ownerKey + `"},"secret":{"key":"` + ownerSecret + `"}}}`,
		"half a second factor":   `{"methods":["password","totp"],"password":{"user":{"name":"alice","domain":{"name":"acme"},"password":"` + ownerPassword + `"}}}`,
	}
	texts := map[string]bool{}
	for name, proof := range proofs {
		_, err := f.ask(proof, aProject)
		texts[wantKeystone(t, name, err, 401)] = true
	}
	_, err := f.byPassword("alice", ownerPassword, `{"project":{"id":"unknown"}}`)
	texts[wantKeystone(t, "scope out of reach", err, 401)] = true
	if len(texts) != 1 {
		t.Errorf("the answers can be told apart: %v", texts)
	}
}

// A login as nobody costs what a wrong password costs. The fastest of some runs that
// take turns is compared, so the load of the machine does not matter; without the
// hash a login takes a twentieth.
func TestIssueToken_spends_the_same_time_on_unknown_users(t *testing.T) {
	f := newFixture(t, identity.Options{PasswordParams: identity.PasswordParams{MemoryKiB: 512, Passes: 1, Threads: 1}})
	f.away()
	users := [][2]string{{"alice", "acme"}, {"nobody", "acme"}, {"alice", "nowhere"}, {"stranger", "other"}}
	fastest := map[[2]string]time.Duration{}
	for range 40 {
		f.now += 3_600_000 // so that no limit is reached
		for _, u := range users {
			start := time.Now()
			_, err := f.ask(`{"methods":["password"],"password":{"user":{"name":"`+u[0]+`","domain":{"name":"`+u[1]+`"},"password":"wrong"}}}`, "")
			took := time.Since(start)
			wantKeystone(t, u[0], err, 401)
			if best, ok := fastest[u]; !ok || took < best {
				fastest[u] = took
			}
		}
	}
	known := fastest[users[0]]
	for _, u := range users[1:] {
		if got := fastest[u]; got*2 < known || got > known*2 {
			t.Errorf("%s in %s: %v, a known user: %v", u[0], u[1], got, known)
		}
	}
}

func TestIssueToken_limits_failures(t *testing.T) {
	t.Run("of a user, however he is named", func(t *testing.T) {
		f := newFixture(t, identity.Options{})
		byID := `{"methods":["password"],"password":{"user":{"id":"` + f.userID("alice") + `","password":"wrong"}}}`
		for range 5 {
			_, err := f.byPassword("alice", "wrong", "")
			wantKeystone(t, "a failure by name", err, 401)
			_, err = f.ask(byID, "")
			wantKeystone(t, "a failure by id", err, 401)
		}
		_, err := f.byPassword("alice", ownerPassword, "")
		wantKeystone(t, "after ten failures", err, 429)
		f.token("bob", "bob's password", "")
		f.now += 12_000
		f.token("alice", ownerPassword, "")
		for range 9 {
			if _, err := f.byPassword("alice", "wrong", ""); err == nil {
				t.Fatal("a wrong password was accepted")
			}
		}
		f.token("alice", ownerPassword, "") // success has forgiven what was before
	})
	t.Run("of a disabled user, also with the right password", func(t *testing.T) {
		f := newFixture(t, identity.Options{})
		off := false
		if _, err := f.UpdateUser(t.Context(), f.alice(), f.userID("bob"), identity.UserPatch{Enabled: &off}, base); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			_, err := f.byPassword("bob", "bob's password", "")
			wantKeystone(t, "a failure", err, 401)
		}
		_, err := f.byPassword("bob", "bob's password", "")
		wantKeystone(t, "after ten failures", err, 429)
	})
	t.Run("of a user who does not exist, alike", func(t *testing.T) {
		f := newFixture(t, identity.Options{})
		for range 10 {
			_, err := f.byPassword("nobody", "wrong", "")
			wantKeystone(t, "a failure", err, 401)
		}
		_, err := f.byPassword("nobody", "wrong", "")
		wantKeystone(t, "after ten failures", err, 429)
	})
	t.Run("from an address", func(t *testing.T) {
		f := newFixture(t, identity.Options{})
		for i := range 50 {
			_, err := f.byPassword("nobody"+strings.Repeat("x", i), "wrong", "")
			wantKeystone(t, "a failure", err, 401)
		}
		_, err := f.byPassword("alice", ownerPassword, "")
		wantKeystone(t, "from the address of the failures", err, 429)
		q, err := identity.ParseTokenRequest([]byte(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"alice","domain":{"name":"acme"},"password":"` + ownerPassword + `"}}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.IssueToken(t.Context(), identity.TokenAsk{Request: q, Source: netip.MustParseAddr("198.51.100.1")}); err != nil {
			t.Errorf("from another address: %v", err)
		}
	})
	t.Run("from a network of IPv6", func(t *testing.T) {
		f := newFixture(t, identity.Options{})
		q, err := identity.ParseTokenRequest([]byte(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"n","domain":{"name":"acme"},"password":"wrong"}}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		addr := netip.MustParseAddr("2001:db8::")
		for i := range 51 {
			q.Auth.Identity.Password.User.Name += "x"
			addr = addr.Next()
			_, err := f.IssueToken(t.Context(), identity.TokenAsk{Request: q, Source: addr})
			wantKeystone(t, addr.String(), err, map[bool]int{true: 429, false: 401}[i == 50])
		}
	})
}

// KS: the methods of both tokens, and no longer life than the first.
func TestIssueToken_exchanges_a_token_for_another_scope(t *testing.T) {
	f := newFixture(t, identity.Options{})
	first := f.token("bob", "bob's password", "")
	f.now += 3_600_000
	second, err := f.ask(`{"methods":["token"],"token":{"id":"`+string(first.Subject)+`"}}`, aProject)
	if err != nil {
		t.Fatal(err)
	}
	got := second.Body.Token
	if !slices.Equal(got.Methods, []string{"token", "password"}) || got.IssuedAt != "2026-11-21T09:00:00.000000Z" || got.ExpiresAt != "2026-11-22T08:00:00.000000Z" {
		t.Errorf("got methods %v, issued %s, expires %s", got.Methods, got.IssuedAt, got.ExpiresAt)
	}
	q, err := identity.ParseTokenRequest([]byte(`{"auth":{"identity":{"methods":["token"]},"scope":` + aDomain + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	third, err := f.IssueToken(t.Context(), identity.TokenAsk{Request: q, Token: second.Subject, BaseURL: base})
	if err != nil || !slices.Equal(third.Body.Token.Methods, []string{"token", "password"}) {
		t.Errorf("with the header: got methods %v and %v", third.Body.Token.Methods, err)
	}
	_, err = f.IssueToken(t.Context(), identity.TokenAsk{Request: q})
	wantKeystone(t, "without any token", err, 400)
	for _, token := range []identity.Credential{first.Subject, second.Subject, third.Subject} {
		if _, err := f.shown(token); err != nil {
			t.Errorf("an older token lost its force: %v", err)
		}
	}

	f.now = epoch + 86_400_000
	_, err = f.ask(`{"methods":["token"],"token":{"id":"`+string(second.Subject)+`"}}`, aProject)
	wantKeystone(t, "expired token", err, 401)
}

func TestTokens_lose_their_force_at_once(t *testing.T) {
	on, off := true, false
	password := identity.Credential("another password")
	patch := func(p identity.UserPatch) func(*fixture, string) error {
		return func(f *fixture, id string) error {
			_, err := f.UpdateUser(f.t.Context(), f.alice(), id, p, base)
			return err
		}
	}
	tests := map[string]func(*fixture, string) error{
		"password changed": patch(identity.UserPatch{Password: &password}),
		"user disabled":    patch(identity.UserPatch{Enabled: &off}),
		"user deleted":     func(f *fixture, id string) error { return f.DeleteUser(f.t.Context(), f.alice(), id) },
		"disabled and enabled again": func(f *fixture, id string) error {
			if err := patch(identity.UserPatch{Enabled: &off})(f, id); err != nil {
				return err
			}
			return patch(identity.UserPatch{Enabled: &on})(f, id)
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, identity.Options{}) // its clock stands still
			token := f.token("bob", "bob's password", aProject)
			if _, err := f.shown(token.Subject); err != nil {
				t.Fatal(err)
			}
			if err := change(f, f.userID("bob")); err != nil {
				t.Fatal(err)
			}
			_, err := f.shown(token.Subject)
			wantCode(t, "request with the token", err, csms.CodeUnauthenticated)
			_, err = f.ask(`{"methods":["token"],"token":{"id":"`+string(token.Subject)+`"}}`, aProject)
			wantKeystone(t, "exchange of the token", err, 401)
			_, err = f.ValidateToken(t.Context(), f.alice(), string(token.Subject), base, true)
			wantKeystone(t, "validation of the token", err, 404)
		})
	}
	t.Run("what does not concern the password keeps them", func(t *testing.T) {
		f := newFixture(t, identity.Options{})
		token := f.token("bob", "bob's password", aProject)
		text := "a description"
		if err := patch(identity.UserPatch{Description: &text, Enabled: &on})(f, f.userID("bob")); err != nil {
			t.Fatal(err)
		}
		if _, err := f.shown(token.Subject); err != nil {
			t.Error(err)
		}
	})
	t.Run("a token after the change holds", func(t *testing.T) {
		f := newFixture(t, identity.Options{})
		if err := patch(identity.UserPatch{Password: &password})(f, f.userID("bob")); err != nil {
			t.Fatal(err)
		}
		if _, err := f.shown(f.token("bob", "another password", aProject).Subject); err != nil {
			t.Error(err)
		}
	})
}

// Auth.md 3.3.
func TestValidateToken(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	bobs := f.token("bob", "bob's password", aProject)
	unscoped := f.token("bob", "bob's password", "")
	asker := func(token identity.IssuedToken) *iam.Caller {
		c, err := f.shown(token.Subject)
		if err != nil {
			t.Fatal(err)
		}
		return &c
	}
	const forbidden = "You are not authorized to perform the requested action: identity:validate_token."
	tests := map[string]struct {
		asker   *iam.Caller
		subject identity.Credential
		status  int
	}{
		"himself":                       {asker(bobs), bobs.Subject, 0},
		"himself, another token":        {asker(unscoped), bobs.Subject, 0},
		"himself, by signature":         {f.bob(), bobs.Subject, 0},
		"the owner":                     {f.alice(), bobs.Subject, 0},
		"an administrator":              {f.root(), bobs.Subject, 0},
		"a plain user":                  {f.bob(), f.token("alice", ownerPassword, "").Subject, 403},
		"the owner, without a scope":    {asker(f.token("alice", ownerPassword, "")), bobs.Subject, 403},
		"the owner of another domain":   {f.stranger(), bobs.Subject, 403},
		"absent":                        {f.alice(), "", 404},
		"unknown":                       {f.alice(), "cofft_unknown", 404},
		"unknown, asked by a plain one": {f.bob(), "cofft_unknown", 404},
	}
	for name, tt := range tests {
		got, err := f.ValidateToken(t.Context(), tt.asker, string(tt.subject), base, false)
		if tt.status != 0 {
			if text := wantKeystone(t, name, err, tt.status); tt.status == 403 && text != forbidden {
				t.Errorf("%s: got %q", name, text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(bobs.Body, got); diff != "" {
			t.Errorf("%s: the answer is not that of the creation (-want +got):\n%s", name, diff)
		}
	}
	got, err := f.ValidateToken(t.Context(), f.alice(), string(bobs.Subject), base, true)
	if err != nil || got.Token.Catalog != nil {
		t.Errorf("nocatalog: got %d services and %v", len(got.Token.Catalog), err)
	}
	f.now += 86_400_000
	_, err = f.ValidateToken(t.Context(), f.alice(), string(bobs.Subject), base, true)
	wantKeystone(t, "expired", err, 404)
}

func TestRevokeToken(t *testing.T) {
	f := newFixture(t, identity.Options{})
	first, second := f.token("bob", "bob's password", aProject), f.token("bob", "bob's password", aProject)
	owners := f.token("alice", ownerPassword, aProject)
	wantKeystone(t, "of the owner by a plain user", f.RevokeToken(t.Context(), f.bob(), string(owners.Subject)), 403)
	for who, token := range map[*iam.Caller]identity.IssuedToken{f.bob(): first, f.root(): second} {
		if err := f.RevokeToken(t.Context(), who, string(token.Subject)); err != nil {
			t.Fatal(err)
		}
		_, err := f.shown(token.Subject)
		wantCode(t, "request with a revoked token", err, csms.CodeUnauthenticated)
		wantKeystone(t, "revoking again", f.RevokeToken(t.Context(), who, string(token.Subject)), 404)
	}
	if _, err := f.shown(owners.Subject); err != nil {
		t.Errorf("the other token: %v", err)
	}
}

// Raised costs reach a stored password when it is used, and void nothing.
func TestIssueToken_renews_a_hash_of_other_costs(t *testing.T) {
	f := newFixture(t, identity.Options{})
	token := f.token("bob", "bob's password", "")
	dearer := identity.PasswordParams{MemoryKiB: 128, Passes: 2, Threads: 1}
	f.Service = identity.New(f.store, f.box, identity.Options{
		Now: func() csms.Millis { return f.now }, Rand: zeroes{}, Region: "self-1", PasswordParams: dearer,
	})
	f.token("bob", "bob's password", "")
	u, err := f.store.User(t.Context(), f.userID("bob"))
	if err != nil || !strings.HasPrefix(u.PasswordHash, "$argon2id$v=19$m=128,t=2,p=1$") {
		t.Errorf("got %q and %v", u.PasswordHash, err)
	}
	if _, err := f.shown(token.Subject); err != nil {
		t.Errorf("a token from before: %v", err)
	}
}

// zeroes is randomness that need not be any.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

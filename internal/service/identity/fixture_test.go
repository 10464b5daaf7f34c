package identity_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"coffer/internal/auth"
	"coffer/internal/auth/signature"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
	"coffer/internal/seal"
	"coffer/internal/service/identity"
	"coffer/internal/store"
)

const (
	domainID  = "d0000000000000000000000000000001"
	projectID = "c0000000000000000000000000000001"
	base      = "https://secrets.example.test:8443"
	epoch     = csms.Millis(1_795_248_000_000) // 2026-11-21T08:00:00Z

	ownerPassword = "correct horse battery"
	ownerKey      = "OWNERACCESSKEY000001"
	ownerSecret   = "ownerSecretKey01234567890123456789012345"
	readerSecret  = "readerSecretKey0123456789012345678901234"
)

// fixture is an identity service over a store in memory, with the account of
// bootstrap, and an authenticator that judges what it issues.
type fixture struct {
	*identity.Service
	t     testing.TB
	db    *memkv.Store
	store *store.Store
	box   *seal.Box
	auth  *auth.Authenticator
	now   csms.Millis
	log   bytes.Buffer
}

func bootstrap() identity.BootstrapInput {
	return identity.BootstrapInput{
		DomainID: domainID, DomainName: "acme", ProjectID: projectID, Region: "self-1",
		UserName: "alice", Password: ownerPassword, AccessKey: ownerKey, SecretKey: ownerSecret,
	}
}

// newEmpty returns a fixture without an account. The fields of o that a test does
// not care about are set.
func newEmpty(t testing.TB, o identity.Options) *fixture {
	t.Helper()
	f := &fixture{t: t, db: memkv.New(), now: epoch}
	var err error
	if f.store, err = store.Open(t.Context(), f.db, store.Options{}); err != nil {
		t.Fatal(err)
	}
	if f.box, err = seal.NewBox(rand.Reader, bytes.Repeat([]byte{7}, seal.KeySize), seal.PurposeAccessKey, 0); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Now, o.Rand, o.Region, o.Logger = func() csms.Millis { return f.now }, rand.Reader, "self-1", log
	if o.PasswordParams == (identity.PasswordParams{}) {
		o.PasswordParams = identity.DevPasswordParams()
	}
	f.Service = identity.New(f.store, f.box, o)
	f.auth = auth.New(f.store, f.box, auth.Options{
		Region: o.Region, Now: o.Now, WallNow: func() time.Time { return time.UnixMilli(int64(epoch)) }, Logger: log,
	})
	return f
}

// newFixture returns a fixture with an account, whose owner is alice, and the users
// of the file: bob, who may do nothing, and root, an administrator.
func newFixture(t testing.TB, o identity.Options) *fixture {
	t.Helper()
	f := newEmpty(t, o)
	if _, err := f.Bootstrap(t.Context(), bootstrap()); err != nil {
		t.Fatal(err)
	}
	err := f.LoadIdentities(t.Context(), []identity.Identity{
		{Name: "bob", Password: "bob's password", AccessKey: "BOBACCESSKEY00000001", SecretKey: "bobSecretKey0123456789012345678901234567"},
		{
			Name: "root", Password: "root's password", AccessKey: "ROOTACCESSKEY0000001", SecretKey: "rootSecretKey012345678901234567890123456",
			Policies: []identity.Document{"Tenant Administrator", "Security Administrator"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// signed authenticates a request signed with a key.
func (f *fixture) signed(accessKey, secret string) (iam.Caller, error) {
	f.t.Helper()
	key, err := signature.NewKey(accessKey, []byte(secret))
	if err != nil {
		f.t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/v3/projects", nil)
	m := signature.NewMessage(r, signature.BodyHash(nil))
	value, err := key.Sign(&m, nil, time.UnixMilli(int64(epoch)))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Authorization", value)
	return f.auth.Authenticate(f.t.Context(), r, nil)
}

// caller returns the caller behind a key that works.
func (f *fixture) caller(accessKey, secret string) *iam.Caller {
	f.t.Helper()
	c, err := f.signed(accessKey, secret)
	if err != nil {
		f.t.Fatal(err)
	}
	return &c
}

func (f *fixture) alice() *iam.Caller { f.t.Helper(); return f.caller(ownerKey, ownerSecret) }
func (f *fixture) bob() *iam.Caller {
	f.t.Helper()
	return f.caller("BOBACCESSKEY00000001", "bobSecretKey0123456789012345678901234567")
}

func (f *fixture) root() *iam.Caller {
	f.t.Helper()
	return f.caller("ROOTACCESSKEY0000001", "rootSecretKey012345678901234567890123456")
}

// shown authenticates a request with a token.
func (f *fixture) shown(token identity.Credential) (iam.Caller, error) {
	r := httptest.NewRequest("GET", "/v3/projects", nil)
	r.Header = http.Header{"X-Auth-Token": {string(token)}}
	return f.auth.Authenticate(f.t.Context(), r, nil)
}

// byPassword asks for a token with a password; scope is JSON, "" for none.
func (f *fixture) byPassword(name, password, scope string) (identity.IssuedToken, error) {
	user := `{"name":"` + name + `","password":"` + password + `","domain":{"name":"acme"}}`
	return f.ask(`{"methods":["password"],"password":{"user":`+user+`}}`, scope)
}

// ask asks for a token with a proof of identity as JSON.
func (f *fixture) ask(proof, scope string) (identity.IssuedToken, error) {
	body := `{"auth":{"identity":` + proof
	if scope != "" {
		body += `,"scope":` + scope
	}
	q, err := identity.ParseTokenRequest([]byte(body + `}}`))
	if err != nil {
		return identity.IssuedToken{}, err
	}
	return f.IssueToken(f.t.Context(), identity.TokenAsk{Request: q, Source: netip.MustParseAddr("192.0.2.7"), BaseURL: base})
}

// token returns a token that is expected to be issued.
func (f *fixture) token(name, password, scope string) identity.IssuedToken {
	f.t.Helper()
	issued, err := f.byPassword(name, password, scope)
	if err != nil {
		f.t.Fatal(err)
	}
	return issued
}

const (
	aProject = `{"project":{"name":"self-1"}}`
	aDomain  = `{"domain":{"name":"acme"}}`
)

// userID returns the id of a user by name.
func (f *fixture) userID(name string) string {
	f.t.Helper()
	u, err := f.store.UserByName(f.t.Context(), domainID, name)
	if err != nil {
		f.t.Fatalf("user %s: %v", name, err)
	}
	return u.ID
}

// stored returns all bytes of the store.
func (f *fixture) stored() string {
	f.t.Helper()
	var all strings.Builder
	err := f.db.View(f.t.Context(), func(r kv.Reader) error {
		for item, err := range r.Scan(kv.Range{From: []byte{0}, To: []byte{0xff}}) {
			if err != nil {
				return err
			}
			all.Write(item.Key)
			all.Write(item.Value)
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return all.String()
}

// wantCode checks the code of a csms.Error; "" stands for success.
func wantCode(t testing.TB, what string, err error, code csms.Code) {
	t.Helper()
	if csms.CodeOf(err) != code {
		t.Errorf("%s: got %v, want %q", what, err, code)
	}
}

// wantKeystone checks the status of a KeystoneError and returns its message.
func wantKeystone(t testing.TB, what string, err error, status int) string {
	t.Helper()
	e := (*identity.KeystoneError)(nil)
	if !errors.As(err, &e) || e.Code != status || e.Title == "" {
		t.Errorf("%s: got %v, want a Keystone error of %d", what, err, status)
		return ""
	}
	return e.Message
}

// asJSON returns the indented JSON of v.
func asJSON(t testing.TB, v any) string {
	t.Helper()
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (f *fixture) update(fn func(*store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(f.t.Context(), fn); err != nil {
		f.t.Fatal(err)
	}
}

// away makes another domain with a project, a policy, and an owner without a
// password.
func (f *fixture) away() {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		return errors.Join(
			tx.PutDomain(&store.Domain{ID: "away", Name: "other", OwnerID: "stranger", Enabled: true}),
			tx.PutUser(&store.User{ID: "stranger", DomainID: "away", Name: "stranger", Enabled: true}),
			tx.PutProject(&store.Project{ID: "foreign", DomainID: "away", Name: "self-1", Enabled: true}),
			tx.PutPolicy(&store.Policy{ID: "foreign-policy", DomainID: "away", Name: "p", Document: store.Document(`{"Version":"1.1","Statement":[]}`)}),
		)
	})
}

// stranger is the owner of the other domain.
func (f *fixture) stranger() *iam.Caller {
	return &iam.Caller{DomainID: "away", DomainName: "other", UserID: "stranger", UserName: "stranger", PrincipalID: "stranger", Owner: true, AccessKey: "X"}
}

package auth_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"coffer/internal/auth"
	"coffer/internal/auth/credential"
	"coffer/internal/auth/signature"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/kv/memkv"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// The values of the test vectors of auth.md 5.7.
const (
	vectorKey    = "AKTESTEXAMPLE0000001"
	vectorSecret = "sKtestExampleSecretKey0123456789abcdEFGH"
	vectorP      = "0123456789abcdef0123456789abcdef"
	vectorTime   = "20261121T080000Z"
)

// Ids of the fixture. The domain home has the owner and the user reader; away is
// another domain.
const (
	home, away     = "d0000000000000000000000000000001", "d0000000000000000000000000000002"
	owner, reader  = "a0000000000000000000000000000001", "a0000000000000000000000000000002"
	gone, stranger = "a0000000000000000000000000000003", "a0000000000000000000000000000004"
	second         = "c0000000000000000000000000000002" // another project of home
	closed         = "c0000000000000000000000000000003" // a disabled one
	foreign        = "c0000000000000000000000000000004" // one of away
	ownerKey       = vectorKey
	readerKey      = "READERACCESSKEY00001"
	idleKey        = "INACTIVEACCESSKEY001" // of reader
	goneKey        = "DISABLEDUSERSKEY0001" // of a disabled user
	temporaryKey   = "HSTATEMPORARYKEY0001" // of the owner, limited by a session policy
	securityToken  = "gQpjbi1ub3J0aC00EXAMPLETOKEN=="
)

// fixture is an Authenticator over a filled store in memory.
type fixture struct {
	*auth.Authenticator
	t     testing.TB
	store *store.Store
	box   *seal.Box
	wall  time.Time
	now   csms.Millis
	log   *bytes.Buffer
}

func newFixture(t testing.TB, o auth.Options) *fixture {
	t.Helper()
	wall, err := time.Parse(signature.DateLayout, vectorTime)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, wall: wall, now: csms.Millis(wall.UnixMilli()), log: &bytes.Buffer{}}
	if f.store, err = store.Open(t.Context(), memkv.New(), store.Options{}); err != nil {
		t.Fatal(err)
	}
	if f.box, err = seal.NewBox(rand.Reader, bytes.Repeat([]byte{7}, seal.KeySize), seal.PurposeAccessKey, 0); err != nil {
		t.Fatal(err)
	}
	f.fill()
	if o.Region == "" {
		o.Region = "self-1"
	}
	o.Now, o.WallNow = func() csms.Millis { return f.now }, func() time.Time { return f.wall }
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	f.Authenticator = auth.New(f.store, f.box, o)
	return f
}

func (f *fixture) fill() {
	f.update(func(tx *store.Tx) error {
		return errors.Join(
			tx.PutDomain(&store.Domain{ID: home, Name: "acme", OwnerID: owner, Enabled: true}),
			tx.PutDomain(&store.Domain{ID: away, Name: "other", OwnerID: stranger, Enabled: true}),
			tx.PutProject(&store.Project{ID: vectorP, DomainID: home, Name: "self-1", Enabled: true}),
			tx.PutProject(&store.Project{ID: second, DomainID: home, Name: "self-1_b", Enabled: true}),
			tx.PutProject(&store.Project{ID: closed, DomainID: home, Name: "self-1_c"}),
			tx.PutProject(&store.Project{ID: foreign, DomainID: away, Name: "self-1", Enabled: true}),
			tx.PutUser(&store.User{ID: owner, DomainID: home, Name: "owner", Enabled: true}),
			tx.PutUser(&store.User{ID: reader, DomainID: home, Name: "reader", Enabled: true, PolicyIDs: []string{"CSMS ReadOnlyAccess"}}),
			tx.PutUser(&store.User{ID: gone, DomainID: home, Name: "gone"}),
			tx.PutUser(&store.User{ID: stranger, DomainID: away, Name: "stranger", Enabled: true}),
		)
	})
	f.putKey(ownerKey, owner, nil)
	f.putKey(readerKey, reader, nil)
	f.putKey(idleKey, reader, func(k *store.AccessKey) { k.Active = false })
	f.putKey(goneKey, gone, nil)
	f.putKey(temporaryKey, owner, func(k *store.AccessKey) {
		k.Temporary = &store.Temporary{
			TokenHash: sha256.Sum256([]byte(securityToken)), ExpiresAt: f.now + 900_000,
			SessionPolicy: store.Document(`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:list"]}]}`),
		}
	})
}

func (f *fixture) update(fn func(*store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(f.t.Context(), fn); err != nil {
		f.t.Fatal(err)
	}
}

// changeUser stores a changed user.
func (f *fixture) changeUser(id string, change func(*store.User)) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		change(u)
		return tx.PutUser(u)
	})
}

// putKey stores an access key whose secret is that of the vectors.
func (f *fixture) putKey(accessKey, user string, change func(*store.AccessKey)) {
	f.t.Helper()
	k := &store.AccessKey{AccessKey: accessKey, UserID: user, DomainID: home, Active: true}
	if change != nil {
		change(k)
	}
	var err error
	if k.SealedSecret, err = credential.SealSecret(f.box, k, []byte(vectorSecret)); err != nil {
		f.t.Fatal(err)
	}
	f.update(func(tx *store.Tx) error { return tx.PutAccessKey(k) })
}

// token stores a token that is valid for a day and returns it.
func (f *fixture) token(user string, change func(*store.Token)) string {
	f.t.Helper()
	text, hash, err := credential.NewToken(rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	k := &store.Token{Hash: hash, UserID: user, DomainID: home, IssuedAt: f.now, ExpiresAt: f.now + 86_400_000}
	change(k)
	f.update(func(tx *store.Tx) error { return tx.PutToken(k) })
	return text
}

func toProject(id string) func(*store.Token) { return func(k *store.Token) { k.ProjectID = id } }
func toDomain(k *store.Token)                { k.DomainScope = true }
func unscoped(*store.Token)                  {}

// request is a request as the server receives it.
type request struct {
	method, target string
	header         []string // name and value in turn
	body           string
	key            string   // access key that signs; "" for none
	signed         []string // names of signed headers; nil as the Go SDK
	date           string   // "" for the time of the fixture
}

// get is the request that most tests change.
func get() request {
	return request{
		method: "GET", target: "/v1/" + vectorP + "/secrets/demo-secret/versions/latest", key: ownerKey,
		header: []string{"User-Agent", "huaweicloud-usdk-go/3.0", "X-Project-Id", vectorP},
	}
}

// received builds the request from the bytes on the wire, as net/http does.
func (f *fixture) received(q request) *http.Request {
	f.t.Helper()
	var wire strings.Builder
	wire.WriteString(q.method + " " + q.target + " HTTP/1.1\r\nHost: secrets.example.test:8443\r\n")
	for i := 0; i < len(q.header); i += 2 {
		wire.WriteString(q.header[i] + ": " + q.header[i+1] + "\r\n")
	}
	wire.WriteString("\r\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String())))
	if err != nil {
		f.t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.7:40000"
	if q.key != "" {
		f.sign(r, q)
	}
	return r
}

func (f *fixture) sign(r *http.Request, q request) {
	f.t.Helper()
	key, err := signature.NewKey(q.key, []byte(vectorSecret))
	if err != nil {
		f.t.Fatal(err)
	}
	date := f.wall
	if q.date != "" {
		if date, err = time.Parse(signature.DateLayout, q.date); err != nil {
			f.t.Fatal(err)
		}
	}
	m := signature.NewMessage(r, signature.BodyHash([]byte(q.body)))
	value, err := key.Sign(&m, q.signed, date)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Authorization", value)
}

// send authenticates a request after change has been at it.
func (f *fixture) send(q request, change func(*http.Request)) (iam.Caller, error) {
	f.t.Helper()
	r := f.received(q)
	if change != nil {
		change(r)
	}
	return f.Authenticate(f.t.Context(), r, []byte(q.body))
}

// wantRefusal checks that err is APIGW.0301 with a text that holds tail.
func wantRefusal(t testing.TB, err error, tail string) {
	t.Helper()
	e := (*csms.Error)(nil)
	if !errors.As(err, &e) || e.Code != csms.CodeUnauthenticated {
		t.Fatalf("got %v, want %s", err, csms.CodeUnauthenticated)
	}
	if !strings.HasPrefix(e.Msg, "Incorrect IAM authentication information: "+tail) {
		t.Errorf("got text %q, want the tail %q", e.Msg, tail)
	}
}

// putSecret gives an access key another secret.
func (f *fixture) putSecret(accessKey, secret string) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		k, err := tx.AccessKey(accessKey)
		if err != nil {
			return err
		}
		if k.SealedSecret, err = credential.SealSecret(f.box, k, []byte(secret)); err != nil {
			return err
		}
		return tx.PutAccessKey(k)
	})
}

// derived signs a request with the owner's key for a region (auth.md 5.6).
func (f *fixture) derived(r *http.Request, region string) string {
	f.t.Helper()
	key, err := signature.NewKey(ownerKey, []byte(vectorSecret))
	if err != nil {
		f.t.Fatal(err)
	}
	m := signature.NewMessage(r, signature.BodyHash(nil))
	value, err := key.SignDerived(&m, nil, f.wall, region, "csms")
	if err != nil {
		f.t.Fatal(err)
	}
	return value
}

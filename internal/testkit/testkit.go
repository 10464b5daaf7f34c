// Package testkit gives tests a ready Coffer in memory: real store, real keys, real
// identities, with a fixed clock and countable ids.
//
// The rule that keeps it honest: nothing in it is a fake. Only time, randomness of
// ids and the place of storage differ from a server in production.
package testkit

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"coffer/internal/auth"
	"coffer/internal/auth/signature"
	"coffer/internal/csms"
	"coffer/internal/httpapi"
	"coffer/internal/kv/memkv"
	"coffer/internal/notify"
	"coffer/internal/rotate"
	"coffer/internal/seal"
	"coffer/internal/seal/localkms"
	"coffer/internal/service"
	"coffer/internal/service/eps"
	"coffer/internal/service/identity"
	"coffer/internal/service/kms"
	"coffer/internal/service/smn"
	"coffer/internal/store"
)

// Names and ids of every kit.
const (
	DomainID  = "d0000000000000000000000000000001"
	ProjectID = "c0000000000000000000000000000001" // the default project of the domain
	Region    = "cn-north-4"

	// Further regions of the domain.
	EastRegion  = "cn-east-3"
	SouthRegion = "cn-south-1"

	Epoch = csms.Millis(1_767_225_600_000) // 2026-01-01T00:00:00Z, when the clock of a kit begins

	OtherProjectID    = "c0000000000000000000000000000002" // another project of the domain
	EastProjectID     = "c0000000000000000000000000000004" // the project of EastRegion in the domain
	SouthProjectID    = "c0000000000000000000000000000005" // the project of SouthRegion in the domain
	DisabledProjectID = "c0000000000000000000000000000003" // a project of the domain that is disabled
	ForeignProjectID  = "c0000000000000000000000000000009" // a project of another domain
	foreignDomainID   = "d0000000000000000000000000000009"

	// Owner is the name of the account owner.
	Owner          = "owner"
	OwnerPassword  = "testkit-Passw0rd"
	ownerAccessKey = "OWNERACCESSKEY000001"
	ownerSecretKey = "ownerSecretKey01234567890123456789012345"
)

// Kit is one Coffer. Its users are Owner and those of the identities it is made
// with.
type Kit struct {
	API      *httpapi.API
	Service  *service.Service
	Identity *identity.Service
	Keys     *kms.Service
	SMN      *smn.Service
	Store    *store.Store
	DB       *memkv.Store // the engine below Store; closing it makes every operation fail
	KMS      *localkms.KMS
	Log      *bytes.Buffer // everything that was logged; read it when no request runs

	options Options
	clock   atomic.Int64
	ids     atomic.Int64
	keys    map[string]*signature.Key // by user name
}

// Options change what a kit is made of.
type Options struct {
	Limits     csms.Limits // zero for the published ones
	Identities []identity.Identity
	Dev        bool // with the controls under /dev
	Topics     notify.Topics
	OnTry      func(service.Try) // is told how tries of rotations end
	Engines    rotate.Engines
}

// New returns a kit that ends with the test.
func New(t testing.TB, o Options) *Kit {
	t.Helper()
	k := &Kit{Log: &bytes.Buffer{}, keys: map[string]*signature.Key{}}
	k.clock.Store(int64(Epoch))
	if o.Limits == (csms.Limits{}) {
		o.Limits = csms.DefaultLimits()
	}
	k.options, k.DB = o, memkv.New()
	if err := k.build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *Kit) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(k.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// build makes what is stored and opens it.
func (k *Kit) build(ctx context.Context, o Options) error {
	log := k.logger()
	if err := k.openStore(ctx); err != nil {
		return err
	}
	if err := k.identities(ctx, o.Identities, log); err != nil {
		return err
	}
	k.serve(o, log)
	return nil
}

// open opens what is stored.
func (k *Kit) open(ctx context.Context, o Options, log *slog.Logger) error {
	if err := k.openStore(ctx); err != nil {
		return err
	}
	k.openIdentity(log)
	k.serve(o, log)
	return nil
}

func (k *Kit) openStore(ctx context.Context) (err error) {
	if k.Store, err = store.Open(ctx, k.DB, store.Options{}); err != nil {
		return err
	}
	root := bytes.Repeat([]byte{7}, 32)
	k.KMS, err = localkms.Open(ctx, k.Store, root, localkms.Options{Now: k.Now, Rand: rand.Reader, NewID: k.NewID})
	return err
}

// serve makes the services over what is open.
func (k *Kit) serve(o Options, log *slog.Logger) {
	sealer := seal.NewSealer(k.KMS, rand.Reader)
	k.Service = service.New(service.Options{
		Store: k.Store, Sealer: sealer, Now: k.Now, Rand: rand.Reader, NewID: k.NewID,
		Blobs: k.KMS.BlobBox, Region: Region, Limits: o.Limits, Logger: log, RotateKey: k.KMS.RotateDueKey,
		Topics: o.Topics, Engines: o.Engines, OnTry: o.OnTry, RequestID: httpapi.RequestID,
	})
	k.Keys = kms.New(kms.Options{Store: k.Store, Keys: k.KMS, Sealer: sealer, Now: k.Now, Rand: rand.Reader, Region: Region})
	k.SMN = smn.New(smn.Options{Store: k.Store, Now: k.Now, NewID: k.NewID, Region: Region, Bound: o.Topics.URNs(), RequestID: httpapi.RequestID})
	k.API = httpapi.New(k.apiOptions(o, log))
}

// identities makes the account, its projects and its users.
func (k *Kit) identities(ctx context.Context, users []identity.Identity, log *slog.Logger) error {
	k.openIdentity(log)
	_, err := k.Identity.Bootstrap(ctx, identity.BootstrapInput{
		DomainID: DomainID, DomainName: "acme", ProjectID: ProjectID, Region: Region,
		UserName: Owner, Password: OwnerPassword, AccessKey: ownerAccessKey, SecretKey: ownerSecretKey,
	})
	if err != nil {
		return err
	}
	if err := k.Identity.LoadIdentities(ctx, users); err != nil {
		return err
	}
	if err := k.remember(Owner, ownerAccessKey, ownerSecretKey); err != nil {
		return err
	}
	for _, u := range users {
		if u.AccessKey == "" {
			continue
		}
		if err := k.remember(u.Name, u.AccessKey, u.SecretKey); err != nil {
			return err
		}
	}
	return k.projects(ctx)
}

func (k *Kit) openIdentity(log *slog.Logger) {
	k.Identity = identity.New(k.Store, k.KMS.IdentityBox(), identity.Options{
		Now: k.Now, Rand: rand.Reader, Region: Region, PasswordParams: identity.DevPasswordParams(), Logger: log,
	})
}

// remember keeps the key that a user signs with.
func (k *Kit) remember(user, accessKey, secret string) error {
	key, err := signature.NewKey(accessKey, []byte(secret))
	if err != nil {
		return fmt.Errorf("access key of %s: %w", user, err)
	}
	k.keys[user] = key
	return nil
}

// projects makes the projects beside the default one, and the domain that one of
// them belongs to.
func (k *Kit) projects(ctx context.Context) error {
	project := func(id, domain, name string, enabled bool) *store.Project {
		return &store.Project{ID: id, DomainID: domain, ParentID: domain, Name: name, Enabled: enabled, CreateTime: Epoch}
	}
	return k.Store.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(
			tx.PutProject(project(OtherProjectID, DomainID, Region+"_other", true)),
			tx.PutProject(project(EastProjectID, DomainID, EastRegion, true)),
			tx.PutProject(project(SouthProjectID, DomainID, SouthRegion, true)),
			tx.PutProject(project(DisabledProjectID, DomainID, Region+"_disabled", false)),
			tx.PutDomain(&store.Domain{ID: foreignDomainID, Name: "foreign", Enabled: true, CreateTime: Epoch}),
			tx.PutProject(project(ForeignProjectID, foreignDomainID, Region, true)),
		)
	})
}

func (k *Kit) apiOptions(o Options, log *slog.Logger) httpapi.Options {
	authenticator := auth.New(k.Store, k.KMS.IdentityBox(), auth.Options{
		Region: Region, Window: 15 * time.Minute, Now: k.Now, WallNow: time.Now, Logger: log,
	})
	options := httpapi.Options{
		Service: k.Service, Identity: k.Identity, KMS: k.Keys, SMN: k.SMN, Authenticator: authenticator, Logger: log, Access: log,
		EPS:          eps.New(eps.Options{Store: k.Store, Now: k.Now, NewID: k.NewID, Region: Region}),
		Metrics:      httpapi.NewMetrics(prometheus.NewRegistry()),
		NewRequestID: func() string { return strings.Repeat("0", 32) }, WallNow: time.Now,
		BodyLimit: 6 << 20, Timeout: time.Minute,
	}
	if o.Dev {
		options.Dev = k.dev()
	}
	return options
}

// dev returns the controls over the clock of the kit; it cannot be reset.
func (k *Kit) dev() *httpapi.Dev {
	return &httpapi.Dev{
		Now:      k.Now,
		Advance:  func(ctx context.Context, by time.Duration) error { return k.Advance(ctx, by) },
		Reset:    func(context.Context) error { return csms.Invalidf("a kit cannot be reset") },
		SetState: k.Service.SetSecretState,
	}
}

// Now returns the time of the kit.
func (k *Kit) Now() csms.Millis { return csms.Millis(k.clock.Load()) }

// Advance moves the clock, does what has become due, carries out rotations, and delivers
// what is in the outbox.
func (k *Kit) Advance(ctx context.Context, by time.Duration) error {
	k.Move(by)
	if _, err := k.Service.RunDue(ctx); err != nil {
		return err
	}
	if _, err := k.Service.RunTasks(ctx); err != nil {
		return err
	}
	_, err := k.Service.DeliverMessages(ctx)
	return err
}

// Move moves the clock and does nothing else.
func (k *Kit) Move(by time.Duration) { k.clock.Add(by.Milliseconds()) }

// NewID returns the ids 00000000-0000-4000-8000-000000000001, ...02 and so on.
func (k *Kit) NewID() string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", k.ids.Add(1)) }

// Do sends a request to the API as the user of that name, "" for no credentials,
// and returns the answer.
func (k *Kit) Do(user, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	k.Sign(user, r, body)
	return k.Send(r)
}

// Send hands a request to the API.
func (k *Kit) Send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	k.API.ServeHTTP(w, r)
	return w
}

// Sign adds the signature of a user to a request, dated now; "" leaves it unsigned.
// A user that the kit does not have is a bug of the test and panics.
func (k *Kit) Sign(user string, r *http.Request, body string) { k.SignAt(user, r, body, time.Now()) }

// SignAt is Sign with another date.
func (k *Kit) SignAt(user string, r *http.Request, body string, date time.Time) {
	if user == "" {
		return
	}
	key, ok := k.keys[user]
	if !ok {
		panic("testkit: no user " + user)
	}
	m := signature.NewMessage(r, signature.BodyHash([]byte(body)))
	value, err := key.Sign(&m, nil, date)
	if err != nil {
		panic(err) // a test that builds what cannot be signed
	}
	r.Header.Set(signature.AuthorizationHeader, value)
}

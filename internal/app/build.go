package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"coffer/internal/auth"
	"coffer/internal/csms"
	"coffer/internal/httpapi"
	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
	"coffer/internal/kv/pebblekv"
	"coffer/internal/seal"
	"coffer/internal/seal/localkms"
	"coffer/internal/service"
	"coffer/internal/service/identity"
	"coffer/internal/service/kms"
	"coffer/internal/service/smn"
	"coffer/internal/store"
)

// setup is what a server is given beside its configuration.
type setup struct {
	bootstrap  identity.BootstrapInput
	identities []identity.Identity
	dev        bool
}

// stack is everything that stands on one store.
type stack struct {
	service  *service.Service
	identity *identity.Service
	keys     *kms.Service
	topics   *smn.Service
	api      *httpapi.API
	project  string
	first    identity.Bootstrapped
}

// NewServer makes a server for production from c. Its first start makes the root
// key, unless a source is named, and the account, whose credentials FirstStart
// returns once.
func NewServer(ctx context.Context, c Config, logs io.Writer) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, &ConfigError{err}
	}
	return newServer(ctx, c, logs, setup{bootstrap: identity.BootstrapInput{
		DomainName: c.Domain, Region: c.Region, UserName: c.AdminUser,
	}})
}

func newServer(ctx context.Context, c Config, logs io.Writer, in setup) (_ *Server, err error) {
	log, err := c.Log.logger(logs)
	if err != nil {
		return nil, err
	}
	proxies, err := c.Auth.proxies()
	if err != nil {
		return nil, err
	}
	registry := newRegistry()
	s := &Server{config: c, log: log, clock: &Clock{}, metrics: httpapi.NewMetrics(registry), proxies: proxies, lines: newGroupWriter(logs)}
	if s.access, err = c.Log.logger(s.lines); err != nil {
		return nil, err
	}
	if s.db, err = openStore(c, log); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if s.topics, err = s.openTopics(); err != nil {
		return nil, &ConfigError{err}
	}
	if s.keystone, err = s.openKeystone(); err != nil {
		return nil, &ConfigError{err}
	}
	if s.issuers, err = s.openIssuers(); err != nil {
		return nil, &ConfigError{err}
	}
	if s.targets, err = s.openTargets(); err != nil {
		return nil, &ConfigError{err}
	}
	if in.dev {
		s.dev = &devControls{server: s, setup: in}
	}
	if err := s.loadCertificate(ctx); err != nil {
		return nil, err
	}
	s.measure(registry)
	if err := s.listen(ctx); err != nil {
		return nil, err
	}
	if s.functions, err = s.openFunctions(); err != nil {
		return nil, &ConfigError{err}
	}
	if s.clouds, err = s.openCloudDatabases(); err != nil {
		return nil, &ConfigError{err}
	}
	st, err := s.build(ctx, in)
	if err != nil {
		return nil, err
	}
	s.stack.Store(st)
	return s, nil
}

// openStore opens the embedded engine, or the memory engine where no directory is
// named, which only dev mode allows.
func openStore(c Config, log *slog.Logger) (kv.Store, error) {
	if c.Data == "" {
		return memkv.New(), nil
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	return pebblekv.Open(storeDir(c.Data), pebblekv.Options{CacheBytes: c.Cache.BlockBytes, Logger: log})
}

// clearStore deletes every key of db.
func clearStore(ctx context.Context, db kv.Store) error {
	var keys [][]byte
	err := db.View(ctx, func(r kv.Reader) error {
		for item, err := range r.Scan(kv.Range{From: []byte{0}, To: []byte{0xff, 0xff}}) {
			if err != nil {
				return err
			}
			keys = append(keys, append([]byte(nil), item.Key...))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx kv.Txn) error {
		for _, key := range keys {
			if err := tx.Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}

// loadCertificate reads the certificate that the configuration names, or makes one.
func (s *Server) loadCertificate(ctx context.Context) error {
	t := s.config.TLS
	if t.Off {
		return nil
	}
	s.cert = &certificate{certFile: t.Certificate, keyFile: t.Key, log: s.log}
	if t.Certificate == "" {
		own, err := s.selfMade()
		if err != nil {
			return err
		}
		s.cert.certFile, s.cert.keyFile, s.cert.renew, s.caPath = own.cert(), own.key(), own.make, own.ca()
		if err := own.make(time.Now()); err != nil {
			return err
		}
	}
	return s.cert.load(ctx)
}

// selfMade returns where a certificate of our own is kept: with the data, or in a
// directory that nobody else can guess and that goes with the server.
func (s *Server) selfMade() (*selfMade, error) {
	own := &selfMade{hosts: s.config.hosts()}
	if s.config.Data == "" {
		var err error
		if s.scratch, err = os.MkdirTemp("", "coffer-dev-tls-"); err != nil {
			return nil, fmt.Errorf("making a certificate: %w", err)
		}
		own.dir = s.scratch
		return own, nil
	}
	data, err := filepath.Abs(s.config.Data) // the path is printed, for shells in any directory
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	own.dir = filepath.Join(data, "tls")
	return own, nil
}

// build puts the parts together over the store of s.
func (s *Server) build(ctx context.Context, in setup) (*stack, error) {
	st, err := store.Open(ctx, s.db, store.Options{CacheBytes: s.config.Cache.RecordBytes})
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	kms, err := s.config.openKMS(ctx, st, s.clock.Now)
	if err != nil {
		return nil, err
	}
	ids := identity.New(st, kms.IdentityBox(), s.identityOptions(in))
	first, err := ids.Bootstrap(ctx, in.bootstrap)
	if err != nil {
		return nil, fmt.Errorf("making the account: %w", err)
	}
	if err := ids.LoadIdentities(ctx, in.identities); err != nil {
		return nil, fmt.Errorf("loading identities: %w", err)
	}
	allow, err := parseNetworks("outgoing.allow_networks", s.config.Outgoing.AllowNetworks)
	if err != nil {
		return nil, err
	}
	targets, err := s.targetsIn(ctx, st, first)
	if err != nil {
		return nil, err
	}
	sealer := seal.NewSealer(kms, rand.Reader)
	out := &stack{identity: ids, project: first.ProjectID, first: first}
	out.service = service.New(service.Options{
		Store: st, Sealer: sealer, Now: s.clock.Now, Rand: rand.Reader, NewID: newID,
		Blobs: kms.BlobBox, Region: s.config.Region, Aliases: s.config.Aliases, Limits: s.limits(), Logger: s.log, RotateKey: kms.RotateDueKey,
		Topics: s.topics, RequestID: httpapi.RequestID,
		Engines: s.functions.or(s.clouds.or(databases(func() *service.Service { return out.service }, allow))),
		Targets: targets, OnTry: s.rotations.observe,
	})
	out.keys = s.keys(st, kms, sealer)
	out.topics = smn.New(smn.Options{
		Store: st, Now: s.clock.Now, NewID: newID, Region: s.config.Region, Bound: s.topics.URNs(), RequestID: httpapi.RequestID,
	})
	out.api = httpapi.New(s.apiOptions(ctx, st, kms, out))
	return out, nil
}

// openKMS opens the embedded KMS of a store with the root key of the configuration.
func (c *Config) openKMS(ctx context.Context, st *store.Store, now func() csms.Millis) (*localkms.KMS, error) {
	root, err := c.rootKey(ctx, st)
	if err != nil {
		return nil, err
	}
	defer root.Wipe()
	kms, err := localkms.Open(ctx, st, root.Bytes(), localkms.Options{Now: now, Rand: rand.Reader, NewID: newID})
	if errors.Is(err, seal.ErrWrongRoot) {
		return nil, fmt.Errorf("the root key is not the one that %s was made with; name the right source under root_key: %w", c.Data, err)
	}
	return kms, err
}

func (s *Server) limits() csms.Limits {
	l := s.config.Limits
	return csms.Limits{SecretsPerProject: l.SecretsPerProject, ValueBytes: l.ValueBytes, DotsInNames: l.DotsInNames}
}

func newID() string { return uuid.NewString() }

// requestIDs returns a source of request ids: 32 hex digits, unique in this process
// and, by their random half, among all.
func requestIDs() func() string {
	var half [8]byte
	_, _ = rand.Read(half[:]) // never fails
	var count atomic.Uint64
	return func() string {
		var id [16]byte
		copy(id[:], half[:])
		binary.BigEndian.PutUint64(id[8:], count.Add(1))
		return hex.EncodeToString(id[:])
	}
}

func (s *Server) authOptions() auth.Options {
	a := s.config.Auth
	return auth.Options{
		Region: s.config.Region, Window: a.ClockTolerance, Now: s.clock.Now, WallNow: time.Now,
		AllowUnsignedPayload: a.AllowUnsignedPayload, DebugSignatures: a.DebugSignatures, Logger: s.log,
		RegionAliases: s.config.Aliases, AnyRegion: s.dev != nil, TrustedProxies: s.proxies, RequestID: httpapi.RequestID,
		Keystone: s.keystone,
	}
}

func (s *Server) identityOptions(in setup) identity.Options {
	o := identity.Options{
		Now: s.clock.Now, Rand: rand.Reader, Region: s.config.Region, RegionAliases: s.config.Aliases, AnyRegion: in.dev,
		TokenTTL: s.config.Auth.TokenTTL, Logger: s.log, Services: []string{"iam", "identity", "kms", "csms", "sts", "smn"},
		Issuers: s.issuers,
	}
	if in.dev {
		o.PasswordParams = identity.DevPasswordParams() // its password is public
	}
	return o
}

func (s *Server) apiOptions(ctx context.Context, st *store.Store, kms *localkms.KMS, parts *stack) httpapi.Options {
	o := httpapi.Options{
		Service: parts.service, Identity: parts.identity, KMS: parts.keys, SMN: parts.topics, EPS: s.enterpriseProjects(st),
		Authenticator: auth.New(st, kms.IdentityBox(), s.authOptions()),
		Logger:        s.log, Metrics: s.metrics, PublicURL: s.config.PublicURL,
		NewRequestID: requestIDs(), WallNow: time.Now, Ready: s.ready,
		Rate: s.config.Limits.RequestsPerSecond, BodyLimit: s.config.Limits.BodyBytes, Timeout: s.config.Timeouts.Request,
	}
	if s.config.Log.Requests && s.log.Enabled(ctx, slog.LevelInfo) {
		o.Access = s.access
	}
	if s.dev != nil {
		o.Dev = s.dev.api()
	}
	return o
}

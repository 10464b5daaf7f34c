package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"coffer/internal/csms"
	"coffer/internal/httpapi"
	"coffer/internal/service/identity"
)

// DevConfig is what `coffer dev` is told by its flags.
type DevConfig struct {
	Listen    string
	AccessKey string
	SecretKey string
	ProjectID string
	Region    string
	Data      string // directory of the embedded engine; "" keeps everything in memory
	TLS       bool
	IAM       string // file with further identities; "" for none
	Sinks     []SinkConfig
	Functions []FunctionConfig
	Log       LogConfig
}

// DefaultDevConfig returns the fixed defaults of the run contract. They are public,
// so they protect nothing: `coffer dev` is for tests.
func DefaultDevConfig() DevConfig {
	return DevConfig{
		Listen:    "127.0.0.1:9180",
		AccessKey: "COFFERDEVACCESSKEY01",
		SecretKey: "cofferDevSecretKeyDoNotUseInProduction01",
		ProjectID: "c0ffeec0ffeec0ffeec0ffeec0ffee00",
		Region:    "cn-north-4",
		Log:       LogConfig{Level: "warn", Format: "text"},
	}
}

// Names and ids of dev mode that no flag changes.
const (
	devDomain   = "coffer-dev"
	devDomainID = "c0ffeec0ffeec0ffeec0ffeec0ffeed0"
	devUser     = "dev"
	devPassword = "dev-Passw0rd"
)

// NewDev makes a server for tests: held clock, fixed credentials, controls under
// /dev. It listens once this returns, and answers once Run is called.
func NewDev(ctx context.Context, d DevConfig, logs io.Writer) (*Server, error) {
	if err := d.check(); err != nil {
		return nil, &ConfigError{err}
	}
	identities, err := readIdentities(d.IAM)
	if err != nil {
		return nil, &ConfigError{err}
	}
	c := DefaultConfig()
	c.Listen, c.Region, c.Data, c.Domain, c.AdminUser, c.Aliases, c.Log = d.Listen, d.Region, d.Data, devDomain, devUser, nil, d.Log
	c.Sinks, c.Functions, c.Outgoing.AllowNetworks = d.Sinks, d.Functions, []string{"127.0.0.0/8", "::1/128"} // tests listen there
	c.TLS.Off = !d.TLS
	c.Auth.DebugSignatures = true
	return newServer(ctx, c, logs, setup{
		bootstrap: identity.BootstrapInput{
			DomainID: devDomainID, DomainName: devDomain, ProjectID: d.ProjectID, Region: d.Region,
			UserName: devUser, Password: devPassword, AccessKey: d.AccessKey, SecretKey: d.SecretKey,
		},
		identities: identities, dev: true,
	})
}

// check reports flags that would give a server that no client can talk to.
func (d *DevConfig) check() error {
	errs := []error{checkListen(d.Listen)}
	if !isRegion(d.ProjectID) { // the same alphabet
		errs = append(errs, fmt.Errorf("project-id is %q; it takes letters, digits, '-' and '_', and most clients insist on 32 hex digits", d.ProjectID))
	}
	if !isRegion(d.Region) {
		errs = append(errs, fmt.Errorf("region is %q; it takes letters, digits, '-' and '_', such as cn-north-4", d.Region))
	}
	return errors.Join(errs...)
}

// readIdentities reads the file of --iam: users with passwords, access keys and
// policies. Unknown keys are errors.
func readIdentities(path string) ([]identity.Identity, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("reading identities: %w", err)
	}
	defer text.Close() //nolint:errcheck // it was only read
	var file struct {
		Users []identity.Identity `yaml:"users"`
	}
	if err := decodeYAML(text, &file); err != nil {
		return nil, fmt.Errorf("reading identities from %s:\n%w", path, err)
	}
	return file.Users, nil
}

// devControls lets the tests that use the server hold its clock, empty it, and set
// states.
type devControls struct {
	server *Server
	setup  setup
	gate   sync.RWMutex // held for reading by a request, for writing by a reset
}

func (d *devControls) api() *httpapi.Dev {
	s := d.server
	return &httpapi.Dev{
		Now:     s.clock.Now,
		Advance: d.advance,
		Reset:   d.reset,
		SetState: func(ctx context.Context, project, name string, to csms.State) (*csms.Secret, error) {
			return s.current().service.SetSecretState(ctx, project, name, to)
		},
	}
}

// advance moves the clock, does what has become due, carries out rotations, and delivers
// what is in the outbox.
func (d *devControls) advance(ctx context.Context, by time.Duration) error {
	if err := d.server.clock.Advance(by); err != nil {
		return csms.Invalidf("advance: %v.", err)
	}
	s := d.server.current().service
	if _, err := s.RunDue(ctx); err != nil {
		return err
	}
	if _, err := s.RunTasks(ctx); err != nil {
		return err
	}
	_, err := s.DeliverMessages(ctx)
	return err
}

// reset empties the store and builds the stack anew, with the identities it began
// with. Requests under way end before, new ones wait. The reset is a request itself
// and lets go of the gate that it holds as one.
func (d *devControls) reset(ctx context.Context) error {
	d.gate.RUnlock()
	defer d.gate.RLock()
	d.gate.Lock()
	defer d.gate.Unlock()
	s := d.server
	if err := clearStore(ctx, s.db); err != nil {
		return fmt.Errorf("emptying the store: %w", err)
	}
	s.clock.Reset()
	st, err := s.build(ctx, d.setup)
	if err != nil {
		return err
	}
	s.stack.Store(st)
	s.log.InfoContext(ctx, "reset", slog.String("project_id", st.project))
	return nil
}

// handler lets requests pass while no reset runs.
func (d *devControls) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.gate.RLock()
		defer d.gate.RUnlock()
		next.ServeHTTP(w, r)
	})
}

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"coffer/internal/auth"
	"coffer/internal/csms"
	"coffer/internal/httpapi"
	"coffer/internal/jobs"
	"coffer/internal/kv"
	"coffer/internal/notify"
	"coffer/internal/service/identity"
)

// Server is one running Coffer: a listener, the stack behind it, and the jobs.
type Server struct {
	config   Config
	log      *slog.Logger
	access   *slog.Logger // of requests, through lines
	lines    *groupWriter
	clock    *Clock
	db       kv.Store
	cert     *certificate // nil without TLS
	caPath   string       // CA of a self-made certificate, "" otherwise
	scratch  string       // directory that goes with the server, "" for none
	listener net.Listener
	http     *http.Server
	metrics  *httpapi.Metrics

	stack     atomic.Pointer[stack]
	stopping  atomic.Bool
	dev       *devControls // nil but in dev mode
	topics    notify.Topics
	functions functions
	clouds    cloudDatabases
	targets   []csms.DatabaseTarget // of the configuration, before their projects are known
	rotations *rotationMetrics
	keystone  auth.Keystone
	issuers   map[string]identity.Issuer
	proxies   []netip.Prefix
}

// Run serves until ctx ends, then finishes the requests in flight, writes down what
// is only in memory, and closes the store.
func (s *Server) Run(ctx context.Context) error {
	runner := jobs.Start(context.WithoutCancel(ctx), s.log, s.jobs()...)
	served := make(chan error, 1)
	go func() { served <- s.serve() }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		err = s.shutdown(context.WithoutCancel(ctx), served)
	}
	runner.Stop()
	return errors.Join(err, s.close(context.WithoutCancel(ctx)))
}

func (s *Server) serve() error {
	err := s.serveListener()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving on %s: %w", s.Addr(), err)
}

func (s *Server) serveListener() error {
	if s.cert == nil {
		return s.http.Serve(s.listener)
	}
	return s.http.ServeTLS(s.listener, "", "") // which offers HTTP/2 too
}

// shutdown stops accepting and waits for requests in flight, as long as the
// configuration says.
func (s *Server) shutdown(ctx context.Context, served <-chan error) error {
	s.stopping.Store(true)
	s.log.InfoContext(ctx, "stopping", slog.Duration("at_most", s.config.Timeouts.Shutdown))
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeouts.Shutdown)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
		return fmt.Errorf("waiting for requests in flight: %w", err)
	}
	return <-served
}

// Close gives back what a server holds that Run is not called for.
func (s *Server) Close() error { return s.release() }

// close writes down what is only in memory, and gives everything back.
func (s *Server) close(ctx context.Context) error {
	return errors.Join(s.current().service.FlushUsage(ctx), s.lines.flush(ctx), s.release())
}

// release closes listener and store, as far as there are any, and removes what goes
// with the server.
func (s *Server) release() error {
	var errs []error
	if s.listener != nil {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.scratch != "" {
		errs = append(errs, os.RemoveAll(s.scratch))
	}
	s.functions.close()
	s.clouds.shut()
	return errors.Join(append(errs, s.topics.Close(), s.db.Close())...)
}

// Pauses of the jobs. A due secret is never readable late, however long the sweep
// waits, so a pause only says how long its bytes stay (DEL7).
const (
	duePause         = time.Second
	rotationPause    = time.Second
	deliveryPause    = time.Second
	usagePause       = 10 * time.Second
	certificatePause = 10 * time.Second
)

func (s *Server) jobs() []jobs.Job {
	list := []jobs.Job{
		{Name: "due", Every: duePause, Run: s.withStack(func(ctx context.Context, st *stack) error {
			_, err := st.service.RunDue(ctx)
			return err
		})},
		{Name: "rotations", Every: rotationPause, Run: s.withStack(func(ctx context.Context, st *stack) error {
			_, err := st.service.RunTasks(ctx)
			return err
		})},
		{Name: "notifications", Every: deliveryPause, Run: s.withStack(func(ctx context.Context, st *stack) error {
			_, err := st.service.DeliverMessages(ctx)
			return err
		})},
		{Name: "last_used_time", Every: usagePause, Run: s.withStack(func(ctx context.Context, st *stack) error {
			return st.service.FlushUsage(ctx)
		})},
		{Name: "access log", Every: accessPause, Run: s.lines.flush},
	}
	if s.cert != nil {
		list = append(list, jobs.Job{Name: "certificate", Every: certificatePause, Run: s.cert.reload})
	}
	return list
}

// withStack returns a job on the stack in use, which no reset of dev mode replaces
// meanwhile.
func (s *Server) withStack(run func(context.Context, *stack) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if s.dev != nil {
			s.dev.gate.RLock()
			defer s.dev.gate.RUnlock()
		}
		return run(ctx, s.current())
	}
}

// current returns the stack in use; only a reset in dev mode changes it.
func (s *Server) current() *stack { return s.stack.Load() }

// ServeHTTP hands a request to the stack in use.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.current().api.ServeHTTP(w, r)
}

// handler returns the stack in use, behind the gate of dev mode.
func (s *Server) handler() http.Handler {
	if s.dev != nil {
		return s.dev.handler(s)
	}
	return s
}

// listen opens the listener and makes the HTTP server for it.
func (s *Server) listen(ctx context.Context) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", s.config.Listen, err)
	}
	s.listener = listener
	s.warnIfExposed(ctx)
	t := s.config.Timeouts
	s.http = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: t.ReadHeader, ReadTimeout: t.Read, WriteTimeout: t.Write, IdleTimeout: t.Idle,
		MaxHeaderBytes: 1 << 20, // the API itself refuses more than a token needs, with the gateway's answer
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if s.cert != nil {
		s.http.TLSConfig = s.cert.config()
	}
	return nil
}

// warnIfExposed tells of a listener that other machines can reach and should not.
func (s *Server) warnIfExposed(ctx context.Context) {
	address := slog.String("address", s.Addr())
	switch {
	case !s.exposed():
	case s.dev != nil:
		s.log.WarnContext(ctx, "other machines can reach this server, and its credentials are public: coffer dev is for tests", address)
	case s.cert == nil:
		s.log.WarnContext(ctx, "serving plain HTTP to other machines: whoever reads the network reads the values", address)
	}
}

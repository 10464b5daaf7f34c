package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"coffer/internal/httpapi"
	"coffer/internal/jobs"
	"coffer/internal/kv"
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
	listener net.Listener
	http     *http.Server
	metrics  *httpapi.Metrics

	stack   atomic.Pointer[stack]
	dev     *devControls // nil but in dev mode
	proxies []netip.Prefix
}

// Addr returns the address the server listens on, with the port that was chosen for
// port 0.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL returns the address as clients reach it.
func (s *Server) URL() string {
	switch {
	case s.config.PublicURL != "":
		return s.config.PublicURL
	case s.cert != nil:
		return "https://" + s.Addr()
	default:
		return "http://" + s.Addr()
	}
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
	s.log.InfoContext(ctx, "stopping", slog.Duration("at_most", s.config.Timeouts.Shutdown))
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeouts.Shutdown)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
		return fmt.Errorf("waiting for requests in flight: %w", err)
	}
	return <-served
}

// close releases the store, after the last use of values has been written down.
func (s *Server) close(ctx context.Context) error {
	flushed := s.current().service.FlushUsage(ctx)
	return errors.Join(flushed, s.lines.flush(ctx), s.db.Close())
}

// Pauses of the jobs. A due secret is never readable late, however long the sweep
// waits, so a pause only says how long its bytes stay (DEL7).
const (
	duePause         = time.Second
	usagePause       = 10 * time.Second
	certificatePause = 10 * time.Second
)

func (s *Server) jobs() []jobs.Job {
	list := []jobs.Job{
		{Name: "due", Every: duePause, Run: func(ctx context.Context) error {
			_, err := s.current().service.RunDue(ctx)
			return err
		}},
		{Name: "last_used_time", Every: usagePause, Run: func(ctx context.Context) error {
			return s.current().service.FlushUsage(ctx)
		}},
	}
	list = append(list, jobs.Job{Name: "access log", Every: accessPause, Run: s.lines.flush})
	if s.cert != nil {
		list = append(list, jobs.Job{Name: "certificate", Every: certificatePause, Run: s.cert.reload})
	}
	return list
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
	t := s.config.Timeouts
	s.http = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: t.ReadHeader, ReadTimeout: t.Read, WriteTimeout: t.Write, IdleTimeout: t.Idle,
		MaxHeaderBytes: 1 << 20, // the API itself refuses more than a token needs, with the gateway's answer
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if s.cert != nil {
		s.http.TLSConfig = s.cert.config()
	}
	s.listener = listener
	return nil
}

// newMetrics returns the metrics of the process and of the API.
func newMetrics() *httpapi.Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return httpapi.NewMetrics(registry)
}

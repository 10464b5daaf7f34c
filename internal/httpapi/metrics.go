package httpapi

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts and times requests. No label holds a name that a caller chose, so
// the number of series is bounded by the route table.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// NewMetrics returns metrics that are registered with registry, which Handler
// serves.
func NewMetrics(registry *prometheus.Registry) *Metrics {
	m := &Metrics{
		registry: registry,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coffer_requests_total", Help: "Requests answered, by operation, HTTP status and error code.",
		}, []string{"operation", "status", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "coffer_request_duration_seconds", Help: "Time to answer a request, by operation.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}, []string{"operation"}),
	}
	registry.MustRegister(m.requests, m.seconds)
	return m
}

// Handler serves everything that is registered with the registry.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *Metrics) observe(x *exchange, took time.Duration) {
	code, _, _ := strings.Cut(string(x.code), "/")
	m.requests.WithLabelValues(x.route.Name, strconv.Itoa(x.status), code).Inc()
	m.seconds.WithLabelValues(x.route.Name).Observe(took.Seconds())
}

// account writes one exchange into log and metrics.
func (a *API) account(x *exchange, took time.Duration) {
	if a.Metrics != nil {
		a.Metrics.observe(x, took)
	}
	if a.Access == nil {
		return
	}
	attrs := append(make([]slog.Attr, 0, 14),
		slog.String("request_id", x.requestID),
		slog.String("operation", x.route.Name),
		slog.String("method", x.r.Method),
		slog.String("path", x.r.URL.Path),
		slog.Int("status", x.status),
		slog.String("code", string(x.code)),
		slog.String("user_id", x.who.ActorID()),
		slog.String("access_key", x.who.AccessKey),
		slog.String("project_id", x.who.ProjectID),
		slog.String("source_ip", x.r.RemoteAddr),
		slog.Int("bytes", x.size),
		slog.Duration("took", took),
	)
	if as := x.who.Assumed; as != nil {
		attrs = append(attrs, slog.String("agency_id", as.AgencyID), slog.String("agency_session", as.Session))
	}
	if x.who.TaskID != "" {
		attrs = append(attrs, slog.String("rotation_task_id", x.who.TaskID))
	}
	a.Access.LogAttrs(x.ctx, slog.LevelInfo, "request", attrs...)
}

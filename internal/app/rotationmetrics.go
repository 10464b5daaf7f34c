package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/service"
)

// otherCode stands for the codes that functions make up, so that they bound no label.
const otherCode = "OTHER"

// rotationMetrics counts how rotations end, and tells what waits. No label holds a name
// that a caller or a function chose.
type rotationMetrics struct {
	tasks   *prometheus.CounterVec
	failed  *prometheus.CounterVec
	seconds *prometheus.HistogramVec

	backlog         func(context.Context) (running int, oldest time.Duration, err error)
	running, oldest *prometheus.Desc
}

// newRotationMetrics returns metrics that ask backlog at each scrape.
func newRotationMetrics(backlog func(context.Context) (int, time.Duration, error)) *rotationMetrics {
	return &rotationMetrics{
		tasks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coffer_rotation_tasks_total", Help: "Rotation tasks that ended, by status and by what began them.",
		}, []string{"status", "operate_type"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coffer_rotation_failed_tries_total", Help: "Tries of rotation tasks that failed, by task_error_code; OTHER for codes that functions made up.",
		}, []string{"code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "coffer_rotation_duration_seconds", Help: "Time from the beginning of a rotation task to its end, by status.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 400, 900},
		}, []string{"status"}),
		backlog: backlog,
		running: prometheus.NewDesc("coffer_rotation_tasks_running", "Rotation tasks that have not ended.", nil, nil),
		oldest:  prometheus.NewDesc("coffer_rotation_oldest_due_seconds", "Age of the oldest rotation, or try of one, that is due and not done; 0 when none is.", nil, nil),
	}
}

// observe notes how a try ended.
func (m *rotationMetrics) observe(t service.Try) {
	if t.Code != "" {
		m.failed.WithLabelValues(codeLabel(t.Code)).Inc()
	}
	if t.Status == csms.TaskRunning {
		return
	}
	m.tasks.WithLabelValues(string(t.Status), string(t.OperateType)).Inc()
	m.seconds.WithLabelValues(string(t.Status)).Observe(t.Took.Seconds())
}

func codeLabel(code rotate.Code) string {
	if _, known := rotate.CauseOf(code); known {
		return string(code)
	}
	return otherCode
}

// Describe implements prometheus.Collector.
func (m *rotationMetrics) Describe(out chan<- *prometheus.Desc) {
	m.tasks.Describe(out)
	m.failed.Describe(out)
	m.seconds.Describe(out)
	out <- m.running
	out <- m.oldest
}

// scrapeTimeout bounds the look at the store that a scrape takes.
const scrapeTimeout = 5 * time.Second

// Collect implements prometheus.Collector.
func (m *rotationMetrics) Collect(out chan<- prometheus.Metric) {
	m.tasks.Collect(out)
	m.failed.Collect(out)
	m.seconds.Collect(out)
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	running, oldest, err := m.backlog(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(m.oldest, err)
		return
	}
	out <- prometheus.MustNewConstMetric(m.running, prometheus.GaugeValue, float64(running))
	out <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, oldest.Seconds())
}

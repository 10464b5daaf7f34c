package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"coffer/internal/kv/pebblekv"
)

// newRegistry returns a registry with the metrics of the process.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// measure adds what this server has beside the API: rotations, the embedded engine and
// the certificate.
func (s *Server) measure(registry *prometheus.Registry) {
	s.rotations = newRotationMetrics(func(ctx context.Context) (int, time.Duration, error) { return s.current().service.RotationBacklog(ctx) })
	registry.MustRegister(s.rotations)
	if db, ok := s.db.(*pebblekv.Store); ok {
		registry.MustRegister(&engineCollector{db: db, rows: engineRows()})
	}
	if s.cert != nil {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "coffer_certificate_not_after_seconds", Help: "End of the certificate in use, in seconds since 1970.",
		}, func() float64 { return float64(s.cert.current.Load().Leaf.NotAfter.Unix()) }))
	}
}

// engineCollector exports the numbers of the embedded engine, all of one moment.
type engineCollector struct {
	db   *pebblekv.Store
	rows []engineRow
}

// engineRow is one number of the engine.
type engineRow struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*pebblekv.Metrics) float64
}

func engineRows() []engineRow {
	row := func(kind prometheus.ValueType, name, help string, value func(*pebblekv.Metrics) float64) engineRow {
		return engineRow{prometheus.NewDesc("coffer_store_"+name, help, nil, nil), kind, value}
	}
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return []engineRow{
		row(gauge, "disk_bytes", "Size of all files of the store.", func(m *pebblekv.Metrics) float64 { return float64(m.DiskBytes) }),
		row(gauge, "log_bytes", "Size of the log that a start after a crash would replay.", func(m *pebblekv.Metrics) float64 { return float64(m.LogBytes) }),
		row(gauge, "cache_bytes", "Blocks in the cache.", func(m *pebblekv.Metrics) float64 { return float64(m.CacheBytes) }),
		row(counter, "cache_hits_total", "Blocks found in the cache.", func(m *pebblekv.Metrics) float64 { return float64(m.CacheHits) }),
		row(counter, "cache_misses_total", "Blocks read from disk.", func(m *pebblekv.Metrics) float64 { return float64(m.CacheMiss) }),
		row(counter, "transactions_total", "Transactions committed.", func(m *pebblekv.Metrics) float64 { return float64(m.Transactions) }),
		row(counter, "batches_total", "Syncs of the log; transactions for each is the gain of grouping.", func(m *pebblekv.Metrics) float64 { return float64(m.Batches) }),
		row(counter, "reruns_total", "Transactions that ran a second time because of a conflict.", func(m *pebblekv.Metrics) float64 { return float64(m.Reruns) }),
		row(gauge, "failed", "1 once a write to the log has failed: no more writes until a restart.", func(m *pebblekv.Metrics) float64 {
			if m.Failed {
				return 1
			}
			return 0
		}),
	}
}

// Describe implements prometheus.Collector.
func (c *engineCollector) Describe(out chan<- *prometheus.Desc) {
	for _, row := range c.rows {
		out <- row.desc
	}
}

// Collect implements prometheus.Collector.
func (c *engineCollector) Collect(out chan<- prometheus.Metric) {
	m := c.db.Metrics()
	for _, row := range c.rows {
		out <- prometheus.MustNewConstMetric(row.desc, row.kind, row.value(&m))
	}
}

package pebblekv

import (
	"testing"

	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
)

// BenchmarkStore reports, beside the times, how many transactions share a sync and
// how many functions run a second time.
func BenchmarkStore(b *testing.B) {
	var before Metrics
	open := func(b *testing.B) kv.Store { return openStore(b, b.TempDir(), Options{}) }
	kvtest.Bench(b, open, func(b *testing.B, s kv.Store) {
		now := s.(*Store).Metrics()
		if batches := now.Batches - before.Batches; batches > 0 {
			transactions := now.Transactions - before.Transactions
			b.ReportMetric(float64(transactions)/float64(batches), "tx/sync")
			b.ReportMetric(float64(now.Reruns-before.Reruns)/float64(transactions), "reruns/tx")
		}
		before = now
	})
}

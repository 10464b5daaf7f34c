package service_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
	"coffer/internal/kv/pebblekv"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// A page that is filtered by tags costs the same in a project of 1,000 secrets and in
// one of 100,000: both are measured in turn, and the ratio is what counts.
func BenchmarkTagFilteredPage(b *testing.B) {
	team := csms.TagFilter{Key: "team", Values: []string{"a"}}
	everywhere := csms.TagFilter{Key: "env", Values: []string{"prod"}}
	listings := map[string]service.InstanceListing{
		"value":                {Selection: csms.Selection{Tags: []csms.TagFilter{team}}, Limit: 10},
		"beside_common_value":  {Selection: csms.Selection{Tags: []csms.TagFilter{everywhere, team}}, Limit: 10},
		"any_value_and_a_name": {Selection: csms.Selection{Tags: []csms.TagFilter{{Key: "team"}}, Matches: []csms.Match{{Key: csms.MatchName, Value: "s"}}}, Limit: 10},
	}
	for engine, open := range map[string]func(*testing.B) kv.Store{
		"memory": func(*testing.B) kv.Store { return memkv.New() },
		"pebble": func(b *testing.B) kv.Store {
			db, err := pebblekv.Open(b.TempDir(), pebblekv.Options{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			return db
		},
	} {
		small, large := serviceOf(b, open(b), 1_000), serviceOf(b, open(b), 100_000)
		for name, listing := range listings {
			b.Run(engine+"/"+name, func(b *testing.B) { comparePages(b, small, large, listing) })
		}
	}
}

func comparePages(b *testing.B, small, large *service.Service, listing service.InstanceListing) {
	var took [2]time.Duration
	for b.Loop() {
		for i, s := range []*service.Service{small, large} {
			start := time.Now()
			page, err := s.ListResourceInstances(b.Context(), owner(), listing)
			if took[i] += time.Since(start); err != nil || page.Total != 20 || len(page.Secrets) != 10 {
				b.Fatalf("%d of %d secrets, %v", len(page.Secrets), page.Total, err)
			}
		}
	}
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(b.N), "ns/1k")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(b.N), "ns/100k")
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "ratio")
}

// serviceOf returns a service over a project of n secrets: all have env=prod, and 20
// of them, far apart, team=a.
func serviceOf(b *testing.B, db kv.Store, n int) *service.Service {
	b.Helper()
	st, err := store.Open(b.Context(), db, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() })
	const step = 500
	for from := 0; from < n; from += step {
		err := st.Update(b.Context(), func(tx *store.Tx) error {
			for i := from; i < from+step; i++ {
				if err := tx.PutSecret(benchSecret(i, i%(n/20) == 0)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return service.New(service.Options{
		Store: st, Now: func() csms.Millis { return testkit.Epoch }, Region: testkit.Region,
		Limits: csms.DefaultLimits(), Logger: slog.New(slog.DiscardHandler),
	})
}

func benchSecret(i int, ofTeam bool) *csms.Secret {
	sec := csms.New(csms.Creation{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012x", i), DomainID: testkit.DomainID, ProjectID: testkit.ProjectID,
		Name: fmt.Sprintf("s%06d", i), KMSKeyID: "k", Kind: csms.Text,
	}, testkit.Epoch)
	sec.Tags = []csms.Tag{{Key: "env", Value: "prod"}}
	if ofTeam {
		sec.Tags = append(sec.Tags, csms.Tag{Key: "team", Value: "a"})
	}
	return sec
}

package service_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

// pages are pages of 50, each with the number of secrets that it must hold.
var pages = map[string]func(*testing.B, *service.Service) int{
	"all": func(b *testing.B, s *service.Service) int {
		return listed(b, s, service.Listing{Limit: 50, Marker: "s000499"})
	},
	"event": func(b *testing.B, s *service.Service) int {
		return listed(b, s, service.Listing{Limit: 50, EventName: "nightly"})
	},
	"tag value": func(b *testing.B, s *service.Service) int {
		return tagged(b, s, csms.Selection{Tags: []csms.TagFilter{team}})
	},
	"tag beside a common value": func(b *testing.B, s *service.Service) int {
		return tagged(b, s, csms.Selection{Tags: []csms.TagFilter{{Key: "env", Values: []string{"prod"}}, team}})
	},
	"tag of any value and a name": func(b *testing.B, s *service.Service) int {
		return tagged(b, s, csms.Selection{Tags: []csms.TagFilter{{Key: "team"}}, Matches: []csms.Match{{Key: csms.MatchName, Value: "s"}}})
	},
	"instances, all": func(b *testing.B, s *service.Service) int { return instances(b, s, csms.Selection{}) },
	"tag that all have": func(b *testing.B, s *service.Service) int {
		return instances(b, s, csms.Selection{Tags: []csms.TagFilter{{Key: "env", Values: []string{"prod"}}}})
	},
	"notification record": func(b *testing.B, s *service.Service) int {
		page, err := s.ListNotificationRecords(b.Context(), owner(), service.NotificationListing{Limit: 50})
		if err != nil || !page.More {
			b.Fatal(err)
		}
		return len(page.Items)
	},
	"tags of the project, 25 times": func(b *testing.B, s *service.Service) (n int) {
		for range 25 {
			tags, err := s.ListProjectSecretsTags(b.Context(), owner())
			if err != nil {
				b.Fatal(err)
			}
			n += len(tags)
		}
		return n
	},
	"task": func(b *testing.B, s *service.Service) int { return tasksOf(b, s, service.TaskListing{Limit: 50}) },
	"task of a status": func(b *testing.B, s *service.Service) int {
		return tasksOf(b, s, service.TaskListing{Limit: 50, Status: csms.TaskFailed})
	},
}

func tasksOf(b *testing.B, s *service.Service, l service.TaskListing) int {
	page, err := s.ListSecretTask(b.Context(), owner(), l)
	if err != nil || !page.More {
		b.Fatalf("%d tasks in all, %v", page.Total, err)
	}
	return len(page.Items)
}

var team = csms.TagFilter{Key: "team", Values: []string{"a"}}

func listed(b *testing.B, s *service.Service, l service.Listing) int {
	page, err := s.ListSecrets(b.Context(), owner(), l)
	if err != nil {
		b.Fatal(err)
	}
	return len(page.Items)
}

func instances(b *testing.B, s *service.Service, sel csms.Selection) int {
	page, err := s.ListResourceInstances(b.Context(), owner(), service.InstanceListing{Selection: sel, Limit: 50})
	if err != nil {
		b.Fatal(err)
	}
	return len(page.Secrets)
}

func tagged(b *testing.B, s *service.Service, sel csms.Selection) int {
	page, err := s.ListResourceInstances(b.Context(), owner(), service.InstanceListing{Selection: sel, Limit: 50})
	if err != nil || page.Total != selected {
		b.Fatalf("%d secrets in all, %v", page.Total, err)
	}
	return len(page.Secrets)
}

// A page costs the same in a project of 1,000 secrets and in one of 100,000: both are
// measured in turn, and the ratio is what counts. It has to be under 2.
func BenchmarkPage(b *testing.B) {
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
		for name, page := range pages {
			b.Run(engine+"/"+name, func(b *testing.B) { comparePages(b, small, large, page) })
		}
	}
}

func comparePages(b *testing.B, ofSmall, ofLarge *service.Service, page func(*testing.B, *service.Service) int) {
	var took [2][]time.Duration
	for b.Loop() {
		for i, s := range []*service.Service{ofSmall, ofLarge} {
			start := time.Now()
			n := page(b, s)
			if took[i] = append(took[i], time.Since(start)); n != 50 {
				b.Fatalf("%d secrets on the page", n)
			}
		}
	}
	small, large := median(took[0]), median(took[1])
	b.ReportMetric(float64(small.Nanoseconds()), "ns/1k")
	b.ReportMetric(float64(large.Nanoseconds()), "ns/100k")
	b.ReportMetric(large.Seconds()/small.Seconds(), "ratio")
}

// median is what the rest of the machine disturbs least.
func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// selected is the number of secrets with team=a and the event.
const selected = 100

// serviceOf returns a service over a project of n secrets: all have env=prod, and some,
// far apart, team=a and a subscription to the event nightly.
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
				sec := benchSecret(i, i%(n/selected) == 0)
				if err := errors.Join(tx.PutSecret(sec), tx.PutTask(benchTask(sec, i)), tx.PutNotification(benchRecord(sec, i))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if pebble, ok := db.(*pebblekv.Store); ok { // what was just loaded lies in many files yet
		if err := pebble.Compact(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return service.New(service.Options{
		Store: st, Now: func() csms.Millis { return testkit.Epoch }, Region: testkit.Region,
		Limits: csms.DefaultLimits(), Logger: slog.New(slog.DiscardHandler),
	})
}

// benchTask is a task of a secret that has ended: it failed where the secret has team=a.
func benchTask(sec *csms.Secret, i int) *csms.Task {
	task := sec.NewTask(fmt.Sprintf("00000000-0000-4000-9000-%012x", i), csms.OperateManual, testkit.Epoch+csms.Millis(i))
	task.Succeed(testkit.Epoch)
	if len(sec.EventSubscriptions) > 0 {
		task.Status = csms.TaskFailed
	}
	return task
}

// benchRecord is the record of a message about a secret.
func benchRecord(sec *csms.Secret, i int) *store.NotificationRecord {
	return &store.NotificationRecord{
		NotificationPlace: store.NotificationPlace{CreateTime: testkit.Epoch, Number: 1}, ProjectID: sec.ProjectID,
		MessageID: fmt.Sprintf("00000000-0000-4000-a000-%012x", i), EventName: "nightly", Type: csms.SecretDeleted, SecretName: sec.Name, Status: csms.DeliverySuccess,
	}
}

func benchSecret(i int, ofTeam bool) *csms.Secret {
	sec := csms.New(csms.Creation{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012x", i), DomainID: testkit.DomainID, ProjectID: testkit.ProjectID,
		Name: fmt.Sprintf("s%06d", i), KMSKeyID: "k", Kind: csms.Text,
	}, testkit.Epoch)
	sec.Tags = []csms.Tag{{Key: "env", Value: "prod"}}
	if ofTeam {
		sec.Tags = append(sec.Tags, csms.Tag{Key: "team", Value: "a"})
		sec.EventSubscriptions = []string{"nightly"}
	}
	return sec
}

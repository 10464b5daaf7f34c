package service_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/kv"
	"coffer/internal/kv/pebblekv"
	"coffer/internal/seal"
	"coffer/internal/seal/localkms"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// regions is a Coffer of several regions over the embedded engine, that can be
// stopped at any point and started again on what is on the disk.
type regions struct {
	t     *testing.T
	dir   string
	clock atomic.Int64
	ids   atomic.Int64
	log   strings.Builder

	db      kv.Store
	store   *store.Store
	service *service.Service
	keys    *localkms.KMS

	sealing func() // called before a data key is made for a copy; may be nil
}

func newRegions(t *testing.T) *regions {
	t.Helper()
	s := &regions{t: t, dir: t.TempDir()}
	s.clock.Store(int64(testkit.Epoch))
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *regions) now() csms.Millis { return csms.Millis(s.clock.Load()) }
func (s *regions) newID() string    { return fmt.Sprintf("00000000-0000-4000-8000-%012x", s.ids.Add(1)) }

// start opens what is on the disk.
func (s *regions) start() {
	s.t.Helper()
	ctx := context.Background()
	db, err := pebblekv.Open(s.dir, pebblekv.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.db = db
	if s.store, err = store.Open(ctx, db, store.Options{}); err != nil {
		s.t.Fatal(err)
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		project := func(id, name string) error {
			return tx.PutProject(&store.Project{ID: id, DomainID: testkit.DomainID, ParentID: testkit.DomainID, Name: name, Enabled: true})
		}
		return errors.Join(project(testkit.ProjectID, testkit.Region), project(testkit.EastProjectID, testkit.EastRegion),
			project(testkit.SouthProjectID, testkit.SouthRegion))
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if s.keys, err = localkms.Open(ctx, s.store, make([]byte, 32), localkms.Options{Now: s.now, Rand: rand.Reader, NewID: s.newID}); err != nil {
		s.t.Fatal(err)
	}
	s.service = service.New(service.Options{
		Store: s.store, Sealer: seal.NewSealer(&watched{s.keys, s}, rand.Reader), Now: s.now, NewID: s.newID, Region: testkit.Region,
		Aliases: []string{"north"}, Limits: csms.DefaultLimits(), Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
}

func (s *regions) stop() {
	if err := s.db.Close(); err != nil {
		s.t.Error(err)
	}
}

// restart stops and starts again, as after a crash: nothing is flushed or finished.
func (s *regions) restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

// watched is the KMS, with a call before each data key of another region.
type watched struct {
	*localkms.KMS
	site *regions
}

func (w *watched) NewDataKey(ctx context.Context, key seal.Key, aad []byte) (plain, wrapped []byte, err error) {
	if f := w.site.sealing; f != nil && key.Project != testkit.ProjectID {
		f()
	}
	return w.KMS.NewDataKey(ctx, key, aad)
}

func (s *regions) create(name string) *csms.Secret {
	s.t.Helper()
	sec, err := s.service.CreateSecret(s.t.Context(), owner(), newSecret(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return sec
}

func (s *regions) replicate(name, region string) { s.replicateUnder(name, region, "") }

func (s *regions) replicateUnder(name, region, key string) {
	s.t.Helper()
	if _, err := s.service.CreateSecretReplica(s.t.Context(), owner(), name, service.NewReplica{Region: region, KMSKeyID: key}); err != nil {
		s.t.Fatal(err)
	}
}

// customerKey makes a key in a project beside its default one.
func (s *regions) customerKey(project string) string {
	s.t.Helper()
	key, err := s.keys.CreateKey(s.t.Context(), project, testkit.DomainID, "mine", "")
	if err != nil {
		s.t.Fatal(err)
	}
	return key.ID
}

func (s *regions) disable(project, key string) {
	s.t.Helper()
	if _, err := s.keys.DisableKey(s.t.Context(), project, key); err != nil {
		s.t.Fatal(err)
	}
}

// attempts returns how many attempts to copy db have failed since its last change.
func (s *regions) attempts() int {
	s.t.Helper()
	sec, err := s.service.ShowSecret(s.t.Context(), owner(), "db")
	if err != nil {
		s.t.Fatal(err)
	}
	return sec.Replica(testkit.EastRegion).Attempts
}

func (s *regions) addVersion(name, value string) {
	s.t.Helper()
	if _, err := s.service.CreateSecretVersion(s.t.Context(), owner(), name, service.NewVersion{Text: csms.Plaintext(value)}); err != nil {
		s.t.Fatal(err)
	}
}

// run does what is due d from now.
func (s *regions) run(d time.Duration) {
	s.t.Helper()
	s.clock.Add(d.Milliseconds())
	if _, err := s.service.RunDue(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// status returns the status of the copy of a secret in a region, "" for none.
func (s *regions) status(name, region string) csms.ReplicaStatus {
	s.t.Helper()
	sec, err := s.service.ShowSecret(s.t.Context(), owner(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	r := sec.Replica(region)
	if r == nil {
		return ""
	}
	return r.Status
}

func (s *regions) expect(name, region string, want csms.ReplicaStatus) {
	s.t.Helper()
	if got := s.status(name, region); got != want {
		s.t.Errorf("the copy of %s in %s is %q, want %q\n%s", name, region, got, want, s.log.String())
	}
}

// value returns a value as it is read in a project, or the code of the refusal.
func (s *regions) value(project, name, version string) string {
	s.t.Helper()
	v, err := s.service.ShowSecretVersion(s.t.Context(), in(project), name, version)
	if err != nil {
		return string(csms.CodeOf(err))
	}
	return string([]byte(v.Value.Data))
}

func (s *regions) expectValue(project, name, version, want string) {
	s.t.Helper()
	if got := s.value(project, name, version); got != want {
		s.t.Errorf("%s of %s in project %s is %q, want %q", version, name, project, got, want)
	}
}

// intact fails the test for what Verify finds.
func (s *regions) intact() {
	s.t.Helper()
	found, err := s.store.Verify(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range found {
		s.t.Error(f)
	}
}

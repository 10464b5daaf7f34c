package service_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/kv/pebblekv"
	"coffer/internal/notify"
	"coffer/internal/notify/webhook"
	"coffer/internal/outgoing"
	"coffer/internal/seal"
	"coffer/internal/seal/localkms"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// scripted is a sink that answers what the test says and remembers what it took.
type scripted struct {
	answer func(m *notify.Message) error

	mu    sync.Mutex
	taken []string // type and version of each message that was accepted
}

func (s *scripted) Deliver(_ context.Context, m *notify.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil {
		if err := s.answer(m); err != nil {
			return err
		}
	}
	s.taken = append(s.taken, m.SecretName+" "+versionOf(m))
	return nil
}

func (s *scripted) Close() error { return nil }

func versionOf(m *notify.Message) string {
	var document csms.Message
	if err := json.Unmarshal(m.Document, &document); err != nil {
		return err.Error()
	}
	return document.VersionID
}

func records(t *testing.T, k *testkit.Kit) []string {
	t.Helper()
	page, err := k.Service.ListNotificationRecords(t.Context(), owner(), service.NotificationListing{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, n := range page.Items {
		out = append(out, fmt.Sprintf("%s %s %s at %d", n.SecretName, n.Type, n.Status, (n.CreateTime-testkit.Epoch)/1000))
	}
	return out
}

func deliverMessages(t *testing.T, k *testkit.Kit, want int) {
	t.Helper()
	if done, err := k.Service.DeliverMessages(t.Context()); done != want || err != nil {
		t.Errorf("DeliverMessages at %d s = %d, %v; want %d", (k.Now()-testkit.Epoch)/1000, done, err, want)
	}
}

// neighbours.md 2.4: a target that is down all day fails after 24 h, at the times of
// the back-off; what waited behind is tried once even then, and a target that is back
// gets the rest.
func TestADeliveryFailsAfterADay(t *testing.T) {
	var tries []csms.Millis
	var k *testkit.Kit
	down := true
	sink := &scripted{answer: func(m *notify.Message) error {
		if down && versionOf(m) == "v1" {
			tries = append(tries, (k.Now()-testkit.Epoch)/1000)
			return errors.New("down")
		}
		return nil
	}}
	k = testkit.New(t, testkit.Options{Topics: notify.Topics{topic: sink}})
	createEvent(t, k, "nightly")
	if _, err := k.Service.CreateSecret(t.Context(), owner(), subscribed("db", "nightly")); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Service.CreateSecretVersion(t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext("x")}); err != nil {
		t.Fatal(err)
	}
	for range 24*60*12 - 1 {
		deliverMessages(t, k, 0)
		k.Move(5 * time.Second)
	}
	if got := records(t, k); got != nil || sink.taken != nil {
		t.Errorf("before the day is over: records %q, taken %q", got, sink.taken)
	}
	k.Move(5 * time.Second)
	deliverMessages(t, k, 2)
	if first, last := tries[:6], tries[len(tries)-1]; cmp.Diff([]csms.Millis{0, 5, 15, 35, 75, 155}, first) != "" || last != 86400 || len(tries) != 34 {
		t.Errorf("%d tries: %v ... %d", len(tries), first, last)
	}
	want := []string{"db SECRET_VERSION_CREATED SUCCESS at 86400", "db SECRET_VERSION_CREATED FAIL at 86400"}
	if diff := cmp.Diff(want, records(t, k)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if got := outbox(t, k.Store); got != nil {
		t.Errorf("left in the outbox: %+v", got)
	}
}

// A refusal for good and a target that is no target end a delivery at once (E3).
func TestRefusalsEndADelivery(t *testing.T) {
	sink := &scripted{answer: func(m *notify.Message) error {
		return map[string]error{"refused": notify.Failedf("no"), "gone": notify.Invalidf("gone")}[m.SecretName]
	}}
	k := testkit.New(t, testkit.Options{Topics: notify.Topics{topic: sink}})
	createEvent(t, k, "nightly")
	elsewhere := newEvent("elsewhere")
	elsewhere.Notification.TargetID = "urn:unbound"
	if _, err := k.Service.CreateSecretEvent(t.Context(), owner(), elsewhere); err != nil {
		t.Fatal(err)
	}
	for i, in := range []service.NewSecret{subscribed("fine", "nightly"), subscribed("refused", "nightly"), subscribed("gone", "nightly"), subscribed("unbound", "elsewhere")} {
		if _, err := k.Service.CreateSecret(t.Context(), owner(), in); err != nil {
			t.Fatal(i, err)
		}
		deliverMessages(t, k, 1)
		k.Move(time.Second)
	}
	want := []string{
		"unbound SECRET_VERSION_CREATED INVALID at 3", "gone SECRET_VERSION_CREATED INVALID at 2",
		"refused SECRET_VERSION_CREATED FAIL at 1", "fine SECRET_VERSION_CREATED SUCCESS at 0",
	}
	if diff := cmp.Diff(want, records(t, k)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// A message keeps the target that it was fired for, whatever becomes of the event.
func TestAMessageKeepsItsTarget(t *testing.T) {
	sink := &scripted{}
	k := testkit.New(t, testkit.Options{Topics: notify.Topics{topic: sink}})
	createEvent(t, k, "nightly")
	if _, err := k.Service.CreateSecret(t.Context(), owner(), subscribed("db", "nightly")); err != nil {
		t.Fatal(err)
	}
	if err := k.Service.DeleteSecret(t.Context(), owner(), "db"); err != nil {
		t.Fatal(err)
	}
	if err := k.Service.DeleteSecretEvent(t.Context(), owner(), "nightly"); err != nil {
		t.Fatal(err)
	}
	deliverMessages(t, k, 2)
	if diff := cmp.Diff([]string{"db v1", "db "}, sink.taken); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
}

// One secret whose target hangs holds up no other, and two runs at once send nothing
// twice and out of order.
func TestManySecretsAndTwoRuns(t *testing.T) {
	sink := &scripted{answer: func(m *notify.Message) error {
		if m.SecretName == "s7" {
			return errors.New("down")
		}
		return nil
	}}
	k := testkit.New(t, testkit.Options{Topics: notify.Topics{topic: sink}, Limits: csms.Limits{SecretsPerProject: 1000, ValueBytes: 100}})
	createEvent(t, k, "nightly")
	const secrets = 300 // more than one look takes
	want := map[string][]string{}
	for i := range secrets {
		name := fmt.Sprint("s", i)
		if _, err := k.Service.CreateSecret(t.Context(), owner(), subscribed(name, "nightly")); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Service.CreateSecretVersion(t.Context(), owner(), name, service.NewVersion{Text: csms.Plaintext("x")}); err != nil {
			t.Fatal(err)
		}
		if name != "s7" {
			want[name] = []string{name + " v1", name + " v2"}
		}
	}
	var both sync.WaitGroup
	var done atomic.Int64
	for range 2 {
		both.Go(func() {
			n, err := k.Service.DeliverMessages(t.Context())
			if err != nil {
				t.Error(err)
			}
			done.Add(int64(n))
		})
	}
	both.Wait()
	got := map[string][]string{}
	for _, text := range sink.taken {
		var name, version string
		if _, err := fmt.Sscan(text, &name, &version); err != nil {
			t.Fatal(err)
		}
		got[name] = append(got[name], text)
	}
	if diff := cmp.Diff(want, got); diff != "" || done.Load() != 2*(secrets-1) {
		t.Errorf("%d deliveries (-want +got):\n%s", done.Load(), diff)
	}
	if left := outbox(t, k.Store); len(left) != 2 || left[0].SecretName != "s7" {
		t.Errorf("left in the outbox: %+v", left)
	}
}

// site is a Coffer over the embedded engine that can be stopped at any point and
// started again on what is on the disk.
type site struct {
	t     *testing.T
	dir   string
	url   string
	clock atomic.Int64
	ids   atomic.Int64

	db      *pebblekv.Store
	service *service.Service

	lose atomic.Bool // the next delivery is sent, and then the disk is gone before it is noted
}

func (s *site) now() csms.Millis { return csms.Millis(s.clock.Load()) }
func (s *site) newID() string    { return fmt.Sprintf("00000000-0000-4000-8000-%012x", s.ids.Add(1)) }
func (s *site) wall() time.Time  { return time.UnixMilli(s.clock.Load()) }
func (s *site) move(d time.Duration) {
	s.clock.Add(d.Milliseconds())
}

// crashing delivers, and then takes the disk away, if the site is to lose it.
type crashing struct {
	notify.Sink
	site *site
}

func (c *crashing) Deliver(ctx context.Context, m *notify.Message) error {
	err := c.Sink.Deliver(ctx, m)
	if err == nil && c.site.lose.Swap(false) {
		if err := c.site.db.Close(); err != nil {
			c.site.t.Error(err)
		}
	}
	return err
}

// start opens what is on the disk.
func (s *site) start() {
	s.t.Helper()
	db, err := pebblekv.Open(filepath.Join(s.dir, "store"), pebblekv.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	st, err := store.Open(s.t.Context(), db, store.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	err = st.Update(s.t.Context(), func(tx *store.Tx) error {
		return tx.PutProject(&store.Project{ID: testkit.ProjectID, DomainID: testkit.DomainID, Name: testkit.Region, Enabled: true})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	kms, err := localkms.Open(s.t.Context(), st, make([]byte, 32), localkms.Options{Now: s.now, Rand: rand.Reader, NewID: s.newID})
	if err != nil {
		s.t.Fatal(err)
	}
	hook, err := webhook.New(webhook.Options{
		URL: s.url, Client: outgoing.New(outgoing.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}), Now: s.wall,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.db = db
	s.service = service.New(service.Options{
		Store: st, Sealer: seal.NewSealer(kms, rand.Reader), Now: s.now, NewID: s.newID, Region: testkit.Region,
		Limits: csms.DefaultLimits(), Logger: slog.New(slog.DiscardHandler),
		Topics: notify.Topics{topic: notify.NewBreaker(&crashing{hook, s}, s.wall)},
	})
}

// receiver is a webhook receiver that can be down.
type receiver struct {
	down atomic.Bool
	mu   sync.Mutex
	got  []csms.Message
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var event struct{ Data csms.Message }
	if err := json.NewDecoder(req.Body).Decode(&event); err != nil || event.Data.EventID != req.Header.Get("webhook-id") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, event.Data)
}

// A receiver that is down for an hour and then returns gets every message, exactly in
// order for each secret, over two restarts and two crashes between sending and
// noting; what comes twice has the same id and the same content.
func TestAnHourOfOutageAndCrashes(t *testing.T) {
	r := &receiver{}
	server := httptest.NewServer(r)
	defer server.Close()
	s := &site{t: t, dir: t.TempDir(), url: server.URL}
	s.clock.Store(int64(testkit.Epoch))
	s.start()
	if _, err := s.service.CreateSecretEvent(t.Context(), owner(), newEvent("nightly")); err != nil {
		t.Fatal(err)
	}
	names := []string{"a", "b", "c"}
	want := map[string][]string{}
	for _, name := range names {
		if _, err := s.service.CreateSecret(t.Context(), owner(), subscribed(name, "nightly")); err != nil {
			t.Fatal(err)
		}
		want[name] = append(want[name], "SECRET_VERSION_CREATED v1")
	}
	r.down.Store(true)
	var made [60]string // versions, by minute; each expires two minutes later
	for minute := range 60 {
		s.move(time.Minute)
		name := names[minute%len(names)]
		in := service.NewVersion{Text: csms.Plaintext("x"), ExpireTime: s.now() + 90_000}
		v, err := s.service.CreateSecretVersion(t.Context(), owner(), name, in)
		if err != nil {
			t.Fatal(err)
		}
		want[name] = append(want[name], "SECRET_VERSION_CREATED "+v.Version.ID())
		made[minute] = v.Version.ID()
		if minute >= 2 {
			expired := names[(minute-2)%len(names)]
			want[expired] = append(want[expired], "SECRET_VERSION_EXPIRED "+made[minute-2])
		}
		if _, err := s.service.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if done, err := s.service.DeliverMessages(t.Context()); done != 0 || err != nil {
			t.Fatalf("minute %d: %d deliveries, %v", minute, done, err)
		}
		if minute%25 == 10 {
			if err := s.db.Close(); err != nil {
				t.Fatal(err)
			}
			s.start()
		}
	}
	if err := s.service.DeleteSecret(t.Context(), owner(), "b"); err != nil {
		t.Fatal(err)
	}
	want["b"] = append(want["b"], "SECRET_DELETED ")

	r.down.Store(false)
	crashes := 0
	for range 2 * 60 {
		s.move(time.Minute)
		s.lose.Store(crashes < 2)
		if _, err := s.service.DeliverMessages(t.Context()); err != nil {
			crashes++
			s.start()
		}
	}
	if crashes != 2 || outboxOf(t, s) != 0 {
		t.Fatalf("%d crashes, %d messages left", crashes, outboxOf(t, s))
	}
	got, repeated := unrepeated(t, r.got)
	for _, name := range names {
		if diff := cmp.Diff(want[name], got[name]); diff != "" {
			t.Errorf("messages about %s (-want +got):\n%s", name, diff)
		}
	}
	if repeated < crashes {
		t.Errorf("%d repetitions for %d crashes", repeated, crashes)
	}
	page, err := s.service.ListNotificationRecords(t.Context(), owner(), service.NotificationListing{Limit: 1000})
	if total := len(got["a"]) + len(got["b"]) + len(got["c"]); err != nil || len(page.Items) != total {
		t.Errorf("%d records for %d messages, %v", len(page.Items), total, err)
	}
	for _, n := range page.Items {
		if n.Status != csms.DeliverySuccess {
			t.Errorf("record %+v", n)
		}
	}
	if err := s.db.Close(); err != nil {
		t.Error(err)
	}
}

// unrepeated returns type and version of the messages about each secret, in the order
// they came first. A repetition must come before anything later about its secret, and
// must be the same.
func unrepeated(t *testing.T, all []csms.Message) (about map[string][]string, repeated int) {
	t.Helper()
	about = map[string][]string{}
	last := map[string]csms.Message{}
	seen := map[string]bool{}
	for _, m := range all {
		if seen[m.EventID] {
			repeated++
			if diff := cmp.Diff(last[m.SecretName], m); diff != "" {
				t.Errorf("a repetition differs from what came before (-before +now):\n%s", diff)
			}
			continue
		}
		seen[m.EventID], last[m.SecretName] = true, m
		about[m.SecretName] = append(about[m.SecretName], string(m.EventType)+" "+m.VersionID)
	}
	return about, repeated
}

func outboxOf(t *testing.T, s *site) (n int) {
	t.Helper()
	st, err := store.Open(t.Context(), s.db, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return len(outbox(t, st))
}

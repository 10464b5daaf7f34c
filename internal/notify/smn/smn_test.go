package smn

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/auth/signature"
	"coffer/internal/notify"
	"coffer/internal/notify/notifytest"
	"coffer/internal/outgoing"
)

const (
	accessKey = "SMNACCESSKEY00000001"
	project   = "c0000000000000000000000000000001"
)

var topic = notifytest.Message(0).TopicURN

// service is SMN, as far as publishing goes: it checks what it gets.
type service struct {
	t      *testing.T
	key    *signature.Key
	status atomic.Int32

	mu   sync.Mutex
	last map[string]any
	docs []string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender gave up
	}
	header, err := signature.ParseHeader(r.Header.Get("Authorization"))
	if err != nil {
		s.t.Errorf("authorization: %v", err)
		return
	}
	message := signature.NewMessage(r, signature.BodyHash(body))
	if err := s.key.Verify(&header, &message, signature.RefuseUnsigned); err != nil {
		s.t.Errorf("signature: %v", err)
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v2/"+project+"/notifications/topics/"+topic+"/publish" || r.Header.Get("X-Project-Id") != project {
		s.t.Errorf("%s %s for %s", r.Method, r.URL.Path, r.Header.Get("X-Project-Id"))
	}
	status := int(s.status.Load())
	w.WriteHeader(status)
	if status != http.StatusOK {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := json.Unmarshal(body, &s.last); err != nil {
		s.t.Error(err)
	}
	s.docs = append(s.docs, s.last["message"].(string))
}

func (s *service) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.docs...)
}

func newKey(t *testing.T) *signature.Key {
	t.Helper()
	key, err := signature.NewKey(accessKey, []byte(notifytest.Secret))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func target(t *testing.T) (*service, *Sink) {
	t.Helper()
	s := &service{t: t, key: newKey(t)}
	s.status.Store(http.StatusOK)
	server := httptest.NewServer(s)
	sink, err := New(Options{
		Endpoint: server.URL, TopicURN: topic, Key: newKey(t), Now: time.Now,
		Client: outgoing.New(outgoing.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return s, sink
}

func TestSuite(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
		s, sink := target(t)
		return &notifytest.Harness{Sink: sink, Received: s.received, Answer: func(class notify.Class) bool {
			s.status.Store(map[notify.Class]int32{notify.Delivered: 200, notify.Retry: 503, notify.Invalid: 404, notify.Failed: 403}[class])
			return true
		}}
	})
}

// neighbours.md 2.2.
func TestTheCall(t *testing.T) {
	s, sink := target(t)
	m := notifytest.Message(7)
	if err := sink.Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"subject": "CSMS SECRET_VERSION_CREATED demo-secret", "message": string(m.Document), "time_to_live": "3600",
		"message_attributes": []any{map[string]any{"name": "event_type", "type": "STRING", "value": "SECRET_VERSION_CREATED"}},
	}
	if diff := cmp.Diff(want, s.last); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	for status, class := range map[int32]notify.Class{400: notify.Failed, 401: notify.Retry, 403: notify.Failed, 404: notify.Invalid, 429: notify.Retry, 500: notify.Retry, 302: notify.Retry} {
		s.status.Store(status)
		if err := sink.Deliver(t.Context(), m); notify.ClassOf(err) != class {
			t.Errorf("%d: %v; want class %s", status, err, class)
		}
	}
}

// A publication goes on as it came, subject or not.
func TestAPublicationGoesOn(t *testing.T) {
	s, sink := target(t)
	m := notifytest.Publication(7)
	want := map[string]any{
		"subject": m.Published.Subject, "message": m.Published.Text, "time_to_live": "3600",
		"message_attributes": []any{map[string]any{"name": "event_type", "type": "STRING", "value": "Notification"}},
	}
	for range 2 {
		if err := sink.Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, s.last); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
		m.Published.Subject, s.last = "", nil
		delete(want, "subject")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{
		{Endpoint: "", TopicURN: topic},
		{Endpoint: "ftp://h", TopicURN: topic},
		{Endpoint: "https://h/v2", TopicURN: topic},
		{Endpoint: "https://u:p@h", TopicURN: topic},
		{Endpoint: "https://h", TopicURN: "ops"},
		{Endpoint: "https://h", TopicURN: "urn:smn:r::t"},
		{Endpoint: "https://h", TopicURN: "urn:smn:r:p:t:x"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("New(%+v) is accepted", o)
		}
	}
}

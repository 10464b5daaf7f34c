package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/notify"
	"coffer/internal/notify/notifytest"
	"coffer/internal/outgoing"
)

const wall = 1_767_225_600

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// receiver is a target that checks what it gets.
type receiver struct {
	t      *testing.T
	status atomic.Int32 // to answer

	mu   sync.Mutex
	docs []string
	last http.Header
	body []byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender gave up
	}
	status := int(r.status.Load())
	if status/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
	if status != http.StatusOK {
		return
	}
	var event struct {
		ID   string          `json:"id"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil || event.ID != req.Header.Get("webhook-id") {
		r.t.Errorf("body %s, id %s: %v", body, req.Header.Get("webhook-id"), err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.docs, r.last, r.body = append(r.docs, string(event.Data)), req.Header, body
}

func (r *receiver) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.docs...)
}

func newSink(t *testing.T, url string, allow []netip.Prefix) *Sink {
	t.Helper()
	s, err := New(Options{
		URL: url, Secret: []byte(notifytest.Secret), Client: outgoing.New(outgoing.Options{Allow: allow}),
		Now: func() time.Time { return time.Unix(wall, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// target returns a receiver and a sink in front of it.
func target(t *testing.T) (*receiver, *Sink) {
	t.Helper()
	r := &receiver{t: t}
	r.status.Store(http.StatusOK)
	server := httptest.NewServer(r)
	s := newSink(t, server.URL+"/"+notifytest.Secret, loopback)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return r, s
}

func TestSuite(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
		r, s := target(t)
		return &notifytest.Harness{Sink: s, Received: r.received, Answer: func(class notify.Class) bool {
			status, has := map[notify.Class]int32{notify.Delivered: 200, notify.Retry: 503, notify.Invalid: 410}[class]
			if has {
				r.status.Store(status)
			}
			return has
		}}
	})
}

// neighbours.md 2.4: CloudEvents 1.0 in structured JSON, signed as Standard Webhooks.
func TestTheFormOnTheWire(t *testing.T) {
	r, s := target(t)
	m := notifytest.Message(7)
	if err := s.Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := `{"specversion":"1.0","id":"00000000-0000-8000-8000-000000000007",` +
		`"source":"/regions/cn-north-4/projects/c0000000000000000000000000000001/secrets/demo-secret",` +
		`"type":"csms.secret.version.created","time":"2026-01-01T00:00:00.000Z","datacontenttype":"application/json","data":` + string(m.Document) + `}`
	if diff := cmp.Diff(want, string(r.body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	mac := hmac.New(sha256.New, []byte(notifytest.Secret))
	mac.Write([]byte("00000000-0000-8000-8000-000000000007.1767225600." + want))
	headers := map[string]string{
		"Content-Type": "application/cloudevents+json; charset=UTF-8", "Webhook-Id": m.ID, "Webhook-Timestamp": "1767225600",
		"Webhook-Signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}
	for name, value := range headers {
		if got := r.last.Get(name); got != value {
			t.Errorf("%s = %q; want %q", name, got, value)
		}
	}
}

// A publication comes from its topic, and is no event of a secret.
func TestTheFormOfAPublication(t *testing.T) {
	r, s := target(t)
	m := notifytest.Publication(7)
	if err := s.Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := `{"specversion":"1.0","id":"00000000-0000-8000-8000-000000000007",` +
		`"source":"/regions/cn-north-4/projects/c0000000000000000000000000000001/topics/topic",` +
		`"type":"smn.notification","time":"2026-01-01T00:00:00.000Z","datacontenttype":"application/json","data":` + string(m.Document) + `}`
	if diff := cmp.Diff(want, string(r.body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestOnly2xxIsAcceptance(t *testing.T) {
	r, s := target(t)
	for status, class := range map[int32]notify.Class{
		204: notify.Delivered, 301: notify.Retry, 307: notify.Retry, 400: notify.Retry, 404: notify.Retry, 410: notify.Invalid, 429: notify.Retry, 500: notify.Retry,
	} {
		r.status.Store(status)
		if err := s.Deliver(t.Context(), notifytest.Message(1)); notify.ClassOf(err) != class {
			t.Errorf("%d: %v; want class %s", status, err, class)
		}
	}
}

// P5: an address that was not allowed is refused after the name was resolved.
func TestAnAddressThatIsNotAllowedIsInvalid(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1:1/x", "http://localhost:1/x", "http://169.254.169.254/latest", "http://[::1]:1/", "http://[::ffff:127.0.0.1]:1/"} {
		s := newSink(t, url, nil)
		if err := s.Deliver(t.Context(), notifytest.Message(1)); notify.ClassOf(err) != notify.Invalid {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, url := range []string{"", "ftp://h/x", "http:///x", "//h/x", "https://user:pass@h/x", "http://h:%"} {
		if _, err := New(Options{URL: url}); err == nil || strings.Contains(err.Error(), "pass") {
			t.Errorf("New(%q): %v", url, err)
		}
	}
}

func TestParseSecret(t *testing.T) {
	key := bytes.Repeat([]byte{0xfe}, 24)
	text := "whsec_" + base64.StdEncoding.EncodeToString(key)
	if got, err := ParseSecret([]byte(" " + text + "\n")); err != nil || !bytes.Equal(got, key) {
		t.Errorf("ParseSecret: %x, %v", got, err)
	}
	for _, bad := range []string{"", "whsec_", "whsec_AAAA", strings.TrimPrefix(text, "whsec_"), text + "!", "whsec_" + base64.StdEncoding.EncodeToString(key[:23])} {
		if _, err := ParseSecret([]byte(bad)); err == nil {
			t.Errorf("ParseSecret(%q) is accepted", bad)
		}
	}
}

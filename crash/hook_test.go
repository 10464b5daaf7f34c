package crash

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// hook is a target of notifications, which keeps what it gets.
type hook struct {
	url string
	// answer returns the status for the call of that number, from 1 on; 0 hangs up.
	answer func(call int) int

	mu    sync.Mutex
	calls []string      // headers and bodies
	more  chan struct{} // closed and made anew with every call
}

func newHook(t *testing.T, answer func(call int) int) *hook {
	t.Helper()
	h := &hook{answer: answer, more: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

func (h *hook) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the server has died in the middle of it
	}
	h.mu.Lock()
	h.calls = append(h.calls, fmt.Sprint(r.Header, "\n", string(body)))
	status := h.answer(len(h.calls))
	close(h.more)
	h.more = make(chan struct{})
	h.mu.Unlock()
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

// all returns what has come so far.
func (h *hook) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.calls)
}

// await waits until enough says that what has come is enough.
func (h *hook) await(t *testing.T, what string, enough func(calls []string) bool) {
	t.Helper()
	end := time.After(patience)
	for {
		h.mu.Lock()
		done, more := enough(h.calls), h.more
		h.mu.Unlock()
		if done {
			return
		}
		select {
		case <-more:
		case <-end:
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// sinkConfig is the part of a configuration that binds a topic to the hook.
func (h *hook) sinkConfig(topic, path, more string) string {
	return fmt.Sprintf("sinks: [{topic_urn: %q, type: webhook, url: %q%s}]\noutgoing: {allow_networks: [127.0.0.0/8]}\n", topic, h.url+path, more)
}

// eventBody is the body of CreateSecretEvent for a topic.
func eventBody(name, topic string) string {
	return quote(`{"name":%q,"event_types":["SECRET_VERSION_CREATED","SECRET_DELETED"],"state":"ENABLED",`+
		`"notification":{"target_type":"SMN","target_id":%q,"target_name":"ops"}}`, name, topic)
}

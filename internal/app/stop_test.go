package app

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"

	"coffer/internal/client"
)

// TestStopFinishesRequests: a request in flight is carried out and answered; while it
// lasts the server is alive, takes nothing new, and is not ready.
func TestStopFinishesRequests(t *testing.T) {
	data := t.TempDir()
	s := serve(t, data, func(c *Config) { c.TLS.Off = true })
	first := s.current().first
	body, answered := slowCreate(t, s, s.token(t, first.UserName, first.Password))

	stopping := s.logs.watch(`"stopping"`)
	s.cancel()
	<-stopping
	for path, want := range map[string]int{"/readyz": http.StatusServiceUnavailable, "/healthz": http.StatusOK} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s while stopping: %d %s", path, w.Code, w.Body)
		}
	}
	for {
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			break // as it has to be from some moment on
		}
		conn.Close()
	}
	if _, err := io.WriteString(body, `"secret_string":"kept"}`); err != nil {
		t.Fatal(err)
	}
	body.Close()
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request in flight was answered with %d", status)
	}
	s.stop(t)

	s = serve(t, data, func(c *Config) { c.TLS.Off = true })
	wantValue(t, s.client(t, client.Config{ProjectID: first.ProjectID, AccessKey: first.AccessKey, SecretKey: first.SecretKey}), "slow", "kept")
}

// slowCreate sends the first half of a CreateSecret and returns once the server has
// asked for its body. The rest goes into the writer; the status comes from the
// channel, 0 for no answer.
func slowCreate(t *testing.T, s *running, token string) (io.WriteCloser, <-chan int) {
	t.Helper()
	body, rest := io.Pipe()
	asked := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(asked) }})
	path := strings.Replace(secretsPath, "{project_id}", s.current().project, 1)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Expect", "100-continue")
	answered := make(chan int, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	if _, err := io.WriteString(rest, `{"name":"slow",`); err != nil {
		t.Fatal(err)
	}
	<-asked
	return rest, answered
}

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/client"
)

// running is a server that runs until the test ends, or until stop.
type running struct {
	*Server
	logs   *logBuffer
	cancel context.CancelFunc
	ended  chan error
}

// serve starts a server for production in the directory data, on a free port.
func serve(t *testing.T, data string, edit func(*Config)) *running {
	t.Helper()
	c := DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", data
	if edit != nil {
		edit(&c)
	}
	logs := &logBuffer{}
	s, err := NewServer(t.Context(), c, logs)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, s, logs)
}

// serveDev starts `coffer dev` on a free port.
func serveDev(t *testing.T, edit func(*DevConfig)) *running {
	t.Helper()
	d := DefaultDevConfig()
	d.Listen = "127.0.0.1:0"
	if edit != nil {
		edit(&d)
	}
	logs := &logBuffer{}
	s, err := NewDev(t.Context(), d, logs)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, s, logs)
}

func run(t *testing.T, s *Server, logs *logBuffer) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Server: s, logs: logs, cancel: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- s.Run(ctx) }()
	t.Cleanup(func() { r.stop(t) })
	return r
}

// stop ends the server. It is idempotent.
func (r *running) stop(t *testing.T) {
	t.Helper()
	if err := r.end(); err != nil {
		t.Errorf("stopping: %v\n%s", err, r.logs)
	}
}

// end ends the server and returns what Run returned, once.
func (r *running) end() error {
	r.cancel()
	if r.ended == nil {
		return nil
	}
	err := <-r.ended
	r.ended = nil
	return err
}

// owner calls with the credentials of the account owner, which only the first start
// and dev mode know.
func (r *running) owner(t *testing.T) *client.Client {
	t.Helper()
	first := r.current().first
	return r.client(t, client.Config{ProjectID: first.ProjectID, AccessKey: first.AccessKey, SecretKey: first.SecretKey})
}

func (r *running) client(t *testing.T, c client.Config) *client.Client {
	t.Helper()
	c.Endpoint, c.Now, c.Timeout = r.URL(), time.Now, time.Minute
	if r.caPath != "" {
		pem, err := os.ReadFile(r.caPath)
		if err != nil {
			t.Fatal(err)
		}
		c.CACert = pem
	}
	cl, err := client.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

const secretsPath = "/v1/{project_id}/secrets"

// call sends a request that has to succeed.
func call(t *testing.T, c *client.Client, method, path string, in, out any) http.Header {
	t.Helper()
	header, err := c.Do(t.Context(), method, path, in, out)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return header
}

// refused sends a request that has to be refused with a status.
func refused(t *testing.T, c *client.Client, method, path string, in any, status int) *client.Error {
	t.Helper()
	_, err := c.Do(t.Context(), method, path, in, nil)
	e := (*client.Error)(nil)
	if !errors.As(err, &e) || e.Status != status {
		t.Fatalf("%s %s: %v; want status %d", method, path, err, status)
	}
	return e
}

func create(t *testing.T, c *client.Client, name, text string) {
	t.Helper()
	call(t, c, "POST", secretsPath, map[string]string{"name": name, "secret_string": text}, nil)
}

// names lists the secrets of the project.
func names(t *testing.T, c *client.Client) string {
	t.Helper()
	var list struct {
		Secrets []struct{ Name string }
	}
	call(t, c, "GET", secretsPath, nil, &list)
	var out []string
	for _, s := range list.Secrets {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

// wantValue checks the current value of a secret.
func wantValue(t *testing.T, c *client.Client, name, want string) {
	t.Helper()
	var answer struct {
		Version struct {
			Text string `json:"secret_string"`
		}
	}
	call(t, c, "GET", secretsPath+"/"+name+"/versions/latest", nil, &answer)
	if answer.Version.Text != want {
		t.Errorf("%s is %q, want %q", name, answer.Version.Text, want)
	}
}

// token logs in with a password and returns a token for the project.
func (r *running) token(t *testing.T, user, password string) string {
	t.Helper()
	in := map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": user, "password": password, "domain": map[string]string{"name": r.config.Domain}},
		}},
		"scope": map[string]any{"project": map[string]string{"id": r.current().project}},
	}}
	header := call(t, r.client(t, client.Config{}), "POST", "/v3/auth/tokens", in, nil)
	return header.Get("X-Subject-Token")
}

// plain sends a request without credentials and returns the answer with its body.
func (r *running) plain(t *testing.T, method, path, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// logBuffer is where a server logs to.
type logBuffer struct {
	mu      sync.Mutex
	text    bytes.Buffer
	waiting []waiter
}

type waiter struct {
	text string
	seen chan struct{}
}

func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = slices.DeleteFunc(b.waiting, func(w waiter) bool {
		seen := bytes.Contains(line, []byte(w.text))
		if seen {
			close(w.seen)
		}
		return seen
	})
	return b.text.Write(line)
}

// watch returns a channel that is closed once a line with text is written.
func (b *logBuffer) watch(text string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := waiter{text, make(chan struct{})}
	b.waiting = append(b.waiting, w)
	return w.seen
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// lines returns the lines of a JSON log.
func (b *logBuffer) lines(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(b.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("line %q: %v", line, err)
		}
		out = append(out, fields)
	}
	return out
}

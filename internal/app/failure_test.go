//go:build unix

package app

import (
	"net/http"
	"os/signal"
	"syscall"
	"testing"

	"coffer/internal/client"
)

// TestFailedStore lets the kernel refuse the writes of the server: from then on it is
// not ready, answers writes with 500 and reads as before. What was acknowledged is
// there after a restart.
func TestFailedStore(t *testing.T) {
	data := t.TempDir()
	plain := func(c *Config) { c.TLS.Off = true }
	s := serve(t, data, plain)
	c, first := s.owner(t), s.current().first
	create(t, c, "db", "kept")
	s.wantControl(t, "GET", "/readyz", "", http.StatusOK)
	wantMetric(t, s, "coffer_store_failed", 0)

	refuseWrites(t)
	refused(t, c, "POST", secretsPath, map[string]string{"name": "lost", "secret_string": "x"}, http.StatusInternalServerError)
	refused(t, c, "POST", secretsPath, map[string]string{"name": "later", "secret_string": "x"}, http.StatusInternalServerError)
	s.wantControl(t, "GET", "/readyz", "", http.StatusServiceUnavailable)
	s.wantControl(t, "GET", "/healthz", "", http.StatusOK)
	wantMetric(t, s, "coffer_store_failed", 1)
	wantValue(t, c, "db", "kept")
	allowWrites(t)
	refused(t, c, "POST", secretsPath, map[string]string{"name": "later", "secret_string": "x"}, http.StatusInternalServerError)
	s.wantControl(t, "GET", "/readyz", "", http.StatusServiceUnavailable)
	if err := s.end(); err == nil {
		t.Error("the server ended as if nothing had been lost")
	}

	s = serve(t, data, plain)
	s.wantControl(t, "GET", "/readyz", "", http.StatusOK)
	c = s.client(t, client.Config{ProjectID: first.ProjectID, AccessKey: first.AccessKey, SecretKey: first.SecretKey})
	wantValue(t, c, "db", "kept")
	create(t, c, "later", "x")
}

// refuseWrites makes every write to a file beyond its first byte fail.
func refuseWrites(t *testing.T) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	setFileLimit(t, 1)
	t.Cleanup(func() { allowWrites(t); signal.Reset(syscall.SIGXFSZ) })
}

func allowWrites(t *testing.T) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	setFileLimit(t, limit.Max)
}

func setFileLimit(t *testing.T, bytes uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = bytes
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
}

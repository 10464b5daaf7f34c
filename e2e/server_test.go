package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// The fixed credentials of `coffer dev`.
const (
	devAccessKey = "COFFERDEVACCESSKEY01"
	devSecretKey = "cofferDevSecretKeyDoNotUseInProduction01"
	devProject   = "c0ffeec0ffeec0ffeec0ffeec0ffee00"
	devDomain    = "c0ffeec0ffeec0ffeec0ffeec0ffeed0"
)

// programs holds the built programs, for the life of the test binary.
var programs string

func TestMain(m *testing.M) {
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coffer-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	programs = dir
	for name, source := range map[string]string{"coffer": "..", "sample": "."} {
		path := map[string]string{"coffer": "./cmd/coffer", "sample": "./sample"}[name]
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), path)
		cmd.Dir, cmd.Env = source, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building %s: %v\n%s", name, err, out)
			return 1
		}
	}
	return m.Run()
}

// server is a running `coffer dev`.
type server struct {
	url string
	ca  string // file with the CA of its certificate, "" for plain HTTP

	process *os.Process
	gone    chan struct{} // closed once the process has ended
	killed  atomic.Bool
}

// kill ends the server as a crash would, and waits for its end.
func (s *server) kill() {
	s.killed.Store(true)
	_ = s.process.Kill()
	<-s.gone
}

// startDev starts `coffer dev` on a free port of the loopback, until the test ends.
func startDev(t *testing.T, args ...string) *server {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, "coffer"), append([]string{"dev", "--listen", "127.0.0.1:0"}, args...)...)
	var logs bytes.Buffer
	cmd.Stderr = &logs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{process: cmd.Process, gone: make(chan struct{})}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-s.gone
	})
	url := regexp.MustCompile(`^Coffer serves (https?://\S+)`)
	ca := regexp.MustCompile(`^  export SSL_CERT_FILE=(\S+)`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := url.FindStringSubmatch(lines.Text()); m != nil {
			s.url = m[1]
		}
		if m := ca.FindStringSubmatch(lines.Text()); m != nil {
			s.ca = m[1]
		}
		if strings.HasPrefix(lines.Text(), "curl with a token") {
			break
		}
	}
	go func() {
		defer close(s.gone)
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil && !s.killed.Load() {
			t.Errorf("coffer dev ended with %v\n%s", err, logs.String())
		}
	}()
	if s.url == "" {
		t.Fatal("coffer dev did not start")
	}
	return s
}

// environment is all that a program needs to know of the server.
func (s *server) environment() []string {
	env := []string{
		"HUAWEICLOUD_SDK_REGION_CSMS_CN_NORTH_4=" + s.url,
		"CLOUD_SDK_AK=" + devAccessKey, "CLOUD_SDK_SK=" + devSecretKey,
		"HOME=" + os.TempDir(), "PATH=" + os.Getenv("PATH"),
	}
	if s.ca != "" {
		env = append(env, "SSL_CERT_FILE="+s.ca, "HUAWEICLOUD_SDK_IAM_ENDPOINT="+s.url)
	}
	return env
}

// post sends a request without credentials, for the controls of dev mode and for
// the token call.
func (s *server) post(t *testing.T, client *http.Client, path string, in any) *http.Response {
	t.Helper()
	return s.send(t, client, path, in, nil)
}

// send posts in with header.
func (s *server) send(t *testing.T, client *http.Client, path string, in any, header http.Header) *http.Response {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

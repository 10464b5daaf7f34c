package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/internal/client"
)

// TestStart asks a server for the first thing as soon as it says that it serves, and
// looks at its memory. How long that takes is measured by the benchmark.
func TestStart(t *testing.T) {
	dir := workDir(t)
	logs, data := filepath.Join(dir, "log"), filepath.Join(dir, "data")
	config := writeConfig(t, dir, data, "")
	p := serve(t, logs, "server", "--config", config) // the first start hashes a password
	owner := p.account()
	p.stop(t)
	for _, tc := range []struct {
		name string
		who  account
		args []string
	}{
		{"dev", devAccount, []string{"dev", "--listen", "127.0.0.1:0"}},
		{"dev_with_data", devAccount, []string{"dev", "--listen", "127.0.0.1:0", "--data", data + "-dev"}},
		{"server", owner, []string{"server", "--config", config}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := serve(t, logs, tc.args...)
			all, err := listSecrets(t.Context(), p.client(t, tc.who))
			if err != nil || len(all) != 0 {
				t.Errorf("the first request is answered with %v, %v", all, err)
			}
			wantSmall(t, p)
			p.stop(t)
		})
	}
}

// maxResident is what an idle server may take of the memory of the machine.
const maxResident = 30 << 20

func wantSmall(t *testing.T, p *process) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(text, []byte("VmRSS:"))
	var kib int64
	if _, err := fmt.Fscan(bytes.NewReader(rest), &kib); err != nil {
		t.Fatalf("reading the memory of the server: %v", err)
	}
	t.Logf("%.1f MiB are resident", float64(kib)/1024)
	if kib<<10 > maxResident {
		t.Errorf("an idle server takes %d KiB, want at most %d", kib, maxResident>>10)
	}
}

// TestKilledFirstStart kills a server with TLS at a random moment of its first start.
// The next start must serve, the store must be whole, no copy of the root key may be
// left beside it, and the owner must get in: with the credentials that were printed,
// or, where the server died between making and printing them, with new ones.
func TestKilledFirstStart(t *testing.T) {
	choose := chance("first start")
	for n := range max(4, rounds(t)/8) {
		t.Run(fmt.Sprintf("%03d", n), func(t *testing.T) {
			killFirstStart(t, choose.Int64N(int64(100*time.Millisecond)))
		})
	}
}

func killFirstStart(t *testing.T, after int64) {
	dir := workDir(t)
	data, logs := filepath.Join(dir, "data"), filepath.Join(dir, "log")
	args := []string{"server", "--listen", "127.0.0.1:0", "--data", data}
	p := launch(t, logs, args...)
	wait(p, after)
	p.kill(t)
	a := p.account()

	p = serve(t, logs, args...)
	switch again := p.account(); {
	case again.secretKey != "" && a.secretKey != "":
		t.Errorf("two starts have made an account")
	case again.secretKey != "":
		a = again
	case a.secretKey == "":
		p.stop(t)
		a = resetOwner(t, data)
		p = serve(t, logs, args...)
	}
	a.project = p.account().project
	ca, err := os.ReadFile(filepath.Join(data, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c := p.connect(t, client.Config{ProjectID: a.project, AccessKey: a.accessKey, SecretKey: a.secretKey, CACert: ca})
	wr := createSecret("first", value{"secret_string", "x"}, "")
	if _, err := c.Do(t.Context(), wr.method, wr.path, wr.body, nil); err != nil {
		t.Errorf("with the credentials of the first start: %v", err)
	}
	p.stop(t)
	wantWhole(t, data)
	wantOneRootKey(t, data)
}

// resetOwner gives the owner new credentials, as the manual tells an operator who has
// lost them.
func resetOwner(t *testing.T, data string) account {
	t.Helper()
	exit, stdout, stderr := run(t, "admin", "reset-owner", "--data", data, "-o", "json")
	var o struct {
		User      string `json:"user"`
		Password  string `json:"password"`
		AccessKey string `json:"access_key"`
		SecretKey string `json:"secret_key"`
	}
	if err := json.Unmarshal([]byte(stdout), &o); err != nil || exit != 0 || o.SecretKey == "" {
		t.Fatalf("coffer admin reset-owner ended with %d, %v:\n%s", exit, err, stderr)
	}
	t.Log("the credentials were lost by the kill, and made anew")
	return account{user: o.User, password: o.Password, accessKey: o.AccessKey, secretKey: o.SecretKey}
}

// wantOneRootKey demands that the root key is in its file and nowhere else.
func wantOneRootKey(t *testing.T, data string) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(data, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files(t, data) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) != "root.key" && bytes.Contains(content, bytes.TrimSpace(key)) {
			t.Errorf("%s holds the root key too", file)
		}
	}
}

// files returns every file below a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all = append(all, path)
		}
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("found %d files in %s: %v", len(all), dir, err)
	}
	return all
}

// TestProbesOfAFreshServer asks for health and readiness, which need no credentials.
func TestProbesOfAFreshServer(t *testing.T) {
	p := serve(t, filepath.Join(workDir(t), "log"), "dev", "--listen", "127.0.0.1:0")
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		answer, err := send(t.Context(), p, request{method: http.MethodGet, path: path})
		if err != nil || answer.status != http.StatusOK || strings.TrimSpace(answer.body) == "" {
			t.Errorf("GET %s: %v %d %q", path, err, answer.status, answer.body)
		}
	}
	p.stop(t)
}

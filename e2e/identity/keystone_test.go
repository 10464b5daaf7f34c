package identity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// keystone is a Keystone with its data in a directory of its own, and a proxy before
// it.
type keystone struct {
	direct string // URL of its API
	proxy  string // the same through the proxy

	mu         sync.Mutex
	down       bool
	validated  int
	lastAsker  string // token that asked last
	adminToken string
}

const adminPassword = "keystone-adm1n"

// startKeystone sets up and starts a Keystone on loopback.
func startKeystone(t *testing.T) *keystone {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "keystone.conf")
	text := fmt.Sprintf(`[DEFAULT]
use_stderr = true
[database]
connection = sqlite:///%[1]s/keystone.db?timeout=60
[fernet_tokens]
key_repository = %[1]s/fernet
[fernet_receipts]
key_repository = %[1]s/fernet
[credential]
key_repository = %[1]s/credential
[identity]
password_hash_rounds = 4
`, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fernet", "credential"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	port := freePort(t)
	k := &keystone{direct: "http://127.0.0.1:" + port + "/v3"}
	env := append(os.Environ(), "OS_KEYSTONE_CONFIG_DIR="+dir, "OS_KEYSTONE_CONFIG_FILES="+config)
	manage := func(args ...string) {
		t.Helper()
		cmd := exec.Command("keystone-manage", append([]string{"--config-file", config}, args...)...)
		cmd.Env, cmd.Dir = env, dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("keystone-manage %s: %v; `make setup` installs Keystone\n%s", args[0], err, out)
		}
	}
	manage("db_sync")
	letReadersBe(t, filepath.Join(dir, "keystone.db"))
	manage("fernet_setup", "--keystone-user", whoami(t, "-un"), "--keystone-group", whoami(t, "-gn"))
	manage("bootstrap", "--bootstrap-password", adminPassword, "--bootstrap-public-url", k.direct, "--bootstrap-region-id", "RegionOne")
	var logs bytes.Buffer
	cmd := exec.Command("keystone-wsgi-public", "--host", "127.0.0.1", "--port", port)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, dir, &logs, &logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Keystone:\n%s", logs.String())
		}
	})
	await(t, k.direct)
	k.before(t)
	k.adminToken = k.token(t, "admin", adminPassword, "admin")
	return k
}

// letReadersBe has SQLite keep a write-ahead log. Keystone leaves cursors half read in
// one connection while it commits in another; with SQLite's first kind of journal such a
// commit now and then ends in "database is locked".
func letReadersBe(t *testing.T, database string) {
	t.Helper()
	out, err := exec.Command("/usr/bin/python3", "-c",
		"import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('PRAGMA journal_mode=WAL').fetchone()[0])", database).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "wal" {
		t.Fatalf("setting the journal of %s: %v\n%s", database, err, out)
	}
}

// before puts the proxy before Keystone.
func (k *keystone) before(t *testing.T) {
	t.Helper()
	target, err := url.Parse(strings.TrimSuffix(k.direct, "/v3"))
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		down := k.down
		if r.Method == http.MethodGet && r.URL.Path == "/v3/auth/tokens" {
			k.validated++
			k.lastAsker = r.Header.Get("X-Auth-Token")
		}
		k.mu.Unlock()
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	k.proxy = proxy.URL + "/v3"
}

func (k *keystone) setDown(down bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.down = down
}

// asked returns how often a token was validated, and by whose token last.
func (k *keystone) asked() (int, string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.validated, k.lastAsker
}

// token logs in at Keystone; without a project the token has no scope.
func (k *keystone) token(t *testing.T, user, password, project string) string {
	t.Helper()
	def := map[string]string{"id": "default"}
	auth := map[string]any{"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
		"user": map[string]any{"name": user, "domain": def, "password": password},
	}}}
	if project != "" {
		auth["scope"] = map[string]any{"project": map[string]any{"name": project, "domain": def}}
	}
	resp, body := call(t, http.MethodPost, k.direct+"/auth/tokens?nocatalog", "", map[string]any{"auth": auth})
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("login of %s at Keystone: %d %s", user, resp.StatusCode, body)
	}
	return resp.Header.Get("X-Subject-Token")
}

// make makes something with the rights of the administrator and returns its id.
func (k *keystone) make(t *testing.T, noun string, what map[string]any) string {
	t.Helper()
	resp, body := call(t, http.MethodPost, k.direct+"/"+noun+"s", k.adminToken, map[string]any{noun: what})
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("making a %s: %d %s", noun, resp.StatusCode, body)
	}
	var answer map[string]struct{ ID string }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer[noun].ID
}

// user makes a user with a role in a project and returns his password.
func (k *keystone) user(t *testing.T, name, project, role string) string {
	t.Helper()
	password := name + "-Passw0rd"
	id := k.make(t, "user", map[string]any{"name": name, "domain_id": "default", "password": password})
	path := "/projects/" + project + "/users/" + id + "/roles/" + k.role(t, role)
	if resp, body := call(t, http.MethodPut, k.direct+path, k.adminToken, nil); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("giving %s the role %s: %d %s", name, role, resp.StatusCode, body)
	}
	return password
}

// role returns the id of a role, which is made if there is none.
func (k *keystone) role(t *testing.T, name string) string {
	t.Helper()
	_, body := call(t, http.MethodGet, k.direct+"/roles?name="+name, k.adminToken, nil)
	var answer struct{ Roles []struct{ ID string } }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Roles) == 1 {
		return answer.Roles[0].ID
	}
	return k.make(t, "role", map[string]any{"name": name})
}

// revoke ends a token.
func (k *keystone) revoke(t *testing.T, token string) {
	t.Helper()
	r := request(t, http.MethodDelete, k.direct+"/auth/tokens", k.adminToken, nil)
	r.Header.Set("X-Subject-Token", token)
	if resp, body := do(t, r); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("revoking a token: %d %s", resp.StatusCode, body)
	}
}

func request(t *testing.T, method, url, token string, in any) *http.Request {
	t.Helper()
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	return r
}

func do(t *testing.T, r *http.Request) (*http.Response, []byte) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func call(t *testing.T, method, url, token string, in any) (*http.Response, []byte) {
	t.Helper()
	return do(t, request(t, method, url, token, in))
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func whoami(t *testing.T, flag string) string {
	t.Helper()
	out, err := exec.Command("id", flag).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// await returns once a server answers.
func await(t *testing.T, url string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 1200 {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			return
		}
		<-tick.C
	}
	t.Fatalf("%s does not answer", url)
}

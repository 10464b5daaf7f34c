package app

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coffer/internal/client"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/postgresql"
	"coffer/internal/rotate/servertest"
)

const examples = "../../examples/rotation-function/"

// example is a Coffer, a PostgreSQL, one of the examples between them as a process of its
// own, and before it a gate, which can send every request twice or hold it back.
type example struct {
	*running
	t        *testing.T
	client   *client.Client
	engine   database.Engine // to log in with, beside Coffer and the function
	function string          // its URL

	twice, hold bool
	answers     []string // to the last request
}

// ServeHTTP is the gate.
func (e *example) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		e.t.Error(err)
	}
	e.answers = nil
	if e.hold {
		_, _ = io.WriteString(w, "{}")
		return
	}
	status := e.forward(r.Header, body)
	if e.twice {
		status = e.forward(r.Header, body)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, e.answers[len(e.answers)-1])
}

// forward sends a request on and notes the answer.
func (e *example) forward(header http.Header, body []byte) int {
	e.t.Helper()
	r, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, e.function, bytes.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	r.Header = header.Clone()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		e.t.Error(err)
		return http.StatusBadGateway
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Error(err)
	}
	e.answers = append(e.answers, string(answer))
	return resp.StatusCode
}

// examplePrograms returns the examples, ready to run.
func examplePrograms(t *testing.T, s *running, own *client.Client) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	built := filepath.Join(dir, "rotation-function")
	build := exec.Command("go", "build", "-o", built, ".")
	build.Dir, build.Env = examples+"go", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the example: %v\n%s", err, out)
	}
	// The function in Python is what ShowSecretFunctionTemplates answers.
	var answer struct {
		Source string `json:"function_templates"`
	}
	call(t, own, "GET", "/v1/csms/function-templates?secret_type=RDS-FG&secret_sub_type=SingleUser&engine=postgresql", nil, &answer)
	server, err := os.ReadFile(examples + "python/server.py")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"index.py": answer.Source, "server.py": string(server)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return map[string][]string{"go": {built}, "python": {"/usr/bin/python3", filepath.Join(dir, "server.py")}} // with the driver of Debian
}

// startExample runs an example until the test ends, and returns its URL.
func startExample(t *testing.T, args, env []string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1", "LISTEN=127.0.0.1:0"}, env...)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, found := strings.Cut(lines.Text(), "listening on "); found {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return "http://" + address + "/"
		}
		t.Log(lines.Text())
	}
	t.Fatalf("%v does not start", args)
	return ""
}

func (e *example) secret(name, subType string, values ...string) {
	e.t.Helper()
	call(e.t, e.client, "POST", secretsPath, map[string]string{
		"name": name, "secret_type": "RDS-FG", "secret_string": values[0], "rotation_func_urn": functionURN,
		"rotation_config": `{"InstanceId":"i","SecretSubType":"` + subType + `"}`,
	}, nil)
	for _, v := range values[1:] {
		call(e.t, e.client, "POST", secretsPath+"/"+name+"/versions", map[string]string{"secret_string": v}, nil)
	}
}

func (e *example) value(name, version string) (user, password string) {
	e.t.Helper()
	var answer struct {
		Version struct {
			Text string `json:"secret_string"`
		}
	}
	call(e.t, e.client, "GET", secretsPath+"/"+name+"/versions/"+version, nil, &answer)
	var value struct{ Username, Password, Kept string }
	if err := json.Unmarshal([]byte(answer.Version.Text), &value); err != nil || value.Kept != "yes" {
		e.t.Fatalf("%s: %v", answer.Version.Text, err)
	}
	return value.Username, value.Password
}

func (e *example) wantLogin(user, password string, want database.Code) {
	e.t.Helper()
	if err := e.engine.Verify(e.t.Context(), user, []byte(password)); database.CodeOf(err) != want {
		e.t.Errorf("login of %s: %v; want code %q", user, err, want)
	}
}

func (e *example) want(name string, want outcome) {
	e.t.Helper()
	if got := lastTask(e.t, e.running, e.client, name); got != want {
		e.t.Fatalf("task of %s: %+v, answers %q; want %+v", name, got, e.answers, want)
	}
}

func accountValue(user, password string) string {
	return fmt.Sprintf(`{"username":%q,"password":%q,"kept":"yes"}`, user, password)
}

var rotated = outcome{Status: "SUCCESS"}

// neighbours.md 3.3, RO8, RO9: the examples change passwords on a real PostgreSQL, as
// functions that Coffer calls by HTTP with a key for the one secret.
func TestTheExamplesRotate(t *testing.T) {
	db := servertest.PostgreSQL(t)
	engine, err := postgresql.New(db.Target(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := &example{t: t, engine: engine}
	gate := httptest.NewServer(e)
	t.Cleanup(gate.Close)
	signing := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 24))
	t.Setenv("EXAMPLE_SECRET", signing)
	e.running = serve(t, t.TempDir(), func(c *Config) {
		c.Functions = []FunctionConfig{{URN: functionURN, URL: gate.URL, SecretEnv: "EXAMPLE_SECRET"}}
		c.Outgoing.AllowNetworks = []string{"127.0.0.0/8"}
	})
	e.client = e.owner(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(db.Authority.PEM), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"SSL_CERT_FILE=" + e.caPath, "SIGNING_SECRET=" + signing, "ENGINE=postgresql", "PGSSLMODE=verify-full", "PGSSLROOTCERT=" + ca,
		"PGHOST=localhost", fmt.Sprintf("PGPORT=%d", db.Port), "DB_HOST=localhost", fmt.Sprintf("DB_PORT=%d", db.Port),
	}
	for name, program := range examplePrograms(t, e.running, e.client) {
		t.Run(name, func(t *testing.T) {
			e.t, e.function = t, startExample(t, program, env)
			for _, user := range []string{"single", "first", "second", "wrong"} {
				db.Exec(t, "DROP ROLE IF EXISTS "+user)
				db.Exec(t, "CREATE ROLE "+user+" LOGIN PASSWORD 'old'")
			}
			e.singleUser(name)
			e.multiUser(name)
			e.failures(name)
			for _, line := range strings.Split(db.Written(t), "\n") {
				if strings.Contains(line, "ALTER ROLE") && !strings.Contains(line, "PASSWORD 'SCRAM-SHA-256$") {
					t.Errorf("the function told the server a password: %s", line)
				}
			}
		})
	}
}

func (e *example) singleUser(program string) {
	e.t.Helper()
	name := program + "-single"
	e.secret(name, "SingleUser", accountValue("single", "old"))
	old := "old"
	for n := range 3 {
		e.twice = n == 1 // the same idempotency key comes again
		e.want(name, rotated)
		user, password := e.value(name, "latest")
		if user != "single" || password == old {
			e.t.Errorf("value %s %s", user, password)
		}
		e.wantLogin(user, password, "")
		e.wantLogin(user, old, database.LoginRefused)
		if _, former := e.value(name, fmt.Sprintf("v%d", n+1)); former != old {
			e.t.Errorf("the version before holds %q", former)
		}
		if e.twice && (len(e.answers) != 2 || e.answers[0] != e.answers[1]) {
			e.t.Errorf("twice the same request: %q", e.answers)
		}
		old = password
	}
}

func (e *example) multiUser(program string) {
	e.t.Helper()
	name := program + "-multi"
	e.secret(name, "MultiUser", accountValue("first", "old"), accountValue("second", "old"))
	for n := range 3 {
		beforeUser, beforePassword := e.value(name, "latest")
		e.want(name, rotated)
		user, password := e.value(name, "latest")
		if want := []string{"first", "second"}[n%2]; user != want {
			e.t.Errorf("rotation %d: account %s; want %s", n, user, want)
		}
		e.wantLogin(user, password, "")
		e.wantLogin(beforeUser, beforePassword, "") // who still uses it is not disturbed
	}
}

func (e *example) failures(program string) {
	e.t.Helper()
	wrong := program + "-wrong"
	e.secret(wrong, "SingleUser", accountValue("wrong", "not the password"))
	e.want(wrong, outcome{"RUNNING", "LOGIN_REFUSED"})
	var list struct {
		Tasks []struct {
			Msg string `json:"task_error_msg"`
		}
	}
	call(e.t, e.client, "GET", "/v1/{project_id}/csms/tasks?secret_name="+wrong, nil, &list)
	if !strings.Contains(list.Tasks[0].Msg, "with the stored password failed") {
		e.t.Errorf("message %q", list.Tasks[0].Msg)
	}
	e.wantLogin("wrong", "old", "")

	alone := program + "-alone"
	e.secret(alone, "MultiUser", accountValue("first", "old"))
	e.want(alone, outcome{"RUNNING", "SECOND_ACCOUNT_MISSING"})

	idle := program + "-idle"
	e.secret(idle, "SingleUser", accountValue("wrong", "old"))
	e.hold = true
	e.want(idle, outcome{"RUNNING", "ROTATION_NOT_APPLIED"})
	e.hold = false
	e.wantLogin("wrong", "old", "")

	if status := e.forward(http.Header{}, []byte(`{"version":"1"}`)); status != http.StatusUnauthorized {
		e.t.Errorf("a request that is not signed: %d", status)
	}
}

package crash

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coffer/internal/auth/signature"
)

// TestCanary sends secrets that stand nowhere else through every operation that takes
// or returns one, and around them whatever clients get wrong. Then it searches all
// that the server has left: every byte of its data directory, a checkpoint and a dump
// of it, its log at the level debug with a line for each request, its metrics, and
// every answer. A secret may stand in the answers that return it, and nowhere else.
func TestCanary(t *testing.T) {
	a := newAviary(t)
	a.begin(t)
	a.values(t)
	a.keys(t)
	a.events(t)
	a.credentials(t)
	a.mistakes(t)
	a.misplaced(t)
	a.commandLine(t)
	a.metrics(t)
	a.server.stop(t)
	a.logged = len(a.answers)
	a.afterwards(t)
	if len(a.all) < 100 || len(a.answers) < 100 {
		t.Errorf("only %d secrets in %d requests; the search would prove little", len(a.all), len(a.answers))
	}
	a.search(t)
}

// aviary is a server with everything that was sent to it.
type aviary struct {
	dir, data, logs, config string

	server  *process
	owner   account
	chance  *rand.Rand
	all     []*planted
	named   []*planted // where a name goes; the log says to which name a request went
	answers []answered
	outputs []answered        // of commands
	kept    map[string]string // the secret that a file of that name is there for
	logged  int               // answers that must be in the log: a kill loses the last ones
	serial  int
	hook    *hook
}

// answered is what one request or command gave, and which secrets may be in it.
type answered struct {
	what    string
	text    string
	allowed []string
}

func newAviary(t *testing.T) *aviary {
	t.Helper()
	dir := workDir(t)
	a := &aviary{dir: dir, data: filepath.Join(dir, "data"), logs: filepath.Join(dir, "log"), chance: chance("canary")}
	a.config = writeConfig(t, dir, a.data, "log: {level: debug, requests: true}\nauth: {debug_signatures: true}\n"+
		"limits: {secrets_per_project: 10000}\n"+a.sink(t))
	return a
}

// plant makes a secret up.
func (a *aviary) plant(what string) string {
	p := &planted{what, aCanary(a.chance)}
	a.all = append(a.all, p)
	return p.text
}

// plantName makes up a secret that somebody takes for a name.
func (a *aviary) plantName(what string) string {
	p := &planted{what, aCanary(a.chance)}
	a.named = append(a.named, p)
	return p.text
}

// caught notes a secret that the server has told.
func (a *aviary) caught(t *testing.T, what, text string) string {
	t.Helper()
	if len(text) < clue {
		t.Fatalf("%s is %q, which is too short to be searched for", what, text)
	}
	a.all = append(a.all, &planted{what, text})
	return text
}

// begin starts the server for the first time. What it prints is for the operator and
// is not searched.
func (a *aviary) begin(t *testing.T) {
	t.Helper()
	a.server = serve(t, a.logs, "server", "--config", a.config)
	a.owner = a.server.account()
	a.caught(t, "the password of the owner", a.owner.password)
	a.caught(t, "the secret key of the owner", a.owner.secretKey)
	key, err := os.ReadFile(filepath.Join(a.data, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	a.kept = map[string]string{"root.key": a.caught(t, "the root key", strings.TrimSpace(string(key)))}
}

// ask sends a request as the owner, which must succeed, and in whose answer the
// secrets told may stand.
func (a *aviary) ask(t *testing.T, method, path, body string, told ...string) response {
	t.Helper()
	return a.succeed(t, request{method: method, path: path, body: body, signer: a.owner.signer(t)}, told...)
}

func (a *aviary) succeed(t *testing.T, q request, told ...string) response {
	t.Helper()
	answer := a.send(t, q, told...)
	if answer.status/100 != 2 {
		t.Fatalf("%s %s is answered with %d %s", q.method, q.path, answer.status, answer.body)
	}
	return answer
}

// bodyLimit is the longest body that the server reads.
const bodyLimit = 6 << 20

// send sends a request and keeps the answer.
func (a *aviary) send(t *testing.T, q request, told ...string) response {
	t.Helper()
	q.path = strings.ReplaceAll(q.path, "{project_id}", a.owner.project)
	answer, err := send(t.Context(), a.server, q)
	if err != nil && len(q.body) > bodyLimit {
		return answer // the server has hung up in the middle of it
	}
	if err != nil {
		t.Fatalf("%s %s: %v", q.method, q.path, err)
	}
	var text strings.Builder
	_ = answer.header.Write(&text)
	a.answers = append(a.answers, answered{q.method + " " + q.path, text.String() + answer.body, told})
	return answer
}

// member returns a text of a JSON answer, found by its name.
func (r response) member(t *testing.T, name string) string {
	t.Helper()
	m := regexp.MustCompile(`"` + name + `":("(?:[^"\\]|\\.)*")`).FindStringSubmatch(r.body)
	if m == nil {
		t.Fatalf("the answer has no %s: %s", name, r.body)
	}
	var text string
	if err := json.Unmarshal([]byte(m[1]), &text); err != nil {
		t.Fatal(err)
	}
	return text
}

func (a *aviary) metrics(t *testing.T) {
	t.Helper()
	answer := a.send(t, request{method: http.MethodGet, path: "/metrics"})
	if !strings.Contains(answer.body, "coffer_requests_total") {
		t.Errorf("the metrics are %d %s", answer.status, answer.body)
	}
}

// afterwards starts the server once more and kills it, then runs the commands of an
// operator over what is left.
func (a *aviary) afterwards(t *testing.T) {
	t.Helper()
	a.server = serve(t, a.logs, "server", "--config", a.config)
	for range 5 {
		v := a.plant("a secret_string written before a kill")
		name := a.name()
		a.ask(t, http.MethodPost, secretsPath, quote(`{"name":%q,"secret_string":%q}`, name, v))
		a.ask(t, http.MethodGet, secretPath(name, "versions", "latest"), "", v)
	}
	a.metrics(t)
	a.server.kill(t)
	a.run(t, "admin", "verify", "--data", a.data)
	a.run(t, "admin", "dump", "--data", a.data)
	a.run(t, "admin", "reindex", "--data", a.data)
	a.run(t, "admin", "checkpoint", filepath.Join(a.dir, "checkpoint"), "--data", a.data)
}

// run runs a command and keeps what it prints.
func (a *aviary) run(t *testing.T, args ...string) string {
	t.Helper()
	exit, stdout, stderr := run(t, args...)
	if exit != 0 {
		t.Errorf("coffer %s ended with %d: %s", strings.Join(args, " "), exit, stderr)
	}
	a.outputs = append(a.outputs, answered{what: "coffer " + strings.Join(args, " "), text: stdout + stderr})
	return stdout
}

// search looks through everything.
func (a *aviary) search(t *testing.T) {
	t.Helper()
	all := append(append([]*planted{}, a.all...), a.named...)
	s := newSearch(all)
	for _, answer := range append(a.answers, a.outputs...) {
		s.report(t, "the answer to "+answer.what, []byte(answer.text), answer.allowed...)
	}
	for _, call := range a.hook.all() {
		s.report(t, "a notification", []byte(call))
	}
	for _, dir := range []string{a.data, filepath.Join(a.dir, "checkpoint")} {
		for _, path := range files(t, dir) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s.report(t, path, content, a.kept[filepath.Base(path)])
		}
	}
	a.searchLog(t, s)
}

// searchLog looks through the log. The line of a request says which path it went to,
// and so may tell what was sent for a name; nothing else may.
func (a *aviary) searchLog(t *testing.T, s *search) {
	t.Helper()
	log, err := os.ReadFile(a.logs)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range a.named {
		names = append(names, p.text)
	}
	requests := 0
	for line := range strings.Lines(string(log)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("the log has a line that is no JSON: %q", line)
			continue
		}
		if path, ok := fields["path"].(string); ok && fields["msg"] == "request" {
			requests++
			s.report(t, "the path in the log", []byte(path), names...)
			line = strings.Replace(line, path, "", 1)
		}
		s.report(t, "the log", []byte(line))
	}
	if requests < a.logged {
		t.Errorf("the log tells of %d requests, and there were %d", requests, a.logged)
	}
}

// signerOf returns the signing key of an access key.
func signerOf(t *testing.T, accessKey, secretKey string) *signature.Key {
	t.Helper()
	return account{accessKey: accessKey, secretKey: secretKey}.signer(t)
}

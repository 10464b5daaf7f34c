package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/client"
)

const users = `
users:
  - name: reader
    password: reader-Passw0rd
    access_key: READERACCESSKEY00001
    secret_key: readerSecretKey00001
    policies: [CSMS ReadOnlyAccess]
`

// devUsers is a change of the flags that names a file of --iam.
func devUsers(t *testing.T, text string) func(*DevConfig) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(d *DevConfig) { d.IAM = path }
}

// TestDevClock: what is due has been done when the clock answers; tokens expire by
// the held clock, signatures do not.
func TestDevClock(t *testing.T) {
	s := serveDev(t, nil)
	c := s.owner(t)
	token := s.client(t, client.Config{ProjectID: s.current().project, Token: s.token(t, devUser, devPassword)})
	if got := names(t, token); got != "" {
		t.Errorf("secrets at the start: %q", got)
	}
	create(t, c, "db", "x")
	call(t, c, "POST", secretsPath+"/db/scheduled-deleted-tasks/create", map[string]int{"recovery_window_in_days": 7}, nil)
	before := clock(t, s)
	if off := time.Since(time.UnixMilli(before)); off < 0 || off > time.Minute {
		t.Errorf("the clock is %s off before it was moved", off)
	}
	s.wantControl(t, "POST", "/dev/clock", `{"advance":"167h"}`, http.StatusOK)
	refused(t, token, "GET", secretsPath, nil, http.StatusUnauthorized) // after 24 hours
	if got := names(t, c); got != "db" {
		t.Errorf("an hour before its end: %q", got)
	}
	s.wantControl(t, "POST", "/dev/clock", `{"advance":"1h1m"}`, http.StatusOK)
	if got := names(t, c); got != "" {
		t.Errorf("after its end: %q", got)
	}
	if after := clock(t, s); after-before < (168*time.Hour + time.Minute).Milliseconds() {
		t.Errorf("the clock moved from %d to %d", before, after)
	}
	for _, bad := range []string{`{"advance":"-1h"}`, `{"advance":"soon"}`, `{"advance":"0s"}`, `{}`, `{"advance":"1000000h"}`, `[]`} {
		s.wantControl(t, "POST", "/dev/clock", bad, http.StatusBadRequest)
	}
}

func clock(t *testing.T, s *running) int64 {
	t.Helper()
	var now int64
	_, body := s.plain(t, "GET", "/dev/clock", "")
	if _, err := fmt.Sscanf(body, `{"now":%d}`, &now); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return now
}

func (r *running) wantControl(t *testing.T, method, path, body string, status int) {
	t.Helper()
	if resp, text := r.plain(t, method, path, body); resp.StatusCode != status {
		t.Fatalf("%s %s %s: %s %s; want %d", method, path, body, resp.Status, text, status)
	}
}

// TestDevState: the switch that no operation of the API has (S6).
func TestDevState(t *testing.T) {
	s := serveDev(t, nil)
	c := s.owner(t)
	create(t, c, "db", "x")
	state := "/dev/projects/" + c.ProjectID() + "/secrets/db/state"
	for _, to := range []string{"DISABLED", "FROZEN"} {
		s.wantControl(t, "PUT", state, `{"state":"`+to+`"}`, http.StatusOK)
		if e := refused(t, c, "GET", secretsPath+"/db/versions/latest", nil, http.StatusForbidden); e.Code != "CSMS.0109" {
			t.Errorf("%s: %v", to, e)
		}
	}
	s.wantControl(t, "PUT", state, `{"state":"ENABLED"}`, http.StatusOK)
	wantValue(t, c, "db", "x")
	s.wantControl(t, "PUT", state, `{"state":"BROKEN"}`, http.StatusBadRequest)
	s.wantControl(t, "PUT", "/dev/projects/"+c.ProjectID()+"/secrets/none/state", `{"state":"DISABLED"}`, http.StatusNotFound)
}

// TestDevReset: everything goes but the identities of flags and --iam, and the clock
// is wall time again.
func TestDevReset(t *testing.T) {
	s := serveDev(t, devUsers(t, users))
	c := s.owner(t)
	reader := s.client(t, client.Config{ProjectID: c.ProjectID(), AccessKey: "READERACCESSKEY00001", SecretKey: "readerSecretKey00001"})
	create(t, c, "db", "x")
	call(t, c, "POST", "/v3/users", map[string]any{"user": map[string]string{"name": "later"}}, nil)
	call(t, c, "POST", "/v3/projects", map[string]any{"project": map[string]string{"name": "cn-north-4_later"}}, nil)
	token := s.client(t, client.Config{ProjectID: c.ProjectID(), Token: s.token(t, devUser, devPassword)})
	s.wantControl(t, "POST", "/dev/clock", `{"advance":"8760h"}`, http.StatusOK)

	// A doubled or trailing slash is forgiven in every path (S4).
	for _, path := range []string{"/dev/reset", "/dev/reset/", "//dev/reset"} {
		s.wantControl(t, "POST", path, "", http.StatusNoContent)
	}
	if got := names(t, c); got != "" {
		t.Errorf("secrets after the reset: %q", got)
	}
	if off := time.Since(time.UnixMilli(clock(t, s))); off < 0 || off > time.Minute {
		t.Errorf("the clock is %s off after the reset", off)
	}
	refused(t, token, "GET", secretsPath, nil, http.StatusUnauthorized)
	s.token(t, devUser, devPassword)
	s.token(t, "reader", "reader-Passw0rd")
	refused(t, reader, "POST", secretsPath, map[string]string{"name": "x", "secret_string": "x"}, http.StatusForbidden)
	create(t, c, "db", "again")
	if got := names(t, reader); got != "db" {
		t.Errorf("a user of --iam sees %q after the reset", got)
	}
	for path, want := range map[string]int{"/v3/users": 2, "/v3/auth/projects": 1} {
		var list map[string]any
		call(t, c, "GET", path, nil, &list)
		all, _ := list[path[strings.LastIndex(path, "/")+1:]].([]any)
		if len(all) != want {
			t.Errorf("%s after the reset: %d, want %d", path, len(all), want)
		}
	}
}

// TestDevResetBetweenRequests: requests under way end before a reset, later ones find
// an empty store; none of them fails.
func TestDevResetBetweenRequests(t *testing.T) {
	s := serveDev(t, nil)
	c := s.owner(t)
	done := make(chan struct{})
	var clients sync.WaitGroup
	for n := range 4 {
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				name := fmt.Sprintf("s-%d-%d", n, i)
				if _, err := c.Do(t.Context(), "POST", secretsPath, map[string]string{"name": name, "secret_string": "x"}, nil); err != nil {
					t.Errorf("creating %s: %v", name, err)
					return
				}
				if _, err := c.Do(t.Context(), "GET", secretsPath, nil, nil); err != nil {
					t.Errorf("listing: %v", err)
					return
				}
			}
		})
	}
	var resets sync.WaitGroup
	for range 2 {
		resets.Go(func() {
			for range 10 {
				if resp, body := s.plain(t, "POST", "/dev/reset", ""); resp.StatusCode != http.StatusNoContent {
					t.Errorf("reset: %s %s", resp.Status, body)
				}
			}
		})
	}
	resets.Wait()
	close(done)
	clients.Wait()
	s.wantControl(t, "POST", "/dev/reset", "", http.StatusNoContent)
	if got := names(t, c); got != "" {
		t.Errorf("secrets after the last reset: %q", got)
	}
}

// TestControlsAreForDevOnly: a server for production has none, and in dev no web page
// reaches them.
func TestControlsAreForDevOnly(t *testing.T) {
	controls := map[string]string{"/dev/clock": "GET", "/dev/reset": "POST"}
	production := serve(t, t.TempDir(), func(c *Config) { c.TLS.Off = true })
	dev := serveDev(t, nil)
	for path, method := range controls {
		production.wantControl(t, method, path, "", http.StatusNotFound)
		req, err := http.NewRequestWithContext(t.Context(), method, dev.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "http://evil.example.org")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s from a web page: %s", method, path, resp.Status)
		}
	}
}

// TestFurtherProjects: the owner makes projects; each has secrets of its own.
func TestFurtherProjects(t *testing.T) {
	s := serveDev(t, devUsers(t, users))
	c := s.owner(t)
	var answer struct {
		Project struct{ ID, Name string }
	}
	body := map[string]any{"project": map[string]string{"name": "cn-north-4_team"}}
	reader := s.client(t, client.Config{ProjectID: c.ProjectID(), AccessKey: "READERACCESSKEY00001", SecretKey: "readerSecretKey00001"})
	refused(t, reader, "POST", "/v3/projects", body, http.StatusForbidden)
	call(t, c, "POST", "/v3/projects", body, &answer)
	refused(t, c, "POST", "/v3/projects", body, http.StatusConflict)
	team := c.WithProject(answer.Project.ID)
	create(t, c, "db", "first")
	create(t, team, "db", "second")
	wantValue(t, c, "db", "first")
	wantValue(t, team, "db", "second")
}

// TestIdentitiesThatCannotBe: an error of the file of --iam names the entry and says
// what is wrong.
func TestIdentitiesThatCannotBe(t *testing.T) {
	for want, text := range map[string]string{
		`line 1: unknown key "user"`:                                         "user: []",
		`line 2: unknown key "passwrd"`:                                      "users:\n  - {name: a, passwrd: x}",
		`users[1] "a": the name stands twice`:                                "users: [{name: a}, {name: a}]",
		`users[0] "": IAM.0011: name takes 1 to 64`:                          "users: [{password: abcdefgh}]",
		`users[0] "a": IAM.0011: password has 1 characters`:                  "users: [{name: a, password: x}]",
		`users[0] "a": secret_key takes`:                                     "users: [{name: a, access_key: AAAAAAAAAAAAAAAAAAAA, secret_key: x}]",
		`users[0] "a": policies[0]: `:                                        "users: [{name: a, policies: [No such policy]}]",
		`users[0] "dev": this is the owner`:                                  "users: [{name: dev}]",
		`users[0] "a": IAM.0009: access_key COFFERDEVACCESSKEY01 belongs to`: "users: [{name: a, access_key: COFFERDEVACCESSKEY01, secret_key: abcdefghijklmnopqrst}]",
	} {
		d := DefaultDevConfig()
		d.Listen = "127.0.0.1:0"
		devUsers(t, text)(&d)
		if _, err := NewDev(t.Context(), d, &logBuffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"coffer/internal/client"
)

// TestDurationsNameTheirUnit: a number in a log line is of no use without it.
func TestDurationsNameTheirUnit(t *testing.T) {
	for format, want := range map[string]string{"json": `"took_ms":1.5}`, "text": " took_ms=1.5\n"} {
		var out strings.Builder
		c := LogConfig{Level: "info", Format: format}
		log, err := c.logger(&out)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("request", slog.Duration("took", 1500*time.Microsecond))
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

// TestRequestLog: each request has one line with the id that its answer had, and no
// line holds what was secret in it.
func TestRequestLog(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *Config) { c.TLS.Off, c.Log.Level = true, "debug" })
	first := s.current().first
	c := s.owner(t)
	const planted, password = "planted-value-4711", "planted-passw0rd"
	ids := map[string]string{}
	ids[call(t, c, "POST", secretsPath, map[string]string{"name": "db", "secret_string": planted}, nil).Get("X-Request-Id")] = "CreateSecret 200 "
	ids[call(t, c, "GET", secretsPath+"/db/versions/latest", nil, nil).Get("X-Request-Id")] = "ShowSecretVersion 200 "
	ids[refused(t, c, "GET", secretsPath+"/none", nil, http.StatusNotFound).RequestID] = "ShowSecret 404 CSMS.0106"
	ids[refused(t, c, "POST", secretsPath, map[string]any{"name": 1, "secret_string": planted}, http.StatusBadRequest).RequestID] = "CreateSecret 400 CSMS.0002"
	call(t, c, "POST", "/v3/users", map[string]any{"user": map[string]string{"name": "u", "password": password}}, nil)
	var key struct{ Credential struct{ Secret string } }
	call(t, c, "POST", "/v3.0/OS-CREDENTIAL/credentials", map[string]any{"credential": map[string]string{"user_id": first.UserID}}, &key)
	token := s.token(t, first.UserName, first.Password)
	refused(t, s.client(t, client.Config{ProjectID: first.ProjectID, Token: "planted-token"}), "GET", secretsPath, nil, http.StatusUnauthorized)
	wrong := s.client(t, client.Config{ProjectID: first.ProjectID, AccessKey: first.AccessKey, SecretKey: "planted-secret-key-0001"})
	refused(t, wrong, "GET", secretsPath, nil, http.StatusUnauthorized)
	if _, err := s.client(t, client.Config{}).Do(t.Context(), "POST", "/v3/auth/tokens", map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": "u", "password": "planted-wrong-passw0rd", "domain": map[string]string{"name": "coffer"}},
		}},
	}}, nil); err == nil {
		t.Error("a wrong password is taken")
	}
	s.stop(t)

	seen := map[string]string{}
	for _, line := range s.logs.lines(t) {
		if line["msg"] == "request" {
			id, _ := line["request_id"].(string)
			if !regexp.MustCompile("^[0-9a-f]{32}$").MatchString(id) || seen[id] != "" {
				t.Errorf("request id %q is no id or stands twice", id)
			}
			seen[id] = fmt.Sprintf("%v %v %v", line["operation"], line["status"], line["code"])
		}
	}
	for id, want := range ids {
		if seen[id] != want {
			t.Errorf("the line of request %s says %q, want %q", id, seen[id], want)
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d lines for 10 requests", len(seen))
	}
	for _, secret := range []string{planted, password, first.Password, first.SecretKey, key.Credential.Secret, token, "planted-token", "planted-secret-key-0001", "planted-wrong-passw0rd"} {
		if strings.Contains(s.logs.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// TestLogConfiguration: the level and the form are those of the configuration, and
// requests can be left out.
func TestLogConfiguration(t *testing.T) {
	for name, tc := range map[string]struct {
		log  LogConfig
		want string // in the log; "" for an empty one
	}{
		"json":        {LogConfig{Level: "info", Format: "json", Requests: true}, `"msg":"request"`},
		"text":        {LogConfig{Level: "info", Format: "text", Requests: true}, `msg=request`},
		"no_requests": {LogConfig{Level: "info", Format: "text"}, `msg=stopping`},
		"warn":        {LogConfig{Level: "warn", Format: "json", Requests: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveDev(t, func(d *DevConfig) { d.Log = tc.log })
			s.wantControl(t, "GET", "/v3", "", http.StatusOK)
			s.stop(t)
			text := s.logs.String()
			if tc.want == "" && text != "" || !strings.Contains(text, tc.want) || strings.Contains(text, "request_id") != (tc.log.Requests && tc.want != "") {
				t.Errorf("log:\n%s\nwant %q", text, tc.want)
			}
		})
	}
}

// TestWarnings: a listener that others can reach is told of where it should not be.
func TestWarnings(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) *running{
		"serving plain HTTP to other machines": func(t *testing.T) *running {
			return serve(t, t.TempDir(), func(c *Config) { c.Listen, c.TLS.Off = ":0", true })
		},
		"its credentials are public": func(t *testing.T) *running {
			return serveDev(t, func(d *DevConfig) { d.Listen = ":0" })
		},
	} {
		if s := start(t); !strings.Contains(s.logs.String(), name) {
			t.Errorf("no warning that says %q:\n%s", name, s.logs)
		}
	}
	if s := serveDev(t, nil); strings.Contains(s.logs.String(), "WARN") {
		t.Errorf("a warning for nothing:\n%s", s.logs)
	}
}

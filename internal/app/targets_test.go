package app

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func declared(edit ...func(*TargetConfig)) TargetConfig {
	c := TargetConfig{InstanceID: "orders", Engine: "postgresql", Host: "db.example.org", AdminSecret: "orders-admin", Accounts: []string{"app"}}
	for _, e := range edit {
		e(&c)
	}
	return c
}

// What is wrong with a declared target is told with the place and the key.
func TestTargetsAreChecked(t *testing.T) {
	for want, targets := range map[string][]TargetConfig{
		"":                                                        {declared(), declared(func(c *TargetConfig) { c.InstanceID = "stock" }), declared(func(c *TargetConfig) { c.ProjectID = "p2" })},
		"database_targets[1]: engine must be":                     {declared(), declared(func(c *TargetConfig) { c.InstanceID, c.Engine = "x", "oracle" })},
		"database_targets[0]: host must be":                       {declared(func(c *TargetConfig) { c.Host = "" })},
		"database_targets[0]: port must be":                       {declared(func(c *TargetConfig) { c.Port = -1 })},
		"database_targets[0]: tls_mode must be":                   {declared(func(c *TargetConfig) { c.TLSMode = "prefer" })},
		"database_targets[0]: admin_secret must":                  {declared(func(c *TargetConfig) { c.AdminSecret = "" })},
		"database_targets[0]: accounts has 0 items":               {declared(func(c *TargetConfig) { c.Accounts = nil })},
		"database_targets[0]: instance_id must":                   {declared(func(c *TargetConfig) { c.InstanceID = "" })},
		"database_targets[0]: project_id is":                      {declared(func(c *TargetConfig) { c.ProjectID = "a/b" })},
		"database_targets[1]: the instance_id orders is declared": {declared(), declared()},
	} {
		c := DefaultConfig()
		c.Targets = targets
		if err := c.check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

// What shows at the start only stops it too, and says where it stands.
func TestTargetsThatStopTheStart(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.pem")
	if err := os.WriteFile(bad, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, filepath.Join(dir, "data"), nil)
	project := s.current().project
	s.stop(t)
	for want, targets := range map[string][]TargetConfig{
		"database_targets[0]: ca_file: open":                      {declared(func(c *TargetConfig) { c.CAFile = filepath.Join(dir, "none") })},
		"ca_certificate must be certificates in PEM":              {declared(func(c *TargetConfig) { c.CAFile = bad })},
		"database_targets[0]: project_id is \"none\"":             {declared(func(c *TargetConfig) { c.ProjectID = "none" })},
		"database_targets[1]: the instance_id orders is declared": {declared(), declared(func(c *TargetConfig) { c.ProjectID = project })},
	} {
		c := DefaultConfig()
		c.Listen, c.Data, c.Targets = "127.0.0.1:0", filepath.Join(dir, "data"), targets
		s, err := NewServer(t.Context(), c, &bytes.Buffer{})
		if err == nil {
			_ = s.Close()
		}
		if !errors.As(err, new(*ConfigError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

// A first start shows its credentials, whatever the targets say of projects.
func TestAFirstStartWithAnUnknownProject(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *Config) { c.Targets = []TargetConfig{declared(func(c *TargetConfig) { c.ProjectID = "none" })} })
	if !s.current().first.Created || !strings.Contains(s.logs.String(), "database target of an unknown project") {
		t.Errorf("the log:\n%s", s.logs)
	}
}

const targetsPath = "/coffer/v1/{project_id}/database-targets"

type shownTarget struct {
	ID   string `json:"instance_id"`
	Host string `json:"host"`
	Port int    `json:"port"`
	By   string `json:"declared_by"`
}

// Declared targets stand beside those of the API, and the API does not change them.
func TestDeclaredTargets(t *testing.T) {
	data := t.TempDir()
	s := serve(t, data, nil)
	first := s.current().first
	c := s.owner(t)
	create(t, c, "orders-admin", `{"username":"root","password":"x"}`)
	for _, id := range []string{"a", "orders", "z"} {
		call(t, c, "POST", targetsPath, map[string]any{
			"instance_id": id, "engine": "mysql", "host": "api.example.org", "port": 1, "admin_secret": "orders-admin", "accounts": []string{"app"},
		}, nil)
	}
	s.stop(t)
	s = serve(t, data, func(c *Config) {
		c.Targets = []TargetConfig{
			declared(func(c *TargetConfig) { c.InstanceID = "q" }), declared(), declared(func(c *TargetConfig) { c.InstanceID = "zz" }),
			declared(func(c *TargetConfig) { c.InstanceID = "b" }),
		}
	})
	s.current().first = first // whose keys the second start does not know
	c = s.owner(t)
	var list struct {
		Targets []shownTarget `json:"database_targets"`
	}
	want := []shownTarget{
		{"a", "api.example.org", 1, "api"}, {"b", "db.example.org", 5432, "configuration"}, {"orders", "db.example.org", 5432, "configuration"},
		{"q", "db.example.org", 5432, "configuration"}, {"z", "api.example.org", 1, "api"}, {"zz", "db.example.org", 5432, "configuration"},
	}
	call(t, c, "GET", targetsPath, nil, &list)
	if diff := cmp.Diff(want, list.Targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	for i, after := range want { // each page begins after any one
		call(t, c, "GET", targetsPath+"?limit=2&marker="+after.ID, nil, &list)
		if diff := cmp.Diff(want[i+1:min(i+3, len(want))], append([]shownTarget{}, list.Targets...)); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", after.ID, diff)
		}
	}
	var one struct {
		Target shownTarget `json:"database_target"`
	}
	call(t, c, "GET", targetsPath+"/orders", nil, &one)
	if diff := cmp.Diff(want[2], one.Target); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	refused(t, c, "PUT", targetsPath+"/orders", map[string]any{"host": "evil.example.org"}, http.StatusBadRequest)
	refused(t, c, "DELETE", targetsPath+"/orders", nil, http.StatusBadRequest)
	refused(t, c, "POST", targetsPath, map[string]any{
		"instance_id": "b", "engine": "mysql", "host": "h", "port": 1, "admin_secret": "orders-admin", "accounts": []string{"app"},
	}, http.StatusBadRequest)
	_, err := c.Do(t.Context(), "DELETE", targetsPath+"/q", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "declared in the configuration of the server, under database_targets") {
		t.Error(err)
	}
}

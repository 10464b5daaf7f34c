package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/client"
)

func cloudDatabaseConfig(change func(*CloudDatabaseConfig)) []CloudDatabaseConfig {
	c := CloudDatabaseConfig{
		Engine: "huawei-rds", ProjectID: "p", InstanceID: "i", Accounts: []string{"app"}, URL: "https://h", CloudProject: "cp",
		AccessKey: "A", SecretEnv: "X",
	}
	change(&c)
	return []CloudDatabaseConfig{c}
}

func TestCloudDatabasesAreChecked(t *testing.T) {
	for want, change := range map[string]func(*CloudDatabaseConfig){
		"":                     func(*CloudDatabaseConfig) {},
		"engine is":            func(c *CloudDatabaseConfig) { c.Engine = "rds" },
		"project_id is empty":  func(c *CloudDatabaseConfig) { c.ProjectID = "" },
		"accounts is empty":    func(c *CloudDatabaseConfig) { c.Accounts = nil },
		"cloud_project is":     func(c *CloudDatabaseConfig) { c.CloudProject = "" },
		"give one of":          func(c *CloudDatabaseConfig) { c.SecretEnv = "" },
		"instance_id must":     func(c *CloudDatabaseConfig) { c.InstanceID = "a/b" },
		"access_key is empty;": func(c *CloudDatabaseConfig) { c.AccessKey = "" },
	} {
		c := DefaultConfig()
		c.CloudDatabases = cloudDatabaseConfig(change)
		if err := c.check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	c := DefaultConfig()
	one := cloudDatabaseConfig(func(*CloudDatabaseConfig) {})
	c.CloudDatabases = append(one, one...)
	if err := c.check(); err == nil || !strings.Contains(err.Error(), "bound already") {
		t.Errorf("twice: %v", err)
	}
}

// outcome is how a task has ended.
type outcome struct{ Status, Code string }

// lastTask returns how the newest task of a secret has ended.
func lastTask(t *testing.T, s *running, c *client.Client, name string) outcome {
	t.Helper()
	call(t, c, "POST", secretsPath+"/"+name+"/rotate", nil, nil)
	if _, err := s.current().service.RunTasks(t.Context()); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Tasks []struct {
			Status string `json:"task_status"`
			Code   string `json:"task_error_code"`
		}
	}
	call(t, c, "GET", "/v1/{project_id}/csms/tasks?secret_name="+name, nil, &list)
	return outcome(list.Tasks[0])
}

// neighbours.md 3.4, 4.1: a built-in engine of the cloud sets the password by its API,
// before it becomes current; only for the project, the instance and the accounts of the
// configuration.
func TestACloudDatabaseRotates(t *testing.T) {
	var paths []string
	var sent struct{ Name, Password string }
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(cloud.Close)
	t.Setenv("CLOUD_SECRET", "cloudSecretKey")
	data := t.TempDir()
	first := serve(t, data, nil)
	project := first.current().project
	first.stop(t)
	s := serve(t, data, func(c *Config) {
		c.CloudDatabases = cloudDatabaseConfig(func(d *CloudDatabaseConfig) {
			d.ProjectID, d.URL, d.SecretEnv = project, cloud.URL, "CLOUD_SECRET"
		})
		c.Outgoing.AllowNetworks = []string{"127.0.0.0/8"}
	})
	own := s.client(t, client.Config{ProjectID: project, AccessKey: first.current().first.AccessKey, SecretKey: first.current().first.SecretKey})
	for name, in := range map[string][3]string{
		"db":      {"huawei-rds", "i", "app"},
		"taurus":  {"huawei-taurusdb", "i", "app"},
		"unbound": {"huawei-rds", "j", "app"},
		"foreign": {"huawei-rds", "i", "root"},
	} {
		call(t, own, "POST", secretsPath, map[string]string{
			"name": name, "secret_type": "RDS-FG", "secret_string": `{"username":"` + in[2] + `","password":"old"}`,
			"rotation_func_urn": "urn:fss:r:p:function:builtin:" + in[0] + ":latest", "rotation_config": `{"InstanceId":"` + in[1] + `","SecretSubType":"SingleUser"}`,
		}, nil)
	}
	for name, want := range map[string]outcome{
		"taurus": {"FAILED", "ROTATION_TARGET_NOT_FOUND"}, "unbound": {"FAILED", "ROTATION_TARGET_NOT_FOUND"}, "foreign": {"FAILED", "ACCOUNT_NOT_ALLOWED"},
	} {
		if got := lastTask(t, s, own, name); got != want {
			t.Errorf("%s: %+v; want %+v", name, got, want)
		}
	}
	if got := lastTask(t, s, own, "db"); got != (outcome{"SUCCESS", ""}) {
		t.Fatalf("task %+v", got)
	}
	set := "/v3/cp/instances/i/db_user/resetpwd"
	if diff := cmp.Diff([]string{set, set}, paths); diff != "" { // nothing can log in there, so it is set twice
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	wantValue(t, own, "db", `{"username":"app","password":"`+sent.Password+`"}`)
}

// neighbours.md 3.4: a program of the configuration is run with the request, and its
// answer stands in the task.
func TestAProgramRotates(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rotate")
	script := "#!/bin/sh\ncat > \"$1\"\necho '{\"error_code\":\"DB.7\",\"error_msg\":\"seen\"}'\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	s := serve(t, t.TempDir(), func(c *Config) {
		c.Functions = []FunctionConfig{{URN: functionURN, Type: "exec", Path: path, Arguments: []string{filepath.Join(dir, "seen")}}}
	})
	own := s.owner(t)
	call(t, own, "POST", secretsPath, map[string]string{
		"name": "db", "secret_type": "RDS-FG", "secret_string": "old", "rotation_func_urn": functionURN, "rotation_config": `{"InstanceId":"i","SecretSubType":"SingleUser"}`,
	}, nil)
	if got := lastTask(t, s, own, "db"); got != (outcome{"RUNNING", "DB.7"}) {
		t.Errorf("task %+v", got)
	}
	seen, err := os.ReadFile(filepath.Join(dir, "seen"))
	if err != nil || !strings.Contains(string(seen), `"secret_name":"db"`) || !strings.Contains(string(seen), `"securitytoken"`) {
		t.Errorf("the program has read %d bytes: %v", len(seen), err)
	}
}

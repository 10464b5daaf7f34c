package app

import (
	"encoding/base64"
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

const functionURN = "urn:fss:self-1:p:function:default:rotate:latest"

func TestFunctionsAreChecked(t *testing.T) {
	good := FunctionConfig{URN: functionURN, URL: "https://h/"}
	for want, list := range map[string][]FunctionConfig{
		"":                         {good, {URN: "urn:other", URL: "http://127.0.0.1:1/"}, {URN: "urn:3", URL: "http://h/", OwnCredential: true}},
		"take https":               {{URN: functionURN, URL: "http://h/"}},
		"urn must":                 {{URL: "https://h/"}},
		"url is empty":             {{URN: functionURN}},
		"type is":                  {{URN: functionURN, Type: "lambda"}},
		"path is empty":            {{URN: functionURN, Type: "exec"}},
		"url means nothing":        {{URN: functionURN, Type: "exec", Path: "/x", URL: "https://h/"}},
		"own_credential means":     {{URN: functionURN, Type: "huawei-fgs", URL: "https://h", AccessKey: "A", SecretEnv: "X", OwnCredential: true}},
		"secret_file or secret":    {{URN: functionURN, Type: "huawei-fgs", URL: "https://h", AccessKey: "A"}},
		"KEY=VALUE":                {{URN: functionURN, Type: "exec", Path: "/x", Environment: []string{"=x"}}},
		"not be negative":          {{URN: functionURN, Type: "exec", Path: "/x", Timeout: -1}},
		"functions[1]: the urn":    {good, good},
		"that of a built-in":       {{URN: "urn:fss:r:p:function:builtin:mysql:latest", URL: "https://h/"}},
		"secret_env are both give": {{URN: functionURN, URL: "https://h/", SecretFile: "x", SecretEnv: "X"}},
	} {
		c := DefaultConfig()
		c.Functions = list
		if err := c.check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %q", list, err, want)
		}
	}
}

func TestParseFunction(t *testing.T) {
	text := functionURN + "=http://127.0.0.1:1/x?y=z"
	if got, err := ParseFunction(text); err != nil || !cmp.Equal(got, FunctionConfig{URN: functionURN, URL: "http://127.0.0.1:1/x?y=z"}) {
		t.Errorf("ParseFunction(%q) = %+v, %v", text, got, err)
	}
	for _, text := range []string{"", "urn:a", "urn:a=", "=http://h/", "urn:fss:r:p:function:builtin:mysql:latest=http://h/"} {
		if _, err := ParseFunction(text); err == nil {
			t.Errorf("ParseFunction(%q) is accepted", text)
		}
	}
}

// TestAFunctionRotates: the function of a secret is called, signed, and does its work
// through the API at the address that the request names (neighbours.md 3.3).
func TestAFunctionRotates(t *testing.T) {
	var s *running
	stores := true
	called := make(chan http.Header, 10)
	worker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called <- r.Header
		var request struct {
			Name     string `json:"secret_name"`
			Project  string `json:"project_id"`
			Endpoint string `json:"csms_endpoint"`

			Key struct{ Access, Secret, SecurityToken string } `json:"credential"`
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil || !strings.HasPrefix(request.Endpoint, "https://127.0.0.1:") {
			t.Errorf("request of %s to %s: %v", request.Name, request.Endpoint, err)
		}
		if stores {
			own := s.client(t, client.Config{
				ProjectID: request.Project, AccessKey: request.Key.Access, SecretKey: request.Key.Secret, SecurityToken: request.Key.SecurityToken,
			})
			call(t, own, "POST", secretsPath+"/"+request.Name+"/versions", map[string]string{"secret_string": "new"}, nil)
		}
	}))
	t.Cleanup(worker.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 24))), 0o600); err != nil {
		t.Fatal(err)
	}
	s = serve(t, t.TempDir(), func(c *Config) {
		c.Functions = []FunctionConfig{{URN: functionURN, URL: worker.URL, SecretFile: secret}}
		c.Outgoing.AllowNetworks = []string{"127.0.0.0/8"}
	})
	own := s.owner(t)
	call(t, own, "POST", secretsPath, map[string]string{
		"name": "db", "secret_type": "RDS-FG", "secret_string": "old", "rotation_func_urn": functionURN,
		"rotation_config": `{"InstanceId":"i","SecretSubType":"SingleUser"}`,
	}, nil)
	call(t, own, "POST", secretsPath+"/db/rotate", nil, nil)
	if _, err := s.current().service.RunTasks(t.Context()); err != nil {
		t.Fatal(err)
	}
	header := <-called
	if !strings.HasPrefix(header.Get("Webhook-Signature"), "v1,") || header.Get("Webhook-Id") == "" {
		t.Errorf("headers %v", header)
	}
	wantValue(t, own, "db", "new")
	stores = false
	call(t, own, "POST", secretsPath+"/db/rotate", nil, nil)
	if _, err := s.current().service.RunTasks(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-called
	var list struct {
		Tasks []struct {
			Code string `json:"task_error_code"`
		}
	}
	call(t, own, "GET", "/v1/{project_id}/csms/tasks?secret_name=db", nil, &list)
	if len(list.Tasks) != 2 || list.Tasks[0].Code != "ROTATION_NOT_APPLIED" {
		t.Errorf("tasks %+v; a function that only says so has rotated nothing", list.Tasks)
	}
	wantValue(t, own, "db", "new")
}

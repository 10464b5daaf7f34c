package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/rotate/servertest"
	"coffer/internal/service"
)

const previewsPath = "/coffer/v1/{project_id}/rotation-previews"

// previewed is what is seen of a preview: its account, and each check with its status or
// code.
type previewed struct {
	Account  string
	Ready    bool
	Findings []string
}

type findings []struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Code   string `json:"error_code"`
	Msg    string `json:"error_msg"`
	Mend   string `json:"mend"`
}

// lines returns a line for each finding; what failed must say what it is and what mends it.
func (f findings) lines(t *testing.T) (lines []string) {
	t.Helper()
	for _, one := range f {
		if one.Status == "FAILED" && (one.Msg == "" || one.Mend == "") {
			t.Errorf("a failure without help: %+v", one)
		}
		lines = append(lines, strings.TrimSpace(one.Check+" "+one.Status+" "+one.Code))
	}
	return lines
}

func (s *site) preview(t *testing.T, name string) previewed {
	t.Helper()
	var answer struct {
		Preview struct {
			Account  string   `json:"account"`
			Ready    bool     `json:"ready"`
			Findings findings `json:"findings"`
		} `json:"rotation_preview"`
	}
	call(t, s.client, "POST", previewsPath, map[string]string{"secret_name": name}, &answer)
	p := answer.Preview
	return previewed{p.Account, p.Ready, p.Findings.lines(t)}
}

func (s *site) check(t *testing.T) []string {
	t.Helper()
	var answer struct {
		Check struct {
			Findings findings `json:"findings"`
		} `json:"target_check"`
	}
	call(t, s.client, "POST", targetsPath+"/db/check", nil, &answer)
	return answer.Check.Findings.lines(t)
}

func (s *site) store(t *testing.T, name, value string) {
	t.Helper()
	call(t, s.client, "POST", secretsPath+"/"+name+"/versions", map[string]any{"secret_string": value}, nil)
}

// dropSecret makes room for the next case.
func (s *site) dropSecret(t *testing.T, name string) {
	t.Helper()
	call(t, s.client, "DELETE", secretsPath+"/"+name, nil, nil)
}

// checked are the lines of checks that pass as far as one, which ends with code; what
// comes after it is skipped.
func checked(failed, code string, skip ...string) (lines []string) {
	after := false
	for _, check := range []string{"secret", "binding", "account", "listed", "administrator_secret", "server", "administrator_login", "change"} {
		switch {
		case check == failed:
			lines, after = append(lines, check+" FAILED "+code), slices.Contains([]string{"administrator_secret", "server", "administrator_login"}, failed)
		case after || slices.Contains(skip, check):
			lines = append(lines, check+" SKIPPED")
		default:
			lines = append(lines, check+" PASSED")
		}
	}
	return lines
}

// testPreview: every cause that can be seen beforehand is, with its code (RO8), and
// nothing changes on the server: app1 logs in with its first password at the end.
func testPreview(t *testing.T, s *site, kind string) {
	s.secret(t, "look", "SingleUser")
	want := func(what, account, failed, code string, skip ...string) {
		t.Helper()
		w := previewed{account, failed == "", checked(failed, code, skip...)}
		if diff := cmp.Diff(w, s.preview(t, "look")); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", kind, what, diff)
		}
	}
	want("all is well", "app1", "", "")
	if diff := cmp.Diff([]string{"administrator_secret PASSED", "server PASSED", "administrator_login PASSED"}, s.check(t)); diff != "" {
		t.Errorf("%s: check (-want +got):\n%s", kind, diff)
	}
	s.store(t, "look", `{"username":"nobody here","password":"p"}`)
	want("an account that is not listed, and not there", "nobody here", "listed", "ACCOUNT_NOT_ALLOWED", "change")
	s.testAdministrators(t, want)
	s.store(t, "look", "text")
	want("a value that names nobody", "", "account", "SECRET_VALUE_UNREADABLE", "listed", "change")
	s.dropSecret(t, "look")
	s.secret(t, "look", "MultiUser")
	want("no second account", "", "account", "SECOND_ACCOUNT_MISSING", "listed", "change")
	s.store(t, "look", `{"username":"app1","password":"first-1"}`)
	want("one account twice", "app1", "account", "SECOND_ACCOUNT_MISSING")
	s.store(t, "look", `{"username":"app1","password":"first-1"}`)
	s.store(t, "look", `{"username":"app2","password":"first-2"}`)
	want("the account of SYSPREVIOUS is next", "app1", "", "")
	s.dropSecret(t, "look")
	s.wantLogin(t, "app1", "first-1", "")
	s.wantLogin(t, "app2", "first-2", "")
}

// testAdministrators: what is wrong with the administrator, or with an account that he
// is to change.
func (s *site) testAdministrators(t *testing.T, want func(what, account, failed, code string, skip ...string)) {
	t.Helper()
	target := func(accounts ...string) {
		t.Helper()
		call(t, s.client, "PUT", targetsPath+"/db", map[string]any{"accounts": accounts}, nil)
	}
	admin := func(user, password string) {
		t.Helper()
		value, err := json.Marshal(map[string]string{"username": user, "password": password})
		if err != nil {
			t.Fatal(err)
		}
		s.store(t, "admin", string(value))
	}
	target("*")
	want("an account that is not there", "nobody here", "change", "ACCOUNT_UNKNOWN")
	s.store(t, "look", `{"username":"app1","password":"first-1"}`)
	admin("app3", "first-3")
	want("an administrator without rights", "app1", "change", "PERMISSION_MISSING")
	admin(servertest.Administrator, "wrong")
	want("an administrator with a wrong password", "app1", "administrator_login", "ADMIN_LOGIN_REFUSED")
	s.store(t, "admin", "text")
	want("an administrator's secret that names nobody", "app1", "administrator_secret", "ADMIN_SECRET_UNREADABLE")
	admin(servertest.Administrator, servertest.Password)
	call(t, s.client, "PUT", targetsPath+"/db", map[string]any{"host": "127.0.0.1"}, nil) // the certificate has another name
	want("a server that is not trusted", "app1", "server", "TLS_FAILED")
	call(t, s.client, "PUT", targetsPath+"/db", map[string]any{"host": "localhost"}, nil)
	target("app1", "app2", "app3")
}

// TestRotationMetrics: how tries end is counted, by codes that nobody made up, and what
// waits is told.
func TestRotationMetrics(t *testing.T) {
	s := serveDev(t, nil)
	c := s.owner(t)
	in := map[string]string{
		"name": "db", "secret_type": "RDS-FG", "secret_string": `{"username":"a","password":"b"}`,
		"rotation_config": `{"InstanceId":"db","SecretSubType":"SingleUser"}`,
	}
	call(t, c, "POST", secretsPath, in, nil)
	wantMetric(t, s, "coffer_rotation_tasks_running", 0)
	wantMetric(t, s, "coffer_rotation_oldest_due_seconds", 0)
	call(t, c, "POST", secretsPath+"/db/rotate", nil, nil)
	s.wantControl(t, "POST", "/dev/clock", `{"advance":"1s"}`, http.StatusOK)
	wantMetric(t, s, `coffer_rotation_tasks_total{operate_type="MANUAL",status="FAILED"}`, 1)
	wantMetric(t, s, `coffer_rotation_failed_tries_total{code="ROTATION_TARGET_NOT_FOUND"}`, 1)
	wantMetric(t, s, `coffer_rotation_duration_seconds_count{status="FAILED"}`, 1)
	s.rotations.observe(service.Try{Status: csms.TaskRunning, OperateType: csms.OperateAuto, Code: "MADE_UP"})
	s.rotations.observe(service.Try{Status: csms.TaskSuccess, OperateType: csms.OperateAuto, Took: 2 * time.Second})
	wantMetric(t, s, `coffer_rotation_failed_tries_total{code="OTHER"}`, 1)
	wantMetric(t, s, `coffer_rotation_tasks_total{operate_type="AUTO",status="SUCCESS"}`, 1)
	wantMetric(t, s, `coffer_rotation_duration_seconds_sum{status="SUCCESS"}`, 2)
	for series := range metrics(t, s) {
		if strings.Contains(series, "MADE_UP") || strings.Contains(series, `"db"`) {
			t.Errorf("a label holds what somebody chose: %s", series)
		}
	}
}

// A rotation that hangs shows as one that runs, and grows old.
func TestAHangingRotationIsSeen(t *testing.T) {
	reached, release := make(chan struct{}), make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(reached)
		<-release
	}))
	defer hook.Close()
	const urn = "urn:fss:self-1:p:function:default:slow:latest"
	s := serve(t, t.TempDir(), func(c *Config) {
		c.Functions = []FunctionConfig{{URN: urn, URL: hook.URL}}
		c.Outgoing.AllowNetworks = []string{"127.0.0.0/8"}
	})
	c := s.owner(t)
	call(t, c, "POST", secretsPath, map[string]string{
		"name": "db", "secret_type": "RDS-FG", "secret_string": `{}`, "rotation_func_urn": urn,
		"rotation_config": `{"InstanceId":"db","SecretSubType":"SingleUser"}`,
	}, nil)
	var answer struct {
		Preview struct {
			Bound struct {
				Kind, Address string
			}
			Findings findings
		} `json:"rotation_preview"`
	}
	call(t, c, "POST", previewsPath, map[string]string{"secret_name": "db"}, &answer)
	if diff := cmp.Diff([]string{"secret PASSED", "binding PASSED", "function SKIPPED"}, answer.Preview.Findings.lines(t)); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
	if b := answer.Preview.Bound; b.Kind != "function" || "http://"+b.Address != hook.URL {
		t.Errorf("bound to %+v", b)
	}
	call(t, c, "POST", secretsPath+"/db/rotate", nil, nil)
	<-reached
	wantMetric(t, s, "coffer_rotation_tasks_running", 1)
	if age := metrics(t, s)["coffer_rotation_oldest_due_seconds"]; age <= 0 || age > 60 {
		t.Errorf("the oldest is %v seconds old", age)
	}
	close(release)
}

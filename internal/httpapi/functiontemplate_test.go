package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/service/identity"
	"coffer/internal/testkit"
)

// function is the source that ShowSecretFunctionTemplates answers, run by python3 against a
// Coffer, with a database in a file.
type function struct {
	t        *testing.T
	kit      *testkit.Kit
	server   *httptest.Server
	folder   string
	accounts string // file of the accounts of the database
	env      []string
	user     *identity.Identity // whose key the function is given; nil for that of its task
	calls    atomic.Int32       // requests of the function so far
	loseNth  int32              // the answer to this one is lost; 0 for none
}

func newFunction(t *testing.T, engine, subType string) *function {
	t.Helper()
	f := &function{t: t, folder: t.TempDir()}
	f.accounts = filepath.Join(f.folder, "accounts.json")
	f.kit = testkit.New(t, testkit.Options{
		Identities: []identity.Identity{corpusUsers[0]},
		Engines:    func(context.Context, *rotate.Rotation) (rotate.Engine, error) { return f, nil },
	})
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	query := "/v1/csms/function-templates?secret_type=RDS-FG&secret_sub_type=" + subType + "&engine=" + engine
	var answer struct {
		Source string `json:"function_templates"`
	}
	decodeAnswer(t, f.kit.Do(testkit.Owner, "GET", query, ""), &answer)
	driver := string(must(os.ReadFile("testdata/function/driver.py")))
	f.write("index.py", answer.Source)
	for _, name := range []string{"pymysql.py", "pymssql.py", "psycopg2/__init__.py", "psycopg2/extensions.py"} {
		f.write(name, driver)
	}
	f.write("accounts.json", `{"app":"old","app2":"old"}`)
	return f
}

func (f *function) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// ServeHTTP is the way of the function to Coffer, on which an answer may be lost.
func (f *function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.calls.Add(1) != f.loseNth {
		f.kit.API.ServeHTTP(w, r)
		return
	}
	f.kit.API.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// key returns the credential of a call.
func (f *function) key(ctx context.Context, r *rotate.Rotation) (identity.TemporaryKeyInfo, error) {
	if f.user != nil {
		return identity.TemporaryKeyInfo{Access: f.user.AccessKey, Secret: f.user.SecretKey}, nil
	}
	return f.kit.Identity.RotationKey(ctx, r.TaskID, r.DomainID)
}

// Change calls the function as the contract has it.
func (f *function) Change(ctx context.Context, r *rotate.Rotation, _ *rotate.Values) error {
	key, err := f.key(ctx, r)
	if err != nil {
		return err
	}
	event, err := json.Marshal(map[string]any{
		"version": "1", "task_id": r.TaskID, "attempt": r.Attempt, "operate_type": r.OperateType, "region": r.Region,
		"domain_id": r.DomainID, "project_id": r.ProjectID, "secret_id": r.SecretID, "secret_name": r.SecretName,
		"secret_type": r.SecretType, "rotation_config": r.Config, "csms_endpoint": f.server.URL,
		"current_version": r.CurrentVersion, "idempotency_key": r.IdempotencyKey(),
		"credential": key,
	})
	if err != nil {
		return err
	}
	program := exec.CommandContext(ctx, "python3", "-c", "import index, json, sys; print(json.dumps(index.handler(json.load(sys.stdin))))")
	program.Dir, program.Stdin = f.folder, bytes.NewReader(event)
	program.Env = append(os.Environ(), append([]string{"ACCOUNTS=" + f.accounts, "DB_HOST=db.example", "PYTHONDONTWRITEBYTECODE=1", "no_proxy=127.0.0.1"}, f.env...)...)
	var problems strings.Builder
	program.Stderr = &problems
	out, err := program.Output()
	if err != nil {
		return fmt.Errorf("running the function: %w: %s", err, problems.String())
	}
	var answer struct {
		Code string `json:"error_code"`
		Msg  string `json:"error_msg"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return err
	}
	if answer.Code != "" {
		return &rotate.Error{Code: rotate.Code(answer.Code), Msg: answer.Msg, Final: f.loseNth == 0}
	}
	return nil
}

// create makes secret db of a sub-type, with one version for each account.
func (f *function) create(subType string, users ...string) {
	f.t.Helper()
	value := func(user string) string {
		return string(must(json.Marshal(`{"username":"` + user + `","password":"old","port":3307}`)))
	}
	config := string(must(json.Marshal(`{"InstanceId":"i-1","SecretSubType":"` + subType + `"}`)))
	checkAnswer(f.t, f.kit.Do(testkit.Owner, "POST", projectPath+"secrets",
		`{"name":"db","secret_type":"RDS-FG","rotation_config":`+config+`,"rotation_func_urn":"urn","secret_string":`+value(users[0])+`}`), 200, "")
	for _, user := range users[1:] {
		checkAnswer(f.t, f.kit.Do(testkit.Owner, "POST", projectPath+"secrets/db/versions", `{"secret_string":`+value(user)+`}`), 200, "")
	}
}

// rotate rotates secret db and returns its task once it has ended.
func (f *function) rotate() csms.Task {
	f.t.Helper()
	f.kit.Move(time.Second)
	checkAnswer(f.t, f.kit.Do(testkit.Owner, "POST", projectPath+"secrets/db/rotate", ""), 200, "")
	for range 3 {
		if _, err := f.kit.Service.RunTasks(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
		f.kit.Move(5 * time.Minute)
	}
	var list struct {
		Tasks []struct {
			Status  csms.TaskStatus `json:"task_status"`
			Attempt int             `json:"attempt_nums"`
			Code    string          `json:"task_error_code"`
			Msg     string          `json:"task_error_msg"`
		}
	}
	decodeAnswer(f.t, f.kit.Do(testkit.Owner, "GET", projectPath+"csms/tasks?secret_name=db", ""), &list)
	t := list.Tasks[0]
	return csms.Task{Status: t.Status, Attempt: t.Attempt, ErrorCode: t.Code, ErrorMsg: t.Msg}
}

// stage returns the account under a label, which must be able to log in, and its version.
func (f *function) stage(label string) (user, version string) {
	f.t.Helper()
	var stage struct {
		Stage struct {
			Version string `json:"version_id"`
		}
	}
	decodeAnswer(f.t, f.kit.Do(testkit.Owner, "GET", projectPath+"secrets/db/stages/"+label, ""), &stage)
	var answer struct {
		Version struct {
			Text string `json:"secret_string"`
		}
	}
	decodeAnswer(f.t, f.kit.Do(testkit.Owner, "GET", projectPath+"secrets/db/versions/"+stage.Stage.Version, ""), &answer)
	var value struct {
		Username, Password string
		Port               int
	}
	if err := json.Unmarshal([]byte(answer.Version.Text), &value); err != nil || value.Port != 3307 {
		f.t.Fatalf("value %s: %v", answer.Version.Text, err)
	}
	var accounts map[string]string
	if err := json.Unmarshal(must(os.ReadFile(f.accounts)), &accounts); err != nil {
		f.t.Fatal(err)
	}
	if label == csms.StageCurrent && accounts[value.Username] != value.Password {
		f.t.Errorf("%s of %s can not log in with %s", value.Username, stage.Stage.Version, label)
	}
	return value.Username, stage.Stage.Version
}

// RO9, RO13, neighbours.md 3.3: the template is a program that rotates, with no more rights
// than its key has, for each engine and sub-type, time after time.
func TestTheFunctionTemplateRotates(t *testing.T) {
	for _, c := range []struct {
		server, engine, subType string
		rotations               int
	}{
		{"8.0.36", "mysql", csms.SingleUser, 2},
		{"8.0.36", "mysql", csms.MultiUser, 2},
		{"11.8.3-MariaDB", "mysql", csms.SingleUser, 1},
		{"", "postgresql", csms.MultiUser, 1},
		{"", "sqlserver", csms.SingleUser, 1},
	} {
		t.Run(c.engine+" "+c.server+" "+c.subType, func(t *testing.T) {
			f := newFunction(t, c.engine, c.subType)
			f.env = []string{"SERVER_VERSION=" + c.server}
			users := []string{"app", "app2"}
			if c.subType == csms.SingleUser {
				users = users[:1]
			}
			f.create(c.subType, users...)
			for i := range c.rotations {
				if task := f.rotate(); task.Status != csms.TaskSuccess || task.Attempt != 1 {
					t.Fatalf("task %+v", task)
				}
				user, version := f.stage(csms.StageCurrent)
				before, former := f.stage(csms.StagePrevious)
				n := len(users) + i
				if version != csms.VersionID(n+1) || former != csms.VersionID(n) || user != users[i%len(users)] || before != users[(i+1)%len(users)] {
					t.Errorf("rotation %d: SYSCURRENT %s %s, SYSPREVIOUS %s %s", i, version, user, former, before)
				}
			}
		})
	}
}

// neighbours.md 3.3: whichever answer of Coffer is lost, the next try goes on where the
// function was, and no password is lost.
func TestTheFunctionTemplateGoesOn(t *testing.T) {
	for subType, users := range map[string][]string{csms.SingleUser: {"app"}, csms.MultiUser: {"app", "app2"}} {
		t.Run(subType, func(t *testing.T) {
			for lost := int32(1); ; lost++ {
				f := newFunction(t, "mysql", subType)
				f.create(subType, users...)
				f.loseNth = lost // and other failures are tried again
				task := f.rotate()
				if task.Status != csms.TaskSuccess {
					t.Fatalf("answer %d lost: task %+v", lost, task)
				}
				user, version := f.stage(csms.StageCurrent)
				_, former := f.stage(csms.StagePrevious)
				if user != users[0] || version != csms.VersionID(len(users)+1) || former != csms.VersionID(len(users)) {
					t.Errorf("answer %d lost: SYSCURRENT %s %s, SYSPREVIOUS %s", lost, version, user, former)
				}
				if f.calls.Load() < lost {
					break // all answers were lost once
				}
			}
		})
	}
}

// RO8: what fails in the function is told by a code of its own, and nothing is moved.
func TestTheFunctionTemplateTellsTheCause(t *testing.T) {
	for code, spoil := range map[string]func(*function){
		"LOGIN_REFUSED":    func(f *function) { f.write("accounts.json", `{"app":"another"}`) },
		"HOST_UNREACHABLE": func(f *function) { f.env = []string{"DB_HOST=elsewhere"} },
		"HOST_MISSING":     func(f *function) { f.env = []string{"DB_HOST="} },
		"CHANGE_REFUSED":   func(f *function) { f.env = []string{"REFUSE_CHANGE=1"} },
		"DRIVER_MISSING":   func(f *function) { f.write("pymysql.py", "raise ImportError()") },
		"CSMS.0302":        func(f *function) { f.user = &corpusUsers[0] },
		"SECOND_ACCOUNT_MISSING": func(f *function) {
			f.write("index.py", strings.Replace(string(must(os.ReadFile(filepath.Join(f.folder, "index.py")))), `"SingleUser"  #`, `"MultiUser"  #`, 1))
		},
	} {
		t.Run(code, func(t *testing.T) {
			f := newFunction(t, "mysql", csms.SingleUser)
			f.create(csms.SingleUser, "app")
			spoil(f)
			if task := f.rotate(); task.Status != csms.TaskFailed || task.ErrorCode != code || task.ErrorMsg == "" {
				t.Errorf("task %+v", task)
			}
			var stage map[string]map[string]any
			decodeAnswer(t, f.kit.Do(testkit.Owner, "GET", projectPath+"secrets/db/stages/SYSCURRENT", ""), &stage)
			if got := stage["stage"]["version_id"]; got != "v1" {
				t.Errorf("SYSCURRENT is %v", got)
			}
		})
	}
}

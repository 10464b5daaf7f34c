package app

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/client"
	"coffer/internal/csms"
	"coffer/internal/outgoing"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/mysql"
	"coffer/internal/rotate/postgresql"
	"coffer/internal/rotate/servertest"
)

// site is a server of Coffer beside a database server, registered as the target "db".
type site struct {
	*running
	client   *client.Client
	database *servertest.Server
	engine   database.Engine // to log in with, beside Coffer
}

func newSite(t *testing.T, kind string, db *servertest.Server, engine database.Engine) *site {
	t.Helper()
	s := &site{running: serveDev(t, nil), database: db, engine: engine}
	s.client = s.owner(t)
	admin, err := json.Marshal(map[string]string{"username": servertest.Administrator, "password": servertest.Password})
	if err != nil {
		t.Fatal(err)
	}
	create(t, s.client, "admin", string(admin))
	call(t, s.client, "POST", "/coffer/v1/{project_id}/database-targets", map[string]any{
		"instance_id": "db", "engine": kind, "host": "localhost", "port": db.Port, "tls_mode": "verify-full", "ca_certificate": db.Authority.PEM,
		"admin_secret": "admin", "accounts": []string{"app1", "app2", "app3"},
	}, nil)
	return s
}

// secret makes a secret with the account app1 in its first version.
func (s *site) secret(t *testing.T, name, subType, urn string) {
	t.Helper()
	in := map[string]string{
		"name": name, "secret_type": "RDS-FG", "secret_string": `{"username":"app1","password":"first-1","engine":"kept"}`,
		"rotation_config": `{"InstanceId":"db","SecretSubType":"` + subType + `"}`,
	}
	if urn != "" {
		in["rotation_func_urn"] = urn
	}
	call(t, s.client, "POST", secretsPath, in, nil)
}

// outcome is what is seen of a task.
type outcome struct{ Status, Code string }

// rotate has a secret rotated and returns how its task ended.
func (s *site) rotate(t *testing.T, name string) outcome {
	t.Helper()
	var started struct {
		TaskID string `json:"rotation_task_id"`
	}
	call(t, s.client, "POST", secretsPath+"/"+name+"/rotate", nil, &started)
	var list struct {
		Tasks []struct {
			Status string `json:"task_status"`
			Code   string `json:"task_error_code"`
		}
	}
	for range 4 { // three tries, with a back-off of up to 15 minutes
		s.wantControl(t, "POST", "/dev/clock", `{"advance":"20m"}`, 200)
		call(t, s.client, "GET", "/v1/{project_id}/csms/tasks?task_id="+started.TaskID, nil, &list)
		if len(list.Tasks) == 1 && list.Tasks[0].Status != "RUNNING" {
			return outcome(list.Tasks[0])
		}
	}
	t.Fatalf("tasks %+v", list.Tasks)
	return outcome{}
}

// value returns account and password of the version under a stage.
func (s *site) value(t *testing.T, name, version string) (account, password string) {
	t.Helper()
	var answer struct {
		Version struct {
			Text string `json:"secret_string"`
		}
	}
	call(t, s.client, "GET", secretsPath+"/"+name+"/versions/"+version, nil, &answer)
	var value struct{ Username, Password, Engine string }
	if err := json.Unmarshal([]byte(answer.Version.Text), &value); err != nil || value.Engine != "kept" {
		t.Fatalf("%s: %v", answer.Version.Text, err)
	}
	return value.Username, value.Password
}

func (s *site) wantLogin(t *testing.T, account, password string, want database.Code) {
	t.Helper()
	if err := s.engine.Verify(t.Context(), account, []byte(password)); database.CodeOf(err) != want {
		t.Errorf("login of %s: %v; want code %q", account, err, want)
	}
}

// TestRotation: RotateSecret changes the password on a real server (RO7 to RO10).
func TestRotation(t *testing.T) {
	for kind, c := range map[string]struct {
		start  func(*testing.T) *servertest.Server
		engine func(database.Target) (database.Engine, error)
		create string
		drop   string
		keeps  bool
	}{
		"postgresql": {
			servertest.PostgreSQL, func(t database.Target) (database.Engine, error) { return postgresql.New(t, rand.Reader) },
			`CREATE ROLE app%d LOGIN PASSWORD 'first-%[1]d'`, `DROP ROLE app2`, false,
		},
		"mariadb": {
			servertest.MariaDB, func(t database.Target) (database.Engine, error) { return mysql.New(t) },
			`CREATE USER app%d IDENTIFIED BY 'first-%[1]d'`, `DROP USER app2`, true,
		},
		"mysql": {
			servertest.MySQL, func(t database.Target) (database.Engine, error) { return mysql.New(t) },
			`CREATE USER app%d IDENTIFIED BY 'first-%[1]d'`, `DROP USER app2`, true,
		},
	} {
		t.Run(kind, func(t *testing.T) {
			db := c.start(t)
			engine, err := c.engine(db.Target())
			if err != nil {
				t.Fatal(err)
			}
			s := newSite(t, kind, db, engine)
			for n := range 3 {
				db.Exec(t, fmt.Sprintf(c.create, n+1))
			}
			old := map[bool]database.Code{true: "", false: database.LoginRefused}[c.keeps]
			testPreview(t, s, kind)
			testSingleUser(t, s, kind, old)
			testMultiUser(t, s)
			if refused := testLoad(t, s, "multi"); refused > 0 {
				t.Errorf("two accounts: %d logins were refused", refused)
			}
			s.secret(t, "load", "SingleUser", "")
			call(t, s.client, "POST", secretsPath+"/load/versions", map[string]any{"secret_string": `{"username":"app3","password":"first-3","engine":"kept"}`}, nil)
			if refused := testLoad(t, s, "load"); refused > 0 && c.keeps {
				t.Errorf("one account with two passwords: %d logins were refused", refused)
			}
			db.Exec(t, c.drop)
			testRefusals(t, s)
			for _, canary := range []string{"first-1", servertest.Password} {
				if strings.Contains(s.logs.String(), canary) {
					t.Errorf("the log of Coffer holds %s", canary)
				}
			}
		})
	}
}

func testSingleUser(t *testing.T, s *site, kind string, old database.Code) {
	s.secret(t, "single", "SingleUser", "urn:fss:cn-north-4:"+s.client.ProjectID()+":function:builtin:"+kind+":latest")
	if diff := cmp.Diff(outcome{Status: "SUCCESS"}, s.rotate(t, "single")); diff != "" {
		t.Fatal(diff)
	}
	account, password := s.value(t, "single", "latest")
	if account != "app1" || len(password) != 24 {
		t.Errorf("account %s with a password of %d characters", account, len(password))
	}
	s.wantLogin(t, "app1", password, "")
	s.wantLogin(t, "app1", "first-1", old)
	s.database.Crash()
	if got := s.rotate(t, "single"); got.Code != string(database.Unreachable) || got.Status != "FAILED" {
		t.Errorf("with the database down: %+v", got)
	}
	s.database.Start(t)
	if _, same := s.value(t, "single", "latest"); same != password {
		t.Error("a failed rotation has moved SYSCURRENT")
	}
	s.wantLogin(t, "app1", password, "")
}

// testMultiUser: the accounts change places, and what is current always works (RO9).
func testMultiUser(t *testing.T, s *site) {
	s.secret(t, "multi", "MultiUser", "")
	if got := s.rotate(t, "multi"); got.Code != "SECOND_ACCOUNT_MISSING" {
		t.Errorf("with one account: %+v", got)
	}
	call(t, s.client, "POST", secretsPath+"/multi/versions", map[string]any{"secret_string": `{"username":"app2","password":"first-2","engine":"kept"}`}, nil)
	for _, want := range []string{"app1", "app2", "app1"} {
		if diff := cmp.Diff(outcome{Status: "SUCCESS"}, s.rotate(t, "multi")); diff != "" {
			t.Fatal(diff)
		}
		account, password := s.value(t, "multi", "latest")
		if account != want {
			t.Errorf("%s is current; want %s", account, want)
		}
		s.wantLogin(t, account, password, "")
	}
}

func testRefusals(t *testing.T, s *site) {
	for name, c := range map[string]struct{ value, urn, code string }{
		"gone":    {`{"username":"app2","password":"p"}`, "", string(database.Unknown)},
		"foreign": {`{"username":"coffer admin","password":"p"}`, "", "ACCOUNT_NOT_ALLOWED"},
		"text":    {`app1:first-1`, "", "SECRET_VALUE_UNREADABLE"},
		"other":   {`{"username":"app1","password":"p"}`, "urn:fss:r:p:function:builtin:sqlserver:latest", "ROTATION_FUNCTION_NOT_FOUND"},
		"cloud":   {`{"username":"app1","password":"p"}`, "urn:fss:r:p:function:default:mine:latest", "ROTATION_FUNCTION_NOT_FOUND"},
	} {
		s.secret(t, name, "SingleUser", c.urn)
		call(t, s.client, "POST", secretsPath+"/"+name+"/versions", map[string]any{"secret_string": c.value}, nil)
		if got := s.rotate(t, name); got.Code != c.code || got.Status != "FAILED" {
			t.Errorf("%s: %+v; want %s", name, got, c.code)
		}
	}
}

// TestTargetsAreJudgedByTheirAddress: a production server does not go to loopback
// unless it may (P5).
func TestTargetsAreJudgedByTheirAddress(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	target := &csms.DatabaseTarget{Engine: csms.PostgreSQL, Host: "localhost", Port: 1, TLSMode: csms.TLSDisable}
	engine, err := openDatabase(s.current().service, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Verify(t.Context(), "app", []byte("p")); database.CodeOf(err) != database.Unreachable || !errors.Is(err, outgoing.ErrAddress) {
		t.Errorf("%v; want %v", err, outgoing.ErrAddress)
	}
}

func TestBuiltinEngine(t *testing.T) {
	for urn, want := range map[string]csms.DatabaseEngine{
		"urn:fss:r:p:function:builtin:mysql:latest": "mysql", "urn:fss:r:p:function:default:mysql:latest": "", "": "", "urn:fss:r:p:function:builtin:mysql": "",
	} {
		if got, ok := builtinEngine(urn); got != want || ok != (want != "") {
			t.Errorf("%q: %q", urn, got)
		}
	}
	if !slices.Contains([]csms.DatabaseEngine{csms.MySQL}, family(csms.MariaDB)) || family(csms.PostgreSQL) != csms.PostgreSQL {
		t.Error("the families are mixed up")
	}
}

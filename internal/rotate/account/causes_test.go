package account_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/rotate"
	"coffer/internal/rotate/account"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/mysql"
	"coffer/internal/rotate/postgresql"
	"coffer/internal/rotate/servertest"
	"coffer/internal/service"
	"coffer/internal/testkit"
)

// server is a database server beside a Coffer that rotates accounts of it.
type server struct {
	*servertest.Server
	k      *testkit.Kit
	open   func(database.Target) (database.Engine, error)
	target database.Target // of the next rotation
}

func start(t *testing.T, db *servertest.Server, open func(database.Target) (database.Engine, error)) *server {
	s := &server{Server: db, open: open, target: db.Target()}
	s.k = testkit.New(t, testkit.Options{Engines: func(context.Context, *rotate.Rotation) (rotate.Engine, error) {
		engine, err := s.open(s.target)
		return account.New(engine, rand.Reader, &csms.DatabaseTarget{InstanceID: "i-1", Accounts: []string{csms.AnyAccount}}), err
	}})
	return s
}

func owner() *iam.Caller {
	return &iam.Caller{DomainID: testkit.DomainID, UserID: "owner", Owner: true, ProjectID: testkit.ProjectID}
}

// logsIn reports whether the value of a version is a login.
func (s *server) logsIn(t *testing.T, version string) error {
	t.Helper()
	v, err := s.k.Service.ShowSecretVersion(t.Context(), owner(), "db", version)
	if err != nil {
		t.Fatal(err)
	}
	var value struct{ Username, Password string }
	if err := json.Unmarshal(v.Value.Data, &value); err != nil {
		t.Fatal(err)
	}
	engine, err := s.open(s.Target())
	if err != nil {
		t.Fatal(err)
	}
	return engine.Verify(t.Context(), value.Username, []byte(value.Password))
}

// labels returns the labels of the secret but for that of a pending version.
func (s *server) labels(t *testing.T) map[string]int {
	t.Helper()
	sec, err := s.k.Service.ShowSecret(t.Context(), owner(), "db")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, st := range sec.Stages {
		if _, pending := csms.PendingTask(st.Name); !pending {
			all[st.Name] = st.Version
		}
	}
	return all
}

// rotate has the secret rotated to the end of its task.
func (s *server) rotate(t *testing.T) *csms.Task {
	t.Helper()
	task, err := s.k.Service.RotateSecret(t.Context(), owner(), "db")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.k.Service.RunTasks(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.k.Move(5 * time.Minute)
	}
	page, err := s.k.Service.ListSecretTask(t.Context(), owner(), service.TaskListing{TaskID: task.ID, Limit: 1})
	if err != nil || len(page.Items) != 1 {
		t.Fatal(page, err)
	}
	return page.Items[0]
}

// cause is why a rotation fails, and what mends it.
type cause struct {
	code     database.Code
	attempts int
	do, mend func(*testing.T, *server)
}

// causes are those of every server; lock, unlock and limited are its own words.
func causes(lock, unlock, limited string) map[string]cause {
	retarget := func(change func(*testing.T, *database.Target)) func(*testing.T, *server) {
		return func(t *testing.T, s *server) { change(t, &s.target) }
	}
	back := func(_ *testing.T, s *server) { s.target = s.Target() }
	exec := func(sql string) func(*testing.T, *server) {
		return func(t *testing.T, s *server) { s.Exec(t, sql) }
	}
	return map[string]cause{
		"wrong administrator password": {database.AdminRefused, 3, retarget(func(_ *testing.T, target *database.Target) {
			target.Administrator = servertest.As(servertest.Administrator, "CANARY wrong")
		}), back},
		"missing privilege": {database.Permission, 3, func(t *testing.T, s *server) {
			s.Exec(t, limited)
			s.target.Administrator = servertest.As("limited", "CANARY-limited")
		}, back},
		"unreachable host":    {database.Unreachable, 3, retarget(func(t *testing.T, target *database.Target) { target.Port = closedPort(t) }), back},
		"server that is down": {database.Unreachable, 3, func(_ *testing.T, s *server) { s.Crash() }, func(t *testing.T, s *server) { s.Start(t) }},
		"locked account":      {database.Locked, 3, exec(lock), exec(unlock)},
	}
}

func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Issue: each cause ends FAILED with its own code, labels untouched, and the old password
// still works; once it is mended the secret rotates.
func (s *server) test(t *testing.T, create string, all map[string]cause) {
	s.Exec(t, create)
	in := service.NewSecret{Creation: csms.Creation{Name: "db", Type: csms.RDSFG}, Text: csms.Plaintext(`{"username":"app","password":"CANARY-0"}`)}
	in.Creation.Rotation.Config = `{"InstanceId":"i-1","SecretSubType":"SingleUser"}`
	if _, err := s.k.Service.CreateSecret(t.Context(), owner(), in); err != nil {
		t.Fatal(err)
	}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			before := s.labels(t)
			c.do(t, s)
			failed := s.rotate(t)
			if failed.Status != csms.TaskFailed || failed.ErrorCode != string(c.code) || failed.Attempt != c.attempts || failed.Unsure {
				t.Errorf("the task ends %s %s %q after %d tries", failed.Status, failed.ErrorCode, failed.ErrorMsg, failed.Attempt)
			}
			if failed.ErrorMsg == "" || strings.Contains(failed.ErrorMsg, "CANARY") {
				t.Errorf("message %q", failed.ErrorMsg)
			}
			if diff := cmp.Diff(before, s.labels(t)); diff != "" {
				t.Errorf("labels (-before +after):\n%s", diff)
			}
			c.mend(t, s)
			if err := s.logsIn(t, csms.Latest); err != nil {
				t.Errorf("the old password: %v", err)
			}
			if done := s.rotate(t); done.Status != csms.TaskSuccess {
				t.Errorf("once that is mended: %s %s", done.ErrorCode, done.ErrorMsg)
			}
			if err := s.logsIn(t, csms.Latest); err != nil {
				t.Errorf("the new password: %v", err)
			}
		})
	}
	if strings.Contains(s.k.Log.String(), "CANARY") {
		t.Error("the log holds a password")
	}
}

// testOld: a server that can keep two passwords keeps the old one for a day, and then no
// longer (ADR 25).
func (s *server) testOld(t *testing.T) {
	old := csms.VersionID(s.labels(t)[csms.StageCurrent])
	if done := s.rotate(t); done.Status != csms.TaskSuccess {
		t.Fatalf("%s %s", done.ErrorCode, done.ErrorMsg)
	}
	if err := s.logsIn(t, old); err != nil {
		t.Errorf("the old password: %v", err)
	}
	s.k.Move(24 * time.Hour)
	if done, err := s.k.Service.RunTasks(t.Context()); done == 0 || err != nil {
		t.Fatal(done, err)
	}
	if err := s.logsIn(t, old); database.CodeOf(err) != database.LoginRefused {
		t.Errorf("the old password after a day: %v", err)
	}
	if err := s.logsIn(t, csms.Latest); err != nil {
		t.Errorf("the new password after a day: %v", err)
	}
}

// PostgreSQL gets a verifier and not a password, so it has no rule that it could break.
func TestCausesOfPostgreSQL(t *testing.T) {
	s := start(t, servertest.PostgreSQL(t), func(target database.Target) (database.Engine, error) { return postgresql.New(target, rand.Reader) })
	s.test(t, `CREATE ROLE app LOGIN PASSWORD 'CANARY-0'`,
		causes(`ALTER ROLE app NOLOGIN`, `ALTER ROLE app LOGIN`, `CREATE ROLE limited LOGIN PASSWORD 'CANARY-limited'`))
}

func openMySQL(target database.Target) (database.Engine, error) { return mysql.New(target) }

// of returns the causes of MySQL and MariaDB, and a rule for passwords that those which
// are made break by their length.
func ofMySQL(demand, mend string) map[string]cause {
	all := causes(`ALTER USER app ACCOUNT LOCK`, `ALTER USER app ACCOUNT UNLOCK`, `CREATE USER limited IDENTIFIED BY 'CANARY-limited'`)
	all["password policy of the server"] = cause{database.PasswordPolicy, 1,
		func(t *testing.T, s *server) { s.Exec(t, demand) }, func(t *testing.T, s *server) { s.Exec(t, mend) }}
	return all
}

func TestCausesOfMariaDB(t *testing.T) {
	s := start(t, servertest.MariaDB(t), openMySQL)
	s.test(t, `CREATE USER app IDENTIFIED BY 'CANARY-0'`, ofMySQL(
		`INSTALL SONAME 'simple_password_check'; SET GLOBAL simple_password_check_minimal_length = 64`, `UNINSTALL SONAME 'simple_password_check'`))
	s.testOld(t)
}

func TestCausesOfMySQL(t *testing.T) {
	s := start(t, servertest.MySQL(t), openMySQL)
	s.test(t, `CREATE USER app IDENTIFIED BY 'CANARY-0'`, ofMySQL(
		`INSTALL COMPONENT 'file://component_validate_password'; SET GLOBAL validate_password.length = 64`, `UNINSTALL COMPONENT 'file://component_validate_password'`))
	s.testOld(t)
}

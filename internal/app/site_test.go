package app

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"

	"coffer/internal/client"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/mysql"
	"coffer/internal/rotate/postgresql"
	"coffer/internal/rotate/servertest"
)

// site is a server of Coffer beside a database server, registered as the target "db".
type site struct {
	*running
	client *client.Client
	engine database.Engine // to log in with, beside Coffer
}

func newSite(t *testing.T, kind string, db *servertest.Server, engine database.Engine) *site {
	t.Helper()
	s := &site{running: serveDev(t, nil), engine: engine}
	s.client = s.owner(t)
	admin, err := json.Marshal(map[string]string{"username": servertest.Administrator, "password": servertest.Password})
	if err != nil {
		t.Fatal(err)
	}
	create(t, s.client, "admin", string(admin))
	call(t, s.client, "POST", targetsPath, map[string]any{
		"instance_id": "db", "engine": kind, "host": "localhost", "port": db.Port, "tls_mode": "verify-full", "ca_certificate": db.Authority.PEM,
		"admin_secret": "admin", "accounts": []string{"app1", "app2", "app3"},
	}, nil)
	return s
}

// secret makes a secret with the account app1 in its first version.
func (s *site) secret(t *testing.T, name, subType string) {
	t.Helper()
	call(t, s.client, "POST", secretsPath, map[string]string{
		"name": name, "secret_type": "RDS-FG", "secret_string": `{"username":"app1","password":"first-1"}`,
		"rotation_config": `{"InstanceId":"db","SecretSubType":"` + subType + `"}`,
	}, nil)
}

func (s *site) wantLogin(t *testing.T, account, password string, want database.Code) {
	t.Helper()
	if err := s.engine.Verify(t.Context(), account, []byte(password)); database.CodeOf(err) != want {
		t.Errorf("login of %s: %v; want code %q", account, err, want)
	}
}

// TestPreview asks real servers. That a rotation itself works on them is in
// crash/rotation.
func TestPreview(t *testing.T) {
	openMySQL := func(t database.Target) (database.Engine, error) { return mysql.New(t) }
	for kind, c := range map[string]struct {
		start  func(*testing.T) *servertest.Server
		engine func(database.Target) (database.Engine, error)
		create string
	}{
		"postgresql": {
			servertest.PostgreSQL, func(t database.Target) (database.Engine, error) { return postgresql.New(t, rand.Reader) },
			`CREATE ROLE app%d LOGIN PASSWORD 'first-%[1]d'`,
		},
		"mariadb": {servertest.MariaDB, openMySQL, `CREATE USER app%d IDENTIFIED BY 'first-%[1]d'`},
		"mysql":   {servertest.MySQL, openMySQL, `CREATE USER app%d IDENTIFIED BY 'first-%[1]d'`},
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
			testPreview(t, s, kind)
		})
	}
}

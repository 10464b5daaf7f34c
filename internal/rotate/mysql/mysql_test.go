package mysql

import (
	"testing"

	"coffer/internal/rotate/database"
	"coffer/internal/rotate/databasetest"
	"coffer/internal/rotate/servertest"
)

// catalogue is every account with all that the server knows of it but the row that is
// not to be looked at, every right, and every database and table.
func catalogue(accounts, name string) string {
	return accounts + " WHERE User <> " + servertest.Text(name) + ` UNION ALL SELECT CONCAT_WS('|', User, Host, Db, Select_priv) FROM mysql.db
		UNION ALL SELECT CONCAT_WS('|', table_schema, table_name) FROM information_schema.tables WHERE table_schema NOT IN ('information_schema', 'performance_schema')
		ORDER BY 1`
}

func harness(s *servertest.Server, accounts string) *databasetest.Harness {
	quoted := func(name string) string { return servertest.Text(name) + "@'%'" }
	create := func(t *testing.T, name, password string) string {
		t.Helper()
		s.Exec(t, "CREATE USER "+quoted(name)+" IDENTIFIED BY "+servertest.Text(password))
		return name + "@%"
	}
	return &databasetest.Harness{
		Server: s,
		New:    func(target database.Target) (database.Engine, error) { return New(target) },
		Create: create,
		Drop:   func(t *testing.T, name string) { s.Exec(t, "DROP USER "+quoted(name)) },
		Lock:   func(t *testing.T, name string) { s.Exec(t, "ALTER USER "+quoted(name)+" ACCOUNT LOCK") },
		Unlock: func(t *testing.T, name string) { s.Exec(t, "ALTER USER "+quoted(name)+" ACCOUNT UNLOCK") },
		State:  func(t *testing.T, name string) [][]string { return s.Exec(t, catalogue(accounts, name)) },
		Limited: func(t *testing.T) database.Credential {
			create(t, "limited", "limited")
			return database.Credential{User: "limited", Password: []byte("limited")}
		},
		KeepsOld: true, Hostile: []string{`\0`, `\Z`, `NO_BACKSLASH_ESCAPES`}, NameLength: 32, Missing: "missing@%",
	}
}

// TestMariaDB and TestMySQL start one server each, for the suite and for what is the
// server's own.
func TestMariaDB(t *testing.T) {
	s := servertest.MariaDB(t)
	h := harness(s, "SELECT CONCAT_WS('|', User, Host, Priv) FROM mysql.global_priv")
	h.WithoutTLS = "--skip-ssl"
	databasetest.Run(t, h)
	runCases(t, h, both, mariaDB)
}

func TestMySQL(t *testing.T) {
	columns := "User, Host, plugin, account_locked, password_expired, Select_priv, Super_priv, Create_user_priv, HEX(authentication_string), HEX(User_attributes)"
	h := harness(servertest.MySQL(t), "SELECT CONCAT_WS('|', "+columns+") FROM mysql.user")
	h.WithoutTLS = "--tls-version="
	databasetest.Run(t, h)
	runCases(t, h, both, oracle)
}

// cases are tests of one server, by what they show.
type cases map[string]func(*testing.T, *subject)

// subject is a server with an engine for it.
type subject struct {
	*databasetest.Harness
	engine *Engine
}

func runCases(t *testing.T, h *databasetest.Harness, tables ...cases) {
	for _, table := range tables {
		for name, test := range table {
			t.Run(name, func(t *testing.T) {
				e, err := New(h.Server.Target())
				if err != nil {
					t.Fatal(err)
				}
				test(t, &subject{h, e})
			})
		}
	}
}

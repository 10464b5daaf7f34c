package postgresql

import (
	"crypto/rand"
	"strings"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/databasetest"
	"coffer/internal/rotate/servertest"
)

// catalogue is every role with its password, every database and every setting but the
// row that is not to be looked at.
const catalogue = `SELECT row(a.*)::text FROM pg_authid a WHERE rolname <> %s UNION ALL SELECT datname FROM pg_database
UNION ALL SELECT row(s.*)::text FROM pg_db_role_setting s UNION ALL SELECT relname::text FROM pg_class UNION ALL SELECT row(m.*)::text FROM pg_auth_members m ORDER BY 1`

// literal quotes for the set-up of tests, by other means than the engine's.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func create(t *testing.T, s *servertest.Server, name, password string) string {
	t.Helper()
	made := s.Exec(t, "SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', "+literal(name)+", "+literal(password)+")")
	s.Exec(t, made[0][0])
	return name
}

func harness(t *testing.T) *databasetest.Harness {
	s := servertest.PostgreSQL(t)
	return &databasetest.Harness{
		Server: s,
		New:    func(target database.Target) (database.Engine, error) { return New(target, rand.Reader) },
		Create: func(t *testing.T, name, password string) string { return create(t, s, name, password) },
		Drop: func(t *testing.T, name string) {
			s.Exec(t, s.Exec(t, "SELECT format('DROP ROLE %I', "+literal(name)+")")[0][0])
		},
		Lock:   func(t *testing.T, name string) { s.Exec(t, `ALTER ROLE "`+name+`" NOLOGIN`) },
		Unlock: func(t *testing.T, name string) { s.Exec(t, `ALTER ROLE "`+name+`" LOGIN`) },
		State: func(t *testing.T, name string) [][]string {
			return s.Exec(t, strings.Replace(catalogue, "%s", literal(name), 1))
		},
		Limited: func(t *testing.T) database.Credential {
			return database.Credential{User: create(t, s, "limited", "limited"), Password: []byte("limited")}
		},
		Hostile: []string{"current_user", "public", "😀"}, NameLength: maxName, Missing: "missing", WithoutTLS: "--ssl=off",
	}
}

func TestSuite(t *testing.T) { databasetest.Run(t, harness(t)) }

// engine returns an engine for a server of the test's own.
func engine(t *testing.T, s *servertest.Server, change ...func(*database.Target)) *Engine {
	t.Helper()
	target := s.Target()
	for _, c := range change {
		c(&target)
	}
	e, err := New(target, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func code(t *testing.T, err error, want database.Code) {
	t.Helper()
	if got := database.CodeOf(err); got != want {
		t.Errorf("code %q: %v; want %q", got, err, want)
	}
}

// TestTheServer holds what is PostgreSQL's own.
func TestTheServer(t *testing.T) {
	s := servertest.PostgreSQL(t)
	ctx := t.Context()
	e := engine(t, s)

	t.Run("a role that need not show its password proves none", func(t *testing.T) {
		create(t, s, "the trusted", "p")
		code(t, e.Verify(ctx, "the trusted", []byte("anything")), database.External)
	})
	t.Run("the password itself goes over TLS only", func(t *testing.T) {
		create(t, s, "the cleartext", "p")
		code(t, e.Verify(ctx, "the cleartext", []byte("p")), database.External)
		protected := engine(t, s, func(t *database.Target) { t.TLS.Mode = csms.TLSRequire })
		code(t, protected.Verify(ctx, "the cleartext", []byte("p")), "")
		code(t, protected.Verify(ctx, "the cleartext", []byte("q")), database.LoginRefused)
	})
	t.Run("a role that pg_hba.conf keeps out is refused", func(t *testing.T) {
		create(t, s, "the refused", "p")
		code(t, e.Verify(ctx, "the refused", []byte("p")), database.LoginRefused)
	})
	t.Run("a role without right to the database has a password all the same", func(t *testing.T) {
		create(t, s, "no database", "p")
		s.Exec(t, "CREATE DATABASE closed")
		s.Exec(t, "REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
		there := engine(t, s, func(t *database.Target) { t.Database = "closed" })
		code(t, there.Verify(ctx, "no database", []byte("p")), "")
		code(t, there.Verify(ctx, "no database", []byte("q")), database.LoginRefused)
	})
	t.Run("a role whose time is over is locked", func(t *testing.T) {
		create(t, s, "over", "p")
		s.Exec(t, "ALTER ROLE over VALID UNTIL '2020-01-01'")
		code(t, e.Change(ctx, "over", []byte("q")), database.Locked)
		s.Exec(t, "ALTER ROLE over VALID UNTIL 'infinity'")
		code(t, e.Verify(ctx, "over", []byte("p")), "")
	})
	t.Run("a name is not cut off to that of another role", func(t *testing.T) {
		name := create(t, s, strings.Repeat("n", maxName), "p")
		code(t, e.Change(ctx, name+"n", []byte("q")), database.Unknown)
		code(t, e.Verify(ctx, name+"n", []byte("p")), database.Unknown)
		code(t, e.Verify(ctx, name, []byte("p")), "")
	})
	t.Run("a search path of the administrator leads nowhere", func(t *testing.T) {
		create(t, s, "path", "p")
		s.Exec(t, `CREATE SCHEMA trap; CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2000-01-01'::timestamptz $$;
			ALTER ROLE "`+servertest.Administrator+`" SET search_path = trap, pg_catalog; ALTER ROLE path VALID UNTIL '2020-01-01'`)
		code(t, e.Change(ctx, "path", []byte("q")), database.Locked)
		s.Exec(t, `ALTER ROLE "`+servertest.Administrator+`" RESET search_path`)
	})
	t.Run("a server that only reads is unavailable", func(t *testing.T) {
		create(t, s, "reader", "p")
		s.Exec(t, `ALTER ROLE "`+servertest.Administrator+`" SET default_transaction_read_only = on`)
		code(t, e.Change(ctx, "reader", []byte("q")), database.Unavailable)
		s.Exec(t, `BEGIN READ WRITE; ALTER ROLE "`+servertest.Administrator+`" RESET default_transaction_read_only; COMMIT`)
		code(t, e.Verify(ctx, "reader", []byte("p")), "")
	})
	t.Run("the right that the manual names is enough", func(t *testing.T) {
		create(t, s, "rights", "p")
		steward := engine(t, s, func(t *database.Target) { t.Administrator = servertest.As("steward", "s") })
		create(t, s, "steward", "s")
		code(t, steward.Change(ctx, "rights", []byte("q")), database.Permission)
		s.Exec(t, "ALTER ROLE steward CREATEROLE")
		code(t, steward.Change(ctx, "rights", []byte("q")), "")
		code(t, e.Verify(ctx, "rights", []byte("q")), "")
		code(t, steward.Change(ctx, servertest.Administrator, []byte("q")), database.Permission)
	})
	t.Run("a lock in the catalogue is waited for as long as there is time", func(t *testing.T) { testWait(t, s) })
	t.Run("a server that is full is unavailable", func(t *testing.T) {
		create(t, s, "full", "p")
		s.Exec(t, "ALTER ROLE full CONNECTION LIMIT 0")
		code(t, e.Verify(ctx, "full", []byte("p")), database.Unavailable)
	})
}

func testWait(t *testing.T, s *servertest.Server) {
	create(t, s, "wait", "p")
	e := engine(t, s)
	held, err := e.administrator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hangUp(t.Context(), held)
	if _, err := held.Exec(t.Context(), "BEGIN; LOCK TABLE pg_authid IN EXCLUSIVE MODE").ReadAll(); err != nil {
		t.Fatal(err)
	}
	hasty := engine(t, s, func(t *database.Target) { t.Timeout = silence })
	code(t, hasty.Change(t.Context(), "wait", []byte("q")), database.Timeout)
	if _, err := held.Exec(t.Context(), "ROLLBACK").ReadAll(); err != nil {
		t.Fatal(err)
	}
	code(t, e.Verify(t.Context(), "wait", []byte("p")), "")
}

package mysql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/rotate/database"
	"coffer/internal/rotate/servertest"
)

// exec runs statements with every right.
func (s *subject) exec(t *testing.T, statements ...string) (last [][]string) {
	t.Helper()
	for _, statement := range statements {
		last = s.Server.Exec(t, statement)
	}
	return last
}

func code(t *testing.T, err error, want database.Code) {
	t.Helper()
	if got := database.CodeOf(err); got != want {
		t.Errorf("code %q: %v; want %q", got, err, want)
	}
	if err != nil && strings.Contains(err.Error(), "CANARY") {
		t.Errorf("the error holds a password: %v", err)
	}
}

func (s *subject) change(t *testing.T, account, password string, want database.Code) {
	t.Helper()
	code(t, s.engine.Change(t.Context(), account, []byte(password)), want)
}

func (s *subject) verify(t *testing.T, account, password string, want database.Code) {
	t.Helper()
	code(t, s.engine.Verify(t.Context(), account, []byte(password)), want)
}

// both are the cases of either make.
var both = cases{
	"a user without a host is all his accounts":       testHosts,
	"a name is compared to the letter":                testLetters,
	"what is not the password stays":                  testAttributes,
	"an account without a password gets one":          testEmpty,
	"a method without a password is refused":          testExternal,
	"a session does not take the server's mode":       testMode,
	"a password whose time is over is replaced":       testExpired,
	"a server that wants TLS is not talked out of it": testSecureTransport,
	"the rights that the manual names are enough":     testRights,
}

func testHosts(t *testing.T, s *subject) {
	for _, host := range []string{"127.0.0.1", "10.%", "%"} {
		s.exec(t, "CREATE USER 'hosts'@'"+host+"' IDENTIFIED BY 'CANARY-0'")
	}
	rest := func(host string) [][]string {
		column := map[bool]string{true: "User, Host, Priv FROM mysql.global_priv", false: "User, Host, HEX(authentication_string) FROM mysql.user"}[s.isMariaDB(t)]
		return s.exec(t, "SELECT "+column+" WHERE User = 'hosts' AND Host <> '"+host+"' ORDER BY Host")
	}
	before := rest("127.0.0.1")
	s.change(t, "hosts@127.0.0.1", "CANARY-1", "")
	s.verify(t, "hosts", "CANARY-1", "")
	if diff := cmp.Diff(before, rest("127.0.0.1")); diff != "" {
		t.Errorf("accounts at other hosts changed (-before +after):\n%s", diff)
	}
	s.change(t, "hosts", "CANARY-2", "")
	s.verify(t, "hosts@%", "CANARY-2", "") // at 127.0.0.1
	s.exec(t, "DROP USER 'hosts'@'127.0.0.1'")
	s.verify(t, "hosts@%", "CANARY-2", "") // at %
	s.verify(t, "hosts@%", "CANARY-1", database.LoginRefused)
	code(t, s.engine.Discard(t.Context(), "hosts"), "")
	s.verify(t, "hosts", "CANARY-0", database.LoginRefused)
	s.change(t, "hosts@192.0.2.1", "CANARY-3", database.Unknown)
}

func (s *subject) isMariaDB(t *testing.T) bool {
	return strings.Contains(s.exec(t, "SELECT VERSION()")[0][0], "MariaDB")
}

func testLetters(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'Letters'@'localhost' IDENTIFIED BY 'CANARY-0'")
	for _, other := range []string{"letters@localhost", "Letters @localhost", "Letters@localhost ", "Letters"[:6] + "@localhost", "Léttersz@localhost"} {
		s.change(t, other, "CANARY-1", database.Unknown)
	}
	s.change(t, "Letters@LOCALHOST", "CANARY-1", "")
}

// testAttributes: limits, demands and rights of the account itself.
func testAttributes(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'attributes'@'%' IDENTIFIED BY 'CANARY-0' REQUIRE SSL WITH MAX_USER_CONNECTIONS 7 PASSWORD EXPIRE INTERVAL 90 DAY",
		"GRANT SELECT, TRIGGER ON mysql.* TO 'attributes'@'%' WITH GRANT OPTION")
	all := func() (texts []string) {
		shown := s.exec(t, "SHOW CREATE USER 'attributes'@'%'")[0][0]
		before, after, _ := strings.Cut(shown, " IDENTIFIED ")
		_, after, found := strings.Cut(after, " REQUIRE ")
		if !found {
			t.Fatalf("%q", shown)
		}
		texts = []string{before, after}
		for _, row := range s.exec(t, "SHOW GRANTS FOR 'attributes'@'%'") {
			grant, _, _ := strings.Cut(row[0], " IDENTIFIED ")
			texts = append(texts, grant)
		}
		return texts
	}
	before := all()
	s.change(t, "attributes@%", "CANARY-1", "")
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func testEmpty(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'empty'@'%'")
	s.verify(t, "empty", "", "")
	s.change(t, "empty", "CANARY-1", "")
	s.verify(t, "empty", "CANARY-1", "")
	s.verify(t, "empty", "", database.LoginRefused)
}

func testExternal(t *testing.T, s *subject) {
	plugin := "unix_socket"
	if !s.isMariaDB(t) {
		plugin = "auth_socket"
		s.exec(t, "INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'")
	}
	s.exec(t, "CREATE USER 'external'@'%' IDENTIFIED WITH "+plugin)
	s.change(t, "external", "CANARY-1", database.External)
}

func testMode(t *testing.T, s *subject) {
	before := s.exec(t, "SELECT @@GLOBAL.sql_mode")[0][0]
	name := `mo\'d"e`
	s.exec(t, "CREATE USER "+servertest.Text(name)+"@'%' IDENTIFIED BY 'CANARY-0'", "SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'")
	defer s.exec(t, "SET GLOBAL sql_mode = "+servertest.Text(before))
	for _, secret := range []string{`CANARY \`, `CANARY \'`, `CANARY '\`, `CANARY "`} {
		s.change(t, name, secret, "")
		s.verify(t, name, secret, "")
	}
}

func testExpired(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'expired'@'%' IDENTIFIED BY 'CANARY-0'", "ALTER USER 'expired'@'%' PASSWORD EXPIRE")
	if s.isMariaDB(t) { // which else lets in and then refuses every statement
		s.exec(t, "SET GLOBAL disconnect_on_expired_password = ON")
	}
	s.verify(t, "expired", "CANARY-0", database.Expired)
	s.verify(t, "expired", "CANARY-1", database.LoginRefused)
	s.change(t, "expired", "CANARY-1", "")
	s.verify(t, "expired", "CANARY-1", "")
}

func testSecureTransport(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'secure'@'%' IDENTIFIED BY 'CANARY-0'", "SET GLOBAL require_secure_transport = ON")
	defer s.exec(t, "SET GLOBAL require_secure_transport = OFF")
	administrator, login := database.TLSFailed, database.TLSFailed
	if s.isMariaDB(t) { // it does not say why
		administrator, login = database.AdminRefused, database.LoginRefused
	}
	s.change(t, "secure", "CANARY-1", administrator)
	s.verify(t, "secure", "CANARY-0", login)
}

// testRights: an administrator with the rights of docs/rotation.md, and with one of
// them less.
func testRights(t *testing.T, s *subject) {
	table := map[bool]string{true: "global_priv", false: "user"}[s.isMariaDB(t)]
	s.exec(t, "CREATE USER 'rights'@'%' IDENTIFIED BY 'CANARY-0'", "CREATE USER 'steward'@'%' IDENTIFIED BY 'CANARY-s'", "GRANT CREATE USER ON *.* TO 'steward'@'%'")
	target := s.Server.Target()
	target.Administrator = servertest.As("steward", "CANARY-s")
	e, err := New(target)
	if err != nil {
		t.Fatal(err)
	}
	code(t, e.Change(t.Context(), "rights", []byte("CANARY-1")), database.Permission)
	s.verify(t, "rights", "CANARY-0", "")
	s.exec(t, "GRANT SELECT ON mysql."+table+" TO 'steward'@'%'")
	code(t, e.Change(t.Context(), "rights", []byte("CANARY-1")), "")
	s.verify(t, "rights", "CANARY-1", "")
	s.verify(t, "rights", "CANARY-0", "")
	code(t, e.Discard(t.Context(), "rights"), "")
	s.verify(t, "rights", "CANARY-0", database.LoginRefused)
	s.exec(t, "REVOKE CREATE USER ON *.* FROM 'steward'@'%'")
	code(t, e.Change(t.Context(), "rights", []byte("CANARY-2")), database.Permission)
	code(t, e.Discard(t.Context(), "rights"), map[bool]database.Code{true: "", false: database.Permission}[s.isMariaDB(t)]) // MariaDB: nothing to discard
	s.verify(t, "rights", "CANARY-1", "")
}

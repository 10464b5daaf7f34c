package mysql

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/rotate/database"
)

// mariaDB are the cases of MariaDB alone.
var mariaDB = cases{
	"ed25519 keeps its plugin":                   testEd25519,
	"several methods are not mixed up":           testSeveral,
	"a role is no account":                       testRole,
	"a server that must see the password judges": testStrict,
}

func testEd25519(t *testing.T, s *subject) {
	s.exec(t, "INSTALL SONAME 'auth_ed25519'", "CREATE USER 'ed'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('CANARY-0')")
	s.verify(t, "ed", "CANARY-0", "")
	s.change(t, "ed", "CANARY-1", "")
	s.verify(t, "ed", "CANARY-1", "")
	s.verify(t, "ed", "CANARY-0", database.LoginRefused)
	if got := s.exec(t, "SELECT JSON_VALUE(Priv, '$.plugin') FROM mysql.global_priv WHERE User = 'ed'")[0][0]; got != ed25519 {
		t.Errorf("the account logs in by %s", got)
	}
	code(t, s.engine.Discard(t.Context(), "ed"), "")
	s.verify(t, "ed", "CANARY-1", "")
}

func testSeveral(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'several'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('CANARY-0') OR unix_socket")
	s.change(t, "several", "CANARY-1", database.External)
	s.verify(t, "several", "CANARY-0", "")
	s.exec(t, "CREATE USER 'invalid'@'%' IDENTIFIED VIA mysql_native_password USING 'invalid'")
	s.change(t, "invalid", "CANARY-1", "")
	s.verify(t, "invalid", "CANARY-1", "")
}

func testRole(t *testing.T, s *subject) {
	s.exec(t, "CREATE ROLE part")
	s.change(t, "part", "CANARY-1", database.Unknown)
}

func testStrict(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'strict'@'%' IDENTIFIED BY 'CANARY-o1d'", "INSTALL SONAME 'simple_password_check'")
	defer s.exec(t, "UNINSTALL SONAME 'simple_password_check'")
	s.change(t, "strict", "CANARY", database.PasswordPolicy)
	s.verify(t, "strict", "CANARY-o1d", "")
	s.change(t, "strict", "CANARY-n3w", "")
	s.verify(t, "strict", "CANARY-n3w", "")
	s.verify(t, "strict", "CANARY-o1d", database.LoginRefused)
}

// The hashes are those of the manual of MariaDB and of the server itself.
func TestHashes(t *testing.T) {
	for _, c := range []struct{ plugin, password, want string }{
		{native, "password", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"},
		{ed25519, "secret", "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY"},
	} {
		if got := hash(c.plugin, []byte(c.password)); got != c.want {
			t.Errorf("%s of %q: %s; want %s", c.plugin, c.password, got, c.want)
		}
	}
}

func TestMethods(t *testing.T) {
	for text, want := range map[string][]method{
		`{}`: {{native, ""}},
		`{"plugin":"ed25519","authentication_string":"a"}`:                                                       {{ed25519, "a"}},
		`{"plugin":"mysql_native_password","authentication_string":"a","auth_or":[{},{"plugin":"unix_socket"}]}`: {{native, "a"}, {"unix_socket", ""}},
		`{"plugin":"p","auth_or":[{"plugin":"q","authentication_string":"b"},{}]}`:                               {{"q", "b"}, {"p", ""}},
	} {
		p := privileges{}
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p.methods(), cmp.AllowUnexported(method{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

package mysql

import (
	"testing"

	"coffer/internal/rotate/database"
)

// oracle are the cases of MySQL alone.
var oracle = cases{
	"the rules of the server judge":           testValidation,
	"a password that was used is refused":     testHistory,
	"failed logins lock":                      testFailedLogins,
	"a server that only reads is unavailable": testReadOnly,
	"the plugin stays":                        testPlugin,
}

func testValidation(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'validation'@'%' IDENTIFIED BY 'CANARY-o1d'", "INSTALL COMPONENT 'file://component_validate_password'")
	defer s.exec(t, "UNINSTALL COMPONENT 'file://component_validate_password'")
	s.change(t, "validation", "CANARY", database.PasswordPolicy)
	s.verify(t, "validation", "CANARY-o1d", "")
	s.change(t, "validation", "CANARY-n3w", "")
	s.verify(t, "validation", "CANARY-n3w", "")
	s.verify(t, "validation", "CANARY-o1d", "")
}

func testHistory(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'history'@'%' IDENTIFIED BY 'CANARY-0' PASSWORD HISTORY 5")
	s.change(t, "history", "CANARY-1", "")
	s.change(t, "history", "CANARY-0", database.PasswordPolicy)
	s.verify(t, "history", "CANARY-1", "")
}

func testFailedLogins(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'failed'@'%' IDENTIFIED BY 'CANARY-0' FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME 1")
	s.verify(t, "failed", "CANARY-1", database.Locked)
	s.verify(t, "failed", "CANARY-0", database.Locked)
}

func testReadOnly(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'reader'@'%' IDENTIFIED BY 'CANARY-0'", "SET GLOBAL super_read_only = ON")
	s.change(t, "reader", "CANARY-1", database.Unavailable)
	s.exec(t, "SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF")
	s.verify(t, "reader", "CANARY-0", "")
}

// testPlugin: an account that does not use the server's default goes on with its own.
func testPlugin(t *testing.T, s *subject) {
	s.exec(t, "CREATE USER 'plugin'@'%' IDENTIFIED WITH sha256_password BY 'CANARY-0'")
	s.change(t, "plugin", "CANARY-1", "")
	s.verify(t, "plugin", "CANARY-1", "")
	s.change(t, "plugin", "CANARY-1", "")
	s.verify(t, "plugin", "CANARY-0", "")
	if got := s.exec(t, "SELECT plugin FROM mysql.user WHERE User = 'plugin'")[0][0]; got != "sha256_password" {
		t.Errorf("the account logs in by %s", got)
	}
}

package mysql

import (
	"context"
	"slices"

	"coffer/internal/rotate/database"
)

// withPassword are the plugins of MySQL that log in with a password which the server
// stores.
var withPassword = []string{"caching_sha2_password", "sha256_password", "mysql_native_password"}

// findMySQL reads the accounts that a names.
func (s *session) findMySQL(ctx context.Context, a account) (accounts []found, err error) {
	const lookUp = "SELECT User, Host, account_locked = 'Y', plugin, IFNULL(authentication_string, '') FROM mysql.user WHERE User = ?"
	rows, err := s.conn.QueryContext(ctx, lookUp, a.user)
	if err != nil {
		return nil, s.engine.failure(ctx, "looking up accounts", err)
	}
	defer rows.Close()
	for rows.Next() {
		f, m := found{}, method{}
		if err := rows.Scan(&f.user, &f.host, &f.locked, &m.plugin, &m.stored); err != nil {
			return nil, s.engine.failure(ctx, "looking up accounts", err)
		}
		if f.methods = []method{m}; a.is(f) {
			accounts = append(accounts, f)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, s.engine.failure(ctx, "looking up accounts", err)
	}
	return accounts, a.checkFound(accounts, withPassword)
}

// checkFound reports an account that is not there, or that does not log in with a
// password which one of those plugins stores.
func (a account) checkFound(accounts []found, plugins []string) error {
	if len(accounts) == 0 && a.anyHost {
		return database.Errorf(database.Unknown, "there is no account of the user %q", a.user)
	}
	if len(accounts) == 0 {
		return database.Errorf(database.Unknown, "there is no account %q", a.user+"@"+a.host)
	}
	for _, f := range accounts {
		for _, m := range f.methods {
			if m.plugin != f.methods[0].plugin || !slices.Contains(plugins, m.plugin) {
				return database.Errorf(database.External, "account %s logs in by %.64q, for which no password can be set here", f, m.plugin)
			}
		}
	}
	return nil
}

// changeMySQL sends the password itself: the server hashes it, in its logs it writes
// <secret>, and it keeps the old password only of a change that is made in this way.
// The plugin is named so that it stays. An account that has the password is left alone:
// the server would keep that one as the old one.
func (s *session) changeMySQL(ctx context.Context, accounts []found, password []byte) error {
	accounts = slices.DeleteFunc(accounts, func(f found) bool { return f.methods[0].holds(password) })
	if len(accounts) == 0 {
		return nil
	}
	keeps := s.keepsMySQL()
	return s.alterUser(ctx, accounts, func(f found) string {
		clause := "IDENTIFIED WITH " + f.methods[0].plugin + " BY " + quoteText(string(password))
		if keeps && f.methods[0].stored != "" {
			clause += " RETAIN CURRENT PASSWORD"
		}
		return clause
	})
}

// keepsMySQL reports whether the server keeps two passwords.
func (s *session) keepsMySQL() bool { return s.server.from(8, 0, 14) }

func (s *session) discardMySQL(ctx context.Context, accounts []found) error {
	if !s.keepsMySQL() {
		return nil
	}
	return s.alterUser(ctx, accounts, func(found) string { return "DISCARD OLD PASSWORD" })
}

package mysql

import (
	"context"
	"strings"

	"coffer/internal/rotate/database"
)

// Inspect reports what would keep Change from giving an account a password.
func (e *Engine) Inspect(ctx context.Context, account string) error {
	if account == "" {
		return e.greet(ctx)
	}
	return e.alter(ctx, account, func(s *session, accounts []found) error {
		if err := checkUnlocked(accounts); err != nil {
			return err
		}
		return s.checkRights(ctx, accounts[0].user)
	})
}

// greet logs in as the administrator.
func (e *Engine) greet(ctx context.Context) error {
	ctx, cancel := e.target.Bound(ctx)
	defer cancel()
	s, err := e.administrator(ctx)
	if err != nil {
		return err
	}
	s.close()
	return nil
}

func checkUnlocked(accounts []found) error {
	for _, a := range accounts {
		if a.locked {
			return database.Errorf(database.Locked, "account %s is locked", a)
		}
	}
	return nil
}

// checkRights looks for a grant that lets the administrator alter users: what he has
// himself and by the roles of his session.
func (s *session) checkRights(ctx context.Context, user string) error {
	rows, err := s.conn.QueryContext(ctx, "SHOW GRANTS")
	if err != nil {
		return s.engine.failure(ctx, "looking up the rights of the administrator", err)
	}
	defer rows.Close()
	for rows.Next() {
		var grant string
		if err := rows.Scan(&grant); err != nil {
			return s.engine.failure(ctx, "looking up the rights of the administrator", err)
		}
		if altersUsers(grant) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return s.engine.failure(ctx, "looking up the rights of the administrator", err)
	}
	return database.Errorf(database.Permission, "the administrator may not change the password of %q: it needs CREATE USER on *.*", user)
}

// altersUsers reports whether a line of SHOW GRANTS gives what ALTER USER asks for:
// CREATE USER everywhere, or UPDATE on the tables that accounts are in.
func altersUsers(grant string) bool {
	rest, ok := strings.CutPrefix(grant, "GRANT ")
	if !ok {
		return false
	}
	privileges, object, _ := strings.Cut(rest, " ON ")
	object, _, _ = strings.Cut(object, " TO ")
	everywhere, tables := object == "*.*", object == "`mysql`.*"
	for _, p := range strings.Split(privileges, ",") {
		switch strings.TrimSpace(p) {
		case "ALL PRIVILEGES", "UPDATE":
			if everywhere || tables {
				return true
			}
		case "CREATE USER":
			if everywhere {
				return true
			}
		}
	}
	return false
}

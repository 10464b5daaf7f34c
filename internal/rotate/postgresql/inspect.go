package postgresql

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"coffer/internal/rotate/database"
)

// rights tells whether the administrator may set the password of a role: as itself, as
// superuser, or by CREATEROLE, which from 16 on needs ADMIN OPTION on the role and never
// reaches a superuser, nor before 16 a role with REPLICATION or BYPASSRLS.
const rights = `SELECT a.oid = r.oid OR a.rolsuper OR a.rolcreaterole AND NOT r.rolsuper AND CASE
	WHEN current_setting('server_version_num')::int >= 160000 THEN pg_has_role(a.oid, r.oid, 'MEMBER WITH ADMIN OPTION')
	ELSE NOT r.rolreplication AND NOT r.rolbypassrls END
FROM pg_catalog.pg_roles a, pg_catalog.pg_roles r WHERE a.rolname = current_user AND r.rolname = $1`

// Inspect reports what would keep Change from giving role a password.
func (e *Engine) Inspect(ctx context.Context, role string) error {
	if role != "" {
		if err := checkName(role); err != nil {
			return err
		}
	}
	ctx, cancel := e.target.Bound(ctx)
	defer cancel()
	c, err := e.administrator(ctx)
	if err != nil {
		return err
	}
	defer hangUp(ctx, c)
	if role == "" {
		return checkVersion(c)
	}
	if _, err := e.inspect(ctx, c, role); err != nil {
		return err
	}
	return e.checkRights(ctx, c, role)
}

func (e *Engine) checkRights(ctx context.Context, c *pgconn.PgConn, role string) error {
	rows := c.ExecParams(ctx, rights, [][]byte{[]byte(role)}, nil, nil, nil).Read()
	switch {
	case rows.Err != nil:
		return e.failure(ctx, "looking up the rights over "+strconv.Quote(role), rows.Err)
	case len(rows.Rows) == 1 && string(rows.Rows[0][0]) == "t":
		return nil
	}
	return database.Errorf(database.Permission, "the administrator may not change the password of role %q: it needs CREATEROLE, from PostgreSQL 16 with ADMIN OPTION on the role, and for some roles SUPERUSER", role)
}

package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/outgoing"
	"coffer/internal/rotate"
	"coffer/internal/rotate/account"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/mysql"
	"coffer/internal/rotate/postgresql"
	"coffer/internal/rotate/sqlserver"
	"coffer/internal/service"
)

// databases finds the database target of a secret that has no rotation_func_urn, or one
// of a built-in engine (neighbours.md 3.4). It is asked once the service is there.
func databases(svc func() *service.Service, allow []netip.Prefix) rotate.Engines {
	return func(ctx context.Context, r *rotate.Rotation) (rotate.Engine, error) {
		wanted, builtin := builtinEngine(r.FuncURN)
		if r.FuncURN != "" && !builtin {
			return nil, rotate.NotFound(r)
		}
		t, err := svc().RotationTarget(ctx, r)
		if err != nil {
			return nil, err
		}
		if builtin && family(wanted) != family(t.Engine) {
			return nil, rotate.Finalf(rotate.CodeFunctionNotFound, "rotation_func_urn names the engine %s, and the database target %s is of %s.", wanted, t.InstanceID, t.Engine)
		}
		engine, err := openDatabase(svc(), t, allow)
		if err != nil {
			return nil, err
		}
		return account.New(engine, rand.Reader, t), nil
	}
}

// builtinEngine returns the engine that urn:fss:<r>:<p>:function:builtin:<engine>:latest
// names.
func builtinEngine(urn string) (csms.DatabaseEngine, bool) {
	parts := strings.Split(urn, ":")
	if len(parts) != 8 || parts[4] != "function" || parts[5] != "builtin" {
		return "", false
	}
	return csms.DatabaseEngine(parts[6]), true
}

// family counts MySQL and MariaDB as one: the engine asks the server which it is.
func family(e csms.DatabaseEngine) csms.DatabaseEngine {
	if e == csms.MariaDB {
		return csms.MySQL
	}
	return e
}

// openDatabase returns the engine for t. Whoever may register a target names its host,
// so where it leads is judged as for every call to others.
func openDatabase(svc *service.Service, t *csms.DatabaseTarget, allow []netip.Prefix) (database.Engine, error) {
	target := database.Target{
		Host: t.Host, Port: t.Port, Database: t.Database, TLS: database.TLS{Mode: t.TLSMode},
		Dial: outgoing.Dialer(allow).DialContext,
		Administrator: func(ctx context.Context) (database.Credential, error) {
			value, err := svc.AdminValue(ctx, t)
			if err != nil {
				return database.Credential{}, &rotate.Error{Code: account.CodeAdminUnreadable, Msg: fmt.Sprintf("The administrator's secret %s of the database target cannot be read.", t.AdminSecret), Err: err}
			}
			defer value.Wipe()
			return account.Credential(value)
		},
	}
	if t.CA != "" {
		target.TLS.Roots = x509.NewCertPool()
		target.TLS.Roots.AppendCertsFromPEM([]byte(t.CA)) // a target is checked when it is registered
	}
	switch family(t.Engine) {
	case csms.PostgreSQL:
		return postgresql.New(target, rand.Reader)
	case csms.MySQL:
		return mysql.New(target)
	case csms.SQLServer:
		return sqlserver.New(target)
	default:
		return nil, rotate.Finalf(rotate.Code(database.Unsupported), "There is no engine for %s; it takes postgresql, mysql, mariadb and sqlserver.", t.Engine)
	}
}

package postgresql

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"coffer/internal/rotate/database"
)

// codes are the causes of SQLSTATEs, of the whole one or of its class (the first two
// characters).
var codes = map[string]database.Code{
	"42501": database.Permission,     // insufficient_privilege
	"42704": database.Unknown,        // undefined_object: the role is gone
	"25006": database.Unavailable,    // read_only_sql_transaction: a standby
	"22023": database.PasswordPolicy, // invalid_parameter_value: passwordcheck and its like
	"0A000": database.Unsupported,    // feature_not_supported
	"57014": database.Timeout,        // query_canceled: statement_timeout of the server
	"55P03": database.Timeout,        // lock_not_available
	"53":    database.Unavailable,    // insufficient_resources: too many connections
	"57":    database.Unavailable,    // operator_intervention: starting, stopping
	"58":    database.Unavailable,    // system_error
	"08":    database.Unavailable,    // connection_exception
}

// failure returns the failure of a statement.
func (e *Engine) failure(ctx context.Context, doing string, err error) error {
	said := (*pgconn.PgError)(nil)
	if !errors.As(err, &said) {
		return database.Transport(ctx, e.target.Address(DefaultPort), err)
	}
	code, known := codes[said.Code]
	if !known {
		code, known = codes[class(said.Code)]
	}
	if !known {
		code = database.Failed
	}
	return database.Errorf(code, "%s: the server answers SQLSTATE %s", doing, said.Code)
}

func class(state string) string { return state[:min(2, len(state))] }

// loginFailure returns the failure of a login; refused is its Code if the password is
// wrong. nil stands for a login that was good: a server turns away after the password
// was right whoever may not use the database, which is none of our business.
func (e *Engine) loginFailure(ctx context.Context, role string, refused database.Code, err error) error {
	said := (*pgconn.PgError)(nil)
	switch {
	case errors.As(err, &said):
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return database.Errorf(database.TLSFailed, "%s has TLS switched off", e.target.Address(DefaultPort))
	case strings.Contains(err.Error(), "authentication method requirement"):
		return database.Errorf(database.External, "the server does not ask %q for a password, or asks for it without TLS; see pg_hba.conf", role)
	default:
		return database.Transport(ctx, e.target.Address(DefaultPort), err)
	}
	switch {
	case said.Code == "42501" && refused == database.LoginRefused:
		return nil
	case said.Code == "28000" && said.Routine == "InitializeSessionUserId":
		return database.Errorf(database.Locked, "role %q may not log in (NOLOGIN)", role)
	case said.Code == "28000":
		return database.Errorf(refused, "pg_hba.conf has no line that lets %q in from here (SQLSTATE 28000)", role)
	case said.Code == "28P01":
		return database.Errorf(refused, "the server refuses the password of %q (SQLSTATE 28P01)", role)
	}
	return e.failure(ctx, "logging in as "+strconv.Quote(role), err)
}

package postgresql

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"coffer/internal/rotate"
)

// codes are the causes of SQLSTATEs, of the whole one or of its class (the first two
// characters).
var codes = map[string]rotate.Code{
	"42501": rotate.Permission,     // insufficient_privilege
	"42704": rotate.Unknown,        // undefined_object: the role is gone
	"25006": rotate.Unavailable,    // read_only_sql_transaction: a standby
	"22023": rotate.PasswordPolicy, // invalid_parameter_value: passwordcheck and its like
	"0A000": rotate.Unsupported,    // feature_not_supported
	"57014": rotate.Timeout,        // query_canceled: statement_timeout of the server
	"55P03": rotate.Timeout,        // lock_not_available
	"53":    rotate.Unavailable,    // insufficient_resources: too many connections
	"57":    rotate.Unavailable,    // operator_intervention: starting, stopping
	"58":    rotate.Unavailable,    // system_error
	"08":    rotate.Unavailable,    // connection_exception
}

// failure returns the failure of a statement.
func (e *Engine) failure(ctx context.Context, doing string, err error) error {
	said := (*pgconn.PgError)(nil)
	if !errors.As(err, &said) {
		return rotate.Transport(ctx, e.target.Address(DefaultPort), err)
	}
	code, known := codes[said.Code]
	if !known {
		code, known = codes[class(said.Code)]
	}
	if !known {
		code = rotate.Failed
	}
	return rotate.Errorf(code, "%s: the server answers SQLSTATE %s", doing, said.Code)
}

func class(state string) string { return state[:min(2, len(state))] }

// loginFailure returns the failure of a login; refused is its Code if the password is
// wrong. nil stands for a login that was good: a server turns away after the password
// was right whoever may not use the database, which is none of our business.
func (e *Engine) loginFailure(ctx context.Context, role string, refused rotate.Code, err error) error {
	said := (*pgconn.PgError)(nil)
	switch {
	case errors.As(err, &said):
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return rotate.Errorf(rotate.TLSFailed, "%s has TLS switched off", e.target.Address(DefaultPort))
	case strings.Contains(err.Error(), "authentication method requirement"):
		return rotate.Errorf(rotate.External, "the server does not ask %q for a password, or asks for it without TLS; see pg_hba.conf", role)
	default:
		return rotate.Transport(ctx, e.target.Address(DefaultPort), err)
	}
	switch {
	case said.Code == "42501" && refused == rotate.LoginRefused:
		return nil
	case said.Code == "28000" && said.Routine == "InitializeSessionUserId":
		return rotate.Errorf(rotate.Locked, "role %q may not log in (NOLOGIN)", role)
	case said.Code == "28000":
		return rotate.Errorf(refused, "pg_hba.conf has no line that lets %q in from here (SQLSTATE 28000)", role)
	case said.Code == "28P01":
		return rotate.Errorf(refused, "the server refuses the password of %q (SQLSTATE 28P01)", role)
	}
	return e.failure(ctx, "logging in as "+strconv.Quote(role), err)
}

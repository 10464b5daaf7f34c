package mysql

import (
	"context"
	"errors"
	"strconv"

	"github.com/go-sql-driver/mysql"

	"coffer/internal/rotate/database"
)

// mustSeePassword is the answer of a MariaDB under strict_password_validation to a
// hash: "the server is running with the option so it cannot execute this statement".
const mustSeePassword = 1290

// alterFailed is the answer to an ALTER USER that did not work, whatever the cause.
const alterFailed = 1396

// codes are the causes of the numbers of errors.
var codes = map[uint16]database.Code{
	1044:        database.Permission, // access denied for database
	1142:        database.Permission, // command denied for table
	1143:        database.Permission, // command denied for column
	1227:        database.Permission, // you need one of these privileges
	alterFailed: database.Unknown,    // ALTER USER failed: the account is gone

	1372: database.PasswordPolicy, // hash has the wrong format
	1819: database.PasswordPolicy, // password does not satisfy the policy
	3638: database.PasswordPolicy, // password was used before

	3118: database.Locked, // MySQL: account locked
	3955: database.Locked, // MySQL: blocked after failed logins
	4151: database.Locked, // MariaDB: account locked
	1820: database.Expired,
	1862: database.Expired,

	3159: database.TLSFailed, // insecure transport prohibited

	1205: database.Timeout, // waited for a lock
	3024: database.Timeout, // max_execution_time
	1969: database.Timeout, // max_statement_time

	1040:            database.Unavailable, // too many connections
	1053:            database.Unavailable, // shutdown in progress
	1129:            database.Unavailable, // host blocked after failed connections
	1203:            database.Unavailable, // too many connections of the user
	1226:            database.Unavailable, // resource limit of the user
	mustSeePassword: database.Unavailable, // also of read_only and skip-grant-tables
	1317:            database.Unavailable, // query interrupted
	1792:            database.Unavailable, // read only transaction
	1836:            database.Unavailable, // read only mode
	1927:            database.Unavailable, // connection killed
}

// refusal is a failure that remembers the number.
type refusal struct {
	cause  *database.Error
	number uint16
}

// Error returns the text of the failure.
func (r *refusal) Error() string { return r.cause.Error() }

// Unwrap returns the failure, which has the Code.
func (r *refusal) Unwrap() error { return r.cause }

// failure returns the failure of a statement.
func (e *Engine) failure(ctx context.Context, doing string, err error) error {
	said := (*mysql.MySQLError)(nil)
	if !errors.As(err, &said) || ctx.Err() != nil {
		return database.Transport(ctx, e.target.Address(DefaultPort), err)
	}
	code, known := codes[said.Number]
	if !known {
		code = database.Failed
	}
	if code == database.PasswordPolicy {
		return &refusal{database.Errorf(code, "%s: the server's rules refuse the password (error %d); those that are made have %d characters of all four types",
			doing, said.Number, e.Policy().Length), said.Number}
	}
	return &refusal{database.Errorf(code, "%s: the server answers with error %d", doing, said.Number), said.Number}
}

// loginFailure returns the failure of a login; refused is its Code if the password is
// wrong.
func (e *Engine) loginFailure(ctx context.Context, user string, refused database.Code, err error) error {
	said := (*mysql.MySQLError)(nil)
	switch {
	case errors.As(err, &said):
	case errors.Is(err, mysql.ErrNoTLS):
		return database.Errorf(database.TLSFailed, "%s has TLS switched off", e.target.Address(DefaultPort))
	case errors.Is(err, mysql.ErrUnknownPlugin), errors.Is(err, mysql.ErrCleartextPassword), errors.Is(err, mysql.ErrOldPassword):
		return database.Errorf(database.External, "the server wants %q to log in by a plugin that is not known here", user)
	default:
		return database.Transport(ctx, e.target.Address(DefaultPort), err)
	}
	switch said.Number {
	case 1045, 1698:
		if e.tls == nil { // MariaDB answers so to the right password too
			return database.Errorf(refused, "the server refuses the password of %q, or wants TLS (error %d)", user, said.Number)
		}
		return database.Errorf(refused, "the server refuses the password of %q (error %d)", user, said.Number)
	case 1130:
		return database.Errorf(refused, "the server lets nobody in from the address of Coffer (error 1130)")
	}
	return e.failure(ctx, "logging in as "+strconv.Quote(user), err)
}

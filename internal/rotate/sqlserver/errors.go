package sqlserver

import (
	"context"
	"errors"
	"strconv"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"coffer/internal/rotate/database"
)

// codes are the causes of error numbers, from the public list of the server's.
var codes = map[int32]database.Code{
	numberUnknown: database.Unknown, numberExternal: database.External, numberLocked: database.Locked,

	numberNoRight: database.Permission,
	15151:         database.Permission, // the login cannot be altered: no such login, or no right, which are told alike
	15247:         database.Permission, 229: database.Permission, 230: database.Permission, 297: database.Permission, 300: database.Permission, 262: database.Permission,

	15113: database.PasswordPolicy, 15114: database.PasswordPolicy, 15115: database.PasswordPolicy, // history, age, length
	15116: database.PasswordPolicy, 15117: database.PasswordPolicy, 15118: database.PasswordPolicy, 15119: database.PasswordPolicy, // short, long, simple, filter
	18463: database.PasswordPolicy, 18464: database.PasswordPolicy, 18465: database.PasswordPolicy, 18466: database.PasswordPolicy,
	18467: database.PasswordPolicy, 18468: database.PasswordPolicy,

	18470: database.Locked, 18486: database.Locked, // disabled, locked out
	18487: database.Expired, 18488: database.Expired, // its time is over, it must be changed
	18452: database.External, // a login of Windows

	3906: database.Unavailable, 976: database.Unavailable, 978: database.Unavailable, 983: database.Unavailable, // read only, a replica
	6001: database.Unavailable, 6005: database.Unavailable, 17142: database.Unavailable, 18451: database.Unavailable, 18461: database.Unavailable, // stopping, paused, single user
	9002: database.Unavailable, 1105: database.Unavailable, 701: database.Unavailable, 17809: database.Unavailable, // full
	40197: database.Unavailable, 40501: database.Unavailable, 40613: database.Unavailable, 49918: database.Unavailable, // of the cloud
	1222: database.Timeout, // lock request
}

// Numbers of a login.
const (
	loginFailed   = 18456 // name or password
	noDatabase    = 4060
	noSuchDefault = 4064
)

// failure returns the failure of a statement.
func (e *Engine) failure(ctx context.Context, doing string, err error) error {
	said := mssql.Error{}
	if !errors.As(err, &said) {
		return e.transport(ctx, err)
	}
	code, known := codes[said.Number]
	if !known {
		code = database.Failed
	}
	return database.Errorf(code, "%s: the server answers error %d", doing, said.Number)
}

// loginFailure returns the failure of a login; refused is its Code if the password is
// wrong. nil stands for a login that was good: whoever may not use the database was let
// in before, which is what a password is for.
func (e *Engine) loginFailure(ctx context.Context, login string, refused database.Code, err error) error {
	said := mssql.Error{}
	if !errors.As(err, &said) {
		return e.transport(ctx, err)
	}
	for _, each := range said.All {
		if (each.Number == noDatabase || each.Number == noSuchDefault) && refused == database.LoginRefused {
			return nil
		}
	}
	if said.Number == loginFailed {
		return database.Errorf(refused, "the server refuses the password of %q (error %d)", login, said.Number)
	}
	return e.failure(ctx, "logging in as "+strconv.Quote(login), err)
}

// transport returns the failure of a connection. The driver tells of TLS in words alone.
func (e *Engine) transport(ctx context.Context, err error) error {
	address := e.target.Address(DefaultPort)
	switch text := err.Error(); {
	case ctx.Err() != nil:
	case strings.Contains(text, "TLS Handshake failed"):
		return database.Errorf(database.TLSFailed, "TLS with %s: the handshake failed, or its certificate is not trusted", address)
	case strings.Contains(text, "server does not support encryption"):
		return database.Errorf(database.TLSFailed, "%s has TLS switched off", address)
	}
	return database.Transport(ctx, address, err)
}

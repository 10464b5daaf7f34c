package database

import (
	"errors"
	"fmt"
)

// Code is the cause of a failure, one for each thing that an operator would mend in
// another place. It becomes the task_error_code of a rotation (RO8).
type Code string

// The codes.
const (
	AdminRefused   Code = "ADMIN_LOGIN_REFUSED" // the credential of the administrator does not work
	Permission     Code = "PERMISSION_MISSING"  // the administrator may not change the account
	Unreachable    Code = "HOST_UNREACHABLE"    // no connection: name, address, port, network
	TLSFailed      Code = "TLS_FAILED"          // no TLS, or a certificate that is not trusted
	Timeout        Code = "TIMEOUT"             // no answer in the time that there was
	Unavailable    Code = "SERVER_UNAVAILABLE"  // starting, stopping, read only, full, connection lost
	Unsupported    Code = "SERVER_UNSUPPORTED"  // a server of a version or kind that the engine does not know
	Unknown        Code = "ACCOUNT_UNKNOWN"     // no such account
	Locked         Code = "ACCOUNT_LOCKED"      // may not log in, whatever the password
	Expired        Code = "PASSWORD_EXPIRED"    // the password is right and its time is over
	External       Code = "ACCOUNT_UNSUPPORTED" // does not log in with a password of the server's
	PasswordPolicy Code = "PASSWORD_POLICY"     // the rules of the server or the engine refuse the password
	LoginRefused   Code = "LOGIN_REFUSED"       // the account's password is another
	Failed         Code = "ENGINE_FAILED"       // anything else
)

// Final reports whether another try is of no use: what is wrong is the account or the
// server itself, and no operator mends that in minutes.
func (c Code) Final() bool {
	return c == Unknown || c == External || c == Unsupported || c == PasswordPolicy
}

// Unsure reports whether a change may have been made all the same: the answer to it was
// lost, or it was one that is not known here.
func (c Code) Unsure() bool { return c == Timeout || c == Unavailable || c == Failed }

// Error is a failure with its cause. Its text names the account and what the server
// answered as a number, never in words: a server may quote the statement.
type Error struct {
	Code  Code
	text  string
	cause error
}

// Errorf returns an Error. What %w names stays reachable for errors.Is; it must hold
// no text of a server.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, text: err.Error(), cause: errors.Unwrap(err)}
}

// Error returns the text.
func (e *Error) Error() string { return e.text }

// Unwrap returns what Errorf was given under %w.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the Code of err: "" for nil, and Failed for an error without one.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return Failed
}

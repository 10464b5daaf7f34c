package rotate

import (
	"errors"
	"fmt"

	"coffer/internal/csms"
)

// Code names why a try of a rotation failed, as task_error_code shows it. Engines add
// those of their sources.
type Code string

// The codes that no engine is needed for.
const (
	CodeFunctionNotFound Code = "ROTATION_FUNCTION_NOT_FOUND" // nothing is bound to rotation_func_urn
	CodeTargetNotFound   Code = "ROTATION_TARGET_NOT_FOUND"   // there is no URN, and nothing is bound to the instance
	CodeNotApplied       Code = "ROTATION_NOT_APPLIED"        // the function reported success, and SYSCURRENT is where it was
	CodeSecretNotFound   Code = "SECRET_NOT_FOUND"            // the secret was destroyed meanwhile
	CodeSecretNotEnabled Code = "SECRET_NOT_ENABLED"          // the secret was disabled or scheduled for deletion meanwhile
	CodeFailed           Code = "ROTATION_FAILED"             // the cause is in the log only

	// What these two mean is acted upon: the source does not have the new value.
	CodeLoginRefused   Code = "LOGIN_REFUSED"   // it has another one
	CodePasswordPolicy Code = "PASSWORD_POLICY" // it takes others only, so the next task makes another one
)

// Error is a failure whose cause a user may see.
type Error struct {
	Code  Code
	Msg   string // names what is wrong and what would mend it; never secret material
	Final bool   // another try is of no use

	// Unsure says that the source may have taken the new value all the same: an answer
	// was lost, or the source does not say.
	Unsure bool

	Err error // the internal cause, for the log only; may be nil
}

// Error returns code, message and cause, for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Msg, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Msg)
}

// Unwrap returns the internal cause.
func (e *Error) Unwrap() error { return e.Err }

// Finalf returns a failure that another try does not mend.
func Finalf(code Code, format string, args ...any) error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...), Final: true}
}

// Failf returns a failure that is worth another try.
func Failf(code Code, format string, args ...any) error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}

// NotFound returns the failure of a rotation that nothing is bound to.
func NotFound(r *Rotation) error {
	if r.FuncURN != "" {
		return Finalf(CodeFunctionNotFound, "Nothing is bound to the function %s; bind a target to it.", r.FuncURN)
	}
	return Finalf(CodeTargetNotFound, "The secret %s has no rotation_func_urn, and no database target is bound to its instance %s.",
		r.SecretName, r.Instance.InstanceID)
}

// Explain returns what a user may see of err: its own code and message, those of a
// csms.Error, or CodeFailed.
func Explain(err error) *Error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	if e := (*csms.Error)(nil); errors.As(err, &e) {
		return &Error{Code: Code(e.Code), Msg: e.Msg, Err: err}
	}
	return &Error{Code: CodeFailed, Msg: "The rotation failed; the log of the server has the cause.", Unsure: true, Err: err}
}

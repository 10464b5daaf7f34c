package csms

import (
	"errors"
	"fmt"
)

// Error is what a caller of the API may see. Any other error is internal: the
// edge logs it and answers CodeInternal with a fixed text.
type Error struct {
	Code Code
	Msg  string // names what is wrong and what is allowed; never secret material
	Err  error  // the internal cause, for the log only; may be nil
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

// Is reports whether target is an *Error of the same code, so that
// errors.Is(err, csms.E(csms.CodeInvalid)) works without comparing texts.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Msg == ""
}

// E returns an error of code without text, to compare with errors.Is.
func E(code Code) error { return &Error{Code: code} }

// Errorf returns an error that the caller of the API sees.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}

// Invalidf returns CSMS.0002, the answer to a parameter that fails validation.
func Invalidf(format string, args ...any) error {
	return Errorf(CodeInvalid, format, args...)
}

// CodeOf returns the code of err, CodeInternal for an internal error, and "" for
// nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

package csms_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"coffer/internal/csms"
)

func TestErrorsAreToldApartByCode(t *testing.T) {
	invalid := csms.Invalidf("name is %q.", "a b")
	wrapped := fmt.Errorf("creating secret: %w", invalid)
	for _, c := range []struct {
		name   string
		err    error
		target error
		want   bool
	}{
		{"the same code", invalid, csms.E(csms.CodeInvalid), true},
		{"the same code, wrapped", wrapped, csms.E(csms.CodeInvalid), true},
		{"another code", invalid, csms.E(csms.CodeNotFound), false},
		{"the same code with a text is another error", invalid, csms.Invalidf("other"), false},
		{"itself", invalid, invalid, true},
		{"an internal error", io.EOF, csms.E(csms.CodeInternal), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := errors.Is(c.err, c.target); got != c.want {
				t.Errorf("errors.Is(%v, %v) is %t, want %t", c.err, c.target, got, c.want)
			}
		})
	}
}

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want csms.Code
	}{
		{"none", nil, ""},
		{"an error of the API", csms.Errorf(csms.CodeKey, "The key is disabled."), csms.CodeKey},
		{"an error of the API, wrapped", fmt.Errorf("sealing version: %w", csms.E(csms.CodeKey)), csms.CodeKey},
		{"any other error is internal", io.ErrUnexpectedEOF, csms.CodeInternal},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := csms.CodeOf(c.err); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheCauseIsForTheLogAlone(t *testing.T) {
	e := &csms.Error{Code: csms.CodeKey, Msg: "The key is disabled.", Err: io.ErrUnexpectedEOF}
	if !errors.Is(e, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if got, want := e.Error(), "CSMS.0401: The key is disabled.: unexpected EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e.Err = nil
	if got, want := e.Error(), "CSMS.0401: The key is disabled."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

package rotate

import (
	"context"

	"coffer/internal/csms"
)

// Binding says what is bound to a secret. It holds nothing of a value.
type Binding struct {
	Kind        BindingKind
	InstanceID  string // of a target
	Engine      csms.DatabaseEngine
	Address     string // host and port of a target, host of a function
	AdminSecret string // of a target
}

// BindingKind is the kind of what is bound to a secret.
type BindingKind string

// The kinds.
const (
	BoundTarget   BindingKind = "database_target"
	BoundFunction BindingKind = "function"
)

// Previewer is an Engine that tells what is bound, and what a rotation would do.
type Previewer interface {
	Engine

	// Binding returns what is bound. It asks nobody.
	Binding() Binding

	// Preview looks, without any change, whether a rotation of base would work. base is
	// the value of the version whose account would get a new password; nil for none. It
	// may log in at the source as the administrator.
	Preview(ctx context.Context, r *Rotation, base csms.Plaintext) *Preview
}

// Preview is what a rotation would do, and what would keep it from that.
type Preview struct {
	Account  string // that would get a new password; "" for none, or where only the source knows
	Password Password
	Findings []Finding // in the order of a rotation
}

// Password says what the new passwords are like. The zero Password is one that Coffer
// does not make.
type Password struct {
	Length   int    // in characters
	Specials string // the punctuation in it, beside letters and digits
}

// Check is one thing that a rotation needs.
type Check string

// The checks, in the order of a rotation.
const (
	CheckSecret      Check = "secret"               // it may rotate now
	CheckBinding     Check = "binding"              // something is bound to it
	CheckAccount     Check = "account"              // the value names an account with a password
	CheckListed      Check = "listed"               // the target lists the account
	CheckAdminSecret Check = "administrator_secret" // can be read, and names an administrator
	CheckServer      Check = "server"               // can be reached, trusted, and is of a known kind
	CheckAdminLogin  Check = "administrator_login"  // works
	CheckChange      Check = "change"               // the administrator may, and it would help the account
	CheckFunction    Check = "function"             // is never called for a preview
)

// Status is how a check ended.
type Status string

// The ways.
const (
	Passed  Status = "PASSED"
	Failed  Status = "FAILED"
	Skipped Status = "SKIPPED" // it was not looked at
)

// Finding is the result of one check.
type Finding struct {
	Check  Check
	Status Status
	Code   Code   // of a check that failed: the code with which a task would fail
	Msg    string // names what is wrong, or why it was not looked at
}

// Found returns the finding of a check that ended with err.
func Found(check Check, err error) Finding {
	if err == nil {
		return Finding{Check: check, Status: Passed}
	}
	why := Explain(err)
	return Finding{Check: check, Status: Failed, Code: why.Code, Msg: why.Msg}
}

// NotLooked returns the finding of a check that was left out, with the reason.
func NotLooked(check Check, why string) Finding {
	return Finding{Check: check, Status: Skipped, Msg: why}
}

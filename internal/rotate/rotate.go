// Package rotate is the port through which the credential of a secret is changed at its
// source: a database account, or whatever a function reaches.
//
// The rule that keeps it honest: an engine keeps nothing. What has been done stands in the
// task and in the versions of the secret, and whoever calls an engine has sealed the new
// value before the source learns of it. So every call may come again, after a crash or a
// lost answer, and an engine finds out at the source what is left to do.
package rotate

import (
	"context"
	"fmt"

	"coffer/internal/csms"
)

// Rotation says what is to be rotated. It holds no value.
type Rotation struct {
	TaskID      string
	Attempt     int // from 1; a rotation that was broken off goes on with the same one
	OperateType csms.OperateType

	Region, DomainID, ProjectID string

	SecretID   string
	SecretName string
	SecretType csms.Type
	FuncURN    string        // rotation_func_urn when the task began; "" for none
	Config     string        // rotation_config as written
	Instance   csms.Instance // what Config names

	CurrentVersion string // id of the version under SYSCURRENT when the task began its work
	PendingVersion string // id of the version that holds Values.New; "" before there is one
}

// IdempotencyKey is the same whenever the same try comes again.
func (r *Rotation) IdempotencyKey() string { return fmt.Sprintf("%s:%d", r.TaskID, r.Attempt) }

// Values are the two values that a rotation is about. The caller wipes them once the call
// has returned; an engine keeps no copy.
type Values struct {
	Base csms.Plaintext // of the version whose account gets a new password; nil if that is kept no longer
	New  csms.Plaintext // what the source is to take
}

// Engine is what can be bound to a secret. One that is no Account makes and stores the
// new version by itself, as a function does through the API; that it has done so shows in
// SYSCURRENT.
//
// Errors are *Error where the cause is known. Any other error is logged, tried again, and
// shown as CodeFailed without its text.
type Engine interface {
	// Change has the source take v.New, or, for an engine that stores by itself, does the
	// whole rotation; then v is nil. Before it changes anything it finds out whether that
	// was done already, for it may be called again.
	Change(ctx context.Context, r *Rotation, v *Values) error
}

// Account is an Engine for accounts whose values Coffer makes and stores around it.
type Account interface {
	Engine

	// NewValue returns base with a new password in it, everything else unchanged. It does
	// not speak to the source. base is nil for a MultiUser secret that has no second
	// account yet, which is to be refused.
	NewValue(ctx context.Context, r *Rotation, base csms.Plaintext) (csms.Plaintext, error)

	// Verify logs in with v.New. CodeLoginRefused says that the source has another
	// value; any other failure says nothing about that. It is asked after Change, and
	// before it where it is not known whether an earlier Change has reached the source.
	Verify(ctx context.Context, r *Rotation, v *Values) error
}

// Pair is an Account that can tell whether the two values of a MultiUser secret are of
// two accounts.
type Pair interface {
	// CheckPair refuses a base, whose account is to change, that is of the account of
	// current: clients are using that one.
	CheckPair(r *Rotation, base, current csms.Plaintext) error
}

// Keeper is an Account whose source may keep the password before beside the new one.
type Keeper interface {
	// Discard has the source forget the password before that of v.New. It does nothing
	// where there is none.
	Discard(ctx context.Context, r *Rotation, v *Values) error
}

// Engines finds what is bound to a secret: by its rotation_func_urn, or else by its type
// and database instance. It returns NotFound where nothing is. The nil Engines has nothing
// bound.
type Engines func(ctx context.Context, r *Rotation) (Engine, error)

// For returns the engine that is bound to the secret of r.
func (e Engines) For(ctx context.Context, r *Rotation) (Engine, error) {
	if e == nil {
		return nil, NotFound(r)
	}
	return e(ctx, r)
}

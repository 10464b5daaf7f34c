// Package account binds the engine of a database server to the rotation of a secret
// whose value names an account of it.
//
// The rule that keeps it honest: of a value only the password changes, byte for byte.
// Which account that is, stands in the value and nowhere else, so it is asked of the
// target each time whether that account may be changed at all.
package account

import (
	"context"
	"errors"
	"io"

	"coffer/internal/csms"
	"coffer/internal/password"
	"coffer/internal/rotate"
	"coffer/internal/rotate/database"
)

// The codes that are about values and not about servers.
const (
	CodeValueUnreadable   rotate.Code = "SECRET_VALUE_UNREADABLE" // the value names no account with a password
	CodeNoSecondAccount   rotate.Code = "SECOND_ACCOUNT_MISSING"  // MultiUser, and SYSPREVIOUS holds no account
	CodeAdminUnreadable   rotate.Code = "ADMIN_SECRET_UNREADABLE" // the administrator's secret cannot be read, or names nobody
	CodeAccountNotAllowed rotate.Code = "ACCOUNT_NOT_ALLOWED"     // the target does not list the account
)

// Account rotates accounts of one target. It is a rotate.Account.
type Account struct {
	engine  database.Engine
	random  io.Reader
	rotates func(account string) bool
}

// New returns the rotation of the accounts of an engine's target for which rotates is
// true. Passwords are drawn from random, which must be fit for cryptography and safe for
// concurrent use.
func New(engine database.Engine, random io.Reader, rotates func(account string) bool) *Account {
	return &Account{engine: engine, random: random, rotates: rotates}
}

// NewValue returns base with another password, which the policy of the engine permits.
func (a *Account) NewValue(_ context.Context, r *rotate.Rotation, base csms.Plaintext) (csms.Plaintext, error) {
	if base == nil {
		return nil, rotate.Finalf(CodeNoSecondAccount, "Secret %s is MultiUser; store its second account as a version first.", r.SecretName)
	}
	l, err := a.read(base)
	if err != nil {
		return nil, err
	}
	made, err := password.Generate(a.random, a.engine.Policy().Rules())
	if err != nil {
		return nil, err
	}
	defer made.Wipe()
	return l.with(base, made), nil
}

// Change gives the account of v.New its password. If the answer of the server is lost,
// a login tells whether it was done: with one account, its clients cannot wait for the
// next try. Otherwise nobody logs in with a password that may not be set.
func (a *Account) Change(ctx context.Context, _ *rotate.Rotation, v *rotate.Values) error {
	l, err := a.read(v.New)
	if err != nil {
		return err
	}
	defer clear(l.password)
	err = a.engine.Change(ctx, l.account, l.password)
	if database.MayBeChanged(err) && a.engine.Verify(ctx, l.account, l.password) == nil {
		return nil
	}
	return explain(err)
}

// Verify logs in with v.New.
func (a *Account) Verify(ctx context.Context, _ *rotate.Rotation, v *rotate.Values) error {
	l, err := a.read(v.New)
	if err != nil {
		return err
	}
	defer clear(l.password)
	return explain(a.engine.Verify(ctx, l.account, l.password))
}

// read returns what a value says, if the target lets its account be changed.
func (a *Account) read(value csms.Plaintext) (*login, error) {
	l, err := parse(value)
	if err != nil {
		return nil, rotate.Finalf(CodeValueUnreadable, "The value must be a JSON object that names an account (%s) and its password (%s) as texts, each once.",
			listed(accountNames), listed(passwordNames))
	}
	if !a.rotates(l.account) {
		return nil, rotate.Finalf(CodeAccountNotAllowed, "The database target does not list the account %q among those that may be rotated.", l.account)
	}
	return l, nil
}

// explain puts the failure of an engine into the words of the rotation.
func explain(err error) error {
	failed := (*database.Error)(nil)
	if !errors.As(err, &failed) {
		return err
	}
	return &rotate.Error{Code: rotate.Code(failed.Code), Msg: failed.Error(), Final: failed.Code.Final(), Err: failed.Unwrap()}
}

// Credential returns what the value of an administrator's secret says, in the same form
// as that of an account.
func Credential(value csms.Plaintext) (database.Credential, error) {
	l, err := parse(value)
	if err != nil {
		return database.Credential{}, rotate.Failf(CodeAdminUnreadable, "The administrator's secret must be a JSON object with username and password.")
	}
	return database.Credential{User: l.account, Password: l.password}, nil
}

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
	"net"
	"strconv"

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

// Account rotates accounts of one target. It is a rotate.Account and a rotate.Previewer.
type Account struct {
	engine database.Engine
	random io.Reader
	target *csms.DatabaseTarget
}

// New returns the rotation of the accounts that target lets rotate, by the engine for it.
// Passwords are drawn from random, which must be fit for cryptography and safe for
// concurrent use.
func New(engine database.Engine, random io.Reader, target *csms.DatabaseTarget) *Account {
	return &Account{engine: engine, random: random, target: target}
}

// Binding returns the target.
func (a *Account) Binding() rotate.Binding {
	t := a.target
	return rotate.Binding{
		Kind: rotate.BoundTarget, InstanceID: t.InstanceID, Engine: t.Engine,
		Address: net.JoinHostPort(t.Host, strconv.Itoa(t.Port)), AdminSecret: t.AdminSecret,
	}
}

// NewValue returns base with another password, which the policy of the engine permits.
func (a *Account) NewValue(_ context.Context, r *rotate.Rotation, base csms.Plaintext) (csms.Plaintext, error) {
	if base == nil {
		return nil, noSecondAccount(r)
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

func noSecondAccount(r *rotate.Rotation) error {
	return rotate.Finalf(CodeNoSecondAccount, "Secret %s is MultiUser; store its second account as a version first.", r.SecretName)
}

// Change gives the account of v.New its password.
func (a *Account) Change(ctx context.Context, _ *rotate.Rotation, v *rotate.Values) error {
	l, err := a.read(v.New)
	if err != nil {
		return err
	}
	defer clear(l.password)
	return explain(a.engine.Change(ctx, l.account, l.password))
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

// CheckPair refuses two values of one account: clients log in with that of current while
// base is being changed (RO9). A current that names nobody is in nobody's use.
func (a *Account) CheckPair(r *rotate.Rotation, base, current csms.Plaintext) error {
	in, errIn := parse(current)
	next, errNext := parse(base)
	if errIn != nil || errNext != nil {
		return nil
	}
	defer clear(in.password)
	defer clear(next.password)
	if in.account != next.account {
		return nil
	}
	return rotate.Finalf(CodeNoSecondAccount, "Secret %s is MultiUser, and SYSCURRENT and SYSPREVIOUS hold the same account %q; store the second account under SYSPREVIOUS.", r.SecretName, in.account)
}

// Discard has the server forget the password before.
func (a *Account) Discard(ctx context.Context, _ *rotate.Rotation, v *rotate.Values) error {
	l, err := a.read(v.New)
	if err != nil {
		return err
	}
	defer clear(l.password)
	return explain(a.engine.Discard(ctx, l.account))
}

// read returns what a value says, if the target lets its account be changed.
func (a *Account) read(value csms.Plaintext) (*login, error) {
	l, err := parse(value)
	if err != nil {
		return nil, unreadable()
	}
	if err := a.allows(l.account); err != nil {
		return nil, err
	}
	return l, nil
}

func unreadable() error {
	return rotate.Finalf(CodeValueUnreadable, "The value must be a JSON object that names an account (%s) and its password (%s) as texts, each once.",
		listed(accountNames), listed(passwordNames))
}

// allows reports an account that the target does not list.
func (a *Account) allows(account string) error {
	if a.target.Rotates(account) {
		return nil
	}
	return rotate.Finalf(CodeAccountNotAllowed, "The database target does not list the account %q among those that may be rotated.", account)
}

// explain puts the failure of an engine into the words of the rotation.
func explain(err error) error {
	failed := (*database.Error)(nil)
	if !errors.As(err, &failed) {
		return err
	}
	return &rotate.Error{Code: rotate.Code(failed.Code), Msg: failed.Error(), Final: failed.Code.Final(), Unsure: failed.Code.Unsure(), Err: failed.Unwrap()}
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

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
)

// The labels. A version is PENDING before the database has its password.
const (
	pending  = "PENDING"
	current  = "SYSCURRENT"
	previous = "SYSPREVIOUS"
)

// rotate does what is left to do and returns the version that is current then. Every step
// shows in labels or at the database, so it may be called again after any of them, with
// the same idempotency key or another one.
func rotate(ctx context.Context, e *event) (string, error) {
	s, err := newSecret(e)
	if err != nil {
		return "", err
	}
	now, err := s.holder(ctx, current)
	if err != nil || now != e.CurrentVersion {
		return now, err // not current any more: rotated already
	}
	next, old, err := prepare(ctx, s, now, e.multiUser())
	if err != nil {
		return "", err
	}
	if err := change(ctx, old, next); err != nil {
		return "", err
	}
	// UpdateSecretStage moves one label, so the former one is moved first: whoever sees the
	// new SYSCURRENT finds the version before it under SYSPREVIOUS.
	if err := s.move(ctx, previous, now); err != nil {
		return "", err
	}
	return next.id, s.move(ctx, current, next.id)
}

// change gives the account its new password, unless it has it, and tries it.
func change(ctx context.Context, old, next version) error {
	has, err := accepts(ctx, next.account)
	if err != nil || has {
		return err
	}
	if err := setPassword(ctx, old.account, next.account.password); err != nil {
		return err
	}
	has, err = accepts(ctx, next.account)
	if err == nil && !has {
		return failure{"LOGIN_REFUSED", "the new password was set, and a login with it is refused"}
	}
	return err
}

// prepare returns the version with the new password, and the one whose account gets it:
// that of SYSCURRENT, or with two accounts that of SYSPREVIOUS. A version that was left
// under PENDING is taken over if it is of the same account, for the database may have its
// password.
func prepare(ctx context.Context, s *secret, now string, multiUser bool) (next, old version, err error) {
	left, err := s.holder(ctx, pending)
	if err != nil {
		return next, old, err
	}
	former, err := s.holder(ctx, previous)
	if err != nil {
		return next, old, err
	}
	if left == now {
		left = "" // the label of the last rotation
	}
	if multiUser && left != "" && former == now {
		next, err = s.version(ctx, left) // all was done but the last move
		return next, next, err
	}
	if old, err = base(ctx, s, now, former, multiUser); err != nil {
		return next, old, err
	}
	if left != "" {
		if next, err = s.version(ctx, left); err != nil || next.account.user == old.account.user {
			return next, old, err
		}
	}
	next, err = s.store(ctx, old.account.renewed(rand.Text()))
	return next, old, err
}

// base returns the version whose account is changed.
func base(ctx context.Context, s *secret, now, former string, multiUser bool) (version, error) {
	v, err := s.version(ctx, now)
	if err != nil || !multiUser {
		return v, err
	}
	user := v.account.user
	if former != "" {
		if v, err = s.version(ctx, former); err != nil {
			return v, err
		}
	}
	if v.account.user == user {
		return v, failure{"SECOND_ACCOUNT_MISSING", "MultiUser takes turns: store the second account as a version first"}
	}
	return v, nil
}

// account is the value of a version: a JSON object with username and password. Its other
// members are kept as they are.
type account struct {
	user, password string
	members        map[string]json.RawMessage
}

func parseAccount(text string) (account, error) {
	var a account
	if json.Unmarshal([]byte(text), &a.members) != nil ||
		json.Unmarshal(a.members["username"], &a.user) != nil || json.Unmarshal(a.members["password"], &a.password) != nil || a.user == "" {
		return a, failure{"VALUE_UNKNOWN", "the secret must be a JSON object with username and password"}
	}
	return a, nil
}

// renewed returns the value with another password, which has letters and digits only.
func (a account) renewed(password string) string {
	a.members["password"] = json.RawMessage(`"` + strings.ToLower(password[:8]) + password[8:] + `"`)
	text, err := json.Marshal(a.members)
	if err != nil {
		panic(err) // the members were read from JSON
	}
	return string(text)
}

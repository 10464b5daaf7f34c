package main

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// loginTime bounds a login.
const loginTime = 10 * time.Second

// login logs an account in. Where, stands in the PG... variables.
func login(ctx context.Context, a account) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig("")
	if err != nil {
		return nil, failure{"SETTINGS_UNREADABLE", "the PG... variables of the function cannot be read"}
	}
	if config.Database == "" {
		config.Database = "postgres"
	}
	config.User, config.Password = a.user, a.password
	config.RequireAuth = "scram-sha-256,md5" // a server that asks for no password proves none
	ctx, cancel := context.WithTimeout(ctx, loginTime)
	defer cancel()
	return pgconn.ConnectConfig(ctx, config)
}

// accepts reports whether an account can log in. Only a refusal of its password counts as
// one.
func accepts(ctx context.Context, a account) (bool, error) {
	c, err := login(ctx, a)
	if err == nil {
		return true, c.Close(ctx)
	}
	if refused(err) {
		return false, nil
	}
	return false, failure{"HOST_UNREACHABLE", "no login was possible at the database"}
}

// refused reports whether a login failed because of the password (SQLSTATE 28P01).
func refused(err error) bool {
	said := (*pgconn.PgError)(nil)
	return errors.As(err, &said) && said.Code == "28P01"
}

// setPassword logs an account in with the password it has and gives it another one. The
// server gets a verifier, so the password is in none of its logs.
func setPassword(ctx context.Context, a account, password string) error {
	c, err := login(ctx, a)
	switch {
	case err != nil && refused(err):
		return failure{"LOGIN_REFUSED", fmt.Sprintf("the login of %q with the stored password failed", a.user)}
	case err != nil:
		return failure{"HOST_UNREACHABLE", "no login was possible at the database"}
	}
	defer c.Close(ctx)
	made, err := verifier(password)
	if err != nil {
		return err
	}
	if err := c.Exec(ctx, "ALTER ROLE CURRENT_USER PASSWORD '"+made+"'").Close(); err != nil {
		return failure{"CHANGE_REFUSED", fmt.Sprintf("the database refused the new password of %q", a.user)}
	}
	return nil
}

// iterations of SCRAM, as PostgreSQL has them by default.
const iterations = 4096

// verifier is what PostgreSQL keeps of an ASCII password (RFC 5803).
func verifier(password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hashing the password: %w", err)
	}
	stored := sha256.Sum256(keyed(salted, "Client Key"))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, text(salt), text(stored[:]), text(keyed(salted, "Server Key"))), nil
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Package mysql changes passwords of accounts of MySQL 5.7 and later, MariaDB 10.4 and
// later, and of what answers like them.
//
// The rule that keeps it honest: where the server can keep two passwords, the old one
// goes on working until it is discarded, so a client that has not heard of the change
// gets in. MySQL 8.0.14 has a clause for it; MariaDB lets an account log in by either
// of two hashes, both made or found here.
package mysql

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"

	"coffer/internal/rotate/database"
)

// DefaultPort is that of a target that names none.
const DefaultPort = 3306

// Engine is a server. It keeps no connection.
type Engine struct {
	target database.Target
	tls    *tls.Config
}

// New returns an engine for t. The Database of t is not used.
func New(t database.Target) (*Engine, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	protection, err := t.TLS.Config(t.Host)
	if err != nil {
		return nil, err
	}
	return &Engine{target: t, tls: protection}, nil
}

// Policy says which passwords to make.
func (e *Engine) Policy() database.Policy { return database.DefaultPolicy() }

// Change gives an account that password: one that is written user@host, or every
// account of a user that is written without a host.
func (e *Engine) Change(ctx context.Context, account string, password []byte) error {
	if err := e.Policy().Check(password); err != nil {
		return err
	}
	return e.alter(ctx, account, func(s *session, accounts []found) error {
		if err := checkUnlocked(accounts); err != nil {
			return err
		}
		return s.change(ctx, accounts, password)
	})
}

// Discard takes the old password away.
func (e *Engine) Discard(ctx context.Context, account string) error {
	return e.alter(ctx, account, func(s *session, accounts []found) error { return s.discard(ctx, accounts) })
}

// alter logs in as the administrator and lets do work on the accounts that a text names.
func (e *Engine) alter(ctx context.Context, account string, do func(*session, []found) error) error {
	a, err := parseAccount(account)
	if err != nil {
		return err
	}
	ctx, cancel := e.target.Bound(ctx)
	defer cancel()
	s, err := e.administrator(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	accounts, err := s.find(ctx, a)
	if err != nil {
		return err
	}
	return do(s, accounts)
}

// Verify logs in as the user of the account. The server decides by the address of
// Coffer which of the user's accounts that is.
func (e *Engine) Verify(ctx context.Context, account string, password []byte) error {
	a, err := parseAccount(account)
	if err != nil {
		return err
	}
	ctx, cancel := e.target.Bound(ctx)
	defer cancel()
	db, conn, err := e.connect(ctx, a.user, password)
	if err != nil {
		return e.loginFailure(ctx, a.user, database.LoginRefused, err)
	}
	hangUp(db, conn)
	return nil
}

// connect logs in. The driver keeps passwords as a string, which nobody can wipe; it
// lives as long as the connection.
func (e *Engine) connect(ctx context.Context, user string, password []byte) (*sql.DB, *sql.Conn, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", e.target.Address(DefaultPort), user, string(password)
	c.TLS, c.DialFunc, c.Logger = e.tls, e.target.Dialer(), &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, nil, err
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(ctx)
	if err != nil {
		_ = db.Close() // nothing is open
		return nil, nil, err
	}
	return db, conn, nil
}

// hangUp ends the connection. What had to be done is done, so how it ends does not
// matter.
func hangUp(db *sql.DB, conn *sql.Conn) {
	_ = conn.Close()
	_ = db.Close()
}

// session is a login of the administrator.
type session struct {
	engine *Engine
	db     *sql.DB
	conn   *sql.Conn
	server server
}

func (s *session) close() { hangUp(s.db, s.conn) }

// administrator logs in for a change. What a text means in the session is not left to
// the server's defaults: quoteText counts on it.
func (e *Engine) administrator(ctx context.Context) (*session, error) {
	who, err := e.target.Administrator(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the credential of the administrator: %w", err)
	}
	defer who.Password.Wipe()
	db, conn, err := e.connect(ctx, who.User, who.Password)
	if err != nil {
		return nil, e.loginFailure(ctx, who.User, database.AdminRefused, err)
	}
	s := &session{engine: e, db: db, conn: conn}
	if err := s.prepare(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) prepare(ctx context.Context) error {
	for _, statement := range []string{"SET NAMES utf8mb4", "SET SESSION sql_mode = ''"} {
		if err := s.exec(ctx, "preparing the session", statement); err != nil {
			return err
		}
	}
	version := ""
	if err := s.conn.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return s.engine.failure(ctx, "asking for the version", err)
	}
	s.server = parseServer(version)
	if !s.server.supported() {
		return database.Errorf(database.Unsupported, "the server has version %.40q; it takes MySQL 5.7, MariaDB 10.4 or later", version)
	}
	return nil
}

func (s *session) exec(ctx context.Context, doing, statement string) error {
	if _, err := s.conn.ExecContext(ctx, statement); err != nil {
		return s.engine.failure(ctx, doing, err)
	}
	return nil
}

// alterUser runs one ALTER USER for all accounts, each with its clause.
func (s *session) alterUser(ctx context.Context, accounts []found, clause func(found) string) error {
	var parts []string
	for _, a := range accounts {
		parts = append(parts, a.quoted()+" "+clause(a))
	}
	doing := fmt.Sprintf("altering %q", accounts[0].user)
	_, err := s.conn.ExecContext(ctx, "ALTER USER "+strings.Join(parts, ", "))
	if err == nil {
		return nil
	}
	return s.engine.failure(ctx, doing, s.reason(ctx, err))
}

// reason returns why ALTER USER failed. MariaDB answers that it did, and tells the
// cause in its warnings only.
func (s *session) reason(ctx context.Context, err error) error {
	said := (*mysql.MySQLError)(nil)
	if !errors.As(err, &said) || said.Number != alterFailed {
		return err
	}
	rows, asking := s.conn.QueryContext(ctx, "SHOW WARNINGS")
	if asking != nil {
		return err // what is known has to do
	}
	defer rows.Close()
	for rows.Next() {
		level, number, message := "", uint16(0), sql.RawBytes(nil)
		if rows.Scan(&level, &number, &message) == nil && level == "Error" && number != alterFailed {
			return &mysql.MySQLError{Number: number}
		}
	}
	return err
}

func (s *session) find(ctx context.Context, a account) ([]found, error) {
	if s.server.mariadb {
		return s.findMariaDB(ctx, a)
	}
	return s.findMySQL(ctx, a)
}

func (s *session) change(ctx context.Context, accounts []found, password []byte) error {
	if s.server.mariadb {
		return s.changeMariaDB(ctx, accounts, password)
	}
	return s.changeMySQL(ctx, accounts, password)
}

func (s *session) discard(ctx context.Context, accounts []found) error {
	if s.server.mariadb {
		return s.discardMariaDB(ctx, accounts)
	}
	return s.discardMySQL(ctx, accounts)
}

// Package postgresql changes passwords of roles of PostgreSQL 10 and later.
//
// The rule that keeps it honest: a password never goes to the server. What is stored
// is a SCRAM-SHA-256 verifier made here, and a login shows it by SCRAM; so neither the
// log nor a statement view of the server can hold it.
package postgresql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"coffer/internal/rotate/database"
)

// Port and database of a target that names none.
const (
	DefaultPort     = 5432
	DefaultDatabase = "postgres"
)

// maxName is the length of a name in bytes. PostgreSQL cuts a longer one off, and then
// it is that of another role.
const maxName = 63

// Engine is a server. It keeps no connection.
type Engine struct {
	target database.Target
	random io.Reader
	base   *pgconn.Config
}

// New returns an engine for t. Salts are drawn from random, which must be fit for
// cryptography and safe for concurrent use.
func New(t database.Target, random io.Reader) (*Engine, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	base, err := baseConfig(&t)
	if err != nil {
		return nil, err
	}
	return &Engine{target: t, random: random, base: base}, nil
}

// baseConfig returns the configuration without a credential. The driver wants to parse
// a text and reads the environment and files of libpq on the way, so everything that
// could come from there is set once more.
func baseConfig(t *database.Target) (*pgconn.Config, error) {
	c, err := pgconn.ParseConfig("host=127.0.0.1 port=5432 user=nobody password=none dbname=none sslmode=disable connect_timeout=0")
	if err != nil {
		return nil, errors.New("postgresql: a PG variable of the environment cannot be read; unset it")
	}
	host, port, err := net.SplitHostPort(t.Address(DefaultPort))
	if err != nil {
		return nil, fmt.Errorf("postgresql: reading the address: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("postgresql: reading the port: %w", err)
	}
	if c.TLSConfig, err = t.TLS.Config(t.Host); err != nil {
		return nil, err
	}
	c.Host, c.Port, c.Database = host, uint16(number), t.Database
	if c.Database == "" {
		c.Database = DefaultDatabase
	}
	c.DialFunc, c.Fallbacks, c.ConnectTimeout, c.ValidateConnect = t.Dialer(), nil, 0, nil
	c.RuntimeParams = map[string]string{"application_name": "coffer", "client_encoding": "UTF8"}
	c.SSLNegotiation, c.SSLCertMode, c.ChannelBinding = "postgres", "disable", "prefer"
	c.MinProtocolVersion, c.MaxProtocolVersion = "3.0", "3.0"
	// A server that asks for no password proves none. One that asks for the password
	// itself, and not for a proof, gets it under TLS only.
	c.RequireAuth = "scram-sha-256,md5"
	if c.TLSConfig != nil {
		c.RequireAuth += ",password"
	}
	return c, nil
}

// Policy says which passwords to make.
func (e *Engine) Policy() database.Policy { return database.DefaultPolicy() }

// Change gives role that password. PostgreSQL keeps one password, so logins with the
// old one fail from then on.
func (e *Engine) Change(ctx context.Context, role string, password []byte) error {
	if err := checkName(role); err != nil {
		return err
	}
	if err := e.Policy().Check(password); err != nil {
		return err
	}
	ctx, cancel := e.target.Bound(ctx)
	defer cancel()
	c, err := e.administrator(ctx)
	if err != nil {
		return err
	}
	defer hangUp(ctx, c)
	iterations, err := e.inspect(ctx, c, role)
	if err != nil {
		return err
	}
	verifier, err := newVerifier(e.random, password, iterations)
	if err != nil {
		return err
	}
	if err := c.Exec(ctx, "ALTER ROLE "+quoteName(role)+" PASSWORD '"+verifier+"'").Close(); err != nil {
		return e.failure(ctx, "changing the password of "+strconv.Quote(role), err)
	}
	return nil
}

// Verify logs in as role.
func (e *Engine) Verify(ctx context.Context, role string, password []byte) error {
	if err := checkName(role); err != nil {
		return err
	}
	ctx, cancel := e.target.Bound(ctx)
	defer cancel()
	c, err := e.connect(ctx, role, password)
	if err != nil {
		return e.loginFailure(ctx, role, database.LoginRefused, err)
	}
	hangUp(ctx, c)
	return nil
}

// Discard does nothing: the server keeps no second password.
func (e *Engine) Discard(context.Context, string) error { return nil }

// connect logs in. The driver keeps passwords as a string, which nobody can wipe; it
// lives as long as the connection.
func (e *Engine) connect(ctx context.Context, user string, password []byte) (*pgconn.PgConn, error) {
	c := e.base.Copy()
	c.User, c.Password = user, string(password)
	return pgconn.ConnectConfig(ctx, c)
}

// administrator logs in for a change. What its session looks names up in, and when a
// change counts as done, is not left to the server's defaults.
func (e *Engine) administrator(ctx context.Context) (*pgconn.PgConn, error) {
	who, err := e.target.Administrator(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the credential of the administrator: %w", err)
	}
	defer who.Password.Wipe()
	c, err := e.connect(ctx, who.User, who.Password)
	if err != nil {
		return nil, e.loginFailure(ctx, who.User, database.AdminRefused, err)
	}
	if err := c.Exec(ctx, "SET search_path = pg_catalog; SET synchronous_commit = on").Close(); err != nil {
		hangUp(ctx, c)
		return nil, e.failure(ctx, "preparing the session", err)
	}
	return c, nil
}

// hangUp ends the connection. What had to be done is done, so how it ends does not
// matter.
func hangUp(ctx context.Context, c *pgconn.PgConn) { _ = c.Close(ctx) }

// lookUp finds what says that a role must not be changed: a password would be of no
// use to it.
const lookUp = `SELECT rolcanlogin, rolvaliduntil IS NOT NULL AND rolvaliduntil <= now(), current_setting('scram_iterations', true)
FROM pg_catalog.pg_roles WHERE rolname = $1`

// inspect refuses a server or a role that a change would not help, and returns how
// often the server wants a password hashed.
func (e *Engine) inspect(ctx context.Context, c *pgconn.PgConn, role string) (iterations int, err error) {
	if err := checkVersion(c); err != nil {
		return 0, err
	}
	rows := c.ExecParams(ctx, lookUp, [][]byte{[]byte(role)}, nil, nil, nil).Read()
	switch {
	case rows.Err != nil:
		return 0, e.failure(ctx, "looking up "+strconv.Quote(role), rows.Err)
	case len(rows.Rows) == 0:
		return 0, database.Errorf(database.Unknown, "there is no role %q", role)
	case string(rows.Rows[0][0]) != "t":
		return 0, database.Errorf(database.Locked, "role %q may not log in (NOLOGIN)", role)
	case string(rows.Rows[0][1]) == "t":
		return 0, database.Errorf(database.Locked, "role %q may not log in any more (VALID UNTIL)", role)
	}
	n, _ := strconv.Atoi(string(rows.Rows[0][2]))
	return min(max(n, minIterations), maxIterations), nil
}

// checkVersion refuses a server before 10: there, the text of a verifier would itself
// become the password.
func checkVersion(c *pgconn.PgConn) error {
	if version := c.ParameterStatus("server_version"); major(version) < 10 {
		return database.Errorf(database.Unsupported, "the server has version %.20q; it takes PostgreSQL 10 or later", version)
	}
	return nil
}

// major returns the number at the beginning of a version; 0 for none.
func major(version string) int {
	digits := strings.IndexFunc(version, func(c rune) bool { return c < '0' || c > '9' })
	if digits < 0 {
		digits = len(version)
	}
	n, _ := strconv.Atoi(version[:digits])
	return n
}

// checkName refuses what cannot be the name of a role.
func checkName(role string) error {
	if role == "" || len(role) > maxName || strings.ContainsRune(role, 0) || !utf8.ValidString(role) {
		return database.Errorf(database.Unknown, "%.80q cannot be a role: a name has 1 to %d bytes of UTF-8 without NUL", role, maxName)
	}
	return nil
}

// quoteName returns role as an identifier. Within double quotes only the double quote
// itself has a meaning.
func quoteName(role string) string {
	return `"` + strings.ReplaceAll(role, `"`, `""`) + `"`
}

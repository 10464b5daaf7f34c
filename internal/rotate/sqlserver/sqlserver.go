// Package sqlserver changes passwords of logins of SQL Server 2012 and later.
//
// The rule that keeps it honest: names and passwords become literals of T-SQL in one
// place, and the whole change is one batch that is refused by a number of ours wherever a
// new password would not help. No server was at hand when this was written: what the
// tests show is the batch and the protocol, not what a server makes of them.
package sqlserver

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"coffer/internal/rotate/database"
)

// Port and database of a target that names none. Logins are of the server, so another
// database is for administrators that have no right to master.
const (
	DefaultPort     = 1433
	DefaultDatabase = "master"
)

// maxName is the length of a name in UTF-16 units: that of sysname.
const maxName = 128

// Engine is a server. It keeps no connection.
type Engine struct {
	target database.Target
	base   msdsn.Config
}

// New returns an engine for t.
func New(t database.Target) (*Engine, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	tls, err := t.TLS.Config(t.Host)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(t.Address(DefaultPort))
	if err != nil {
		return nil, fmt.Errorf("sqlserver: reading the address: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("sqlserver: reading the port: %w", err)
	}
	base := msdsn.Config{
		Host: t.Host, Port: number, Database: t.Database, TLSConfig: tls, Encryption: msdsn.EncryptionRequired,
		Protocols: []string{"tcp"}, Parameters: map[string]string{}, ProtocolParameters: map[string]any{},
		AppName: "coffer", Workstation: "coffer", DisableRetry: true, DialTimeout: -1, NoTraceID: true,
	}
	if tls == nil {
		base.Encryption = msdsn.EncryptionDisabled
	}
	if base.Database == "" {
		base.Database = DefaultDatabase
	}
	return &Engine{target: t, base: base}, nil
}

// Policy says which passwords to make.
func (e *Engine) Policy() database.Policy { return database.DefaultPolicy() }

// Discard does nothing: the server keeps no second password.
func (e *Engine) Discard(context.Context, string) error { return nil }

// Change gives login that password. The server hides passwords of ALTER LOGIN from its
// traces; it keeps one, so connections with the old one fail from then on.
func (e *Engine) Change(ctx context.Context, login string, password []byte) error {
	if err := checkName(login); err != nil {
		return err
	}
	if err := e.Policy().Check(password); err != nil {
		return err
	}
	ctx, cancel := e.target.Bound(ctx)
	defer cancel()
	return e.asAdministrator(ctx, "changing the password of "+strconv.Quote(login), batch(login, string(password)))
}

// Inspect reports what would keep Change from giving login a password.
func (e *Engine) Inspect(ctx context.Context, login string) error {
	ctx, cancel := e.target.Bound(ctx)
	defer cancel()
	if login == "" {
		return e.asAdministrator(ctx, "looking at the server", mayChange)
	}
	if err := checkName(login); err != nil {
		return err
	}
	return e.asAdministrator(ctx, "looking at "+strconv.Quote(login), inspection(login))
}

// asAdministrator runs a batch.
func (e *Engine) asAdministrator(ctx context.Context, doing, batch string) error {
	who, err := e.target.Administrator(ctx)
	if err != nil {
		return fmt.Errorf("reading the credential of the administrator: %w", err)
	}
	defer who.Password.Wipe()
	if checkName(who.User) != nil { // with a backslash the driver would log in as a user of Windows
		return database.Errorf(database.AdminRefused, "the administrator must be a login of SQL Server")
	}
	c, err := e.connect(ctx, who.User, who.Password)
	if err != nil {
		return e.loginFailure(ctx, who.User, database.AdminRefused, err)
	}
	defer hangUp(c)
	if err := run(ctx, c, batch); err != nil {
		return e.failure(ctx, doing, err)
	}
	return nil
}

// run sends a batch as it is: without parameters the driver prepares nothing.
func run(ctx context.Context, c *mssql.Conn, batch string) error {
	prepared, err := c.PrepareContext(ctx, batch)
	if err != nil {
		return err
	}
	_, err = prepared.(*mssql.Stmt).ExecContext(ctx, nil) // PrepareContext returns nothing else
	return err
}

// Verify logs in as login, to the database that every login may use.
func (e *Engine) Verify(ctx context.Context, login string, password []byte) error {
	if err := checkName(login); err != nil {
		return err
	}
	ctx, cancel := e.target.Bound(ctx)
	defer cancel()
	c, err := e.connect(ctx, login, password)
	if err != nil {
		return e.loginFailure(ctx, login, database.LoginRefused, err)
	}
	hangUp(c)
	return nil
}

// hangUp ends a connection. What had to be done is done, so how it ends does not matter.
func hangUp(c *mssql.Conn) { _ = c.Close() }

// dialer has names resolved by the dialer of the target, which judges the addresses. The
// driver waits for the first answer of a server without looking at the context, so the
// connection does.
type dialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	host string
}

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.dial(ctx, network, address)
	if err == nil {
		context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // fails on what is closed
	}
	return c, err
}

func (d dialer) HostName() string { return d.host }

// connect logs in. The driver keeps passwords as a string, which nobody can wipe; it
// lives as long as the connection.
func (e *Engine) connect(ctx context.Context, user string, password []byte) (*mssql.Conn, error) {
	config := e.base
	config.User, config.Password = user, string(password)
	connector := mssql.NewConnectorConfig(config)
	connector.Dialer = dialer{e.target.Dialer(), e.target.Host}
	c, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return c.(*mssql.Conn), nil // Connect returns nothing else
}

// checkName refuses what cannot be the name of a login with a password. A backslash
// stands in the names of Windows alone.
func checkName(login string) error {
	switch {
	case login == "" || !utf8.ValidString(login) || strings.ContainsRune(login, 0) || len(utf16.Encode([]rune(login))) > maxName:
		return database.Errorf(database.Unknown, "%.80q cannot be a login: a name has 1 to %d characters without NUL", login, maxName)
	case strings.ContainsRune(login, '\\'):
		return database.Errorf(database.External, "%.80q is a login of Windows, whose password is not kept here", login)
	}
	return nil
}

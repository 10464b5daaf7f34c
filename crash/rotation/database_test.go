package rotation

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"coffer/internal/rotate/servertest"
)

// kind is a kind of database server.
type kind struct {
	name   string // as a database target says it
	start  func(*testing.T) *servertest.Server
	login  func(ctx context.Context, db *servertest.Server, l login) error
	create string // makes the account %[1]s with the password %[2]s
	keeps  bool   // the server lets the old password in until the next change
	wire   dialect
}

var kinds = []kind{
	{"postgresql", servertest.PostgreSQL, loginPostgreSQL, `CREATE ROLE %[1]s LOGIN PASSWORD '%[2]s'`, false, postgreSQL},
	{"mariadb", servertest.MariaDB, loginMySQL, `CREATE USER %[1]s IDENTIFIED BY '%[2]s'`, true, mySQL},
	{"mysql", servertest.MySQL, loginMySQL, `CREATE USER %[1]s IDENTIFIED BY '%[2]s'`, true, mySQL},
}

// login is what the value of a secret says, and what clients log in with.
type login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// refused reports whether err says that the password is another. Every other failure of
// a login is one of the test.
func refused(err error) bool {
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) {
		return e.Code == "28P01"
	}
	e := (*mysql.MySQLError)(nil)
	return errors.As(err, &e) && e.Number == 1045
}

// loginPostgreSQL opens a connection and closes it.
func loginPostgreSQL(ctx context.Context, db *servertest.Server, l login) error {
	c, err := pgconn.ParseConfig(fmt.Sprintf("host=localhost port=%d dbname=postgres sslmode=require", db.Port))
	if err != nil {
		return err
	}
	c.User, c.Password, c.Fallbacks = l.Username, l.Password, nil
	c.TLSConfig = &tls.Config{RootCAs: db.Authority.Roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	conn, err := pgconn.ConnectConfig(ctx, c)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// loginMySQL opens a connection and closes it.
func loginMySQL(ctx context.Context, db *servertest.Server, l login) error {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", net.JoinHostPort("localhost", strconv.Itoa(db.Port)), l.Username, l.Password
	c.TLS, c.Logger = &tls.Config{RootCAs: db.Authority.Roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}, log.New(io.Discard, "", 0)
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(connector)
	defer pool.Close()
	return pool.PingContext(ctx)
}
